/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A real memcached that is full, hogged, killed, stopped or missing: DOWN is never MISS, nobody waits for
 * long, and it is noticed soon when it is back. What any backend must do is in test_storecontract.c, wrong
 * answers are in test_mcwire.c. */

#include "unit.h"

#include <pthread.h>

#include "backend/mcstore.h"
#include "storeserver.h"

#define TIMEOUT_MS  300
#define QUICK       "?timeout=300ms"
#define DEADLINE_MS (TIMEOUT_MS * MCSTORE_DEADLINES)
#define AT_ONCE_US  5000 /* microseconds are meant; the machine may be busy */

static store_port *store_of(apr_pool_t *pool, const char *text, int connections)
{
    store_url *url = apr_palloc(pool, sizeof(*url));
    store_port *store = NULL;
    assert_null(storeurl_read(pool, text_of(text), url));
    assert_null(mcstore_open(pool, url, hostclock_port(), connections, &store));
    return store;
}

static store_port *quick_store(apr_pool_t *pool, const server *memcached)
{
    return store_of(pool, server_url(pool, memcached, QUICK), 4);
}

/* All six verbs answer DOWN, which the first may have to find out. */
static void assert_down(store_port *store, apr_pool_t *pool, const char *key)
{
    store_item item;
    int64_t start = now_ms();
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    assert_true(now_ms() - start < DEADLINE_MS);
    start = now_us();
    assert_answer(store->put(store, key, TEXT("x"), 60), STORE_DOWN);
    assert_answer(store->add(store, key, TEXT("x"), 60), STORE_DOWN);
    assert_answer(store->cas(store, key, TEXT("x"), 60, 1), STORE_DOWN);
    assert_answer(store->touch(store, key, 60), STORE_DOWN);
    assert_answer(store->drop(store, key), STORE_DOWN);
    assert_true(now_us() - start < AT_ONCE_US);
}

/* Milliseconds until the key can be asked for again. */
static int64_t recovery(store_port *store, apr_pool_t *pool, const char *key)
{
    int64_t start = now_ms();
    store_item item;
    while (store->get(store, key, pool, &item) == STORE_DOWN && now_ms() < start + 5000)
        rest_ms(5);
    return now_ms() - start;
}

static void opens_without_a_server(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server nobody = {.port = port_free()};
    server hidden = {.path = apr_pstrcat(pool, directory_make(pool), "/mc.sock", NULL)};
    assert_down(quick_store(pool, &nobody), pool, key_of(pool, "nobody", 0));
    assert_down(quick_store(pool, &hidden), pool, key_of(pool, "nobody", 0));
}

static void refuses_senseless_settings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    store_port *store;
    store_url url;
    assert_null(storeurl_read(pool, TEXT("memcached://127.0.0.1"), &url));
    assert_non_null(mcstore_open(pool, &url, hostclock_port(), 0, &store));
    assert_non_null(mcstore_open(pool, &url, hostclock_port(), 1025, &store));
    assert_null(storeurl_read(pool, TEXT("lmdb:/x"), &url));
    assert_non_null(mcstore_open(pool, &url, hostclock_port(), 1, &store));
}

static void is_down_when_killed_and_back_within_a_second(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *store = quick_store(pool, memcached);
    const char *key = key_of(pool, "killed", 0);
    store_item item;
    assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
    server_stop(memcached);
    assert_down(store, pool, key);
    for (int64_t until = now_ms() + 1500; now_ms() < until; rest_ms(20))
        assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    server_start(memcached);
    assert_true(recovery(store, pool, key) < 1000);
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
    assert_answer(store->add(store, key, TEXT("new"), 60), STORE_OK);
}

/* Connections that slept over a restart are not the server's failure: neither a read nor a write may suffer.
 */
static void does_not_trip_over_stale_connections(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *store = quick_store(pool, memcached);
    const char *key = key_of(pool, "stale", 0);
    store_item item;
    for (int i = 0; i < 6; i++) {
        assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
        server_stop(memcached);
        server_start(memcached);
        switch (i) {
        case 0:
            assert_answer(store->get(store, key, pool, &item), STORE_MISS);
            break;
        case 1:
            assert_answer(store->put(store, key, TEXT("w"), 60), STORE_OK);
            break;
        case 2:
            assert_answer(store->add(store, key, TEXT("w"), 60), STORE_OK);
            break;
        case 3:
            assert_answer(store->cas(store, key, TEXT("w"), 60, 1), STORE_MISS);
            break;
        case 4:
            assert_answer(store->touch(store, key, 60), STORE_MISS);
            break;
        default:
            assert_answer(store->drop(store, key), STORE_MISS);
        }
    }
}

