/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "backend/sharedthreads.h"
#include "backend/snapshots.h"

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

/* A snapshot that can tell whether it is whole, and a count of those that were destroyed. */
typedef struct whole {
    int number;
    int same[64];
} whole;

static atomic_int destroyed;

static apr_status_t count_destroyed(void *data)
{
    memset(data, 0xdd, sizeof(whole));
    atomic_fetch_add(&destroyed, 1);
    return APR_SUCCESS;
}

static const whole *make_whole(apr_pool_t *draft, int number)
{
    whole *one = apr_palloc(draft, sizeof(*one));
    one->number = number;
    for (size_t i = 0; i < COUNT(one->same); i++) {
        one->same[i] = number;
    }
    apr_pool_cleanup_register(draft, one, count_destroyed, apr_pool_cleanup_null);
    return one;
}

static bool is_whole(const whole *one)
{
    for (size_t i = 0; i < COUNT(one->same); i++) {
        if (one->same[i] != one->number) {
            return false;
        }
    }
    return true;
}

static void publish(shared_port *shared, const char *name, int number)
{
    apr_pool_t *draft = shared->draft(shared);
    shared->publish(shared, name, make_whole(draft, number), draft);
}

static int read_number(shared_port *shared, const char *name, apr_pool_t *pool)
{
    const whole *one = shared->snapshot(shared, name, pool);
    return one == NULL ? -1 : one->number;
}

static void snapshots_by_name(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    atomic_store(&destroyed, 0);
    assert_null(shared->snapshot(shared, "a", unit_pool(state)));
    publish(shared, "a", 1);
    publish(shared, "b", 2);
    publish(shared, "", 3);
    assert_int_equal(read_number(shared, "a", unit_pool(state)), 1);
    assert_int_equal(read_number(shared, "b", unit_pool(state)), 2);
    assert_int_equal(read_number(shared, "", unit_pool(state)), 3);
    assert_int_equal(read_number(shared, "A", unit_pool(state)), -1);
    assert_int_equal(atomic_load(&destroyed), 0);
}

static void the_last_reader_destroys(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    apr_pool_t *one = NULL;
    apr_pool_t *other = NULL;
    atomic_store(&destroyed, 0);
    apr_pool_create(&one, unit_pool(state));
    apr_pool_create(&other, unit_pool(state));
    publish(shared, "a", 1);
    const whole *first = shared->snapshot(shared, "a", one);
    assert_ptr_equal(shared->snapshot(shared, "a", other), first);
    assert_ptr_equal(shared->snapshot(shared, "a", other), first); /* twice in one pool */
    publish(shared, "a", 2);
    assert_int_equal(read_number(shared, "a", unit_pool(state)), 2);
    apr_pool_clear(one);
    assert_int_equal(atomic_load(&destroyed), 0);
    assert_true(is_whole(first));
    apr_pool_clear(other);
    assert_int_equal(atomic_load(&destroyed), 1);
    publish(shared, "a", 3); /* 2 is still being read by the test's pool */
    assert_int_equal(atomic_load(&destroyed), 1);
    publish(shared, "a", 4); /* nobody read 3 */
    assert_int_equal(atomic_load(&destroyed), 2);
}

static void a_discarded_draft_is_gone(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    atomic_store(&destroyed, 0);
    apr_pool_t *draft = shared->draft(shared);
    (void)make_whole(draft, 1);
    shared->discard(shared, draft);
    assert_int_equal(atomic_load(&destroyed), 1);
    assert_null(shared->snapshot(shared, "a", unit_pool(state)));
}

static void a_reader_may_outlive_the_port(void **state)
{
    apr_pool_t *home = NULL;
    apr_pool_t *reader = NULL;
    apr_pool_create(&home, unit_pool(state));
    apr_pool_create(&reader, unit_pool(state));
    atomic_store(&destroyed, 0);
    shared_port *shared = sharedthreads_new(home);
    publish(shared, "read", 1);
    publish(shared, "unread", 2);
    const whole *one = shared->snapshot(shared, "read", reader);
    apr_pool_destroy(home);
    assert_int_equal(atomic_load(&destroyed), 1);
    assert_true(is_whole(one));
    apr_pool_destroy(reader);
    assert_int_equal(atomic_load(&destroyed), 2);
}

static void names_are_bounded(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    char name[32];
    atomic_store(&destroyed, 0);
    for (int i = 0; i < SNAPSHOTS_MAX + 3; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        publish(shared, name, i);
        publish(shared, "n0", 0); /* always fresh, so never the one that goes */
    }
    /* n0 was replaced each time but the first; n1, n2, n3 had to go. */
    assert_int_equal(read_number(shared, "n0", unit_pool(state)), 0);
    assert_int_equal(read_number(shared, "n1", unit_pool(state)), -1);
    assert_int_equal(read_number(shared, "n3", unit_pool(state)), -1);
    assert_int_equal(read_number(shared, "n4", unit_pool(state)), 4);
    assert_int_equal(atomic_load(&destroyed), SNAPSHOTS_MAX + 3 + 3);
}

typedef struct hammer {
    shared_port *shared;
    atomic_bool stop;
    atomic_int torn;
    atomic_int published;
} hammer;

