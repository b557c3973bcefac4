/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The right to refresh: who wins it, who waits, who steals it and when. What comes of the exchange itself is
 * in test_exchange, threads are in test_refreshthreads. */

#include "unit.h"

#include "world.h"

#define DUE  250 /* seconds after which a token of 300 is due */
#define OVER 300

static verdict_t *ask(world_t *world, const char *cookies)
{
    const visit_t visit = world_nav(world, "/app", cookies);
    return gate_admit(world->rp, &world->env, &visit);
}

static void assert_known(const verdict_t *verdict, const char *token)
{
    if (verdict->kind != VERDICT_KNOWN)
        fail_msg("not known: %s", verdict->fault ? fault_word(verdict->fault->code) : "stranger");
    assert_texts(verdict->identity->access_token, text_of(token), "access token");
}

static void assert_pending(const verdict_t *verdict, fault_code code)
{
    assert_int_equal(verdict->kind, VERDICT_ANSWER);
    assert_int_equal(verdict->status, 503);
    assert_int_equal(verdict->fault->code, code);
    assert_in_range(verdict->retry_after, 1, 300);
    assert_null(verdict->cookies);
}

static session_t stored(world_t *world, const char *cookies)
{
    vault_record record;
    assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
    return record.session;
}

/* Another process refreshes: its lease stands in the record. */
static void lease_to_another(world_t *world, const char *cookies)
{
    session_t session = stored(world, cookies);
    session_take_lease(&session, (const unsigned char *)"another", 15);
    world_change(world, cookies, &session);
}

/* RF-03, RF-04: the new tokens are in the store before the request goes on. */
static void test_rotation(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    for (unsigned i = 1; i <= 3; i++) {
        text_t before = stored(world, cookies).refresh_token;
        fakes_clock_pass(&world->clock, DUE);
        const verdict_t *verdict = ask(world, cookies);
        const session_t session = stored(world, cookies);
        assert_known(verdict, text_format(world->pool, "at.%u", i).at);
        assert_texts(session.access_token, verdict->identity->access_token, "RF-04");
        assert_false(text_equal(session.refresh_token, before));
        assert_false(session_is_leased(&session));
        assert_int_equal(session.lease.epoch, i);
        assert_int_equal(session.token_expires, WORLD_START + DUE * (int64_t)i + 300);
        assert_int_equal(world->op.refreshes, i);
    }
    world->op.rotates = false;
    text_t before = stored(world, cookies).refresh_token;
    fakes_clock_pass(&world->clock, OVER);
    assert_known(ask(world, cookies), "at.4");
    assert_texts(stored(world, cookies).refresh_token, before, "RF-03: kept");
    assert_int_equal(world->op.reuses, 0);
}

/* A refresh counts as activity only as far as the request does. */
static void test_seen(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    world->place->slide = false;
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.1");
    assert_int_equal(stored(world, cookies).seen, WORLD_START); /* CK-11 */
    world->place->slide = true;
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.2");
    assert_int_equal(stored(world, cookies).seen, WORLD_START + 2 * DUE);
}

/* RF-19: nothing is refreshed for a session that is over. */
static void test_not_past_the_end(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    session_t session = world_session(world);
    session.ends = WORLD_START + OVER;
    const char *cookies = world_store(world, &session);
    fakes_clock_pass(&world->clock, OVER);
    assert_int_equal(ask(world, cookies)->kind, VERDICT_STRANGER);
    assert_int_equal(world->http.calls, 0);
}