static void is_down_when_stopped(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *store = quick_store(pool, memcached);
    const char *key = key_of(pool, "stopped", 0);
    store_item item;
    int64_t start;
    assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
    server_pause(memcached);
    start = now_ms();
    assert_down(store, pool, key);
    assert_true(now_ms() - start >= TIMEOUT_MS / 2);
    for (int64_t until = now_ms() + 1200; now_ms() < until; rest_ms(10)) {
        start = now_ms();
        assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
        assert_true(now_ms() - start < DEADLINE_MS);
    }
    kill(memcached->pid, SIGCONT);
    assert_true(recovery(store, pool, key) < 1000);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "v");
}

typedef struct caller {
    store_port *store;
    const char *key;
    int64_t longest; /* milliseconds */
    int downs;
} caller;

static void *call_for_a_while(void *data)
{
    caller *self = data;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    for (int64_t until = now_ms() + 1200; now_ms() < until; rest_ms(1)) {
        int64_t start = now_ms();
        store_item item;
        apr_pool_clear(pool);
        if (self->store->get(self->store, self->key, pool, &item) == STORE_DOWN)
            self->downs++;
        if (now_ms() - start > self->longest)
            self->longest = now_ms() - start;
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* More threads than connections, and a server that stops in the middle: waiting for a connection ends, too.
 */
static void keeps_deadlines_for_all_threads(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *store = store_of(pool, server_url(pool, memcached, QUICK), 2);
    const char *key = key_of(pool, "threads", 0);
    pthread_t threads[16];
    caller callers[16];
    assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
    for (int i = 0; i < 16; i++) {
        callers[i] = (caller){store, key, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call_for_a_while, &callers[i]), 0);
    }
    rest_ms(200);
    server_pause(memcached);
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        assert_true(callers[i].downs > 0);
        assert_true(callers[i].longest < DEADLINE_MS);
    }
    kill(memcached->pid, SIGCONT);
    assert_true(recovery(store, pool, key) < 1000);
}

/* A further connection is told that there are too many. False: it was served. */
static bool is_turned_away(const server *memcached, int *hog)
{
    char answer[64] = "";
    ssize_t len;
    *hog = server_connect(memcached);
    assert_int_equal(send(*hog, "touch x 1\r\n", 11, MSG_NOSIGNAL), 11);
    len = recv(*hog, answer, sizeof(answer) - 1, 0);
    return len <= 0 || strncmp(answer, "ERROR", 5) == 0;
}

/* At its limit memcached accepts, says so and closes: to libmemcached's get that looks like a miss. */
static void is_down_at_the_connection_limit(void **state)
{
    static const char *few[] = {"-c", "32", "-t", "1", NULL};
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, few);
    store_port *before = store_of(pool, server_url(pool, memcached, PATIENT), 1);
    store_port *store = quick_store(pool, memcached);
    const char *key = key_of(pool, "limit", 0);
    store_item item;
    int hogs[64];
    size_t count = 0;
    assert_answer(before->put(before, key, TEXT("v"), 60), STORE_OK);
    while (count < COUNT(hogs) && !is_turned_away(memcached, &hogs[count]))
        count++;
    assert_true(count < COUNT(hogs));
    assert_down(store, pool, key);
    rest_ms(150);
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    for (size_t i = 0; i <= count; i++)
        close(hogs[i]);
    assert_true(recovery(store, pool, key) < 1000);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
}

static void is_full_without_loss(void **state)
{
    static const char *tiny[] = {"-M", "-m", "2", NULL};
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, tiny);
    store_port *store = store_of(pool, server_url(pool, memcached, PATIENT), 2);
    char bytes[4000] = {0};
    const text_t value = {bytes, sizeof(bytes)};
    store_item item;
    int count = 0;
    while (count < 5000 && store->add(store, key_of(pool, "fill", count), value, 600) == STORE_OK)
        count++;
    assert_true(count > 10 && count < 5000);
    assert_answer(store->add(store, key_of(pool, "fill", count), value, 600), STORE_FULL);
    assert_answer(store->get(store, key_of(pool, "fill", count), pool, &item), STORE_MISS);
    for (int i = 0; i < count; i += 7) {
        assert_answer(store->get(store, key_of(pool, "fill", i), pool, &item), STORE_OK);
        assert_true(text_equal(item.value, value));
    }
    assert_answer(store->touch(store, key_of(pool, "fill", 1), 60), STORE_OK);
    assert_answer(store->drop(store, key_of(pool, "fill", 0)), STORE_OK);
    assert_answer(store->add(store, key_of(pool, "fill", count), value, 600), STORE_OK);
}

/* What is small enough for the contract may still be too large for the server: that is FULL, and no reason to
 * stop calling. */
