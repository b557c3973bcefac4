/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The gate's questions: strangers by SSOUnauth, the table of endpoints, somebody whom no rule lets in. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

static const char *header(const verdict_t *verdict, const char *name)
{
    for (int i = 0; verdict->headers != NULL && i < verdict->headers->nelts; i += 2) {
        if (strcmp(APR_ARRAY_IDX(verdict->headers, i, const char *), name) == 0)
            return APR_ARRAY_IDX(verdict->headers, i + 1, const char *);
    }
    return NULL;
}

static verdict_t *stranger(world_t *world, const visit_t *visit)
{
    return gate_stranger(world->rp, &world->env, visit, gate_admit(world->rp, &world->env, visit));
}

/* SSOUnauth, for a navigation and for everything else. */
static void test_unauth(void **state)
{
    static const struct {
        const char *line;
        int navigation, script; /* status; 0: goes through as a stranger */
    } cases[] = {
        {"SSOUnauth auto", 302, 401}, {"SSOUnauth login", 302, 302}, {"SSOUnauth 401", 401, 401},
        {"SSOUnauth 403", 403, 403},  {"SSOUnauth pass", 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const lines[] = {cases[i].line, NULL};
        world_t *world = world_new(unit_pool(state), lines);
        for (int script = 0; script < 2; script++) {
            visit_t visit = script ? world_xhr(world, "/app", NULL) : world_nav(world, "/app", NULL);
            verdict_t *verdict = stranger(world, &visit);
            int status = script ? cases[i].script : cases[i].navigation;
            assert_int_equal(verdict->status, status);
            assert_int_equal(verdict->kind, status == 0 ? VERDICT_STRANGER : VERDICT_ANSWER);
            assert_true((verdict->cookies != NULL) == (status == 302));
            assert_true((verdict->location != NULL) == (status == 302));
            assert_true((header(verdict, "WWW-Authenticate") != NULL) == (status == 401));
            assert_null(verdict->identity);
        }
    }
}

/* ST-15 to ST-19: nothing but a navigation is sent away; no ticket, no call, no write. */
static void test_no_navigation(void **state)
{
    static const struct {
        visit_method method;
        const char *mode, *purpose;
        bool upgrade, scripted;
        const char *why;
    } cases[] = {
        {METHOD_GET, "cors", "", false, false, "ST-15 fetch"},
        {METHOD_GET, "no-cors", "", false, false, "ST-16 an image"},
        {METHOD_GET, "navigate", "", false, true, "ST-15 X-Requested-With"},
        {METHOD_GET, "websocket", "", true, false, "ST-17"},
        {METHOD_GET, "", "", true, false, "ST-17"},
        {METHOD_POST, "navigate", "", false, false, "ST-18"},
        {METHOD_OTHER, "navigate", "", false, false, "BP-06 OPTIONS, PROPFIND, GeT"},
        {METHOD_GET, "navigate", "prefetch", false, false, "ST-19 Sec-Purpose"},
        {METHOD_GET, "navigate", "preview", false, false, "ST-19 X-Moz and others"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        visit_t visit = world_nav(world, "/app", NULL);
        visit.method = cases[i].method;
        visit.fetch_mode = text_of(cases[i].mode);
        visit.purpose = text_of(cases[i].purpose);
        visit.upgrade = cases[i].upgrade;
        visit.scripted = cases[i].scripted;
        verdict_t *verdict = stranger(world, &visit);
        assert_case(verdict->status == 401 && verdict->location == NULL && verdict->cookies == NULL,
                    cases[i].why);
        assert_string_equal(verdict->content_type, "application/json"); /* OE-10 */
        assert_non_null(strstr(verdict->body.at, "\"login_url\":\"https://rp.test/sso/login\""));
        assert_case(world->http.calls == 0 && fakestore_calls(&world->store) == 0, cases[i].why);
    }
}

/* What ended the session is the reason that a script is given; a cookie that gate_admit expires is expired.
 */
static void test_reasons(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_clock_pass(&world->clock, 1860);
    visit_t visit = world_xhr(world, "/app", cookies);
    assert_fault(stranger(world, &visit)->fault, FAULT_SESSION_ENDED);
    visit = world_xhr(world, "/app", NULL);
    assert_fault(stranger(world, &visit)->fault, FAULT_LOGIN_REQUIRED);
    visit = world_nav(world, "/app", apr_pstrcat(world->pool, cookies, "; ", cookies, NULL)); /* CK-05 */
    verdict_t *verdict = stranger(world, &visit);
    assert_int_equal(verdict->status, 302);
    assert_non_null(strstr(world_set_cookie(verdict, WORLD_COOKIE "="), "Max-Age=0"));
    assert_non_null(world_set_cookie(verdict, JOURNEY_TICKETS));
}

/* Every endpoint and method: 405 with Allow, which burns nothing. */
static void test_methods(void **state)
{
    static const struct {
        const char *name, *allow;
        bool takes[METHOD_OTHER + 1];
    } cases[] = {
        {"callback", "GET", {true, false, false, false}},
        {"login", "GET, HEAD", {true, true, false, false}},
        {"logout", "GET, POST", {true, false, true, false}},
        {"session", "GET, HEAD", {true, true, false, false}},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int method = METHOD_GET; method <= METHOD_OTHER; method++) {
            visit_t visit = world_nav(world, apr_pstrcat(world->pool, "/sso/", cases[i].name, NULL), NULL);
            visit.method = (visit_method)method;
            verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
            assert_int_equal(verdict->kind, VERDICT_ANSWER);
            assert_case((verdict->status != 405) == cases[i].takes[method], cases[i].name);
            if (verdict->status != 405)
                continue;
            assert_fault(verdict->fault, FAULT_METHOD_REFUSED);
            assert_string_equal(header(verdict, "Allow"), cases[i].allow); /* RFC 9110 15.5.6 */
        }
    }
}

/* AR-26, BL-20: what is not in the table is not found, in whatever spelling. */
static void test_unknown(void **state)
{
    static const char *const paths[] = {"/sso",
                                        "/sso/",
                                        "/sso/callback/",
                                        "/sso/callback/x",
                                        "/sso/callback;v=1",
                                        "/sso/Callback",
                                        "/sso/callback%2f",
                                        "/sso//callback",
                                        "/sso/%63allback",
                                        "/sso/callbac",
                                        "/sso/x",
                                        "/sso/../sso/callback",
                                        "/app",
                                        "",
                                        "/sso2callback"};
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(paths); i++) {
        visit_t visit = world_nav(world, "/", NULL);
        visit.path = unit_flush(world->pool, text_of(paths[i]));
        visit.query = TEXT("code=x&state=y");
        verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
        assert_fault(verdict->fault, FAULT_ENDPOINT_UNKNOWN);
        assert_int_equal(verdict->status, 404);
        assert_null(verdict->cookies);
    }
    assert_int_equal(world->http.calls, 0);
}

