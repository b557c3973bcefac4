/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Return addresses: section 16 of the attacks, JS-15. Besides the table a generator makes hostile targets;
 * what is accepted must lead to our own origin by an independent reading, and never to the module's own
 * endpoints. */

#include "unit.h"

#include "flow/returnurl.h"
#include "world.h"

#include "base/url.h"

#define T(literal)                                                                                           \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

static const struct {
    text_t target;
    const char *path; /* NULL: refused */
    const char *why;
} cases[] = {
    {T("/"), "/", "the root"},
    {T("/app?x=1&y=%2F"), "/app?x=1&y=%2F", "path and query"},
    {T("/a//b"), "/a//b", "slashes further behind are the application's"},
    {T("/ssox/y"), "/ssox/y", "begins like SSOPath"},
    {T("https://rp.test"), "/", "our origin, no path"},
    {T("https://rp.test/"), "/", "our origin"},
    {T("https://rp.test/a?b"), "/a?b", "our origin"},
    {T("https://rp.test?b=c"), "/?b=c", "our origin, a query without a path"},
    {T("https://RP.TEST:443/a"), "/a", "the same origin by RFC 6454"},
    {T(""), NULL, "empty"},
    {T("app"), NULL, "relative"},
    {T("?x"), NULL, "relative"},
    {T("//evil.test"), NULL, "RD-01"},
    {T("///evil.test"), NULL, "RD-01"},
    {T("////evil.test/.."), NULL, "RD-01"},
    {T("/\\evil.test"), NULL, "RD-02"},
    {T("\\/evil.test"), NULL, "RD-02"},
    {T("\\\\evil.test"), NULL, "RD-02"},
    {T("https:\\\\evil.test"), NULL, "RD-02"},
    {T("/%5cevil.test"), NULL, "RD-02 one more decode"},
    {T("/%2fevil.test"), NULL, "RD-08 one more decode"},
    {T("/\t/evil.test"), NULL, "RD-03"},
    {T("/\n/evil.test"), NULL, "RD-03"},
    {T("ht\ntps://evil.test"), NULL, "RD-03"},
    {T("\x01//evil.test"), NULL, "RD-03"},
    {T(" /app"), NULL, "RD-03 leading blank"},
    {T("/a\0b"), NULL, "RD-03 NUL"},
    {T("/a\r\nSet-Cookie: x=y"), NULL, "response splitting"},
    {T("https://rp.test@evil.test"), NULL, "RD-04"},
    {T("https://rp.test:443@evil.test"), NULL, "RD-04"},
    {T("//rp.test@evil.test"), NULL, "RD-04"},
    {T("https://rp.test.evil.test"), NULL, "RD-05"},
    {T("https://evilrp.test"), NULL, "RD-05"},
    {T("https://rp.testevil"), NULL, "RD-05"},
    {T("javascript:alert(1)"), NULL, "RD-06"},
    {T("JaVaScRiPt:alert(1)"), NULL, "RD-06"},
    {T("data:text/html,x"), NULL, "RD-06"},
    {T("file:///etc/passwd"), NULL, "RD-06"},
    {T("http:evil.test"), NULL, "RD-06"},
    {T("https:evil.test"), NULL, "RD-06"},
    {T("https:/evil.test"), NULL, "RD-06"},
    {T("http://rp.test/"), NULL, "RD-06 our host in plain http"},
    {T("http:///evil.test"), NULL, "RD-07"},
    {T("https:?evil.test"), NULL, "RD-07"},
    {T("https://"), NULL, "RD-07"},
    {T("%2f%2fevil.test"), NULL, "RD-08"},
    {T("%252f%252fevil.test"), NULL, "RD-08"},
    {T("/%2e%2e//evil.test"), NULL, "RD-08"},
    {T("/\xef\xbc\x8f\xef\xbc\x8f"
       "evil"),
     NULL, "RD-09 fullwidth slashes"},
    {T("https://rp\xe3\x80\x82test/"), NULL, "RD-09 ideographic dot"},
    {T("https://rp.test:8443/"), NULL, "RD-10"},
    {T("https://[::1]/"), NULL, "RD-10"},
    {T("https://rp.test./"), NULL, "RD-10"},
    {T("https://rp.test/#x"), NULL, "fragment"},
    {T("/a#x"), NULL, "fragment"},
    {T("/a%zz"), NULL, "broken escape"},
    {T("/sso"), NULL, "RD-15 SSOPath"},
    {T("/sso/callback?code=attacker"), NULL, "RD-15"},
    {T("https://rp.test/sso/logout"), NULL, "RD-15 as a whole URL"},
    {T("/./sso/callback?code=x"), NULL, "RD-15 browsers resolve dots before they ask"},
    {T("/x/../sso/callback"), NULL, "RD-15"},
    {T("/x/%2e%2E/sso/callback"), NULL, "RD-15 escaped dots are dots to them"},
    {T("/x/.%2e/sso/callback"), NULL, "RD-15"},
    {T("/%2e/sso/logout"), NULL, "RD-15"},
    {T("https://rp.test/x/../sso/callback"), NULL, "RD-15"},
    {T("/a/.."), NULL, "RD-15 at the end"},
    {T("/a.../..b/c..d/.e"), "/a.../..b/c..d/.e", "dots within names are names"},
    {T("/a?x=/../sso/callback"), "/a?x=/../sso/callback", "dots in a query are data"},
};

