/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Every backend against the one contract: the table, then many processes, many threads, and processes that
 * are killed. */

#include "unit.h"

#include <pthread.h>

#include "backend/lmdbstore.h"
#include "backend/mcstore.h"
#include "storecheck.h"

/* Opens the store of a URL, as a child of httpd would. */
static store_port *store_of(apr_pool_t *pool, const char *text)
{
    store_url *url = apr_palloc(pool, sizeof(*url));
    store_port *store = NULL;
    const char *problem = storeurl_read(pool, text_of(text), url);
    if (problem == NULL && url->scheme == STOREURL_LMDB)
        problem = lmdbstore_open(pool, url, hostclock_port(), &store);
    else if (problem == NULL)
        problem = mcstore_open(pool, url, hostclock_port(), 4, &store);
    if (problem)
        print_error("%s\n", problem);
    assert_null(problem);
    return store;
}

static const char *tcp_url(apr_pool_t *pool)
{
    return server_url(pool, server_make(pool, NULL, NULL), PATIENT);
}

static const char *socket_url(apr_pool_t *pool)
{
    return server_url(pool, server_make(pool, directory_make(pool), NULL), PATIENT);
}

static const char *lmdb_url(apr_pool_t *pool)
{
    return apr_pstrcat(pool, "lmdb:", directory_make(pool), "/store?size=64m", NULL);
}

static const struct {
    const char *name;
    const char *(*url)(apr_pool_t *pool);
} backends[] = {{"memcached", tcp_url}, {"memcached over a unix socket", socket_url}, {"lmdb", lmdb_url}};

static void keeps_every_promise(void **state)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        apr_pool_t *pool;
        store_port *store;
        apr_pool_create(&pool, unit_pool(state));
        store = store_of(pool, backends[i].url(pool));
        for (size_t j = 0; j < COUNT(store_checks); j++) {
            print_message("    %s: %s\n", backends[i].name, store_checks[j].promise);
            store_checks[j].check(store, pool);
        }
        apr_pool_destroy(pool);
    }
}

/* What writers that may be killed have done, in memory that outlives them. */
typedef struct tally {
    volatile long done[16]; /* increments that were answered OK */
    volatile long failed[16];
} tally;

static tally *tally_make(void)
{
    void *at = mmap(NULL, sizeof(tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

/* Adds one by get and cas until it has happened. False: the store did not do its part. */
static bool increment(store_port *store, apr_pool_t *pool, const char *key)
{
    store_item item;
    store_rc rc;
    do {
        apr_pool_clear(pool);
        if (store->get(store, key, pool, &item) != STORE_OK)
            return false;
        rc = store->cas(store, key, text_format(pool, "%ld", strtol(item.value.at, NULL, 10) + 1), 600,
                        item.version);
    } while (rc == STORE_CLASH);
    return rc == STORE_OK;
}

static void writer(const char *url, const char *key, long times, tally *sums, int self)
{
    apr_pool_t *pool;
    apr_pool_t *scratch;
    store_port *store;
    apr_pool_create(&pool, NULL);
    apr_pool_create(&scratch, pool);
    store = store_of(pool, url);
    for (long i = 0; i < times; i++) {
        if (increment(store, scratch, key))
            sums->done[self]++;
        else
            sums->failed[self]++;
    }
    apr_pool_destroy(pool);
    _exit(0);
}

static pid_t writer_start(const char *url, const char *key, long times, tally *sums, int self)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        writer(url, key, times, sums, self);
    }
    assert_true(pid > 0);
    return pid;
}

static long counter_of(apr_pool_t *pool, const char *url, const char *key)
{
    store_port *store = store_of(pool, url);
    store_item item;
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    return strtol(item.value.at, NULL, 10);
}

/* In a process of its own and gone again: whoever forks afterwards has nothing of the store. */
static void counter_start(apr_pool_t *parent, const char *url, const char *key)
{
    apr_pool_t *pool;
    store_port *store;
    apr_pool_create(&pool, parent);
    store = store_of(pool, url);
    assert_answer(store->put(store, key, TEXT("0"), 600), STORE_OK);
    apr_pool_destroy(pool);
}

static void loses_no_increment(void **state)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        apr_pool_t *pool;
        tally *sums = tally_make();
        pid_t pids[8];
        const char *url;
        const char *key;
        apr_pool_create(&pool, unit_pool(state));
        url = backends[i].url(pool);
        key = key_of(pool, "counter", 0);
        counter_start(pool, url, key);
        for (int j = 0; j < 8; j++)
            pids[j] = writer_start(url, key, 1000, sums, j);
        for (int j = 0; j < 8; j++) {
            int status;
            waitpid(pids[j], &status, 0);
            assert_case(WIFEXITED(status) && WEXITSTATUS(status) == 0, backends[i].name);
            assert_case(sums->done[j] == 1000 && sums->failed[j] == 0, backends[i].name);
        }
        assert_case(counter_of(pool, url, key) == 8000, backends[i].name);
        munmap(sums, sizeof(*sums));
        apr_pool_destroy(pool);
    }
}

