/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What only the embedded store has: a ceiling, sweeping, and other processes that stop in the middle. What
 * any backend must do is in test_storecontract.c. */

#include "unit.h"

#include <pthread.h>

#include <lmdb.h>

#include "lmdbplace.h"

/* A clock that the test sets. */
typedef struct test_clock {
    clock_port port;
    int64_t now;
} test_clock;

static int64_t test_wall(const clock_port *clock)
{
    return ((const test_clock *)clock)->now;
}

static test_clock *clock_make(apr_pool_t *pool, int64_t now)
{
    test_clock *clock = apr_palloc(pool, sizeof(*clock));
    clock->port = *hostclock_port();
    clock->port.wall = test_wall;
    clock->now = now;
    return clock;
}

static text_t zeros(apr_pool_t *pool, size_t len)
{
    return (text_t){apr_pcalloc(pool, len), len};
}

/* The clock stands still, as every second moves entries of the index, and of records as tiny as the first it
 * takes as much room as they do. How well its pages are filled depends on the order of writes, so of what
 * fitted once a twentieth is left to chance. */
static void is_full_for_new_records_first(void **state)
{
    static const size_t sizes[] = {100, 1500, 3000, 9000, 40000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        apr_pool_t *pool;
        store_port *store;
        store_item item;
        text_t value;
        int count = 0;
        apr_pool_create(&pool, unit_pool(state));
        store = store_at(pool, path_in(pool, directory_make(pool)), 2, &clock_make(pool, 1000000)->port);
        value = zeros(pool, sizes[i]);
        while (count < 100000 && store->add(store, key_of(pool, "fill", count), value, 600) == STORE_OK)
            count++;
        assert_true((size_t)count * sizes[i] > (size_t)300 * 1024 && count < 100000);
        assert_answer(store->add(store, key_of(pool, "fill", count), value, 600), STORE_FULL);
        assert_answer(store->put(store, key_of(pool, "fill", count), value, 600), STORE_FULL);
        assert_answer(store->get(store, key_of(pool, "fill", count), pool, &item), STORE_MISS);
        for (int j = 0; j < count; j++) {
            const char *key = key_of(pool, "fill", j);
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            assert_answer(store->cas(store, key, value, 600, item.version), STORE_OK);
            assert_answer(store->touch(store, key, 500), STORE_OK);
        }
        for (int j = 0; j < count; j++)
            assert_answer(store->drop(store, key_of(pool, "fill", j)), STORE_OK);
        for (int j = 0; j < count * 19 / 20; j++)
            assert_answer(store->add(store, key_of(pool, "again", j), value, 600), STORE_OK);
        apr_pool_destroy(pool);
    }
}

/* Also when all of the records grow until nothing fits any more, each can still be dropped. */
static void can_be_emptied_however_full(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    store_port *store = store_at(pool, path_in(pool, directory_make(pool)), 1, hostclock_port());
    store_item item;
    int count = 0;
    while (store->add(store, key_of(pool, "grow", count), zeros(pool, 1000), 600) == STORE_OK)
        count++;
    for (size_t len = 1000; len < 9000; len += 500) {
        for (int i = 0; i < count; i++) {
            const char *key = key_of(pool, "grow", i);
            store_rc rc;
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            rc = store->cas(store, key, zeros(pool, len), 600, item.version);
            assert_true(rc == STORE_OK || rc == STORE_FULL);
        }
    }
    for (int i = 0; i < count; i++) {
        assert_answer(store->touch(store, key_of(pool, "grow", i), 60), STORE_OK);
        assert_answer(store->drop(store, key_of(pool, "grow", i)), STORE_OK);
    }
    assert_answer(store->add(store, key_of(pool, "grow", 0), zeros(pool, 1000), 600), STORE_OK);
}

static void gives_the_room_of_expired_records_to_new_ones(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    test_clock *clock = clock_make(pool, 1000000);
    store_port *store = store_at(pool, path_in(pool, directory_make(pool)), 2, &clock->port);
    text_t value = zeros(pool, 2500);
    store_item item;
    int count = 0;
    while (store->add(store, key_of(pool, "old", count), value, 600) == STORE_OK)
        count++;
    clock->now += 600;
    assert_answer(store->get(store, key_of(pool, "old", 0), pool, &item), STORE_OK);
    assert_answer(store->add(store, key_of(pool, "new", 0), value, 600), STORE_FULL);
    clock->now += 1;
    assert_answer(store->get(store, key_of(pool, "old", 0), pool, &item), STORE_MISS);
    for (int i = 0; i < count * 19 / 20; i++)
        assert_answer(store->add(store, key_of(pool, "new", i), value, 600), STORE_OK);
}

