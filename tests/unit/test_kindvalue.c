/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Addresses, times and sizes: what is read, and the sentence for everything else. */

#include "kindtry.h"

static void reads_addresses(void **state)
{
    static const struct {
        const char *kind;
        const char *line;
        const char *value;
        const char *why;
    } cases[] = {
        {"url", "https://op.example/realms/demo", "https://op.example/realms/demo", "kept as written"},
        {"url", "https://op.example/", "https://op.example/", "the slash is part of an issuer"},
        {"url", "https://OP.example", "https://OP.example", "so is the case"},
        {"url", "http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x", "http on loopback"},
        {"url", "http://localhost:8080", "http://localhost:8080", "http on loopback by name"},
        {"url", "http://[::1]:8080", "http://[::1]:8080", "http on loopback, IPv6"},
        {"origin", "https://WWW.Example.com", "https://www.example.com", "lower case"},
        {"origin", "https://www.example.com:443", "https://www.example.com", "no default port"},
        {"origin", "http://www.example.com:8080", "http://www.example.com:8080", "http may be an origin"},
        {"path", "/sso", "/sso", "the default"},
        {"path", "/a.b/c-d/~e_f", "/a.b/c-d/~e_f", "unreserved characters"},
        {"target", "/goodbye?a=b", "/goodbye?a=b", "a path"},
        {"target", "/", "/", "the root"},
        {"target", "https://www.example.com/bye?x", "https://www.example.com/bye?x", "a URL"},
        {"target", "http://localhost:3000/", "http://localhost:3000/", "http on loopback"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *value = NULL;
        try_right(try_read(pool, cases[i].kind, cases[i].line, &value), cases[i].why);
        assert_texts(text_of(value), text_of(cases[i].value), cases[i].why);
    }
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *kind;
        const char *line;
        int64_t value;
    } cases[] = {
        {"seconds", "1s", 1},
        {"seconds", "30s", 30},
        {"seconds", "10m", 600},
        {"seconds", "12h", 43200},
        {"seconds", "7d", 604800},
        {"seconds", "400d", 34560000},
        {"seconds", "34560000s", 34560000},
        {"bytes", "1024", 1024},
        {"bytes", "1k", 1024},
        {"bytes", "4096", 4096},
        {"bytes", "64k", 65536},
        {"bytes", "1m", 1048576},
        {"bytes", "64m", 67108864},
        {"count", "1", 1},
        {"count", "1000", 1000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = -1;
        try_right(try_read(unit_pool(state), cases[i].kind, cases[i].line, &value), cases[i].line);
        assert_case(value == cases[i].value, cases[i].line);
    }
}

static void reads_ahead(void **state)
{
    static const struct {
        const char *line;
        int64_t percent, seconds;
    } cases[] = {{"20%", 20, -1}, {"1%", 1, -1}, {"90%", 90, -1}, {"30s", -1, 30}, {"5m", -1, 300}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        kind_ahead value = {0, 0};
        try_right(try_read(unit_pool(state), "ahead", cases[i].line, &value), cases[i].line);
        assert_case(value.percent == cases[i].percent && value.seconds == cases[i].seconds, cases[i].line);
    }
}

static const wrong_case wrong_cases[] = {
    {"url", "", "there is no value", "write one"},
    {"url", "op.example", "'op.example' is not an absolute URL", "https://host"},
    {"url", "ftp://op.example/", "is not an absolute URL", "https://host"},
    {"url", "https://user:pw@op.example/", "is not an absolute URL", "https://host"},
    {"url", "http://op.example/", "is not encrypted", "write https://"},
    {"url", "http://127.0.0.1.evil.example/", "is not encrypted", "loopback only"},
    {"url", "https://op.example/?realm=x", "has a query", "without what follows ?"},
    {"url", "https://op.example/?", "has a query", "without"},
    {"url", "https://op.example/#x", "has a fragment", "without what follows #"},
    {"url", "https://*.example/", "has a wildcard", "in full"},
    {"url", "https://a.example|https://b.example", "there are 2 values", "write one"},
    {"origin", "www.example.com", "is not an origin", "scheme and host"},
    {"origin", "https://www.example.com/", "is more than an origin", "such as https://www.example.com"},
    {"origin", "https://www.example.com/app", "is more than an origin", "only scheme, host and port"},
    {"origin", "https://www.example.com?x", "is more than an origin", "only scheme, host and port"},
    {"origin", "https://www.example.com#x", "is more than an origin", "only scheme, host and port"},
    {"origin", "https://www.example.com:99999", "is not an origin", "such as"},
    {"path", "sso", "'sso' is not a path", "like /sso"},
    {"path", "/", "is not a path", "like /sso"},
    {"path", "/sso/", "without a slash at its end", "like /sso"},
    {"path", "//sso", "is not a path", "like /sso"},
    {"path", "/a/../sso", "is not a path", "like /sso"},
    {"path", "/.", "is not a path", "like /sso"},
    {"path", "/sso%2f", "is not a path", "like /sso"},
    {"path", "/sso?x", "is not a path", "like /sso"},
    {"path", "/s so", "is not a path", "like /sso"},
    {"target", "//evil.example/", "stays on this site", "one slash first"},
    {"target", "/\\evil.example/", "stays on this site", "one slash first"},
    {"target", "/%2fevil.example", "stays on this site", "one slash first"},
    {"target", "http://www.example.com/", "is not encrypted", "https://"},
    {"target", "https://*.example.com/", "has a wildcard", "compared exactly"},
    {"target", "/app/*", "has a wildcard", "compared exactly"},
    {"target", "https://www.example.com/#/bye", "has a fragment", "without"},
    {"target", "javascript:alert(1)", "is not an absolute URL", "https://"},
    {"seconds", "10x", "'10x' is not a time", "write a number with s, m, h or d, such as 30m"},
    {"seconds", "30", "'30' is not a time", "such as 30m"},
    {"seconds", "m", "is not a time", "such as 30m"},
    {"seconds", "-1s", "is not a time", "such as 30m"},
    {"seconds", "1.5h", "is not a time", "such as 30m"},
    {"seconds", "1h30m", "is not a time", "such as 30m"},
    {"seconds", " 1h", "is not a time", "such as 30m"},
    {"seconds", "0s", "is out of range", "from 1s to 400d"},
    {"seconds", "401d", "is out of range", "from 1s to 400d"},
    {"seconds", "99999999999999d", "is out of range", "from 1s to 400d"},
    {"seconds", "9999999999999999999999s", "is not a time", "such as 30m"},
    {"seconds", "10|m", "there are 2 values", "write one"},
    {"bytes", "64kb", "'64kb' is not a size", "such as 64k"},
    {"bytes", "1g", "is not a size", "such as 64k"},
    {"bytes", "k", "is not a size", "such as 64k"},
    {"bytes", "0", "is out of range", "from 1k to 64m"},
    {"bytes", "1023", "is out of range", "from 1k to 64m"},
    {"bytes", "65m", "is out of range", "from 1k to 64m"},
    {"count", "0", "is not a number from 1 to 1000", "such as 32"},
    {"count", "1001", "is not a number from 1 to 1000", "such as 32"},
    {"count", "07", "is not a number from 1 to 1000", "such as 32"},
    {"count", "many", "is not a number from 1 to 1000", "such as 32"},
    {"ahead", "0%", "is not a part of a lifetime", "from 1% to 90%"},
    {"ahead", "91%", "is not a part of a lifetime", "from 1% to 90%"},
    {"ahead", "%", "is not a part of a lifetime", "such as 20%"},
    {"ahead", "20", "is not a time", "such as 30m"},
    {"ahead", "1000d", "is out of range", "400d"},
};

static void refuses(void **state)
{
    try_wrong(unit_pool(state), wrong_cases, COUNT(wrong_cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(reads_addresses), UNIT_TEST(reads_numbers),
                                       UNIT_TEST(reads_ahead), UNIT_TEST(refuses)};
    return UNIT_MAIN(tests);
}
