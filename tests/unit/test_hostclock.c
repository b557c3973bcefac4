/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <time.h>

#include "backend/hostclock.h"

static void wall_is_the_time_of_day(void **state)
{
    const clock_port *clock = hostclock_port();
    int64_t before = (int64_t)time(NULL);
    int64_t now = clock->wall(clock);
    int64_t after = (int64_t)time(NULL);
    (void)state;
    /* time() may read a coarser clock that lags by one tick. */
    assert_true(before <= now && now <= after + 1);
}

static void steady_never_goes_back(void **state)
{
    const clock_port *clock = hostclock_port();
    int64_t last = clock->steady(clock);
    (void)state;
    assert_true(last > 0);
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock->steady(clock);
        assert_true(now >= last);
        last = now;
    }
}

static void rests_as_long_as_told(void **state)
{
    static const struct {
        int64_t rest;
        int64_t least;
        int64_t most;
        const char *why;
    } cases[] = {
        {0, 0, 200, "no rest at all"},
        {-5, 0, 200, "a negative rest is none"},
        {INT64_MIN, 0, 200, "the smallest number is none"},
        {30, 30, 1000, "within a second"},
        {1010, 1010, 3000, "nanoseconds carried over into seconds"},
    };
    const clock_port *clock = hostclock_port();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t before = clock->steady(clock);
        clock->rest(clock, cases[i].rest);
        int64_t took = clock->steady(clock) - before;
        /* Both readings are cut to milliseconds, so one may be missing. */
        assert_case(took >= cases[i].least - 1 && took <= cases[i].most, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(wall_is_the_time_of_day),
        UNIT_TEST(steady_never_goes_back),
        UNIT_TEST(rests_as_long_as_told),
    };
    return UNIT_MAIN(tests);
}
