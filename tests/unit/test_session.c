/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The rules of a session at tables of moments: when it lives, slides, is refreshed, rests. */

#include "unit.h"

#include "session/session.h"

#define BORN 1700000000 /* login and last activity, unless a case says otherwise */
#define HOUR 3600

static const refresh_rules usual = {true, 20, -1};

static session_t session_of(int64_t lifetime, int64_t refresh_lifetime)
{
    return (session_t){.created = BORN,
                       .seen = BORN,
                       .ends = BORN + 12 * HOUR,
                       .token_obtained = BORN,
                       .token_expires = lifetime >= 0 ? BORN + lifetime : 0,
                       .refresh_expires = refresh_lifetime > 0 ? BORN + refresh_lifetime : 0,
                       .access_token = TEXT("at"),
                       .refresh_token = TEXT("rt")};
}

static void test_life(void **state)
{
    static const struct {
        const char *why;
        int64_t now, idle;
        session_life life;
    } cases[] = {
        {"just made", BORN, 1800, SESSION_LIVE},
        {"CK-11: not before idle", BORN + 1800, 1800, SESSION_LIVE},
        {"CK-11: `seen` may lag by a minute", BORN + 1859, 1800, SESSION_LIVE},
        {"CK-11: idle is over", BORN + 1860, 1800, SESSION_IDLE_OVER},
        {"CK-12: a second before the absolute end", BORN + 12 * HOUR - 1, 13 * HOUR, SESSION_LIVE},
        {"CK-12: at the absolute end", BORN + 12 * HOUR, 13 * HOUR, SESSION_MAX_OVER},
        {"the absolute end comes before the idle one", BORN + 13 * HOUR, 1800, SESSION_MAX_OVER},
        {"CK-13: the clock was set back an hour", BORN - HOUR, 1800, SESSION_LIVE},
        {"CK-13: and an hour forward", BORN + HOUR, 1800, SESSION_IDLE_OVER},
        {"CK-13: 2038-01-19", 2147483648, 1800, SESSION_MAX_OVER},
        {"CK-13: 2106-02-07", 4294967296, 1800, SESSION_MAX_OVER},
        {"a clock that begins at 1970", 0, 1800, SESSION_LIVE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = session_of(300, 0);
        assert_case(session_life_at(&session, cases[i].now, cases[i].idle) == cases[i].life, cases[i].why);
        session.ended = true;
        assert_case(session_life_at(&session, cases[i].now, cases[i].idle) == SESSION_ENDED,
                    "a tombstone is dead at any moment");
    }
}

/* CK-13: sessions across the edges of 32 bits live and end like any other. */
static void test_life_across_edges(void **state)
{
    static const int64_t edges[] = {2147483647, 4294967295};
    (void)state;
    for (size_t i = 0; i < COUNT(edges); i++) {
        session_t session = {.created = edges[i] - 10, .seen = edges[i] - 10, .ends = edges[i] + HOUR};
        assert_int_equal(session_life_at(&session, edges[i] + 1, 1800), SESSION_LIVE);
        assert_int_equal(session_life_at(&session, edges[i] + 1850, 1800), SESSION_IDLE_OVER);
        assert_int_equal(session_life_at(&session, edges[i] + HOUR, 2 * HOUR), SESSION_MAX_OVER);
        assert_int_equal(session_ttl(&session, edges[i] + 1, 1800), 1789 + 120);
    }
}

/* CK-11: whoever comes just before idle is over finds his session, however seldom activity is written down;
 * and the store has not forgotten it by then. */
static void test_seldom_but_regular(void **state)
{
    static const int64_t idles[] = {1, 5, 59, 100, 1800, 12 * HOUR};
    (void)state;
    for (size_t i = 0; i < COUNT(idles); i++) {
        for (int64_t first = 0; first < 100; first++) {
            session_t session = {.created = BORN, .seen = BORN, .ends = BORN + 100 * HOUR};
            int64_t now = BORN + first, kept = BORN + session_ttl(&session, BORN, idles[i]);
            if (session_life_at(&session, now, idles[i]) != SESSION_LIVE)
                continue;
            if (session_slide_due(&session, now, idles[i])) {
                session.seen = now;
                kept = now + session_ttl(&session, now, idles[i]);
            }
            assert_int_equal(session_life_at(&session, now + idles[i], idles[i]), SESSION_LIVE);
            assert_true(kept > now + idles[i]);
        }
    }
}

static void test_slide(void **state)
{
    static const struct {
        const char *why;
        int64_t after, idle;
        bool due;
    } cases[] = {
        {"right away there is nothing to note", 0, 1800, false},
        {"a minute is the longest that seen may lag", 60, 1800, true},
        {"a second less", 59, 1800, false},
        {"a tenth of a short idle time", 10, 100, true},
        {"less than a tenth", 9, 100, false},
        {"a tenth below a second counts as one", 1, 5, true},
        {"and never as none", 0, 5, false},
        {"CK-13: seen lies in the future", -HOUR, 1800, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = session_of(300, 0);
        assert_case(session_slide_due(&session, BORN + cases[i].after, cases[i].idle) == cases[i].due,
                    cases[i].why);
    }
}

static void test_left_and_ttl(void **state)
{
    static const struct {
        const char *why;
        int64_t now, idle, left;
    } cases[] = {
        {"idle comes first", BORN, 1800, 1800},
        {"some of it is used up", BORN + 600, 1800, 1200},
        {"the absolute end comes first", BORN + 12 * HOUR - 10, 13 * HOUR, 10},
        {"never negative", BORN + 20 * HOUR, 1800, 0},
        {"CK-13: set back: not more than idle", BORN - HOUR, 1800, 1800},
        {"CK-13: set back by years: not more than idle", 0, 1800, 1800},
        {"CK-13: 2106", 4294967296, 1800, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = session_of(300, 0);
        assert_case(session_left(&session, cases[i].now, cases[i].idle) == cases[i].left, cases[i].why);
        assert_case(session_ttl(&session, cases[i].now, cases[i].idle) == cases[i].left + 120,
                    "MC-17: two minutes on top, so never 0 or less");
    }
}

typedef struct refresh_case {
    const char *why;
    int64_t lifetime, refresh_lifetime; /* -1: no access token; 0: the refresh token's end is not known */
    int64_t after;                      /* seconds after the token came */
    refresh_rules rules;
    session_refresh due;
} refresh_case;

static const refresh_case refresh_cases[] = {
    {"fresh", 300, 0, 0, {true, 20, -1}, REFRESH_NONE},
    {"before the last fifth", 300, 0, 239, {true, 20, -1}, REFRESH_NONE},
    {"in the last fifth", 300, 0, 240, {true, 20, -1}, REFRESH_DUE},
    {"a second before it ends", 300, 0, 299, {true, 20, -1}, REFRESH_DUE},
    {"it has ended", 300, 0, 300, {true, 20, -1}, REFRESH_OVERDUE},
    {"seconds instead of a part", 300, 0, 270, {true, -1, 30}, REFRESH_DUE},
    {"a second earlier", 300, 0, 269, {true, -1, 30}, REFRESH_NONE},
    {"never more than half of the lifetime", 300, 0, 149, {true, -1, 9000}, REFRESH_NONE},
    {"from the half on", 300, 0, 150, {true, -1, 9000}, REFRESH_DUE},
    {"90 percent is more than half", 300, 0, 149, {true, 90, -1}, REFRESH_NONE},
    {"no window at all", 300, 0, 299, {true, 0, -1}, REFRESH_NONE},
    {"RF-18: expires_in 5, window 30: not at once", 5, 0, 0, {true, -1, 30}, REFRESH_NONE},
    {"RF-18: nor in its first half", 5, 0, 2, {true, -1, 30}, REFRESH_NONE},
    {"RF-18: but then", 5, 0, 3, {true, -1, 30}, REFRESH_DUE},
    {"RF-18: expires_in 1 is treated as 2", 1, 0, 1, {true, 20, -1}, REFRESH_NONE},
    {"RF-18: at 2 it is over", 1, 0, 2, {true, 20, -1}, REFRESH_OVERDUE},
    {"RF-18: expires_in 0 does not refresh each request", 0, 0, 1, {true, 20, -1}, REFRESH_NONE},
    {"RF-18: but once in two seconds", 0, 0, 2, {true, 20, -1}, REFRESH_OVERDUE},
    {"the refresh token ends first", HOUR, 1800, 1440, {true, 20, -1}, REFRESH_DUE},
    {"a second before its window", HOUR, 1800, 1439, {true, 20, -1}, REFRESH_NONE},
    {"both are over", HOUR, 1800, HOUR, {true, 20, -1}, REFRESH_OVERDUE},
    {"only the refresh token has an end", -1, 1800, 1440, {true, 20, -1}, REFRESH_DUE},
    {"nothing has an end", -1, 0, HOUR, {true, 20, -1}, REFRESH_NONE},
    {"SSORefresh off", 300, 0, 400, {false, 20, -1}, REFRESH_NONE},
    {"RF-19: past the absolute end", 300, 0, 12 * HOUR, {true, 20, -1}, REFRESH_NONE},
    {"RF-19: a second before it", 300, 0, 12 * HOUR - 1, {true, 20, -1}, REFRESH_OVERDUE},
    {"CK-13: the clock was set back", 300, 0, -HOUR, {true, 20, -1}, REFRESH_NONE},
};

static void test_refresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refresh_cases); i++) {
        const refresh_case *one = &refresh_cases[i];
        session_t session = session_of(one->lifetime, one->refresh_lifetime);
        assert_case(session_refresh_at(&session, BORN + one->after, &one->rules) == one->due, one->why);
    }
}

