/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Lists: items of one line and of several, and which item is refused. */

#include "kindtry.h"

#include "jose/alg.h"

static void reads_bits(void **state)
{
    static const struct {
        const char *kind;
        const char *line;
        unsigned value;
    } cases[] = {
        {"sources", "idtoken,userinfo", KIND_FROM_IDTOKEN | KIND_FROM_USERINFO},
        {"sources", "access", KIND_FROM_ACCESS},
        {"sources", "idtoken|userinfo, access", KIND_FROM_IDTOKEN | KIND_FROM_USERINFO | KIND_FROM_ACCESS},
        {"tokens", "access", KIND_PASS_ACCESS},
        {"tokens", "access|id", KIND_PASS_ACCESS | KIND_PASS_ID},
        {"tokens", "id,access", KIND_PASS_ACCESS | KIND_PASS_ID},
        {"tokens", "off", 0},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned value = 99;
        try_right(try_read(pool, cases[i].kind, cases[i].line, &value), cases[i].line);
        assert_case(value == cases[i].value, cases[i].line);
    }
}

static void reads_algorithms(void **state)
{
    kind_algs value = 0;
    try_right(try_read(unit_pool(state), "algs", "RS256|ES256,EdDSA", &value), "names");
    assert_true(value ==
                (alg_find(TEXT("RS256"))->bit | alg_find(TEXT("ES256"))->bit | alg_find(TEXT("EdDSA"))->bit));
}

static void reads_strings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_targets targets = NULL;
    kind_addresses addresses = NULL;
    try_right(try_read(pool, "targets", "https://a.example/x?y|/goodbye", &targets), "two");
    try_right(try_read(pool, "targets", "https://b.example", &targets), "a second line adds");
    assert_int_equal(targets->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(targets, 0, const char *), "https://a.example/x?y");
    try_right(try_read(pool, "addresses", "192.0.2.1|10.0.0.0/8", &addresses), "IPv4");
    try_right(try_read(pool, "addresses", "::1|2001:db8::/32|fc00::/7", &addresses), "IPv6");
    assert_int_equal(addresses->nelts, 5);
    assert_string_equal(APR_ARRAY_IDX(addresses, 3, const char *), "2001:db8::/32");
}

static void reads_pairs(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_pairs pairs = NULL;
    try_right(try_read(pool, "pairs", "prompt=select_account", &pairs), "one");
    try_right(try_read(pool, "pairs", "ui=a b=c|empty=", &pairs), "blanks and = belong to the value");
    assert_int_equal(pairs->nelts, 3);
    assert_text(APR_ARRAY_IDX(pairs, 1, url_pair).value, "a b=c");
    assert_text(APR_ARRAY_IDX(pairs, 2, url_pair).name, "empty");
    assert_non_null(strstr(try_read(pool, "pairs", "ui=again", &pairs), "'ui' is there twice"));
}

static void reads_endpoints(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_endpoints endpoints = {0};
    try_right(try_read(pool, "endpoints", "authorization=https://op.example/a?x=y|token=https://op.example/t",
                       &endpoints),
              "two");
    try_right(try_read(pool, "endpoints", "jwks=http://localhost:1/k", &endpoints), "a second line adds");
    assert_string_equal(endpoints.authorization, "https://op.example/a?x=y");
    assert_string_equal(endpoints.token, "https://op.example/t");
    assert_string_equal(endpoints.jwks, "http://localhost:1/k");
    assert_null(endpoints.revocation);
    assert_non_null(strstr(try_read(pool, "endpoints", "token=https://op.example/2", &endpoints),
                           "'token' is there twice"));
}

static const wrong_case wrong_cases[] = {
    {"sources", "", "there is no value", "idtoken, userinfo, access"},
    {"sources", "idtoken,id_token", "'id_token' is not known", "idtoken, userinfo, access"},
    {"tokens", "refresh", "'refresh' is not known", "access, id"},
    {"tokens", "off|access", "'off' is not known", "off alone"},
    {"tokens", ",", "there is no value", "access, id"},
    {"algs", "", "there is no value", "RS256"},
    {"algs", "none", "'none' is not an accepted algorithm", "RS256"},
    {"algs", "HS256", "'HS256' is not an accepted algorithm", "ES256"},
    {"algs", "RS256|rs256", "'rs256' is not an accepted algorithm", "RS256"},
    {"targets", "", "there is no value", "write one or more"},
    {"targets", "https://a.example/|^https://.*", "has a wildcard", "compared exactly"},
    {"targets", "https://*.example/", "has a wildcard", "in full"},
    {"targets", "//evil.example", "stays on this site", "one slash first"},
    {"targets", "http://a.example/", "is not encrypted", "https://"},
    {"pairs", "", "there is no value", "name=value"},
    {"pairs", "prompt", "'prompt' is not a parameter", "name=value"},
    {"pairs", "=x", "is not a parameter", "name=value"},
    {"pairs", "a b=x", "is not a parameter", "name=value"},
    {"pairs", "state=x", "'state' is a parameter that the module sets itself", "take it out"},
    {"pairs", "nonce=x", "that the module sets itself", "take it out"},
    {"pairs", "redirect_uri=https://x", "that the module sets itself", "take it out"},
    {"pairs", "scope=x", "that the module sets itself", "take it out"},
    {"pairs", "a=b|a=c", "'a' is there twice", "keep one"},
    {"pairs", "a=\x01", "control bytes", "without"},
    {"addresses", "", "there is no value", "write one or more"},
    {"addresses", "10", "'10' is not an address", "10.0.0.0/8"},
    {"addresses", "10.1", "is not an address", "10.0.0.0/8"},
    {"addresses", "proxy.example", "is not an address", "192.0.2.1"},
    {"addresses", "10.0.0.0/33", "is not an address", "10.0.0.0/8"},
    {"addresses", "10.0.0.0/", "is not an address", "10.0.0.0/8"},
    {"addresses", "10.0.0.0/255.0.0.0", "is not an address", "10.0.0.0/8"},
    {"addresses", "[::1]", "is not an address", "2001:db8::/32"},
    {"addresses", "1.2.3.4:80", "is not an address", "192.0.2.1"},
    {"addresses", "0.0.0.0/0", "is everybody", "your proxies"},
    {"addresses", "::/0", "is everybody", "your proxies"},
    {"endpoints", "", "there is no value", "name=URL"},
    {"endpoints", "https://op.example/", "is not an endpoint", "authorization, token"},
    {"endpoints", "introspection=https://op.example/", "'introspection' is not an endpoint",
     "end_session, revocation"},
    {"endpoints", "token", "is not an endpoint", "name=URL"},
    {"endpoints", "token=http://op.example/t", "is not encrypted", "https://"},
    {"endpoints", "token=https://op.example/t#x", "has a fragment", "without"},
};

static void refuses(void **state)
{
    try_wrong(unit_pool(state), wrong_cases, COUNT(wrong_cases));
}

static void bounds_lists(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_targets targets = NULL;
    for (int i = 0; i < 64; i++)
        try_right(try_read(pool, "targets", "/x", &targets), "up to 64");
    assert_non_null(strstr(try_read(pool, "targets", "/x", &targets), "too many values"));
    assert_int_equal(targets->nelts, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reads_bits),   UNIT_TEST(reads_algorithms), UNIT_TEST(reads_strings),
        UNIT_TEST(reads_pairs),  UNIT_TEST(reads_endpoints),  UNIT_TEST(refuses),
        UNIT_TEST(bounds_lists),
    };
    return UNIT_MAIN(tests);
}
