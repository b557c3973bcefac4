/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The way out: the session first, then the browser, then the provider; and who may ask for it. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/cookie.h"
#include "base/url.h"

static verdict_t *leave(world_t *world, const char *target, const char *cookies)
{
    visit_t visit = world_nav(world, target, cookies);
    visit.fetch_site = TEXT("same-origin");
    return gate_endpoint(world->rp, &world->env, &visit);
}

static bool expired(const verdict_t *verdict)
{
    const char *line = world_set_cookie(verdict, WORLD_COOKIE "=");
    return line != NULL && strstr(line, "Max-Age=0") != NULL;
}

static bool lives(world_t *world, const char *cookies)
{
    vault_record record;
    return world_load(world, cookies, &record) == VAULT_OK;
}

static text_t parameter(world_t *world, const char *url, const char *name)
{
    text_t value;
    (void)url_parameter(world->pool, text_from(text_of(url), text_find(text_of(url), '?') + 1), name, &value);
    return value;
}

/* LO-02: ended, expired, revoked, and on to the provider with what it needs to know. */
static void test_normal(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_log_in(world, "/app");
    vault_record record;
    assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
    verdict_t *verdict = leave(world, "/sso/logout", cookies);
    assert_int_equal(verdict->status, 303);
    assert_true(text_starts(text_of(verdict->location), TEXT(FAKEOP_ISSUER "/logout?")));
    assert_texts(parameter(world, verdict->location, "id_token_hint"), record.session.id_token, "whole");
    assert_text(parameter(world, verdict->location, "post_logout_redirect_uri"), WORLD_BASE "/sso/logout");
    assert_text(parameter(world, verdict->location, "client_id"), "rp");
    assert_int_equal(parameter(world, verdict->location, "state").len, 43);
    assert_true(expired(verdict));
    assert_false(lives(world, cookies));
    assert_int_equal(world->op.revocations, 1);
    const fakes_sent *revoked = fakes_http_last(&world->http, "/revoke");
    assert_texts(parameter(world, apr_pstrcat(world->pool, "?", revoked->form, NULL), "token"),
                 record.session.refresh_token, "the refresh token");
    assert_true(revoked->deadline_ms <= 2000);
    journey_clean(verdict, record.session.refresh_token, "CLEAN");
    journey_clean(verdict, record.cookie, "CLEAN");
    journey_clean(verdict, record.session.id_token, "CLEAN");
    verdict = leave(world, "/sso/logout", cookies); /* CK-08 */
    assert_int_equal(verdict->status, 200);
}

/* LO-05 and providers that fail: the logout here counts all the same. */
static void test_provider_fails(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_http_answer(&world->http, "/.well-known/openid-configuration", 1, 200, NULL,
                      "{\"issuer\":\"" FAKEOP_ISSUER "\",\"authorization_endpoint\":\"" FAKEOP_ISSUER
                      "/auth\",\"token_endpoint\":\"" FAKEOP_ISSUER "/token\"}");
    verdict_t *verdict = leave(world, "/sso/logout", cookies); /* LO-05 */
    assert_int_equal(verdict->status, 200);
    assert_non_null(strstr(verdict->body.at, "You are signed out."));
    assert_true(expired(verdict) && !lives(world, cookies));
    assert_int_equal(world->op.revocations, 0);

    world = world_new(unit_pool(state), NULL);
    cookies = world_sign_in(world);
    fakes_http_fail(&world->http, "/.well-known/openid-configuration", 9, HTTP_UNREACHABLE);
    verdict = leave(world, "/sso/logout?return=/bye", cookies);
    assert_int_equal(verdict->status, 303);
    assert_string_equal(verdict->location, WORLD_BASE "/bye");
    assert_true(expired(verdict) && !lives(world, cookies));
    assert_true(world_noted(verdict, "the provider could not be told"));

    world = world_new(unit_pool(state), NULL);
    cookies = world_sign_in(world);
    fakes_http_fail(&world->http, "/revoke", 1, HTTP_BROKEN);
    verdict = leave(world, "/sso/logout", cookies);
    assert_int_equal(verdict->status, 303);
    assert_true(expired(verdict) && !lives(world, cookies));
}

/* LO-06: the store is down: the cookie goes, and nobody is told that all is well. */
static void test_store_down(void **state)
{
    static const fakestore_verb verbs[] = {FAKESTORE_GET, FAKESTORE_DROP};
    for (size_t i = 0; i < COUNT(verbs); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        const char *cookies = world_sign_in(world);
        fakestore_fail(&world->store, verbs[i], 1, STORE_DOWN);
        verdict_t *verdict = leave(world, "/sso/logout?return=/bye", cookies);
        assert_fault(verdict->fault, FAULT_LOGOUT_INCOMPLETE);
        assert_int_equal(verdict->status, 503);
        assert_true(expired(verdict) && verdict->retry_after > 0);
        assert_null(verdict->location);
        assert_null(strstr(verdict->body.at, "You are signed out."));
        assert_non_null(strstr(verdict->fault->detail, "session="));
        journey_clean(verdict, text_from(text_of(cookies), strlen(WORLD_COOKIE "=")), "CLEAN");
    }
}