/* Every write takes a few of them along, so a busy store never piles them up. */
static void sweeps_as_it_writes(void **state)
{
    enum { ROUNDS = 300 };
    apr_pool_t *pool = unit_pool(state);
    test_clock *clock = clock_make(pool, 1000000);
    const char *path = path_in(pool, directory_make(pool));
    store_port *store = store_at(pool, path, 16, &clock->port);
    struct stat facts;
    for (int i = 0; i < ROUNDS * 20; i++) {
        assert_answer(store->add(store, key_of(pool, "swept", i), zeros(pool, 3000), 10), STORE_OK);
        if (i % 20 == 19)
            clock->now++;
    }
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size < (off_t)4 * 1024 * 1024);
}

/* Two virtual hosts may name the same file; LMDB must not open it twice in a process. */
static void shares_one_file_in_a_process(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *directory = directory_make(pool);
    const char *path = path_in(pool, directory);
    const char *roundabout = apr_pstrcat(pool, directory, "/./store", NULL);
    apr_pool_t *lives[3];
    store_port *stores[3];
    store_item item;
    const char *key = key_of(pool, "one", 0);
    int status;
    pid_t child;
    for (int i = 0; i < 3; i++) {
        apr_pool_create(&lives[i], pool);
        stores[i] = store_at(lives[i], i == 1 ? roundabout : path, 4, hostclock_port());
    }
    assert_answer(stores[0]->put(stores[0], key, TEXT("v"), 60), STORE_OK);
    apr_pool_destroy(lives[0]);
    assert_answer(stores[1]->get(stores[1], key, pool, &item), STORE_OK);
    child = fork();
    if (child == 0) {
        store_port *own = store_at(pool, path, 4, hostclock_port());
        _exit(own->put(own, key, TEXT("child"), 60) == STORE_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    apr_pool_destroy(lives[1]);
    assert_answer(stores[2]->get(stores[2], key, pool, &item), STORE_OK);
    assert_text(item.value, "child");
    assert_answer(stores[2]->put(stores[2], key, TEXT("w"), 60), STORE_OK);
}

/* In a child: begins a transaction and takes the signal in the middle of it. */
static void die_within(const char *path, unsigned flags, int signal_number)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mdb_env_create(&env);
    mdb_env_set_maxdbs(env, 3);
    mdb_env_set_mapsize(env, 2 * 1024 * 1024);
    if (mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600) == 0 &&
        mdb_txn_begin(env, NULL, flags, &txn) == 0)
        kill(getpid(), signal_number);
    _exit(1);
}

/* Readers that died hold old pages until somebody notices: the file must not fill up because of them. */
static void survives_readers_that_die(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    store_port *store = store_at(pool, path, 2, hostclock_port());
    const char *key = key_of(pool, "reader", 0);
    store_item item;
    assert_answer(store->put(store, key, zeros(pool, 50000), 60), STORE_OK);
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            die_within(path, MDB_RDONLY, SIGKILL);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        for (int j = 0; j < 200; j++) {
            assert_answer(store->get(store, key, pool, &item), STORE_OK);
            assert_answer(store->cas(store, key, zeros(pool, 50000), 60, item.version), STORE_OK);
        }
    }
}

typedef struct waiter {
    store_port *store;
    const char *key;
    store_rc answer;
    int64_t took;
} waiter;

static void *put_and_measure(void *data)
{
    waiter *self = data;
    int64_t start = now_ms();
    self->answer = self->store->put(self->store, self->key, TEXT("v"), 60);
    self->took = now_ms() - start;
    return NULL;
}

/* A writer that is stopped, not killed, in the middle: readers go on, of the writers one waits, the others
 * are DOWN in time; and when it is killed all goes on. */
static void outlasts_a_writer_that_stops(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const char *path = path_in(pool, directory_make(pool));
    const char *key = key_of(pool, "stop", 0);
    store_port *store;
    store_item item;
    pthread_t threads[4];
    waiter waiters[4];
    int downs = 0;
    int status;
    pid_t child;
    store = store_at(pool, path, 2, hostclock_port());
    assert_answer(store->put(store, key, TEXT("before"), 60), STORE_OK);
    child = fork();
    if (child == 0)
        die_within(path, 0, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    assert_true(WIFSTOPPED(status));
    for (int i = 0; i < 4; i++) {
        waiters[i] = (waiter){store, key, STORE_OK, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_measure, &waiters[i]), 0);
    }
    rest_ms(LMDBSTORE_WAIT_MS + 500);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "before");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        if (waiters[i].answer == STORE_DOWN) {
            assert_true(waiters[i].took >= LMDBSTORE_WAIT_MS && waiters[i].took < LMDBSTORE_WAIT_MS + 450);
            downs++;
        }
    }
    assert_int_equal(downs, 3);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(is_full_for_new_records_first),
        UNIT_TEST(can_be_emptied_however_full),
        UNIT_TEST(gives_the_room_of_expired_records_to_new_ones),
        UNIT_TEST(sweeps_as_it_writes),
        UNIT_TEST(shares_one_file_in_a_process),
        UNIT_TEST(survives_readers_that_die),
        UNIT_TEST(outlasts_a_writer_that_stops),
    };
    return UNIT_MAIN(tests);
}
