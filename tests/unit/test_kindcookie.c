/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The session cookie's line: words in any order, each once, no contradictions. */

#include "kindtry.h"

static void reads(void **state)
{
    static const struct {
        const char *line;
        kind_cookie value;
        const char *why;
    } cases[] = {
        {"Lax", {NULL, "Lax", NULL, "/", false}, "the default"},
        {"strict", {NULL, "Strict", NULL, "/", false}, "words have no case"},
        {"SameSite=None", {NULL, "None", NULL, "/", false}, "as browsers write it"},
        {"portal", {"portal", "Lax", NULL, "/", false}, "a name alone"},
        {"persistent|portal|Strict", {"portal", "Strict", NULL, "/", true}, "any order"},
        {"portal Strict", {"portal", "Strict", NULL, "/", false}, "one argument in quotes"},
        {"Domain=example.com", {NULL, "Lax", "example.com", "/", false}, "a domain"},
        {"domain=.example.com", {NULL, "Lax", "example.com", "/", false}, "RFC 6265 5.2.3: without the dot"},
        {"Path=/app", {NULL, "Lax", NULL, "/app", false}, "a path"},
        {"__Host-x", {"__Host-x", "Lax", NULL, "/", false}, "a prefix"},
        {"__Host-x|Path=/", {"__Host-x", "Lax", NULL, "/", false}, "the path it must have"},
        {"__Secure-x|Domain=a.example", {"__Secure-x", "Lax", "a.example", "/", false}, "the other prefix"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kind_cookie value = {0};
        try_right(try_read(unit_pool(state), "cookie", cases[i].line, &value), cases[i].why);
        assert_texts(text_of(value.name), text_of(cases[i].value.name), cases[i].why);
        assert_texts(text_of(value.same_site), text_of(cases[i].value.same_site), cases[i].why);
        assert_texts(text_of(value.domain), text_of(cases[i].value.domain), cases[i].why);
        assert_texts(text_of(value.path), text_of(cases[i].value.path), cases[i].why);
        assert_case(value.persistent == cases[i].value.persistent, cases[i].why);
    }
}

static const wrong_case wrong_cases[] = {
    {"cookie", "", "there is no value", "write a name"},
    {"cookie", "a|b", "two names", "keep one"},
    {"cookie", "Lax|None", "two SameSite values", "keep one"},
    {"cookie", "Lax|SameSite=Lax", "two SameSite values", "keep one"},
    {"cookie", "SameSite=Any", "'Any' is not a SameSite value", "Lax, Strict, None"},
    {"cookie", "persistent|persistent", "two words persistent", "keep one"},
    {"cookie", "Domain=a.example|Domain=b.example", "two values of Domain=", "keep one"},
    {"cookie", "Domain=", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=com", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=192.0.2.1", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=[::1]", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=a.example:80", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=a.example/x", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=a.example;x=y", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=a..example", "is not a domain", "Domain=example.com"},
    {"cookie", "Domain=example.", "is not a domain", "Domain=example.com"},
    {"cookie", "Path=/a|Path=/b", "two values of Path=", "keep one"},
    {"cookie", "Path=app", "is not a cookie's path", "Path=/app"},
    {"cookie", "Path=/a;Secure", "is not a cookie's path", "Path=/app"},
    {"cookie", "Path=//a", "is not a cookie's path", "Path=/app"},
    {"cookie", "Path=/a?b", "is not a cookie's path", "Path=/app"},
    {"cookie", "Secure", "cannot be chosen", "take the word out"},
    {"cookie", "HttpOnly", "cannot be chosen", "take the word out"},
    {"cookie", "Max-Age=1", "'Max-Age' is not known", "SameSite=, Domain= and Path="},
    {"cookie", "a;b", "is not a cookie's name", "write a name"},
    {"cookie", "$a", "is not a cookie's name", "write a name"},
    {"cookie", "a,b", "is not a cookie's name", "write a name"},
    {"cookie", "\xc3\xa4", "is not a cookie's name", "write a name"},
    {"cookie", "__Host-a|Domain=a.example", "cannot have a domain", "take them out"},
    {"cookie", "Path=/x|__host-a", "cannot have a domain", "choose another name"},
};

static void refuses(void **state)
{
    try_wrong(unit_pool(state), wrong_cases, COUNT(wrong_cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(reads), UNIT_TEST(refuses)};
    return UNIT_MAIN(tests);
}
