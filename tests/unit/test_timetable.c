/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "backend/sharedthreads.h"
#include "backend/timetable.h"

static void allows_once_an_interval(void **state)
{
    static const struct {
        const char *name;
        int64_t now;
        int64_t interval;
        bool allowed;
        const char *why;
    } steps[] = {
        {"a", 1000, 500, true, "the first one"},
        {"a", 1000, 500, false, "the same moment"},
        {"a", 1499, 500, false, "a millisecond too early"},
        {"b", 1499, 500, true, "another name"},
        {"a", 1500, 500, true, "exactly at the end"},
        {"a", 1999, 500, false, "the refused one did not start an interval, the allowed one did"},
        {"a", 2000, 500, true, "at the end of the second one"},
        {"a", 2000, 0, true, "no interval, no limit"},
        {"z", 0, 500, true, "time zero is a time"},
        {"z", 1, 500, false, "and starts an interval"},
    };
    shared_port *shared = sharedthreads_new(unit_pool(state));
    for (size_t i = 0; i < COUNT(steps); i++) {
        bool allowed = shared->allow(shared, steps[i].name, steps[i].now, steps[i].interval);
        assert_case(allowed == steps[i].allowed, steps[i].why);
    }
}

static void throttles_are_bounded(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    char name[32];
    for (int i = 0; i < TIMETABLE_NAMES_MAX + 1; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_true(shared->allow(shared, name, i, 1000000));
    }
    assert_false(shared->allow(shared, "n1", 5000, 1000000)); /* still remembered */
    assert_true(shared->allow(shared, "n0", 5000, 1000000));  /* forgotten: its interval began first */
    assert_true(shared->allow(shared, "n1", 5000, 1000000));  /* made room for n0 */
}

static void marks_stand_since(void **state)
{
    static const struct {
        const char *name;
        uint64_t mark;
        int64_t now;
        int64_t since;
        const char *why;
    } steps[] = {
        {"a", 7, 100, 100, "a new name starts now"},
        {"a", 7, 250, 100, "the same mark stands"},
        {"b", 7, 260, 260, "another name is another matter"},
        {"a", 8, 300, 300, "a new mark starts now"},
        {"a", 8, 900, 300, "and stands"},
        {"a", 7, 950, 950, "an old mark that comes back is new"},
        {"c", 0, 10, 10, "zero is a mark"},
        {"c", 0, 20, 10, "that can stand"},
    };
    shared_port *shared = sharedthreads_new(unit_pool(state));
    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t since = shared->unchanged_since(shared, steps[i].name, steps[i].mark, steps[i].now);
        assert_case(since == steps[i].since, steps[i].why);
    }
    assert_true(shared->allow(shared, "a", 0, 1000)); /* throttles do not see marks */
}

typedef struct throttled {
    shared_port *shared;
    atomic_int allowed;
} throttled;

static void *ask_often(void *data)
{
    throttled *all = data;
    for (int i = 0; i < 5000; i++) {
        if (all->shared->allow(all->shared, "x", i / 1000, 1)) {
            atomic_fetch_add(&all->allowed, 1);
        }
    }
    return NULL;
}

static void threads_share_the_interval(void **state)
{
    enum { THREADS = 8 };
    throttled all = {.shared = sharedthreads_new(unit_pool(state))};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &all), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    /* moments 0 to 4: at most one each, at least the first and the last */
    assert_in_range(atomic_load(&all.allowed), 2, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(allows_once_an_interval),
        UNIT_TEST(throttles_are_bounded),
        UNIT_TEST(marks_stand_since),
        UNIT_TEST(threads_share_the_interval),
    };
    return UNIT_MAIN(tests);
}