static void test_local(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    world_t *world = world_new(pool, NULL);
    visit_t visit = world_nav(world, "/", NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t path = {NULL, 0};
        bool local = returnurl_is_local(world->rp, &visit, unit_flush(pool, cases[i].target), &path);
        if (local != (cases[i].path != NULL))
            fail_msg("%s: %s", cases[i].why, text_loggable(pool, cases[i].target, 100));
        assert_texts(path, text_of(cases[i].path), cases[i].why);
    }
}

static text_t long_target(apr_pool_t *pool, size_t len)
{
    char *bytes = apr_palloc(pool, len);
    memset(bytes, 'a', len);
    bytes[0] = '/';
    return (text_t){bytes, len};
}

/* RD-12, ST-20: a target that is too long is refused, never cut. */
static void test_length(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    world_t *world = world_new(pool, NULL);
    visit_t visit = world_nav(world, "/", NULL);
    text_t path;
    assert_true(returnurl_is_local(world->rp, &visit, long_target(pool, URL_MAX), &path));
    assert_int_equal(path.len, URL_MAX);
    assert_false(returnurl_is_local(world->rp, &visit, long_target(pool, URL_MAX + 1), &path));
    assert_false(returnurl_is_local(world->rp, &visit, long_target(pool, 65536), &path));
    visit.path = long_target(pool, TICKET_RETURN_MAX);
    assert_int_equal(returnurl_of(world->rp, &visit).len, TICKET_RETURN_MAX);
    visit.query = TEXT("");
    assert_text(returnurl_of(world->rp, &visit), "/");
}

/* The address of a visit as a target; what cannot be one is the root. */
static void test_of_visit(void **state)
{
    static const struct {
        const char *path, *query, *target;
    } visits[] = {
        {"/a", NULL, "/a"},         {"/a", "", "/a?"},
        {"/a", "x=1", "/a?x=1"},    {"//evil.test", NULL, "/"},
        {"*", NULL, "/"},           {"", NULL, "/"},
        {"/a/../sso/x", NULL, "/"}, {"/sso/callback", "code=x", "/"},
        {"/a", "x=\x80", "/"},      {"/%", NULL, "/"},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(visits); i++) {
        visit_t visit = world_nav(world, "/", NULL);
        visit.path = text_of(visits[i].path);
        visit.query = text_of(visits[i].query);
        assert_texts(returnurl_of(world->rp, &visit), text_of(visits[i].target), visits[i].path);
    }
}

/* LO-09, RD-13: behind a logout also the exact targets of SSOAfterLogout. */
static void test_after_logout(void **state)
{
    static const char *const lines[] = {"SSOAfterLogout https://portal.test/bye https://other.test:8443/",
                                        NULL};
    static const struct {
        const char *target, *url, *why;
    } targets[] = {
        {"/bye?x", "https://rp.test/bye?x", "our own path"},
        {"https://rp.test/bye", "https://rp.test/bye", "our own URL"},
        {"https://portal.test/bye", "https://portal.test/bye", "allowed exactly"},
        {"https://other.test:8443/", "https://other.test:8443/", "allowed exactly"},
        {"https://portal.test/bye/x", NULL, "RD-13 no prefixes"},
        {"https://portal.test/by", NULL, "RD-13"},
        {"https://portal.test/bye?x", NULL, "RD-13"},
        {"https://PORTAL.test/bye", NULL, "RD-13 byte by byte"},
        {"https://portal.test", NULL, "RD-13"},
        {"https://other.test:8443", NULL, "RD-10"},
        {"https://evil.test/", NULL, "RD-05"},
        {"/sso/logout", NULL, "RD-15 round in circles"},
        {"", NULL, "empty"},
    };
    world_t *world = world_new(unit_pool(state), lines);
    visit_t visit = world_nav(world, "/", NULL);
    for (size_t i = 0; i < COUNT(targets); i++) {
        text_t url = {NULL, 0};
        bool allowed = returnurl_after_logout(world->rp, &visit, text_of(targets[i].target), &url);
        assert_case(allowed == (targets[i].url != NULL), targets[i].why);
        assert_texts(url, text_of(targets[i].url), targets[i].why);
    }
}

