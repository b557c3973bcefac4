/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The hot path: its budget, and everything that may stand in its way. */

#include "unit.h"

#include <dlfcn.h>

#include <apr_strings.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "world.h"

static unsigned json_reads, signature_checks;

/* Stand before the libraries' own functions and count. */
json_t *json_loadb(const char *buffer, size_t buflen, size_t flags, json_error_t *error)
{
    static json_t *(*real)(const char *, size_t, size_t, json_error_t *) = NULL;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "json_loadb");
    json_reads++;
    return real(buffer, buflen, flags, error);
}

int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sigret, size_t siglen, const unsigned char *tbs,
                     size_t tbslen)
{
    static int (*real)(EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t) = NULL;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestVerify");
    signature_checks++;
    return real(ctx, sigret, siglen, tbs, tbslen);
}

static verdict_t *ask(world_t *world, const char *cookies)
{
    const visit_t visit = world_nav(world, "/app", cookies);
    return gate_admit(world->rp, &world->env, &visit);
}

static void assert_known(const verdict_t *verdict, const char *user)
{
    if (verdict->kind != VERDICT_KNOWN)
        fail_msg("not known: %s", verdict->fault ? fault_word(verdict->fault->code) : "stranger");
    assert_string_equal(verdict->identity->user, user);
    assert_null(verdict->cookies); /* CK-16 */
    assert_null(verdict->fault);
}

static void assert_stranger(const verdict_t *verdict, fault_code code)
{
    assert_int_equal(verdict->kind, VERDICT_STRANGER);
    assert_null(verdict->identity);
    assert_int_equal(verdict->fault == NULL ? FAULT_NONE : verdict->fault->code, code);
}

static void assert_answer(const verdict_t *verdict, fault_code code)
{
    assert_int_equal(verdict->kind, VERDICT_ANSWER);
    assert_int_equal(verdict->status, fault_status(code));
    assert_int_equal(verdict->fault->code, code);
    assert_null(verdict->cookies);
    if (verdict->status == 503)
        assert_in_range(verdict->retry_after, 1, 300);
}

/* THE BUDGET: one get, no write, no call, no JSON, no signature. */
static void test_budget(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_log_in(world, "/app");
    assert_true(json_reads > 0 && signature_checks > 0); /* the counters count */
    fakestore_recount(&world->store);
    world->http.calls = json_reads = signature_checks = 0;
    for (unsigned i = 1; i <= 59; i++) {
        fakes_clock_pass(&world->clock, 1);
        assert_known(ask(world, cookies), "alice");
        assert_int_equal(world->store.calls[FAKESTORE_GET], i);
        assert_int_equal(fakestore_writes(&world->store), 0);
    }
    assert_int_equal(world->http.calls, 0);
    assert_int_equal(json_reads, 0);
    assert_int_equal(signature_checks, 0);
}

static void test_identity(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const session_t session = world_session(world);
    const verdict_t *verdict = ask(world, world_store(world, &session));
    assert_known(verdict, "alice");
    assert_text(verdict->identity->access_token, "at.first");
    assert_texts(verdict->identity->id_token, session.id_token, "the ID token");
    assert_int_equal(strlen(verdict->identity->tag), VAULT_TAG_LEN);
    assert_int_equal(verdict->identity->claims.count, 3);
}

/* CK-11: activity is written once a minute, and not from places that do not count. */
static void test_slide(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    vault_record record;
    fakestore_recount(&world->store);
    fakes_clock_pass(&world->clock, 60);
    world->place->slide = false;
    assert_known(ask(world, cookies), "alice");
    assert_int_equal(fakestore_writes(&world->store), 0);
    world->place->slide = true;
    for (int i = 0; i < 3; i++)
        assert_known(ask(world, cookies), "alice");
    assert_int_equal(fakestore_writes(&world->store), 1);
    assert_int_equal(world->store.calls[FAKESTORE_CAS], 1);
    assert_int_equal(world->store.last_ttl, 1800 + 120);
    assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
    assert_int_equal(record.session.seen, WORLD_START + 60);
    assert_int_equal(record.session.created, WORLD_START);
}

static void test_slide_failures(void **state)
{
    static const struct {
        const char *why;
        store_rc rc;
        bool known, noted;
    } cases[] = {
        {"somebody else has written something newer", STORE_CLASH, true, false},
        {"a logout came first", STORE_MISS, false, false},
        {"the store went away: the request need not suffer", STORE_DOWN, true, true},
        {"the store is full", STORE_FULL, true, true},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *cookies = world_sign_in(world);
        fakes_clock_pass(&world->clock, 60);
        fakestore_fail(&world->store, FAKESTORE_CAS, 1, cases[i].rc);
        const verdict_t *verdict = ask(world, cookies);
        assert_case((verdict->kind == VERDICT_KNOWN) == cases[i].known, cases[i].why);
        assert_case(cases[i].known || verdict->fault->code == FAULT_SESSION_ENDED, cases[i].why);
        assert_case(world_noted(verdict, "activity could not be noted") == cases[i].noted, cases[i].why);
    }
    const char *cookies = world_sign_in(world);
    fakes_clock_pass(&world->clock, 60);
    world->random.fails_after = 0;
    assert_known(ask(world, cookies), "alice");
}

