/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What the holder of the lease does: one request, and its result into the record whatever else happens. */

#include "unit.h"

#include <apr_strings.h>

#include "base/url.h"
#include "world.h"

#define DUE  250
#define OVER 300

static verdict_t *ask(world_t *world, const char *cookies)
{
    const visit_t visit = world_nav(world, "/app", cookies);
    return gate_admit(world->rp, &world->env, &visit);
}

static session_t stored(world_t *world, const char *cookies)
{
    vault_record record;
    assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
    return record.session;
}

static void assert_ended(world_t *world, const char *cookies, const verdict_t *verdict, const char *why)
{
    vault_record record;
    unsigned refreshes = world->op.refreshes;
    assert_case(verdict->kind == VERDICT_STRANGER, why);
    assert_case(verdict->fault != NULL && fault_status(verdict->fault->code) == 401, why);
    assert_case(world_load(world, cookies, &record) == VAULT_MISS || record.session.ended, why);
    assert_case(record.session.refresh_token.len == 0, "a tombstone keeps no secrets");
    assert_case(ask(world, cookies)->kind == VERDICT_STRANGER, why);
    assert_case(world->op.refreshes == refreshes, "the dead do not refresh");
}

static const char *sign_in_with(world_t *world, const fakeop_claim *claims)
{
    session_t session = world_session(world);
    session.id_token = fakeop_idtoken(&world->op, world->pool, claims);
    return world_store(world, &session);
}

typedef struct idtoken_case {
    const char *why;
    fakeop_claim before, after;
    bool lives;
} idtoken_case;

static const idtoken_case idtoken_cases[] = {
    {"the same again", {"x", "1"}, {"x", "1"}, true},
    {"RF-08: iss", {"x", "1"}, {"iss", "\"https://evil.test\""}, false},
    {"RF-09: sub", {"x", "1"}, {"sub", "\"bob\""}, false},
    {"RF-10: aud", {"x", "1"}, {"aud", "\"other\""}, false},
    {"RF-10: azp", {"x", "1"}, {"azp", "\"other\""}, false},
    {"RF-10: expired", {"x", "1"}, {"exp", "1690000000"}, false},
    {"RF-11: no nonce any more", {"nonce", "\"n\""}, {"x", "1"}, true},
    {"RF-11: the same nonce", {"nonce", "\"n\""}, {"nonce", "\"n\""}, true},
    {"RF-11: another nonce", {"nonce", "\"n\""}, {"nonce", "\"m\""}, false},
    {"RF-12: the same auth_time", {"auth_time", "1699999990"}, {"auth_time", "1699999990"}, true},
    {"RF-12: a later auth_time", {"auth_time", "1699999990"}, {"auth_time", "1700000100"}, false},
    {"RF-13: iat older than before", {"x", "1"}, {"iat", "1699999999"}, false},
    {"a claim has changed", {"role", "\"a\""}, {"role", "\"b\""}, true},
};

/* RF-08 to RF-13: the refreshed ID token is verified like the first one (Core 12.2). */
static void test_idtokens(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(idtoken_cases); i++) {
        const idtoken_case *one = &idtoken_cases[i];
        const fakeop_claim before[] = {one->before, {NULL, NULL}}, after[] = {one->after, {NULL, NULL}};
        world_t *world = world_new(pool, NULL);
        const char *cookies = sign_in_with(world, before);
        fakes_clock_pass(&world->clock, DUE);
        world->op.refreshes_idtoken = true;
        world->op.claims = after;
        const verdict_t *verdict = ask(world, cookies);
        assert_case(world->op.refreshes == 1, one->why);
        assert_case(fakes_http_route(&world->http, "/userinfo")->calls == 0, one->why);
        if (!one->lives) {
            assert_ended(world, cookies, verdict, one->why);
            assert_case(world->op.revocations == 1, "what nobody will use is given back");
            continue;
        }
        assert_case(verdict->kind == VERDICT_KNOWN, one->why);
        assert_case(strstr(stored(world, cookies).id_token.at, ".") != NULL, one->why);
        const claim_t *role = claim_find(&verdict->identity->claims, TEXT("role"));
        assert_case(strcmp(one->after.name, "role") != 0 || claim_has(role, TEXT("b")),
                    "HD-11: claims are new");
    }
}

