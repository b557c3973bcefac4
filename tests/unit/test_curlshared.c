/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* One breaker for many threads and processes, some of which are killed. */

#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "breakercase.h"

static pid_t in_child(curlbreaker_t *breakers, void (*work)(curlbreaker_t *breakers, apr_pool_t *pool))
{
    pid_t pid = fork();
    if (pid == 0) {
        apr_pool_t *pool = NULL;
        apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
        work(breakers, pool);
        _exit(0);
    }
    return pid;
}

static void fail_thrice(curlbreaker_t *breakers, apr_pool_t *pool)
{
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "another process saw it fall");
}

static void what_one_child_learns(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    curlbreaker_pass pass;
    int status = 0;
    assert_int_equal(waitpid(in_child(breakers, fail_thrice), &status, 0) > 0 && status == 0, 1);
    assert_true(rests(breakers, A, 1));
    assert_non_null(strstr(ask(breakers, A, 1, pool, &pass), "another process saw it fall"));
    assert_null(ask(breakers, A, CURLBREAKER_PROBE_FIRST_MS, pool, &pass));
    tell(breakers, &pass, BREAKER_WELL, NULL, CURLBREAKER_PROBE_FIRST_MS);
    assert_false(rests(breakers, A, CURLBREAKER_PROBE_FIRST_MS));
}

static void never_rest(curlbreaker_t *breakers, apr_pool_t *pool)
{
    for (int64_t now = 0;; now++) {
        curlbreaker_pass pass;
        if (ask(breakers, A, now, pool, &pass) == NULL)
            tell(breakers, &pass, now % 7 ? BREAKER_WELL : BREAKER_FAILED, "x", now);
        apr_pool_clear(pool);
    }
}

/* F-32: children that are killed, sooner or later while they hold the lock, stop nobody. */
static void killed_children_leave_it_usable(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    for (int round = 0; round < 100; round++) {
        pid_t pid = in_child(breakers, never_rest);
        usleep(2000);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        int64_t now = INT64_C(1000000000) * (round + 1);
        (void)answers(breakers, pool, 3, 5, now);
        assert_false(rests(breakers, A, now + 20));
    }
}

enum { THREADS = 20 };

typedef struct racer {
    curlbreaker_t *breakers;
    pthread_barrier_t *start;
    int64_t now;
    bool went;
    curlbreaker_pass pass;
} racer;

static void *race(void *data)
{
    racer *one = data;
    apr_pool_t *pool = NULL;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    pthread_barrier_wait(one->start);
    one->went = ask(one->breakers, A, one->now, pool, &one->pass) == NULL;
    apr_pool_destroy(pool);
    return NULL;
}

static void one_of_many_threads_probes(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    pthread_barrier_t start;
    int64_t now = 0;
    pthread_barrier_init(&start, NULL, THREADS);
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    for (int round = 0; round < 50; round++) {
        racer racers[THREADS];
        pthread_t threads[THREADS];
        int went = 0;
        now += CURLBREAKER_PROBE_LAST_MS;
        for (int i = 0; i < THREADS; i++) {
            racers[i] = (racer){.breakers = breakers, .start = &start, .now = now};
            assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            if (racers[i].went) {
                went++;
                tell(breakers, &racers[i].pass, BREAKER_FAILED, "x", now);
            }
        }
        assert_int_equal(went, 1);
    }
    pthread_barrier_destroy(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_one_child_learns),
        UNIT_TEST(killed_children_leave_it_usable),
        UNIT_TEST(one_of_many_threads_probes),
    };
    return UNIT_MAIN(tests);
}