/* The write of the lease answers this; what happens then. */
static void test_lease_write(void **state)
{
    static const struct {
        const char *why;
        store_rc rc;
        bool happens, down_after;
        int64_t after;
        unsigned refreshes;
        bool known;
    } cases[] = {
        {"DOWN, but it was written: read back and used", STORE_DOWN, true, false, OVER, 1, true},
        {"DOWN, and it was not: taken again", STORE_DOWN, false, false, OVER, 1, true},
        {"MC-25: a CLASH: read again and taken", STORE_CLASH, false, false, OVER, 1, true},
        {"FULL: tried again", STORE_FULL, false, false, OVER, 1, true},
        {"the store stays DOWN: no token call, 503", STORE_DOWN, false, true, OVER, 0, false},
        {"the same while the token works", STORE_DOWN, true, true, DUE, 0, true},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(pool, NULL);
        const char *cookies = world_sign_in(world);
        fakes_clock_pass(&world->clock, cases[i].after);
        world->store.faults[FAKESTORE_CAS] = (fakestore_fault){0, 1, cases[i].rc, cases[i].happens};
        if (cases[i].down_after)
            world->store.faults[FAKESTORE_GET] = (fakestore_fault){1, 100000, STORE_DOWN, false};
        const verdict_t *verdict = ask(world, cookies);
        assert_case((verdict->kind == VERDICT_KNOWN) == cases[i].known, cases[i].why);
        assert_case(cases[i].known || verdict->fault->code == FAULT_STORE_DOWN, cases[i].why);
        assert_case(world->op.refreshes == cases[i].refreshes, cases[i].why);
    }
}

/* A store that never lets anybody write a lease: no call, and an end. */
static void test_no_lease_at_all(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_clock_pass(&world->clock, OVER);
    fakestore_fail(&world->store, FAKESTORE_CAS, 1000000, STORE_FULL);
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(world->op.refreshes, 0);
    assert_true(world->store.calls[FAKESTORE_CAS] <= 8);
}

static void finish_elsewhere(void *data)
{
    world_t *world = ((world_t **)data)[0];
    const char *cookies = ((const char **)data)[1];
    session_t session = stored(world, cookies);
    if (world->clock.rests < 3)
        return;
    session.access_token = TEXT("at.elsewhere");
    session.token_obtained = session.token_expires = world->clock.wall_ms / 1000;
    session.token_expires += 300;
    session_free_lease(&session);
    world_change(world, cookies, &session);
    world->clock.on_rest = NULL;
}

/* MC-24: an expired token waits for whoever refreshes it, and takes what he got. */
static void test_waits_for_the_holder(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    const void *both[] = {world, cookies};
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, OVER);
    world->clock.on_rest = finish_elsewhere;
    world->clock.on_rest_data = both;
    assert_known(ask(world, cookies), "at.elsewhere");
    assert_int_equal(world->op.refreshes, 0);
    assert_int_equal(world->clock.rests, 3);
}

/* Nobody waits for a token that still works. */
static void test_due_never_waits(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.first");
    assert_int_equal(world->clock.rests, 0);
    assert_int_equal(world->op.refreshes, 0);
}

/* RF-15: a holder that died. Its lease is stolen after the thief has watched it for its whole length by his
 * own steady clock, not by anybody's wall clock; until then waiting is bounded. */
static void test_abandoned_lease(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, OVER); /* the lease is old, but nobody here has seen it yet */
    int64_t began = world->clock.steady_ms;
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_in_range(world->clock.steady_ms - began, 9000, 10100);
    assert_int_equal(world->op.refreshes, 0);
    fakes_clock_set(&world->clock, WORLD_START + OVER + 600); /* a jump of the wall clock proves nothing */
    world->clock.steady_ms = began + 14900 - 10000;
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(world->op.refreshes, 0);
    world->clock.steady_ms = began + 15000;
    assert_known(ask(world, cookies), "at.1");
    assert_int_equal(world->op.refreshes, 1);
    assert_int_equal(stored(world, cookies).lease.epoch, 2);
}

/* A lease that changes hands is watched anew. */
static void test_watch_starts_anew(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.first");
    fakes_clock_pass(&world->clock, 14);
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, 2);
    assert_known(ask(world, cookies), "at.first");
    assert_int_equal(world->op.refreshes, 0);
    fakes_clock_pass(&world->clock, 15);
    assert_known(ask(world, cookies), "at.1");
}

/* RF-20: ended while we wait for the holder. */
static void drop_it(void *data)
{
    fakestore_wipe(data);
}

static void test_ended_while_waiting(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, OVER);
    world->clock.on_rest = drop_it;
    world->clock.on_rest_data = &world->store;
    const verdict_t *verdict = ask(world, cookies);
    assert_int_equal(verdict->kind, VERDICT_STRANGER);
    assert_int_equal(verdict->fault->code, FAULT_SESSION_ENDED);
    assert_int_equal(fakestore_size(&world->store), 0);
}