static void test_idtoken_signatures(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"ES256\",\"kid\":\"x\"}",
                                          "{\"alg\":\"HS256\",\"kid\":\"k1\"}"};
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(headers); i++) { /* RF-10 */
        world_t *world = world_new(pool, NULL);
        const char *cookies = world_sign_in(world);
        fakes_clock_pass(&world->clock, DUE);
        text_t payload = fakeop_payload(&world->op, pool, NULL);
        text_t token = fakeop_sign(&world->op, pool, headers[i], payload);
        const char *body = apr_psprintf(
            pool, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"%s\"}", token.at);
        fakes_http_answer(&world->http, "/token", 1, 200, NULL, body);
        assert_ended(world, cookies, ask(world, cookies), headers[i]);
    }
}

/* A provider whose keys cannot be had is no reason to lose tokens that it has just rotated. */
static void test_keys_out_of_reach(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    text_t before = stored(world, cookies).id_token;
    world->op.refreshes_idtoken = true;
    fakes_http_fail(&world->http, "/jwks", 10, HTTP_BROKEN);
    fakes_clock_pass(&world->clock, DUE);
    assert_int_equal(ask(world, cookies)->kind, VERDICT_KNOWN);
    const session_t session = stored(world, cookies);
    assert_text(session.access_token, "at.1");
    assert_texts(session.id_token, before, "the unverified one is not kept");
}

typedef struct failure_case {
    const char *why;
    http_rc rc;
    int status;
    const char *type, *body;
    int64_t retry_after, rests; /* 0: nothing was sent, the session need not rest */
    bool ends;
} failure_case;

static const failure_case failure_cases[] = {
    {"RF-05: invalid_grant", HTTP_ANSWERED, 400, NULL, "{\"error\":\"invalid_grant\"}", -1, 0, true},
    {"RF-06: 500", HTTP_ANSWERED, 500, NULL, "", -1, 5, false},
    {"RF-06: too slow", HTTP_BROKEN, 0, "", "", -1, 5, false},
    {"RF-06: unreachable", HTTP_UNREACHABLE, 0, "", "", -1, 0, false},
    {"TLS", HTTP_UNTRUSTED, 0, "", "", -1, 0, false},
    {"RF-28: too many calls", HTTP_BUSY, 0, "", "", -1, 0, false},
    {"F-18: it rests", HTTP_RESTING, 0, "", "", -1, 0, false},
    {"RF-23: invalid_client", HTTP_ANSWERED, 401, NULL, "{\"error\":\"invalid_client\"}", -1, 5, false},
    {"RF-24: 429 with Retry-After", HTTP_ANSWERED, 429, NULL, "{}", 120, 120, false},
    {"RF-24: Retry-After of an hour", HTTP_ANSWERED, 429, NULL, "{}", 3600, 300, false},
    {"RF-24: 503 with Retry-After", HTTP_ANSWERED, 503, NULL, "", 60, 60, false},
    {"RF-27: no access_token", HTTP_ANSWERED, 200, NULL, "{\"token_type\":\"Bearer\"}", -1, 5, false},
    {"RF-27: HTML", HTTP_ANSWERED, 200, "text/html", "<html>", -1, 5, false},
    {"RF-27: huge", HTTP_TOO_LARGE, 0, "", "", -1, 5, false},
    {"TE-23: an error with 200", HTTP_ANSWERED, 200, NULL, "{\"error\":\"invalid_grant\"}", -1, 5, false},
    {"another error", HTTP_ANSWERED, 400, NULL, "{\"error\":\"invalid_request\"}", -1, 5, false},
};