/* MC-15: a store that does not answer is 503; the cookie stays, nobody is sent to the provider. */
static void test_store_down(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakestore_down(&world->store, true);
    assert_answer(ask(world, cookies), FAULT_STORE_DOWN);
    assert_int_equal(world->http.calls, 0);
    const visit_t script = world_xhr(world, "/api", cookies);
    const verdict_t *verdict = gate_admit(world->rp, &world->env, &script);
    assert_answer(verdict, FAULT_STORE_DOWN);
    assert_string_equal(verdict->content_type, "application/json");
    fakestore_down(&world->store, false);
    assert_known(ask(world, cookies), "alice");
}

/* CK-03, CK-14: an id that nobody has is a stranger's, and nothing is ever made under it. */
static void test_unknown_id(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = WORLD_COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_stranger(ask(world, cookies), FAULT_SESSION_ENDED);
    assert_int_equal(fakestore_calls(&world->store), 1);
    assert_int_equal(fakestore_size(&world->store), 0);
    assert_int_equal(world->http.calls, 0);
}

/* CK-04, CK-06, CK-10: none of these is a session cookie of this site; the store never hears of them. */
static void test_cookies_that_are_none(void **state)
{
    static const struct {
        const char *why, *before, *behind; /* around a cookie that is there */
    } cases[] = {
        {"CK-06: another case", "__host-sso=", ""},
        {"CK-06: quoted", "__Host-sso=\"", "\""},
        {"CK-06: an open quote behind $Version", "$Version=1; __Host-sso=\"", ""},
        {"CK-06: a name that goes on", "__Host-ssox=", ""},
        {"CK-06: a name that begins earlier", "x__Host-sso=", ""},
        {"CK-10: the http name on https", "sso=", ""},
        {"CK-04: a byte too many", "__Host-sso=", "A"},
        {"CK-04: a space in it", "__Host-sso=", " x"},
        {"CK-04: percent-encoded", "__Host-sso=%41", ""},
        {"CK-04: CR LF", "__Host-sso=\r\n", ""},
        {"CK-04: a path", "__Host-sso=../", ""},
        {"JS-11: rubbish around nothing", ";;; =; ", ""},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    const char *id = world_sign_in(world) + strlen(WORLD_COOKIE "=");
    fakestore_recount(&world->store);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *cookies = apr_pstrcat(world->pool, cases[i].before, id, cases[i].behind, NULL);
        const verdict_t *verdict = ask(world, cookies);
        assert_case(verdict->kind == VERDICT_STRANGER && verdict->fault == NULL, cases[i].why);
        assert_case(fakestore_calls(&world->store) == 0, cases[i].why);
    }
    visit_t visit = world_nav(world, "/app", apr_pstrcat(world->pool, "__Host-sso=", id, NULL));
    visit.https = false;
    assert_stranger(gate_admit(world->rp, &world->env, &visit), FAULT_NONE);
    char *huge = apr_pcalloc(world->pool, 8193);
    memset(huge, 'A', 8192);
    assert_stranger(ask(world, apr_pstrcat(world->pool, "__Host-sso=", huge, NULL)), FAULT_NONE);
    assert_stranger(ask(world, NULL), FAULT_NONE);
    assert_int_equal(fakestore_calls(&world->store), 0);
}

/* CK-05: two of them: neither counts, the name is expired, and it is in the log. */
static void test_cookie_twice(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *mine = world_sign_in(world), *other = world_sign_in(world);
    fakestore_recount(&world->store);
    const verdict_t *verdict = ask(world, apr_pstrcat(world->pool, mine, "; ", other, NULL));
    assert_stranger(verdict, FAULT_NONE);
    assert_non_null(strstr(world_set_cookie(verdict, WORLD_COOKIE "=;"), "Max-Age=0"));
    assert_true(world_noted(verdict, "twice"));
    assert_int_equal(fakestore_calls(&world->store), 0);
    const visit_t visit = world_nav(world, "/app", apr_pstrcat(world->pool, mine, "; ", other, NULL));
    const verdict_t *login = gate_stranger(world->rp, &world->env, &visit, verdict);
    assert_int_equal(login->status, 302);
    assert_non_null(world_set_cookie(login, WORLD_COOKIE "=;")); /* goes out with the answer */
}

/* MC-07, MC-08: a record that does not open is no session; it is dropped and told. */
static void test_foreign_record(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *alice = world_sign_in(world), *bob = world_sign_in(world);
    vault_record mine, other;
    text_t blob;
    assert_int_equal(world_load(world, alice, &mine), VAULT_OK);
    assert_int_equal(world_load(world, bob, &other), VAULT_OK);
    assert_true(fakestore_peek(&world->store, world->pool, other.key, &blob));
    fakestore_poke(&world->store, mine.key, blob);
    const verdict_t *verdict = ask(world, alice);
    assert_stranger(verdict, FAULT_STORE_FOREIGN);
    assert_true(world_noted(verdict, "reason=store_foreign"));
    assert_false(fakestore_peek(&world->store, world->pool, mine.key, &blob));
    assert_known(ask(world, bob), "alice");
}

