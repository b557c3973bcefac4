/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include "backend/breaker.h"

#define CALLS_MAX 16
#define STEPS_MAX 24

static const breaker_terms terms = {.failures = 3, .memory_ms = 1000, .first_ms = 100, .last_ms = 400};

/* What one call does, or what happens to it. */
typedef enum { NOTHING, GOES, PROBES, WAITS, WELL, FAILED, UNKNOWN } event;

typedef struct step {
    int64_t now;
    int call;
    event does;
} step;

/* The whole life of one call, at one moment. */
#define FAIL(now)                                                                                            \
    {now, 0, GOES},                                                                                          \
    {                                                                                                        \
        now, 0, FAILED                                                                                       \
    }
#define THREE(now) FAIL(now), FAIL(now), FAIL(now)
#define SUCCEED(now)                                                                                         \
    {now, 0, GOES},                                                                                          \
    {                                                                                                        \
        now, 0, WELL                                                                                         \
    }
#define IS_OPEN(now)                                                                                         \
    {                                                                                                        \
        now, 0, WAITS                                                                                        \
    }
#define IS_CLOSED(now) SUCCEED(now)

static const struct {
    const char *why;
    step steps[STEPS_MAX];
} cases[] = {
    {"three failures open it until the first probe", {THREE(0), IS_OPEN(0), IS_OPEN(99), {100, 1, PROBES}}},
    {"a hiccup of two opens nothing", {FAIL(0), FAIL(0), IS_CLOSED(0)}},
    {"a success ends the row", {FAIL(0), FAIL(0), SUCCEED(0), FAIL(0), FAIL(0), IS_CLOSED(0)}},
    {"what happened long ago is no row", {FAIL(0), FAIL(1), FAIL(1001), FAIL(1002), IS_CLOSED(1003)}},
    {"what happened lately is one", {FAIL(0), FAIL(999), FAIL(1998), IS_OPEN(1998)}},
    {"a call that tells nothing neither counts nor ends the row",
     {FAIL(0),
      FAIL(0),
      {0, 1, GOES},
      {0, 1, UNKNOWN},
      {0, 2, GOES},
      FAIL(0),
      IS_OPEN(0),
      {0, 2, UNKNOWN},
      IS_OPEN(0)}},
    {"one probe at a time, however long it takes", {THREE(0), {100, 1, PROBES}, IS_OPEN(100), IS_OPEN(9000)}},
    {"a probe that works closes it", {THREE(0), {100, 1, PROBES}, {120, 1, WELL}, IS_CLOSED(120)}},
    {"the pause doubles up to its end, from the end of a probe on",
     {THREE(0),
      {100, 1, PROBES},
      {150, 1, FAILED},
      IS_OPEN(349),
      {350, 2, PROBES},
      {350, 2, FAILED},
      IS_OPEN(749),
      {750, 3, PROBES},
      {750, 3, FAILED},
      IS_OPEN(1149),
      {1150, 4, PROBES}}},
    {"after a while of health the pauses begin anew",
     {THREE(0),
      {100, 1, PROBES},
      {100, 1, FAILED},
      {300, 1, PROBES},
      {300, 1, WELL},
      THREE(400),
      IS_OPEN(499),
      {500, 2, PROBES}}},
    {"a probe that tells nothing is followed by another at once",
     {THREE(0), {100, 1, PROBES}, {110, 1, UNKNOWN}, {110, 2, PROBES}, IS_OPEN(110)}},
    {"calls of before the opening do not lengthen it",
     {{0, 1, GOES},
      {0, 2, GOES},
      THREE(0),
      {90, 1, FAILED},
      {95, 2, FAILED},
      IS_OPEN(99),
      {100, 3, PROBES},
      {100, 3, FAILED},
      IS_OPEN(299),
      {300, 4, PROBES}}},
    {"nor do they count behind it",
     {{0, 1, GOES},
      {0, 2, GOES},
      {0, 3, GOES},
      THREE(0),
      {100, 4, PROBES},
      {100, 4, WELL},
      {110, 1, FAILED},
      {110, 2, FAILED},
      {110, 3, FAILED},
      IS_CLOSED(110)}},
    {"but one of them that works closes it", {{0, 1, GOES}, THREE(0), {50, 1, WELL}, IS_CLOSED(50)}},
    {"the probe that was under way then is an ordinary call",
     {{0, 1, GOES}, THREE(0), {100, 2, PROBES}, {110, 1, WELL}, {120, 2, FAILED}, FAIL(130), IS_CLOSED(140)}},
    {"a probe of an earlier opening does not end the one that is under way",
     {{0, 1, GOES},
      THREE(0),
      {100, 2, PROBES},
      {110, 1, WELL},
      THREE(120),
      {220, 3, PROBES},
      {230, 2, FAILED},
      IS_OPEN(9000),
      {9000, 3, WELL},
      IS_CLOSED(9000)}},
};