static void test_refresh_needs_a_token(void **state)
{
    (void)state;
    session_t session = session_of(300, 0);
    session.refresh_token = (text_t){NULL, 0};
    assert_int_equal(session_refresh_at(&session, BORN + 400, &usual), REFRESH_NONE);
}

/* RF-18: whatever the lifetime, polled each second: at most one refresh a lifetime, and never two within two
 * seconds. */
static void test_refresh_is_no_storm(void **state)
{
    static const refresh_rules rules[] = {{true, 20, -1}, {true, 90, -1}, {true, -1, 30}, {true, -1, HOUR}};
    (void)state;
    for (size_t r = 0; r < COUNT(rules); r++) {
        for (int64_t lifetime = 0; lifetime <= 40; lifetime++) {
            session_t session = session_of(lifetime, 0);
            int64_t refreshes = 0;
            for (int64_t now = BORN; now < BORN + 200; now++) {
                if (session_refresh_at(&session, now, &rules[r]) == REFRESH_NONE)
                    continue;
                refreshes++;
                session.token_obtained = now;
                session.token_expires = now + lifetime;
            }
            int64_t apart = lifetime / 2 > 2 ? lifetime / 2 : 2;
            assert_true(refreshes > 0 && refreshes <= 200 / apart);
        }
    }
}