/* What a browser does with dots: an independent reading, to which "a" and "%61" are not the same either. */
static const char *resolved(apr_pool_t *pool, text_t path)
{
    const char *segments[600];
    size_t count = 0;
    text_t rest = text_from(path, 1), segment;
    while (text_cut(&rest, '/', &segment)) {
        text_t copy = {"", 0};
        for (size_t i = 0; i < segment.len; i++) {
            text_t three = {segment.at + i, segment.len - i < 3 ? segment.len - i : 3};
            bool dot = text_equal_nocase(three, TEXT("%2e"));
            copy = text_format(pool, "%s%c", copy.at, dot ? '.' : segment.at[i]);
            i += dot ? 2 : 0;
        }
        if (text_equal(copy, TEXT("..")))
            count -= count > 0;
        else if (!text_equal(copy, TEXT(".")) && count < COUNT(segments))
            segments[count++] = copy.at;
    }
    text_t made = {"", 0};
    for (size_t i = 0; i < count; i++)
        made = text_format(pool, "%s/%s", made.at, segments[i]);
    return made.at;
}

/* A target made of pieces that open redirects are made of. */
static text_t generate(apr_pool_t *pool, uint32_t *seed)
{
    static const char *const pieces[] = {
        "/",   "//", "\\",           "evil.test",   "rp.test", "https:", "http:", "https://rp.test",
        "@",   ":",  "443",          "%2f",         "%5c",     "%2e",    ".",     "..",
        "?",   "#",  "sso",          "callback",    "\t",      "\n",     " ",     "%09",
        "%00", "a",  "\xe3\x80\x82", "javascript:", "%",       "&",      "%252f", ";"};
    text_t made = {"", 0};
    *seed = *seed * 1664525u + 1013904223u;
    for (unsigned left = 1 + (*seed >> 24) % 8; left > 0; left--) {
        *seed = *seed * 1664525u + 1013904223u;
        made = text_format(pool, "%s%s", made.at, pieces[(*seed >> 16) % COUNT(pieces)]);
    }
    return made;
}

static void test_generated(void **state)
{
    enum { ROUNDS = 200000 };
    world_t *world = world_new(unit_pool(state), NULL);
    uint32_t seed = 20240607;
    unsigned accepted = 0;
    apr_pool_t *pool = NULL;
    assert_int_equal(apr_pool_create(&pool, unit_pool(state)), APR_SUCCESS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        url_t own, led;
        text_t path, target = generate(pool, &seed);
        visit_t visit = world_nav(world, "/", NULL);
        visit.pool = pool;
        if (returnurl_is_local(world->rp, &visit, target, &path)) {
            accepted++;
            text_t before_query = {
                path.at, text_find(path, '?')}; /* a query leads nowhere, and may have any printable byte */
            text_t whole = text_join(pool, (const text_t[]){TEXT(WORLD_BASE), before_query, {NULL, 0}});
            assert_true(text_is_printable(path) && text_find(path, ' ') == path.len);
            const char *why = text_loggable(pool, target, 200);
            assert_true(url_read(pool, TEXT(WORLD_BASE), &own));
            assert_case(url_read(pool, whole, &led) && url_same_origin(&own, &led), why);
            const char *where = resolved(pool, led.path);
            assert_case(strncmp(where, "/sso/", 5) != 0 && strcmp(where, "/sso") != 0, why);
            assert_case(where[0] != '/' || where[1] != '/', why);
        }
        apr_pool_clear(pool);
    }
    assert_true(accepted > ROUNDS / 200 && accepted < ROUNDS / 2); /* both answers are met */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_local),        UNIT_TEST(test_length),    UNIT_TEST(test_of_visit),
        UNIT_TEST(test_after_logout), UNIT_TEST(test_generated),
    };
    return UNIT_MAIN(tests);
}