/* SSOPath elsewhere moves all endpoints. */
static void test_other_path(void **state)
{
    static const char *const lines[] = {"SSOPath /a/b", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    visit_t visit = world_nav(world, "/a/b/login", NULL);
    verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
    assert_int_equal(verdict->status, 302);
    assert_non_null(strstr(verdict->location, "redirect_uri=https%3A%2F%2Frp.test%2Fa%2Fb%2Fcallback"));
    visit = world_nav(world, "/sso/login", NULL);
    assert_int_equal(gate_endpoint(world->rp, &world->env, &visit)->status, 404);
}

/* Somebody known whom Require refuses. */
static void test_forbidden(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    for (int script = 0; script < 2; script++) {
        visit_t visit = script ? world_xhr(world, "/app", cookies) : world_nav(world, "/app", cookies);
        verdict_t *verdict = gate_refuse(world->rp, &world->env, &visit, NULL);
        assert_fault(verdict->fault, FAULT_FORBIDDEN);
        assert_int_equal(verdict->status, 403);
        assert_true(text_starts(text_of(verdict->content_type),
                                script ? TEXT("application/json") : TEXT("text/html")));
        assert_true(verdict->location == NULL && verdict->cookies == NULL && verdict->identity == NULL);
    }
    assert_int_equal(fakestore_calls(&world->store), 1); /* the sign-in */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_unauth),    UNIT_TEST(test_no_navigation), UNIT_TEST(test_reasons),
        UNIT_TEST(test_methods),   UNIT_TEST(test_unknown),       UNIT_TEST(test_other_path),
        UNIT_TEST(test_forbidden),
    };
    return UNIT_MAIN(tests);
}