static void test_back_off(void **state)
{
    static const struct {
        const char *why;
        uint32_t failures;
        int64_t retry_after, rest;
    } cases[] = {
        {"RF-17: first failure", 0, -1, 5},
        {"RF-17: second", 1, -1, 10},
        {"RF-17: third", 2, -1, 20},
        {"RF-17: the ceiling", 3, -1, 30},
        {"RF-17: stays there", 4000000000u, -1, 30},
        {"the counter does not wrap", UINT32_MAX, -1, 30},
        {"RF-24: the provider asks for longer", 0, 120, 120},
        {"RF-24: but not for an hour", 0, HOUR, 300},
        {"RF-24: nor shorter than ours", 2, 1, 20},
        {"RF-24: 0 is no reason to hammer", 0, 0, 5},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = session_of(300, 0);
        session.failures = cases[i].failures;
        session_refresh_failed(&session, BORN + 250, cases[i].retry_after);
        assert_case(session.retry_at == BORN + 250 + cases[i].rest, cases[i].why);
        assert_case(session.failures >= cases[i].failures && session.failures > 0, cases[i].why);
    }
}

static void test_resting(void **state)
{
    session_t session = session_of(300, 0);
    (void)state;
    session_refresh_failed(&session, BORN + 290, -1);
    assert_int_equal(session_refresh_at(&session, BORN + 294, &usual), REFRESH_RESTING);
    assert_int_equal(session_refresh_at(&session, BORN + 295, &usual), REFRESH_DUE);
    session_refresh_failed(&session, BORN + 295, -1);
    assert_int_equal(session_refresh_at(&session, BORN + 299, &usual), REFRESH_RESTING);
    assert_int_equal(session_refresh_at(&session, BORN + 300, &usual), REFRESH_BLOCKED);
    assert_int_equal(session_refresh_at(&session, BORN + 305, &usual), REFRESH_OVERDUE);
}

static void test_lease(void **state)
{
    static const unsigned char mine[SESSION_OWNER_LEN] = "owner-1", other[SESSION_OWNER_LEN] = "owner-2";
    session_t session = session_of(300, 0);
    (void)state;
    assert_false(session_is_leased(&session));
    session_take_lease(&session, mine, 15);
    const session_lease first = session.lease;
    assert_true(session_is_leased(&session));
    assert_int_equal(first.epoch, 1);
    assert_int_equal(first.seconds, 15);
    assert_true(session_same_lease(&first, &session.lease));
    session_take_lease(&session, other, 15); /* stolen */
    assert_false(session_same_lease(&first, &session.lease));
    session_free_lease(&session);
    assert_false(session_is_leased(&session));
    assert_int_equal(session.lease.epoch, 2);
    session_take_lease(&session, mine, 15); /* the same owner again, but a later epoch */
    assert_false(session_same_lease(&first, &session.lease));
    session_lease forged = session.lease;
    forged.owner[SESSION_OWNER_LEN - 1] ^= 1;
    assert_false(session_same_lease(&forged, &session.lease));
}

/* RF-17: the provider has answered somebody else: nobody rests any longer, but those whom it asked to wait.
 */
static void test_forgive(void **state)
{
    static const struct {
        const char *why;
        int64_t retry_after, answered;
        bool forgiven;
    } cases[] = {
        {"never answered", -1, 0, false},
        {"answered before the failure", -1, BORN + 249, false},
        {"answered in the same second, perhaps before", -1, BORN + 250, false},
        {"answered since", -1, BORN + 251, true},
        {"asked to wait (RF-24)", 20, BORN + 251, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t session = {.ends = BORN + HOUR, .retry_at = 0};
        session_forgive(&session, cases[i].answered);
        assert_int_equal(session.retry_at, 0);
        session_refresh_failed(&session, BORN + 250, cases[i].retry_after);
        session_forgive(&session, cases[i].answered);
        assert_case((session.retry_at == 0) == cases[i].forgiven, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_life_across_edges),
        cmocka_unit_test(test_seldom_but_regular),
        cmocka_unit_test(test_slide),
        cmocka_unit_test(test_left_and_ttl),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_refresh_needs_a_token),
        cmocka_unit_test(test_refresh_is_no_storm),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_forgive),
        cmocka_unit_test(test_resting),
        cmocka_unit_test(test_lease),
    };
    return UNIT_MAIN(tests);
}