/* One killed process may have written without having been told so; nothing else may be missing or too much.
 */
static void survives_kills(void **state)
{
    enum { KILLS = 8 };
    for (size_t i = 0; i < COUNT(backends); i++) {
        apr_pool_t *pool;
        tally *sums = tally_make();
        pid_t steady[2];
        long sum = 0;
        long counted;
        int status;
        const char *url;
        const char *key;
        apr_pool_create(&pool, unit_pool(state));
        url = backends[i].url(pool);
        key = key_of(pool, "killed", 0);
        counter_start(pool, url, key);
        for (int j = 0; j < 2; j++)
            steady[j] = writer_start(url, key, 1500, sums, j);
        for (int j = 0; j < KILLS; j++) {
            pid_t victim = writer_start(url, key, 1000000, sums, 2 + j);
            int64_t patience = now_ms() + 5000;
            while (sums->done[2 + j] < 5 && now_ms() < patience)
                rest_ms(1);
            rest_ms(j);
            kill(victim, SIGKILL);
            waitpid(victim, &status, 0);
        }
        for (int j = 0; j < 2; j++) {
            waitpid(steady[j], &status, 0);
            assert_case(sums->done[j] == 1500, backends[i].name);
        }
        for (int j = 0; j < 2 + KILLS; j++) {
            sum += sums->done[j];
            assert_case(sums->failed[j] == 0, backends[i].name);
            assert_case(sums->done[j] >= 5, backends[i].name);
        }
        counted = counter_of(pool, url, key);
        assert_case(counted >= sum && counted <= sum + KILLS, backends[i].name);
        munmap(sums, sizeof(*sums));
        apr_pool_destroy(pool);
    }
}

typedef struct hammer {
    store_port *store;
    const char *url;
    int self;
    long failures;
} hammer;

/* Everything a thread does to keys of its own must hold; the shared counter must lose nothing. */
static void *hammer_run(void *data)
{
    hammer *self = data;
    apr_pool_t *pool;
    apr_pool_t *scratch;
    apr_pool_create(&pool, NULL);
    apr_pool_create(&scratch, pool);
    for (int i = 0; i < 60; i++) {
        const char *mine = key_of(pool, apr_psprintf(pool, "thread%d", self->self), i);
        text_t value = text_format(pool, "%d of %d", i, self->self);
        store_item item;
        if (!increment(self->store, scratch, key_of(pool, "hammered", 0)))
            self->failures++;
        if (self->store->add(self->store, mine, value, 60) != STORE_OK)
            self->failures++;
        if (self->store->get(self->store, mine, pool, &item) != STORE_OK || !text_equal(item.value, value))
            self->failures++;
        if (self->store->drop(self->store, mine) != STORE_OK)
            self->failures++;
        if (self->store->get(self->store, mine, pool, &item) != STORE_MISS)
            self->failures++;
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void serves_many_threads(void **state)
{
    for (size_t i = 0; i < COUNT(backends); i++) {
        apr_pool_t *pool;
        pthread_t threads[16];
        hammer hammers[16];
        const char *url;
        const char *key;
        apr_pool_create(&pool, unit_pool(state));
        url = backends[i].url(pool);
        key = key_of(pool, "hammered", 0);
        counter_start(pool, url, key);
        store_port *store = store_of(pool, url);
        for (int j = 0; j < 16; j++) {
            hammers[j] = (hammer){store, url, j, 0};
            assert_int_equal(pthread_create(&threads[j], NULL, hammer_run, &hammers[j]), 0);
        }
        for (int j = 0; j < 16; j++) {
            pthread_join(threads[j], NULL);
            assert_case(hammers[j].failures == 0, backends[i].name);
        }
        assert_case(counter_of(pool, url, key) == 16 * 60, backends[i].name);
        apr_pool_destroy(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(keeps_every_promise),
        UNIT_TEST(loses_no_increment),
        UNIT_TEST(survives_kills),
        UNIT_TEST(serves_many_threads),
    };
    return UNIT_MAIN(tests);
}