static void test_ends(void **state)
{
    static const struct {
        const char *why;
        int64_t after;
        bool buried;
        fault_code code;
    } cases[] = {
        {"CK-11: idle", 1860, false, FAULT_SESSION_ENDED},
        {"CK-12: the absolute end", 12 * 3600, false, FAULT_SESSION_ENDED},
        {"a tombstone", 1, true, FAULT_SESSION_REVOKED},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = world_session(world);
        session.ended = cases[i].buried;
        if (cases[i].after > 1860)
            session.seen += cases[i].after; /* it was busy to the last */
        const char *cookies = world_store(world, &session);
        vault_record record;
        fakes_clock_set(&world->clock, WORLD_START + cases[i].after);
        const verdict_t *verdict = ask(world, cookies);
        assert_case(verdict->kind == VERDICT_STRANGER && verdict->fault->code == cases[i].code, cases[i].why);
        assert_case((world_load(world, cookies, &record) == VAULT_MISS) != cases[i].buried, cases[i].why);
        fakes_clock_set(&world->clock, WORLD_START);
    }
    assert_int_equal(world->http.calls, 0);
}

/* CK-13: the wall clock jumps; steady time, by which the store forgets, does not. */
static void test_clock_jumps(void **state)
{
    static const struct {
        const char *why;
        int64_t wall;
        bool known;
    } cases[] = {
        {"an hour back: still there", WORLD_START - 3600, true},
        {"back to 1970", 0, true},
        {"an hour forward: may log out", WORLD_START + 3600, false},
        {"2038-01-19", 2147483648, false},
        {"2106-02-07", 4294967296, false},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *cookies = world_sign_in(world);
        fakes_clock_set(&world->clock, cases[i].wall);
        assert_case((ask(world, cookies)->kind == VERDICT_KNOWN) == cases[i].known, cases[i].why);
        fakes_clock_set(&world->clock, WORLD_START);
    }
    const char *cookies = world_sign_in(world);
    fakes_clock_set(&world->clock, WORLD_START - 3600);
    world->clock.steady_ms += (1800 + 121) * (int64_t)1000;
    assert_stranger(ask(world, cookies), FAULT_SESSION_ENDED);
}

/* A token that ran out and cannot be renewed is not handed on; who the user is does not depend on it. */
static void test_token_over(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    session_t session = world_session(world);
    session.refresh_token = (text_t){NULL, 0};
    const char *cookies = world_store(world, &session);
    fakes_clock_pass(&world->clock, 300);
    const verdict_t *verdict = ask(world, cookies);
    assert_known(verdict, "alice");
    assert_int_equal(verdict->identity->access_token.len, 0);
}

/* RF-07, RF-17: over, and the last try failed a moment ago: 503 from the one get alone. */
static void test_blocked(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    session_t session = world_session(world);
    session.token_expires = WORLD_START;
    session.token_obtained = WORLD_START - 300;
    session.failures = 1;
    session.retry_at = WORLD_START + 5;
    const char *cookies = world_store(world, &session);
    fakestore_recount(&world->store);
    assert_answer(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(fakestore_calls(&world->store), 1);
    assert_int_equal(world->http.calls, 0);
}

static void test_user(void **state)
{
    static const struct {
        const char *why, *line, *user; /* NULL: refused */
    } cases[] = {
        {"another claim", "SSOUser email", "alice@example.org"},
        {"a pattern", "SSOUser email ^([a-z]+)@ $1", "alice"},
        {"a pattern that does not match", "SSOUser email ^bob@ $0", NULL},
        {"a claim that is not there", "SSOUser upn", NULL},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const lines[] = {cases[i].line, NULL};
        world_t *world = world_new(pool, lines);
        const verdict_t *verdict = ask(world, world_sign_in(world));
        if (cases[i].user != NULL)
            assert_known(verdict, cases[i].user);
        else
            assert_answer(verdict, FAULT_CLAIM_UNUSABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_budget),
        UNIT_TEST(test_identity),
        UNIT_TEST(test_slide),
        UNIT_TEST(test_slide_failures),
        UNIT_TEST(test_store_down),
        UNIT_TEST(test_unknown_id),
        UNIT_TEST(test_cookies_that_are_none),
        UNIT_TEST(test_cookie_twice),
        UNIT_TEST(test_foreign_record),
        UNIT_TEST(test_ends),
        UNIT_TEST(test_clock_jumps),
        UNIT_TEST(test_token_over),
        UNIT_TEST(test_blocked),
        UNIT_TEST(test_user),
    };
    return UNIT_MAIN(tests);
}