static shared_turn turn_late(void *data, const char *name)
{
    (void)data;
    return strncmp(name, "refresh ", 8) == 0 ? SHARED_LATE : SHARED_MINE;
}

static shared_turn turn_passed(void *data, const char *name)
{
    world_t *world = ((world_t **)data)[0];
    if (strncmp(name, "refresh ", 8) != 0)
        return SHARED_MINE;
    world->shared.on_turn = NULL; /* the first look finds the other thread's result */
    world->clock.rests = 3;
    finish_elsewhere(data);
    return SHARED_PASSED;
}

/* Another thread of this process has the turn. */
static void test_turns(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    const void *both[] = {world, cookies};
    fakes_clock_pass(&world->clock, DUE);
    world->shared.on_turn = turn_late;
    assert_known(ask(world, cookies), "at.first");
    fakes_clock_pass(&world->clock, OVER - DUE);
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    world->shared.on_turn = turn_passed;
    world->shared.on_turn_data = both;
    assert_known(ask(world, cookies), "at.elsewhere");
    assert_int_equal(world->op.refreshes, 0);
}

/* The provider cannot be found at all: nobody takes a lease for nothing. */
static void test_no_provider(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_http_fail(&world->http, "/.well-known/openid-configuration", 1000, HTTP_UNREACHABLE);
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.first");
    fakes_clock_pass(&world->clock, OVER - DUE);
    const verdict_t *verdict = ask(world, cookies);
    assert_int_equal(verdict->status, 503);
    assert_int_equal(stored(world, cookies).lease.epoch, 0);
}

/* F-18, F-19: a provider that is known to be sick costs nobody a lease, a write or a wait; and when it is
 * well again, nobody has to rest. */
static void test_sick_provider(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    world->http.rests = true;
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.first");
    fakes_clock_pass(&world->clock, OVER - DUE);
    fakestore_recount(&world->store);
    for (int i = 0; i < 3; i++)
        assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(fakestore_writes(&world->store), 0);
    assert_int_equal(world->clock.rests, 0);
    assert_int_equal(stored(world, cookies).lease.epoch, 0);
    assert_int_equal(fakes_http_route(&world->http, "/token")->calls, 0);
    world->http.rests = false;
    assert_known(ask(world, cookies), "at.1");
}

/* Nobody goes on waiting for somebody who asks a provider that does not answer. */
static void test_waiting_in_vain(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    world->http.rests = true;
    fakes_clock_pass(&world->clock, DUE);
    assert_known(ask(world, cookies), "at.first"); /* this process knows the provider now */
    lease_to_another(world, cookies);
    fakes_clock_pass(&world->clock, OVER - DUE);
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(world->clock.rests, 0);
    world->shared.on_turn = turn_late;
    assert_pending(ask(world, cookies), FAULT_REFRESH_PENDING);
    assert_int_equal(world->op.refreshes, 0);
}

static void test_no_random_numbers(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakes_clock_pass(&world->clock, OVER);
    world->random.fails_after = 0; /* CF-11 */
    const verdict_t *verdict = ask(world, cookies);
    assert_int_equal(verdict->kind, VERDICT_ANSWER);
    assert_int_equal(verdict->fault->code, FAULT_INTERNAL);
    assert_int_equal(world->op.refreshes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_rotation),
        UNIT_TEST(test_seen),
        UNIT_TEST(test_not_past_the_end),
        UNIT_TEST(test_lease_write),
        UNIT_TEST(test_no_lease_at_all),
        UNIT_TEST(test_waits_for_the_holder),
        UNIT_TEST(test_due_never_waits),
        UNIT_TEST(test_abandoned_lease),
        UNIT_TEST(test_watch_starts_anew),
        UNIT_TEST(test_ended_while_waiting),
        UNIT_TEST(test_turns),
        UNIT_TEST(test_no_provider),
        UNIT_TEST(test_sick_provider),
        UNIT_TEST(test_waiting_in_vain),
        UNIT_TEST(test_no_random_numbers),
    };
    return UNIT_MAIN(tests);
}