static void lives_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        breaker_t breaker = {.terms = &terms};
        breaker_pass passes[CALLS_MAX];
        for (const step *one = cases[i].steps; one->does != NOTHING; one++) {
            breaker_pass *pass = &passes[one->call];
            bool may = false;
            switch (one->does) {
            case GOES:
            case PROBES:
            case WAITS:
                may = breaker_enter(&breaker, one->now, pass);
                if (may != (one->does != WAITS) || (may && pass->probe != (one->does == PROBES)))
                    print_error("step %d\n", (int)(one - cases[i].steps));
                assert_case(may == (one->does != WAITS), cases[i].why);
                assert_case(!may || pass->probe == (one->does == PROBES), cases[i].why);
                break;
            case WELL:
                breaker_leave(&breaker, pass, BREAKER_WELL, one->now);
                break;
            case FAILED:
                breaker_leave(&breaker, pass, BREAKER_FAILED, one->now);
                break;
            case UNKNOWN:
                breaker_leave(&breaker, pass, BREAKER_UNKNOWN, one->now);
                break;
            case NOTHING:
                break;
            }
        }
    }
}

/* F-19: a probe that hangs keeps the next one back for a while only. */
static void hanging_probes_are_outlived(void **state)
{
    static const breaker_terms patient = {
        .failures = 3, .memory_ms = 1000, .first_ms = 100, .last_ms = 400, .probe_ms = 3000};
    breaker_t breaker = {.terms = &patient};
    breaker_pass hung, next;
    (void)state;
    breaker_trip(&breaker, 0);
    assert_true(breaker_bars(&breaker, 99) && !breaker_bars(&breaker, 100));
    assert_true(breaker_enter(&breaker, 100, &hung) && hung.probe);
    assert_true(breaker_bars(&breaker, 3099));
    assert_false(breaker_enter(&breaker, 3099, &next));
    assert_true(breaker_enter(&breaker, 3100, &next) && next.probe);
    assert_true(breaker_bars(&breaker, 3101));
    breaker_leave(&breaker, &next, BREAKER_WELL, 3110);
    assert_true(breaker_enter(&breaker, 3111, &next) && !next.probe);
}

/* Tripped by hand: what was under way before says nothing bad any more, but may say something good. */
static void trips_once(void **state)
{
    breaker_t breaker = {.terms = &terms};
    breaker_pass old, other;
    (void)state;
    assert_true(breaker_enter(&breaker, 0, &old) && breaker_enter(&breaker, 0, &other));
    breaker_trip(&breaker, 10);
    breaker_trip(&breaker, 90); /* no longer pause for that */
    breaker_leave(&breaker, &old, BREAKER_FAILED, 95);
    assert_false(breaker_bars(&breaker, 110));
    breaker_leave(&breaker, &other, BREAKER_WELL, 111);
    assert_false(breaker.open);
}

/* F-18 by arithmetic: an outage of a minute, somebody calls every millisecond, each call fails at once. */
static void hammers_nobody(void **state)
{
    static const breaker_terms eager = {3, 60000, 500, 2000, 3000};
    breaker_t breaker = {.terms = &eager};
    int in_second[61] = {0};
    int all = 0;
    int64_t back = 0;
    (void)state;
    for (int64_t now = 0; back == 0; now++) {
        breaker_pass pass;
        if (!breaker_enter(&breaker, now, &pass))
            continue;
        if (now < 60000) {
            in_second[now / 1000]++;
            all++;
        } else {
            back = now;
        }
        breaker_leave(&breaker, &pass, now < 60000 ? BREAKER_FAILED : BREAKER_WELL, now);
    }
    for (size_t i = 0; i < COUNT(in_second); i++)
        assert_true(in_second[i] <= 4);
    assert_true(all >= 60000 / 2000 && all <= 60000 / 2000 + 5);
    assert_true(back - 60000 <= 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(lives_through),
        UNIT_TEST(hanging_probes_are_outlived),
        UNIT_TEST(trips_once),
        UNIT_TEST(hammers_nobody),
    };
    return UNIT_MAIN(tests);
}
