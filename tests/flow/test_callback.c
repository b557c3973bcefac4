/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The browser comes back as it should: sessions, cookies, landing, several tabs, and what happens to the
 * session that was there before. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/cookie.h"

/* The value of the session cookie that a verdict sets, as a Cookie header. */
static const char *new_session(world_t *world, const verdict_t *verdict)
{
    const char *line = world_set_cookie(verdict, WORLD_COOKIE "=");
    assert_non_null(line);
    return apr_pstrndup(world->pool, line, strcspn(line, ";"));
}

static const char *user_of(world_t *world, const char *cookies)
{
    visit_t visit = world_nav(world, "/app", cookies);
    const verdict_t *verdict = gate_admit(world->rp, &world->env, &visit);
    return verdict->kind == VERDICT_KNOWN ? verdict->identity->user : NULL;
}

/* AR-30, AR-31, ST-26: unknown parameters are left alone, nothing of the query goes on. */
static void test_success(void **state)
{
    static const char *const extras[] = {"", "&foo=1&session_state=abc&scope=openid", "&foo=1&foo=2", "&=&&"};
    for (size_t i = 0; i < COUNT(extras); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app?x=1&y=%20", NULL);
        const char *query = apr_pstrcat(world->pool, journey_consent(&journey), extras[i], NULL);
        verdict_t *verdict = journey_return(&journey, query);
        journey_welcomed(&journey, verdict, "/app?x=1&y=%20");
        assert_string_equal(user_of(world, new_session(world, verdict)), "alice");
        assert_int_equal(journey_calls(world, "/token"), 1);
        assert_int_equal(journey_calls(world, "/userinfo"), 0);
        assert_true(world_noted(verdict, "user=alice"));
    }
}

