/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "backend/laterthreads.h"

/* Assertions of cmocka must not fail in a thread that is not the test's, so work only counts. */
typedef struct tally {
    atomic_int done;
    atomic_int under_way;
    atomic_int peak;
    atomic_int cleaned;
    atomic_int signals_open;
    atomic_bool gate; /* work waits until it is open */
} tally;

typedef struct job {
    tally *tally;
    int number;
    char text[64];
} job;

static void rest_ms(long milliseconds)
{
    struct timespec rest = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    nanosleep(&rest, NULL);
}

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void await(const atomic_int *counter, int wanted)
{
    int64_t end = steady_ms() + 10000;
    while (atomic_load(counter) < wanted && steady_ms() < end) {
        rest_ms(1);
    }
    assert_true(atomic_load(counter) >= wanted);
}

static apr_status_t count_clean(void *data)
{
    atomic_fetch_add(&((tally *)data)->cleaned, 1);
    return APR_SUCCESS;
}

static void work(void *task, apr_pool_t *pool)
{
    job *one = task;
    tally *all = one->tally;
    sigset_t blocked;
    int now = atomic_fetch_add(&all->under_way, 1) + 1;
    int peak = atomic_load(&all->peak);
    while (now > peak && !atomic_compare_exchange_weak(&all->peak, &peak, now)) {
    }
    apr_pool_cleanup_register(pool, all, count_clean, apr_pool_cleanup_null);
    memset(apr_palloc(pool, 10000), 1, 10000);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGALRM)) {
        atomic_fetch_add(&all->signals_open, 1);
    }
    while (!atomic_load(&all->gate)) {
        rest_ms(1);
    }
    if (strcmp(one->text, "copied") == 0) {
        atomic_fetch_add(&all->done, 1);
    }
    atomic_fetch_sub(&all->under_way, 1);
}

static bool submit(later_port *later, tally *all, int number)
{
    job one = {all, number, "copied"};
    bool taken = later->submit(later, work, &one, sizeof(one));
    memset(&one, 0xee, sizeof(one)); /* the port must have its own copy by now */
    return taken;
}

static void runs_what_it_took(void **state)
{
    static tally all;
    later_port *later = laterthreads_new(unit_pool(state), &(laterthreads_settings){2, 1000, 5000});
    atomic_store(&all.gate, true);
    for (int i = 0; i < 500; i++) {
        assert_true(submit(later, &all, i));
    }
    await(&all.cleaned, 500);
    assert_int_equal(atomic_load(&all.done), 500);
    assert_int_equal(atomic_load(&all.signals_open), 0);
    assert_true(atomic_load(&all.peak) <= 2);
}

static void bare_work(void *task, apr_pool_t *pool)
{
    (void)pool;
    (void)task;
}

static void takes_an_empty_task(void **state)
{
    later_port *later = laterthreads_new(unit_pool(state), &(laterthreads_settings){0, 0, 0});
    assert_true(later->submit(later, bare_work, NULL, 0));
}

static void refuses_when_full(void **state)
{
    static tally all;
    later_port *later = laterthreads_new(unit_pool(state), &(laterthreads_settings){2, 3, 5000});
    assert_true(submit(later, &all, 0));
    assert_true(submit(later, &all, 1));
    await(&all.under_way, 2);
    for (int i = 0; i < 3; i++) {
        assert_true(submit(later, &all, i));
    }
    assert_false(submit(later, &all, 9));
    assert_false(submit(later, &all, 9));
    atomic_store(&all.gate, true);
    await(&all.cleaned, 5);
    assert_true(submit(later, &all, 5));
    await(&all.cleaned, 6);
    assert_int_equal(atomic_load(&all.done), 6);
}

static void the_end_drains(void **state)
{
    static tally all;
    apr_pool_t *child = NULL;
    apr_pool_create(&child, unit_pool(state));
    later_port *later = laterthreads_new(child, &(laterthreads_settings){2, 100, 10000});
    for (int i = 0; i < 50; i++) {
        assert_true(submit(later, &all, i));
    }
    atomic_store(&all.gate, true);
    apr_pool_destroy(child);
    assert_int_equal(atomic_load(&all.done), 50);
    assert_int_equal(atomic_load(&all.cleaned), 50);
}

typedef struct late_try {
    later_port *later;
    tally *tally;
    bool taken;
} late_try;

/* Ordinary cleanups run after the drain: the port still stands but takes nothing. */
static apr_status_t try_late(void *data)
{
    late_try *one = data;
    one->taken = submit(one->later, one->tally, 0);
    return APR_SUCCESS;
}

static void takes_nothing_when_stopping(void **state)
{
    static tally all;
    static late_try one;
    apr_pool_t *child = NULL;
    apr_pool_create(&child, unit_pool(state));
    one = (late_try){laterthreads_new(child, &(laterthreads_settings){2, 100, 1000}), &all, true};
    apr_pool_cleanup_register(child, &one, try_late, apr_pool_cleanup_null);
    atomic_store(&all.gate, true);
    apr_pool_destroy(child);
    assert_false(one.taken);
    assert_int_equal(atomic_load(&all.done), 0);
}

static void the_end_is_bounded(void **state)
{
    static tally all;
    apr_pool_t *child = NULL;
    apr_pool_create(&child, unit_pool(state));
    later_port *later = laterthreads_new(child, &(laterthreads_settings){1, 100, 200});
    assert_true(submit(later, &all, 0));
    await(&all.under_way, 1);
    assert_true(submit(later, &all, 1));
    int64_t before = steady_ms();
    apr_pool_destroy(child);
    int64_t took = steady_ms() - before;
    assert_true(took >= 199 && took < 3000);
    atomic_store(&all.gate, true);
    await(&all.cleaned, 1);
    rest_ms(50);
    assert_int_equal(atomic_load(&all.done), 1); /* the second piece was dropped */
}

typedef struct submitter {
    later_port *later;
    tally *tally;
    int taken;
} submitter;

static void *submit_many(void *data)
{
    submitter *one = data;
    for (int i = 0; i < 2000; i++) {
        one->taken += submit(one->later, one->tally, i) ? 1 : 0;
    }
    return NULL;
}

static void many_submit_at_once(void **state)
{
    enum { SUBMITTERS = 8 };
    static tally all;
    apr_pool_t *child = NULL;
    submitter submitters[SUBMITTERS];
    pthread_t threads[SUBMITTERS];
    int taken = 0;
    apr_pool_create(&child, unit_pool(state));
    later_port *later = laterthreads_new(child, &(laterthreads_settings){4, 50, 20000});
    atomic_store(&all.gate, true);
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (submitter){later, &all, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
        taken += submitters[i].taken;
    }
    apr_pool_destroy(child);
    assert_true(taken > 0);
    assert_int_equal(atomic_load(&all.done), taken);
    assert_int_equal(atomic_load(&all.cleaned), taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(runs_what_it_took),   UNIT_TEST(takes_an_empty_task),         UNIT_TEST(refuses_when_full),
        UNIT_TEST(the_end_drains),      UNIT_TEST(takes_nothing_when_stopping), UNIT_TEST(the_end_is_bounded),
        UNIT_TEST(many_submit_at_once),
    };
    return UNIT_MAIN(tests);
}
