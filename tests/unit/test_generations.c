/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <dlfcn.h>
#include <pthread.h>

#include <apr_shm.h>

#include "backend/generations.h"
#include "storeserver.h"

static bool no_shared_memory;

/* Stands before libapr's own, so that a system without anonymous shared memory can be played. */
apr_status_t apr_shm_create(apr_shm_t **memory, apr_size_t size, const char *filename, apr_pool_t *pool)
{
    apr_status_t (*real)(apr_shm_t **, apr_size_t, const char *, apr_pool_t *);
    *(void **)&real = dlsym(RTLD_NEXT, "apr_shm_create");
    return no_shared_memory ? APR_ENOTIMPL : real(memory, size, filename, pool);
}

static void a_bump_moves_one_counter(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    generations *all = generations_new(pool, GENERATIONS_USUAL);
    const char *key = key_of(pool, "key", 0);
    int moved = 0;
    assert_true(generations_are_shared(all));
    assert_int_equal(generations_of(all, key), 0);
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(generations_bump(all, key), i);
        assert_int_equal(generations_of(all, key), i);
    }
    for (int i = 1; i <= 1000; i++)
        moved += generations_of(all, key_of(pool, "key", i)) != 0;
    assert_in_range(moved, 0, 2);
}

static void counts_are_rounded_up(void **state)
{
    static const struct {
        size_t count, counters;
    } cases[] = {{0, 1}, {1, 1}, {2, 2}, {3, 4}, {5, 8}, {64, 64}, {65, 128}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        generations *all = generations_new(unit_pool(state), cases[i].count);
        size_t changes = 0;
        for (int j = 0; j < 4000; j++) /* enough to meet each of them */
            changes += generations_bump(all, key_of(unit_pool(state), "k", j)) == 1;
        assert_int_equal(changes, cases[i].counters);
    }
}

/* As the store's keys are hashes, any bit will do; test keys and keys of later times may be less even. */
static void the_hash_spreads(void **state)
{
    enum { KEYS = 65536 };
    char key[STORE_KEY_LEN + 1];
    size_t met = 0;
    generations *all = generations_local(unit_pool(state), KEYS);
    memset(key, 'A', STORE_KEY_LEN);
    key[STORE_KEY_LEN] = '\0';
    for (int i = 0; i < KEYS; i++) {
        key[20] = (char)('A' + (i & 15));
        key[21] = (char)('A' + (i >> 4 & 15));
        key[0] = (char)('A' + (i >> 8 & 15));
        key[42] = (char)('A' + (i >> 12));
        met += generations_bump(all, key) == 1;
    }
    assert_in_range(met, KEYS * 60 / 100, KEYS); /* 63 of 100 where it is luck */
    for (int i = 0; i < STORE_KEY_LEN; i++) {
        uint64_t before = generations_hash(key);
        key[i] ^= 1;
        assert_true(generations_hash(key) != before);
        assert_true((generations_hash(key) ^ before) >> 48 != 0);
    }
}

enum { PROCESSES = 4, TIMES = 20000 };

static void all_processes_see_it(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    generations *all = generations_new(pool, 16);
    const char *key = key_of(pool, "forked", 0);
    pid_t pids[PROCESSES];
    int64_t end = now_ms() + 10000;
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            for (int j = 0; j < TIMES; j++)
                generations_bump(all, key);
            while (generations_of(all, key) < PROCESSES * TIMES && now_ms() < end)
                rest_ms(1);
            _exit(generations_of(all, key) == PROCESSES * TIMES ? 0 : 1);
        }
        assert_true(pids[i] > 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(generations_of(all, key), PROCESSES * TIMES);
}

/* httpd's parent clears its pool on a restart, while children of before still serve. */
static void children_outlive_the_parents_pool(void **state)
{
    apr_pool_t *conf;
    const char *key = key_of(unit_pool(state), "restart", 0);
    int gate[2];
    int status;
    char byte = 0;
    apr_pool_create(&conf, unit_pool(state));
    generations *all = generations_new(conf, GENERATIONS_USUAL);
    generations_bump(all, key);
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool open = read(gate[0], &byte, 1) == 1;
        _exit(open && generations_of(all, key) == 1 && generations_bump(all, key) == 2 ? 0 : 1);
    }
    apr_pool_destroy(conf);
    assert_int_equal(write(gate[1], &byte, 1), 1);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(gate[0]);
    close(gate[1]);
}

static void alone_where_nothing_can_be_shared(void **state)
{
    const char *key = key_of(unit_pool(state), "alone", 0);
    int status;
    no_shared_memory = true;
    generations *all = generations_new(unit_pool(state), GENERATIONS_USUAL);
    no_shared_memory = false;
    assert_false(generations_are_shared(all));
    assert_false(generations_are_shared(generations_local(unit_pool(state), 1)));
    pid_t pid = fork();
    if (pid == 0)
        _exit(generations_bump(all, key) == 1 ? 0 : 1);
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(generations_of(all, key), 0);
    assert_int_equal(generations_bump(all, key), 1);
}

typedef struct bumper {
    generations *all;
    const char *key;
} bumper;

static void *bump_often(void *data)
{
    const bumper *self = data;
    for (int i = 0; i < TIMES; i++)
        generations_bump(self->all, self->key);
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    bumper self = {generations_local(unit_pool(state), 1), key_of(unit_pool(state), "threads", 0)};
    pthread_t threads[8];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bump_often, &self), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(generations_of(self.all, self.key), 8 * TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_bump_moves_one_counter),
        UNIT_TEST(counts_are_rounded_up),
        UNIT_TEST(the_hash_spreads),
        UNIT_TEST(all_processes_see_it),
        UNIT_TEST(children_outlive_the_parents_pool),
        UNIT_TEST(alone_where_nothing_can_be_shared),
        UNIT_TEST(threads_lose_nothing),
    };
    return UNIT_MAIN(tests);
}