/* RF-05 to RF-07, RF-23, RF-24, RF-27: what ends a session, and what only makes the next try wait. */
static void test_failures(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(failure_cases); i++) {
        const failure_case *one = &failure_cases[i];
        world_t *world = world_new(pool, NULL);
        const char *cookies = world_sign_in(world);
        const session_t before = stored(world, cookies);
        fakes_clock_pass(&world->clock, DUE);
        fakes_http_answer(&world->http, "/token", 1, one->status, one->type, one->body);
        fakes_http_route(&world->http, "/token")->odd_rc = one->rc;
        fakes_http_route(&world->http, "/token")->odd_answer.retry_after = one->retry_after;
        const verdict_t *verdict = ask(world, cookies);
        if (one->ends) {
            assert_ended(world, cookies, verdict, one->why);
            continue;
        }
        assert_case(verdict->kind == VERDICT_KNOWN, one->why); /* the token still works */
        const session_t after = stored(world, cookies);
        assert_case(text_equal(after.refresh_token, before.refresh_token), one->why);
        assert_case(text_equal(verdict->identity->access_token, before.access_token), one->why);
        assert_case(!session_is_leased(&after) && after.failures == (one->rests > 0 ? 1 : 0), one->why);
        assert_case(after.retry_at == (one->rests > 0 ? WORLD_START + DUE + one->rests : 0), one->why);
        assert_case(world_noted(verdict, "failed for now"), one->why);
        if (one->rests > 0) {
            fakes_clock_pass(&world->clock, one->rests - 1);
            (void)ask(world, cookies);
            assert_case(fakes_http_route(&world->http, "/token")->calls == 1, "RF-17: not hammered");
            fakes_clock_pass(&world->clock, 1);
        }
        assert_case(ask(world, cookies)->kind == VERDICT_KNOWN && world->op.refreshes == 1, one->why);
        assert_case(stored(world, cookies).failures == 0, "RF-17: reset");
    }
}

/* RF-07, RF-17: over and out of reach: 503, the session kept, 5, 10, 20, 30, 30 seconds apart. */
static void test_outage(void **state)
{
    static const int64_t rests[] = {5, 10, 20, 30, 30};
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_clock_pass(&world->clock, OVER);
    fakes_http_answer(&world->http, "/token", 1000, 500, NULL, "");
    for (size_t i = 0; i < COUNT(rests); i++) {
        for (int64_t second = 0; second < rests[i]; second++) {
            const verdict_t *verdict = ask(world, cookies);
            assert_int_equal(verdict->status, 503);
            assert_int_equal(verdict->fault->code, FAULT_REFRESH_PENDING);
            assert_null(verdict->cookies);
            assert_int_equal(fakes_http_route(&world->http, "/token")->calls, i + 1);
            fakes_clock_pass(&world->clock, 1);
        }
    }
    fakes_http_fail(&world->http, "/token", 0, HTTP_ANSWERED);
    assert_int_equal(ask(world, cookies)->kind, VERDICT_KNOWN);
}

/* RF-14: rotated at the provider, the answer lost: sent once, refused once, and then it is over without a
 * loop. */
static void test_lost_answer(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_http_lose(&world->http, "/token", 1);
    fakes_clock_pass(&world->clock, DUE);
    assert_int_equal(ask(world, cookies)->kind, VERDICT_KNOWN);
    assert_int_equal(world->op.refreshes, 1);
    fakes_clock_pass(&world->clock, 5);
    assert_ended(world, cookies, ask(world, cookies), "RF-14");
    assert_int_equal(world->op.refreshes, 2);
}

/* RF-25: bytes of a refresh token as the provider wrote them; RF-26: a smaller scope is stored. */
static void test_what_is_sent_and_kept(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    text_t sent;
    world->op.refresh_token = TEXT("a%20&b=c+d \\\"e\\\" ~");
    world->op.scope = "openid";
    world->op.refresh_expires_in = 1800;
    fakes_clock_pass(&world->clock, DUE);
    assert_int_equal(ask(world, cookies)->kind, VERDICT_KNOWN);
    const session_t session = stored(world, cookies);
    assert_text(session.refresh_token, "a%20&b=c+d \"e\" ~");
    assert_text(session.scope, "openid");
    assert_int_equal(session.refresh_expires, WORLD_START + DUE + 1800);
    fakes_clock_pass(&world->clock, DUE);
    fakes_http_answer(&world->http, "/token", 1, 200, NULL,
                      "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":\"r\"}");
    (void)ask(world, cookies);
    assert_int_equal(stored(world, cookies).refresh_expires, 0);
    const fakes_sent *last = fakes_http_last(&world->http, "/token");
    assert_int_equal(url_parameter(world->pool, text_of(last->form), "refresh_token", &sent), URL_FOUND);
    assert_text(sent, "a%20&b=c+d \"e\" ~");
    assert_int_equal(strncmp(last->authorization, "Basic ", 6), 0);
    assert_int_equal(last->deadline_ms, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_idtokens),
        UNIT_TEST(test_idtoken_signatures),
        UNIT_TEST(test_keys_out_of_reach),
        UNIT_TEST(test_failures),
        UNIT_TEST(test_outage),
        UNIT_TEST(test_lost_answer),
        UNIT_TEST(test_what_is_sent_and_kept),
    };
    return UNIT_MAIN(tests);
}