static void *read_often(void *data)
{
    hammer *all = data;
    apr_pool_t *pool = NULL;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    while (!atomic_load(&all->stop)) {
        const whole *one = all->shared->snapshot(all->shared, "x", pool);
        const whole *again = all->shared->snapshot(all->shared, "x", pool);
        if (one == NULL || !is_whole(one) || again == NULL || !is_whole(again) ||
            again->number < one->number) {
            atomic_fetch_add(&all->torn, 1);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void *publish_often(void *data)
{
    hammer *all = data;
    for (int i = 0; i < 2000; i++) {
        publish(all->shared, "x", atomic_fetch_add(&all->published, 1) + 1);
    }
    return NULL;
}

static void readers_and_a_writer_at_once(void **state)
{
    enum { READERS = 6 };
    hammer all = {.shared = sharedthreads_new(unit_pool(state))};
    pthread_t readers[READERS];
    pthread_t writer;
    atomic_store(&destroyed, 0);
    publish(all.shared, "x", 0);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_often, &all), 0);
    }
    assert_int_equal(pthread_create(&writer, NULL, publish_often, &all), 0);
    pthread_join(writer, NULL);
    atomic_store(&all.stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    assert_int_equal(atomic_load(&all.torn), 0);
    assert_int_equal(atomic_load(&destroyed), 2000); /* all but the current one */
}

static void a_turn_alone(void **state)
{
    shared_port *shared = sharedthreads_new(unit_pool(state));
    assert_int_equal(shared->take_turn(shared, "a", 0), SHARED_MINE);
    assert_int_equal(shared->take_turn(shared, "a", 0), SHARED_LATE);
    assert_int_equal(shared->take_turn(shared, "a", -1), SHARED_LATE);
    assert_int_equal(shared->take_turn(shared, "b", 0), SHARED_MINE);
    int64_t before = steady_ms();
    assert_int_equal(shared->take_turn(shared, "a", 60), SHARED_LATE);
    int64_t took = steady_ms() - before;
    assert_true(took >= 59 && took < 3000);
    shared->give_turn(shared, "a");
    assert_int_equal(shared->take_turn(shared, "b", 0), SHARED_LATE);
    assert_int_equal(shared->take_turn(shared, "a", 0), SHARED_MINE);
    shared->give_turn(shared, "a");
    shared->give_turn(shared, "a");       /* a second time, */
    shared->give_turn(shared, "unknown"); /* and one that nobody has: no harm */
    shared->give_turn(shared, "b");
    assert_int_equal(shared->take_turn(shared, "b", 0), SHARED_MINE);
    /* b is still held when the port ends: nothing leaks */
}

typedef struct waiter {
    shared_port *shared;
    const char *name;
    int64_t wait_ms;
    int64_t waited;
    shared_turn turn;
} waiter;

static void *wait_for_turn(void *data)
{
    waiter *one = data;
    int64_t before = steady_ms();
    one->turn = one->shared->take_turn(one->shared, one->name, one->wait_ms);
    one->waited = steady_ms() - before;
    return NULL;
}

static void all_waiters_wake_at_once(void **state)
{
    enum { WAITERS = 16 };
    shared_port *shared = sharedthreads_new(unit_pool(state));
    waiter waiters[WAITERS];
    pthread_t threads[WAITERS];
    assert_int_equal(shared->take_turn(shared, "a", 0), SHARED_MINE);
    assert_int_equal(shared->take_turn(shared, "other", 0), SHARED_MINE);
    for (int i = 0; i < WAITERS; i++) {
        /* the last one waits for something else and must not be woken */
        waiters[i] = (waiter){shared, i == WAITERS - 1 ? "other" : "a", i == WAITERS - 1 ? 400 : 20000, 0,
                              SHARED_MINE};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_turn, &waiters[i]), 0);
    }
    rest_ms(200);
    shared->give_turn(shared, "a");
    shared_turn next = shared->take_turn(shared, "a", 0);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(next, SHARED_MINE);
    for (int i = 0; i < WAITERS - 1; i++) {
        assert_int_equal(waiters[i].turn, SHARED_PASSED);
        assert_true(waiters[i].waited < 5000);
    }
    assert_int_equal(waiters[WAITERS - 1].turn, SHARED_LATE);
    shared->give_turn(shared, "a");
}

typedef struct contest {
    shared_port *shared;
    atomic_int inside[3];
    atomic_int broken;
    atomic_int mine;
    atomic_int passed;
    atomic_int late;
} contest;

static void *contend(void *data)
{
    static const char *const names[] = {"x", "y", "z"};
    contest *all = data;
    for (int i = 0; i < 3000; i++) {
        int which = i % 3;
        switch (all->shared->take_turn(all->shared, names[which], i % 5 == 0 ? 0 : 5000)) {
        case SHARED_MINE:
            if (atomic_fetch_add(&all->inside[which], 1) != 0) {
                atomic_fetch_add(&all->broken, 1);
            }
            atomic_fetch_add(&all->mine, 1);
            atomic_fetch_sub(&all->inside[which], 1);
            all->shared->give_turn(all->shared, names[which]);
            break;
        case SHARED_PASSED:
            atomic_fetch_add(&all->passed, 1);
            break;
        case SHARED_LATE:
            atomic_fetch_add(&all->late, 1);
            if (i % 5 != 0) {
                atomic_fetch_add(&all->broken, 1);
            }
            break;
        }
    }
    return NULL;
}

static void a_turn_is_for_one(void **state)
{
    enum { THREADS = 8 };
    contest all = {.shared = sharedthreads_new(unit_pool(state))};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &all), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&all.broken), 0);
    assert_true(atomic_load(&all.mine) > 0);
    assert_int_equal(atomic_load(&all.mine) + atomic_load(&all.passed) + atomic_load(&all.late),
                     THREADS * 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(snapshots_by_name),
        UNIT_TEST(the_last_reader_destroys),
        UNIT_TEST(a_discarded_draft_is_gone),
        UNIT_TEST(a_reader_may_outlive_the_port),
        UNIT_TEST(names_are_bounded),
        UNIT_TEST(readers_and_a_writer_at_once),
        UNIT_TEST(a_turn_alone),
        UNIT_TEST(all_waiters_wake_at_once),
        UNIT_TEST(a_turn_is_for_one),
    };
    return UNIT_MAIN(tests);
}
