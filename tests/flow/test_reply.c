/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Answers of the module: one row a fault code, as page and as JSON. */

#include "unit.h"

#include "flow/reply.h"
#include "journey.h"

#include <apr_strings.h>

#include "base/jval.h"

static walk_t walk_for(world_t *world, bool script)
{
    visit_t *visit = apr_palloc(world->pool, sizeof *visit);
    *visit = script ? world_xhr(world, "/app", NULL) : world_nav(world, "/app", NULL);
    return walk_begin(world->rp, &world->env, visit);
}

static const char *header(const verdict_t *verdict, const char *name)
{
    for (int i = 0; verdict->headers != NULL && i < verdict->headers->nelts; i += 2) {
        if (strcmp(APR_ARRAY_IDX(verdict->headers, i, const char *), name) == 0)
            return APR_ARRAY_IDX(verdict->headers, i + 1, const char *);
    }
    return NULL;
}

/* OE-01, OE-10, OE-08: every code, both ways; the detail is for the log alone. */
static void test_faults(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
        const fault_t *fault = fault_make(world->pool, (fault_code)code, "%s", "DETAIL<svg>");
        for (int script = 0; script < 2; script++) {
            walk_t walk = walk_for(world, script);
            verdict_t *verdict = reply_fault(&walk, fault);
            int status = fault_status((fault_code)code);
            assert_ptr_equal(verdict->fault, fault);
            assert_int_equal(verdict->kind, VERDICT_ANSWER);
            assert_int_equal(verdict->status, status);
            assert_int_equal(strlen(verdict->incident), 12);
            assert_true((verdict->retry_after > 0) == (status == 503));
            assert_true((header(verdict, "WWW-Authenticate") != NULL) ==
                        (status == 401)); /* RFC 9110 11.6.1 */
            assert_null(strstr(verdict->body.at, "DETAIL"));
            assert_null(strstr(verdict->body.at, "mod_sso"));
            assert_non_null(strstr(verdict->body.at, fault_word((fault_code)code)));
            assert_non_null(strstr(verdict->body.at, verdict->incident));
            assert_int_equal(verdict->body.len, strlen(verdict->body.at));
            bool html = text_starts(text_of(verdict->content_type), TEXT("text/html"));
            assert_true(html != script);
            assert_true((header(verdict, "Content-Security-Policy") != NULL) == html);
        }
    }
}