static void is_full_above_the_servers_item_size(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *store = store_of(pool, server_url(pool, memcached, PATIENT), 2);
    const char *key = key_of(pool, "item", 0);
    const text_t value = {apr_pcalloc(pool, STORE_VALUE_MAX), STORE_VALUE_MAX};
    store_item item;
    assert_answer(store->put(store, key, TEXT("small"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->cas(store, key, value, 60, item.version), STORE_FULL);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->add(store, key_of(pool, "item", 1), value, 60), STORE_FULL);
    assert_answer(store->put(store, key_of(pool, "item", 2), value, 60), STORE_FULL);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "small");
}

/* A record without version could be overwritten unseen; a memcached that is told not to count must not be
 * believed. */
static void is_down_without_versions(void **state)
{
    static const char *no_cas[] = {"-C", NULL};
    apr_pool_t *pool = unit_pool(state);
    store_port *store = quick_store(pool, server_make(pool, NULL, no_cas));
    const char *key = key_of(pool, "nocas", 0);
    store_item item;
    assert_answer(store->put(store, key, TEXT("v"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
}

/* Each server answers for its own keys and for nobody else's. */
static void shares_keys_between_servers(void **state)
{
    enum { KEYS = 200 };
    apr_pool_t *pool = unit_pool(state);
    server *servers[2] = {server_make(pool, NULL, NULL), server_make(pool, NULL, NULL)};
    const char *url = apr_psprintf(pool, "memcached://127.0.0.1:%d,localhost:%d" PATIENT, servers[0]->port,
                                   servers[1]->port);
    store_port *store = store_of(pool, url, 2);
    store_item item;
    int on_first = 0;
    for (int i = 0; i < KEYS; i++) {
        const char *key = key_of(pool, "shared", i);
        on_first += mcstore_server_of(store, key) == 0;
        assert_answer(store->add(store, key, text_of(key), 60), STORE_OK);
    }
    assert_true(on_first > KEYS / 5 && on_first < KEYS * 4 / 5);
    server_stop(servers[1]);
    for (int i = 0; i < KEYS; i++) {
        const char *key = key_of(pool, "shared", i);
        bool first = mcstore_server_of(store, key) == 0;
        assert_answer(store->get(store, key, pool, &item), first ? STORE_OK : STORE_DOWN);
        if (!first)
            assert_answer(store->add(store, key, TEXT("elsewhere"), 60), STORE_DOWN);
    }
    server_start(servers[1]);
    for (int i = 0; i < KEYS; i++) {
        const char *key = key_of(pool, "shared", i);
        bool first = mcstore_server_of(store, key) == 0;
        assert_true(recovery(store, pool, key) < 1000);
        assert_answer(store->get(store, key, pool, &item), first ? STORE_OK : STORE_MISS);
    }
}

/* The ring depends on the servers' names, not on the order or on their number alone: one more takes keys, the
 * others keep theirs. */
static void moves_few_keys_for_a_new_server(void **state)
{
    enum { KEYS = 1000 };
    apr_pool_t *pool = unit_pool(state);
    store_port *two = store_of(pool, "memcached://a,b", 1);
    store_port *turned = store_of(pool, "memcached://b,a", 1);
    store_port *three = store_of(pool, "memcached://a,b,c", 1);
    int moved = 0;
    for (int i = 0; i < KEYS; i++) {
        const char *key = key_of(pool, "ring", i);
        int old = mcstore_server_of(two, key);
        int new = mcstore_server_of(three, key);
        assert_int_equal(old, 1 - mcstore_server_of(turned, key));
        assert_true(new == old || new == 2);
        moved += new == 2;
    }
    assert_true(moved > KEYS / 6 && moved < KEYS / 2);
}

/* A name with an address where nobody listens and one where somebody does; and a name that nobody knows. */
static void finds_servers_by_name(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server *memcached = server_make(pool, NULL, NULL);
    store_port *named =
        store_of(pool, apr_psprintf(pool, "memcached://localhost:%d" QUICK, memcached->port), 2);
    store_port *nobody = store_of(pool, "memcached://nobody.invalid" QUICK, 2);
    assert_answer(named->add(named, key_of(pool, "named", 0), TEXT("v"), 60), STORE_OK);
    assert_down(nobody, pool, key_of(pool, "named", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(opens_without_a_server),
        UNIT_TEST(refuses_senseless_settings),
        UNIT_TEST(is_down_when_killed_and_back_within_a_second),
        UNIT_TEST(does_not_trip_over_stale_connections),
        UNIT_TEST(is_down_when_stopped),
        UNIT_TEST(keeps_deadlines_for_all_threads),
        UNIT_TEST(is_down_at_the_connection_limit),
        UNIT_TEST(is_full_without_loss),
        UNIT_TEST(is_full_above_the_servers_item_size),
        UNIT_TEST(is_down_without_versions),
        UNIT_TEST(shares_keys_between_servers),
        UNIT_TEST(moves_few_keys_for_a_new_server),
        UNIT_TEST(finds_servers_by_name),
    };
    return UNIT_MAIN(tests);
}