/* CK-01, ST-26: attributes of the new cookie, and of the one that goes. */
static void test_cookie_lines(void **state)
{
    static const struct {
        const char *lines[3];
        const char *attributes;
    } cases[] = {
        {{NULL}, "; Path=/; Secure; HttpOnly; SameSite=Lax"},
        {{"SSOCookie Strict"}, "; Path=/; Secure; HttpOnly; SameSite=Strict"},
        {{"SSOCookie persistent", "SSOSessionMax 8h"},
         "; Path=/; Max-Age=28800; Secure; HttpOnly; SameSite=Lax"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        journey_t journey;
        world_t *world = world_new(unit_pool(state), cases[i].lines);
        verdict_t *verdict = journey_whole(&journey, world);
        const char *line = world_set_cookie(verdict, WORLD_COOKIE "=");
        assert_non_null(line);
        assert_int_equal(strcspn(line, ";"), strlen(WORLD_COOKIE) + 1 + VAULT_COOKIE_LEN);
        assert_string_equal(strchr(line, ';'), cases[i].attributes);
        assert_string_equal(strchr(world_set_cookie(verdict, journey.ticket), ';'),
                            "; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    }
}

/* ST-28: the browser would not send a Strict cookie on the redirect, so it goes on from a page. */
static void test_strict(void **state)
{
    static const char *const lines[] = {"SSOCookie Strict", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    journey_t journey = journey_begin(world, "/app?a=1&b=%22%3E%3Csvg", NULL);
    verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
    assert_int_equal(verdict->status, 200);
    assert_null(verdict->location);
    assert_non_null(strstr(verdict->body.at, "http-equiv=\"refresh\""));
    assert_non_null(strstr(verdict->body.at, "/app?a=1&amp;b=%22%3E%3Csvg\""));
    assert_null(strstr(verdict->body.at, "code="));
    assert_string_equal(user_of(world, new_session(world, verdict)), "alice");
}

/* What the session remembers. */
static void test_session(void **state)
{
    static const struct {
        int expires_in, refresh_expires_in;
        const char *scope;
        int64_t token_expires, refresh_expires;
        const char *why;
    } cases[] = {
        {120, 1800, "openid email", WORLD_START + 120, WORLD_START + 1800, "as the provider says"},
        {-1, -1, NULL, WORLD_START + 300, 0, "TE-17 it does not say: SSOTokenLifetime"},
        {0, 0, "", WORLD_START, 0, "TE-17 Keycloak's 0 for a refresh token means never"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        journey_t journey;
        vault_record record;
        world_t *world = world_new(unit_pool(state), NULL);
        world->op.expires_in = cases[i].expires_in;
        world->op.refresh_expires_in = cases[i].refresh_expires_in;
        world->op.scope = cases[i].scope;
        verdict_t *verdict = journey_whole(&journey, world);
        journey_welcomed(&journey, verdict, "/app");
        assert_int_equal(world_load(world, new_session(world, verdict), &record), VAULT_OK);
        const session_t *session = &record.session;
        assert_case(session->token_expires == cases[i].token_expires, cases[i].why);
        assert_case(session->refresh_expires == cases[i].refresh_expires, cases[i].why);
        assert_texts(session->scope, text_of(cases[i].scope), cases[i].why);
        assert_case(session->created == WORLD_START && session->seen == WORLD_START, cases[i].why);
        assert_case(session->ends == WORLD_START + 12 * 3600, cases[i].why);
        assert_case(session->refresh_token.len > 0 && session->id_token.len > 0, cases[i].why);
        assert_case(!session->ended && !session_is_leased(session), cases[i].why);
    }
}

/* AR-29, CK-02, CK-25, ST-14: whoever signs in gets a new session; the one this browser had is gone. */
static void test_session_before(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    vault_record record;
    const char *alice = world_sign_in(world);
    const char *stranger = world_sign_in(world); /* somebody else's browser */
    journey_t journey = journey_begin(world, "/app", NULL);
    journey.cookies = apr_pstrcat(world->pool, journey.cookies, "; ", alice, NULL);
    world->op.sub = "bob";
    verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
    journey_welcomed(&journey, verdict, "/app");
    const char *bob = new_session(world, verdict);
    assert_string_not_equal(bob, alice);
    assert_string_equal(user_of(world, bob), "bob");
    assert_int_equal(world_load(world, alice, &record), VAULT_MISS);
    assert_null(user_of(world, alice));
    assert_string_equal(user_of(world, stranger), "alice");
    assert_int_equal(world_load(world, bob, &record), VAULT_OK);
    for (size_t i = 0; i < record.session.claims.count; i++)
        assert_false(claim_has(&record.session.claims.at[i], TEXT("alice@example.org")));
}

/* CK-02, CK-03: an identifier that somebody planted is never adopted. */
static void test_planted(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    vault_record record;
    const char *planted = WORLD_COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    journey_t journey = journey_begin(world, "/app", planted);
    verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
    journey_welcomed(&journey, verdict, "/app");
    assert_string_not_equal(new_session(world, verdict), planted);
    assert_int_equal(world_load(world, planted, &record), VAULT_MISS);
}

/* The new session is there, the former one cannot be ended: the login counts, and the log says so. */
static void test_former_stays(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *alice = world_sign_in(world);
    journey_t journey = journey_begin(world, "/app", NULL);
    journey.cookies = apr_pstrcat(world->pool, journey.cookies, "; ", alice, NULL);
    fakestore_fail(&world->store, FAKESTORE_DROP, 1, STORE_DOWN);
    verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
    journey_welcomed(&journey, verdict, "/app");
    assert_true(world_noted(verdict, "former session could not be ended"));
}

/* ST-08, ST-09, ST-27: several tabs, finished in any order; each lands on its own page, one session lives. */
static void test_tabs(void **state)
{
    enum { TABS = 5 };
    for (int backwards = 0; backwards < 2; backwards++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t tabs[TABS];
        const char *jar = NULL;
        for (int i = 0; i < TABS; i++) {
            tabs[i] = journey_begin(world, apr_psprintf(world->pool, "/tab%d", i), jar);
            jar = tabs[i].cookies;
        }
        for (int n = 0; n < TABS; n++) {
            int i = backwards ? TABS - 1 - n : n;
            const char *before = jar;
            tabs[i].cookies = jar;
            fakestore_recount(&world->store);
            verdict_t *verdict = journey_return(&tabs[i], journey_consent(&tabs[i]));
            journey_welcomed(&tabs[i], verdict, apr_psprintf(world->pool, "/tab%d", i));
            jar = world_cookies_after(world->pool, jar, verdict);
            assert_true(n == 0 || user_of(world, before) == NULL); /* one live session */
        }
        assert_string_equal(user_of(world, jar), "alice");
        assert_null(strstr(jar, tabs[0].ticket));
    }
}

/* Where the session cannot be stored, and why. */
static void test_not_stored(void **state)
{
    static const struct {
        store_rc rc;
        fault_code code;
        const char *why;
    } cases[] = {
        {STORE_DOWN, FAULT_STORE_DOWN, "nobody knows whether it was written: no cookie"},
        {STORE_FULL, FAULT_STORE_FULL, "no room"},
        {STORE_CLASH, FAULT_STORE_DOWN,
         "an identifier of 256 random bits that is there already is no accident"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        world->store.faults[FAKESTORE_ADD] = (fakestore_fault){1, 1, cases[i].rc, false};
        verdict_t *verdict = journey_return(&journey, query);
        fakestore_recount(&world->store);
        journey_refused(&journey, verdict, cases[i].code, cases[i].why);
        assert_non_null(strstr(world_set_cookie(verdict, journey.ticket), "Max-Age=0"));
        assert_int_equal(world->op.revocations, 1); /* tokens that nobody will use */
    }
}

/* TE-21, DO-13: a session above SSOMaxSession is refused with the part that is to blame. */
static void test_too_large(void **state)
{
    static const char *const lines[] = {"SSOMaxSession 4k", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    journey_t journey = journey_begin(world, "/app", NULL);
    char *groups = apr_palloc(world->pool, 6001);
    memset(groups, 'g', 6000);
    groups[6000] = '\0';
    world->op.claims = journey_claims(&journey, "groups", apr_psprintf(world->pool, "\"%s\"", groups));
    verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
    journey_refused(&journey, verdict, FAULT_SESSION_TOO_LARGE, "6 kB of groups");
    assert_non_null(strstr(verdict->fault->detail, "biggest part: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_success),      UNIT_TEST(test_cookie_lines), UNIT_TEST(test_strict),
        UNIT_TEST(test_session),      UNIT_TEST(test_planted),      UNIT_TEST(test_session_before),
        UNIT_TEST(test_former_stays), UNIT_TEST(test_tabs),         UNIT_TEST(test_not_stored),
        UNIT_TEST(test_too_large),
    };
    return UNIT_MAIN(tests);
}