/* LO-07, BL-15: nobody is signed in; the provider hears nothing of it. */
static void test_no_session(void **state)
{
    static const char *const jars[] = {NULL, WORLD_COOKIE "=rubbish",
                                       WORLD_COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < COUNT(jars); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        verdict_t *verdict = leave(world, "/sso/logout", jars[i]);
        assert_int_equal(verdict->status, 200);
        assert_null(verdict->fault);
        assert_int_equal(world->http.calls, 0);
        assert_true(expired(verdict) == (jars[i] != NULL));
    }
}

/* CK-05: of two cookies none is trusted, but neither is left behind as if nothing was. */
static void test_two_cookies(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    verdict_t *verdict = leave(world, "/sso/logout", apr_pstrcat(world->pool, cookies, "; ", cookies, NULL));
    assert_true(expired(verdict));
}

/* LO-01: who may sign a user out without asking him. */
static void test_whose_wish(void **state)
{
    static const struct {
        visit_method method;
        const char *site, *origin, *referer;
        bool navigation, own;
        const char *why;
    } cases[] = {
        {METHOD_GET, "same-origin", "", "", true, true, "a link of the application"},
        {METHOD_GET, "none", "", "", true, true, "typed, or a bookmark"},
        {METHOD_GET, "same-site", "", "", true, true, "a sister application"},
        {METHOD_POST, "same-origin", WORLD_BASE, "", true, true, "a button of the application"},
        {METHOD_GET, "same-origin", "", "", false, true, "its script"},
        {METHOD_GET, "cross-site", "", "", true, false, "LO-01 a link elsewhere"},
        {METHOD_GET, "cross-site", "", "", false, false, "LO-01 an image elsewhere"},
        {METHOD_POST, "cross-site", "https://evil.test", "", true, false, "LO-01 a form elsewhere"},
        {METHOD_POST, "cross-site", WORLD_BASE, WORLD_BASE "/", true, false,
         "LO-01 Sec-Fetch-Site counts most"},
        {METHOD_GET, "nonsense", "", "", true, false, "a word that is not known"},
        {METHOD_GET, "", "", WORLD_BASE "/app?x", true, true, "plain http, from our page"},
        {METHOD_GET, "", "", "https://evil.test/", true, false, "LO-01 plain http, from elsewhere"},
        {METHOD_GET, "", "", "https://rp.test.evil.test/", true, false, "RD-05"},
        {METHOD_GET, "", "", "https://rp.test@evil.test/", true, false, "RD-04"},
        {METHOD_POST, "", "https://evil.test", WORLD_BASE "/", true, false, "Origin counts before Referer"},
        {METHOD_POST, "", "null", "", true, false, "a sandboxed frame"},
        {METHOD_GET, "", "", "", false, false, "an image without any header"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        const char *cookies = world_sign_in(world);
        visit_t visit = cases[i].navigation ? world_nav(world, "/sso/logout", cookies)
                                            : world_xhr(world, "/sso/logout", cookies);
        visit.method = cases[i].method;
        visit.fetch_site = text_of(cases[i].site);
        visit.origin = text_of(cases[i].origin);
        visit.referer = text_of(cases[i].referer);
        verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
        assert_case(lives(world, cookies) != cases[i].own, cases[i].why);
        assert_case(expired(verdict) == cases[i].own, cases[i].why);
        if (cases[i].own)
            continue;
        assert_case(world->http.calls == 0, cases[i].why);
        bool asks = cases[i].navigation && cases[i].method == METHOD_GET;
        assert_case(verdict->status == (asks ? 200 : 403), cases[i].why);
        assert_case(asks == (strstr(verdict->body.at, "Do you want to sign out?") != NULL), cases[i].why);
    }
}

/* The page that asks keeps the target, and escapes what it repeats (OE-01). */
static void test_asks(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    visit_t visit = world_nav(world, "/sso/logout?return=/bye&x=\"><svg/onload=alert(1)>", cookies);
    visit.fetch_site = TEXT("cross-site");
    verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
    assert_int_equal(verdict->status, 200);
    assert_null(strstr(verdict->body.at, "<svg"));
    assert_non_null(
        strstr(verdict->body.at, "href=\"https://rp.test/sso/logout?return=/bye&amp;x=&quot;&gt;"));
    assert_true(lives(world, cookies));
    assert_null(verdict->cookies);
}

/* LO-09: all targets go through returnurl; here that a refused one signs nobody out. */
static void test_target_refused(void **state)
{
    static const char *const targets[] = {"//evil.test",  "https://evil.test/", "/%5cevil.test",  "",
                                          "/a&return=/b", "/sso/logout",        "/x/../sso/login"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        const char *cookies = world_sign_in(world);
        verdict_t *verdict =
            leave(world, apr_pstrcat(world->pool, "/sso/logout?return=", targets[i], NULL), cookies);
        assert_fault(verdict->fault, FAULT_TARGET_REFUSED);
        assert_true(lives(world, cookies) && verdict->location == NULL && verdict->cookies == NULL);
        assert_null(strstr(verdict->body.at, "evil"));
        assert_fault(
            leave(world, apr_pstrcat(world->pool, "/sso/logout?return=", targets[i], NULL), NULL)->fault,
            FAULT_TARGET_REFUSED); /* nor is the landing page a redirector */
    }
}

/* Over the provider and back to the target that was asked for; its state has to fit. */
static void test_round_trip(void **state)
{
    static const struct {
        const char *query; /* {S} is the state */
        const char *lands, *why;
    } cases[] = {
        {"?state={S}", WORLD_BASE "/bye", "as it should be"},
        {"?state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL, "another state"},
        {"", NULL, "no state"},
        {"?state={S}&state={S}", NULL, "twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        const char *cookies = world_sign_in(world);
        verdict_t *verdict = leave(world, "/sso/logout?return=/bye", cookies);
        text_t wish = parameter(world, verdict->location, "state");
        assert_null(strstr(verdict->location, "bye"));
        const char *jar = world_cookies_after(world->pool, cookies, verdict), *query = cases[i].query;
        for (const char *at; (at = strstr(query, "{S}")) != NULL;)
            query = apr_psprintf(world->pool, "%.*s%s%s", (int)(at - query), query, wish.at, at + 3);
        visit_t visit = world_nav(world, apr_pstrcat(world->pool, "/sso/logout", query, NULL), jar);
        visit.fetch_site = TEXT("cross-site");
        verdict = gate_endpoint(world->rp, &world->env, &visit);
        assert_case((verdict->location != NULL) == (cases[i].lands != NULL), cases[i].why);
        assert_case(cases[i].lands == NULL || strcmp(verdict->location, cases[i].lands) == 0, cases[i].why);
        jar = world_cookies_after(world->pool, jar, verdict);
        assert_case(jar[0] == '\0', "nothing stays behind");
    }
}

/* Where a logout ends when nobody asked for anything, and that a wish is no login (ST-05). */
static void test_usual_target(void **state)
{
    static const char *const with_url[] = {"SSOLogoutURL https://portal.test/", NULL},
                             *const with_path[] = {"SSOLogoutURL /bye", NULL};
    world_t *world = world_new(unit_pool(state), with_url);
    assert_string_equal(leave(world, "/sso/logout", NULL)->location, "https://portal.test/");
    assert_string_equal(leave(world, "/sso/logout?return=/x", NULL)->location, WORLD_BASE "/x");
    world = world_new(unit_pool(state), with_path);
    assert_string_equal(leave(world, "/sso/logout", NULL)->location, WORLD_BASE "/bye");
    verdict_t *verdict = leave(world, "/sso/logout?return=/x", world_sign_in(world));
    text_t wish = parameter(world, verdict->location, "state");
    const char *line = world_set_cookie(verdict, JOURNEY_TICKETS);
    const char *name = ticket_name(world->pool, JOURNEY_TICKETS, wish);
    text_t value = {strchr(line, '=') + 1, strcspn(strchr(line, '=') + 1, ";")};
    journey_t journey = {.world = world,
                         .cookies =
                             apr_pstrcat(world->pool, name, "=", text_string(world->pool, value), NULL)};
    verdict = journey_return(&journey, apr_pstrcat(world->pool, "code=x&state=", wish.at, NULL));
    assert_fault(verdict->fault, FAULT_CALLBACK_ORIGIN);
}

/* LO-11: a hint that makes the URL too long is left out, never cut. */
static void test_long_hint(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    session_t session = world_session(world);
    char *big = apr_palloc(world->pool, 12289);
    memset(big, 'x', 12288);
    big[12288] = '\0';
    session.id_token = text_of(big);
    verdict_t *verdict = leave(world, "/sso/logout", world_store(world, &session));
    assert_true(strlen(verdict->location) < 1000);
    assert_null(strstr(verdict->location, "id_token_hint"));
    assert_text(parameter(world, verdict->location, "client_id"), "rp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_normal),       UNIT_TEST(test_provider_fails), UNIT_TEST(test_store_down),
        UNIT_TEST(test_no_session),   UNIT_TEST(test_two_cookies),    UNIT_TEST(test_whose_wish),
        UNIT_TEST(test_asks),         UNIT_TEST(test_target_refused), UNIT_TEST(test_round_trip),
        UNIT_TEST(test_usual_target), UNIT_TEST(test_long_hint),
    };
    return UNIT_MAIN(tests);
}