/* OE-10: JSON that scripts can read. */
static void test_json(void **state)
{
    static const char *const lines[] = {"SSOPath /in", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    walk_t walk = walk_for(world, true);
    verdict_t *verdict = reply_fault(&walk, fault_make(world->pool, FAULT_LOGIN_REQUIRED, NULL));
    const jval_t *object = NULL;
    text_t word, url;
    assert_no_fault(jval_read(world->pool, text_trim((text_t){verdict->body.at, verdict->body.len - 1}), 1000,
                              FAULT_INTERNAL, &object));
    assert_int_equal(jval_text(object, "error", &word), JVAL_FOUND);
    assert_text(word, "login_required");
    assert_int_equal(jval_text(object, "login_url", &url), JVAL_FOUND);
    assert_text(url, "https://rp.test/in/login");
    assert_string_equal(verdict->content_type, "application/json");
    visit_t visit = world_xhr(world, "/app", NULL);
    visit.base_url = NULL;
    walk = walk_begin(world->rp, &world->env, &visit);
    verdict = reply_fault(&walk, fault_make(world->pool, FAULT_HOST_UNKNOWN, NULL));
    assert_null(strstr(verdict->body.at, "login_url"));
}

/* Which refusals offer a way on. */
static void test_offers(void **state)
{
    static const struct {
        fault_code code;
        const char *link; /* NULL: none */
        const char *why;
    } cases[] = {
        {FAULT_STATE_UNKNOWN, "href=\"https://rp.test/sso/login\"", "AR-05 a login of one's own"},
        {FAULT_LOGIN_REQUIRED, "href=\"https://rp.test/sso/login\"", "sign in"},
        {FAULT_STORE_DOWN, "href=\"https://rp.test\"", "try again later, not at the provider"},
        {FAULT_FORBIDDEN, NULL, "another login would not help"},
        {FAULT_ENDPOINT_UNKNOWN, NULL, "nothing is there"},
        {FAULT_METHOD_REFUSED, NULL, "nor there"},
        {FAULT_TARGET_REFUSED, NULL, "somebody else's link"},
        {FAULT_CROSS_SITE, NULL, "somebody else's form"},
        {FAULT_INTERNAL, NULL, "an administrator is needed"},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        walk_t walk = walk_for(world, false);
        verdict_t *verdict = reply_fault(&walk, fault_make(world->pool, cases[i].code, NULL));
        assert_case((strstr(verdict->body.at, "href=") != NULL) == (cases[i].link != NULL), cases[i].why);
        assert_case(cases[i].link == NULL || strstr(verdict->body.at, cases[i].link) != NULL, cases[i].why);
    }
}

/* CF-11: without random numbers there is still an answer. */
static void test_no_incident(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    walk_t walk = walk_for(world, false);
    world->random.fails_after = 0;
    assert_string_equal(reply_fault(&walk, fault_make(world->pool, FAULT_INTERNAL, NULL))->incident, "none");
}

static void test_retry_after(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    walk_t walk = walk_for(world, false);
    walk.verdict->retry_after = 77;
    assert_int_equal(reply_fault(&walk, fault_make(world->pool, FAULT_PROVIDER_BUSY, NULL))->retry_after, 77);
}

/* CK-01, ST-02: attributes by the kind of cookie. */
static void test_cookies(void **state)
{
    static const struct {
        const char *lines[3];
        bool https;
        const char *name, *line, *why;
    } cases[] = {
        {{NULL}, true, "__Host-sso", "__Host-sso=v; Path=/; Secure; HttpOnly; SameSite=Lax", "default"},
        {{NULL}, false, "sso", "sso=v; Path=/; HttpOnly; SameSite=Lax", "http: no browser would keep Secure"},
        {{"SSOCookie Strict"},
         true,
         "__Host-sso",
         "__Host-sso=v; Path=/; Secure; HttpOnly; SameSite=Strict",
         "as configured"},
        {{"SSOCookie None"},
         true,
         "__Host-sso",
         "__Host-sso=v; Path=/; Secure; HttpOnly; SameSite=None",
         "as configured"},
        {{"SSOCookie Strict"},
         true,
         "__Host-sso-login-x",
         "__Host-sso-login-x=v; Path=/; Secure; HttpOnly; SameSite=Lax",
         "ST-28 tickets must come back from the provider"},
        {{"SSOCookie app Domain=rp.test Path=/sso"},
         true,
         "app",
         "app=v; Path=/sso; Domain=rp.test; Secure; HttpOnly; SameSite=Lax",
         "all"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), cases[i].lines);
        visit_t visit = world_nav(world, "/", NULL);
        visit.https = cases[i].https;
        walk_t walk = walk_begin(world->rp, &world->env, &visit);
        reply_cookie(&walk, cases[i].name, TEXT("v"), -1);
        reply_expire(&walk, cases[i].name);
        assert_texts(text_of(APR_ARRAY_IDX(walk.verdict->cookies, 0, const char *)), text_of(cases[i].line),
                     cases[i].why);
        const char *gone = APR_ARRAY_IDX(walk.verdict->cookies, 1, const char *);
        assert_non_null(strstr(gone, "; Max-Age=0"));
        assert_non_null(strstr(gone, strstr(cases[i].line, "; HttpOnly"))); /* ST-26 the same attributes */
    }
}

static void test_redirect(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    walk_t walk = walk_for(world, false);
    text_t location = unit_flush(world->pool, TEXT("https://op.test/auth?x"));
    verdict_t *verdict = reply_redirect(&walk, 303, location);
    assert_int_equal(verdict->status, 303);
    assert_string_equal(verdict->location, "https://op.test/auth?x");
    assert_int_equal(verdict->body.len, 0);
    assert_null(verdict->content_type);
    assert_null(verdict->fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_faults),      UNIT_TEST(test_json),        UNIT_TEST(test_offers),
        UNIT_TEST(test_no_incident), UNIT_TEST(test_retry_after), UNIT_TEST(test_cookies),
        UNIT_TEST(test_redirect),
    };
    return UNIT_MAIN(tests);
}
