/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* F-17: an answer that got lost holds up one connection. The question is asked again on another one, as long
 * as others are answered; a memcached that answers nobody is given up at once. */

#include "unit.h"

#include "backend/hostclock.h"
#include "backend/mcstore.h"
#include "wire.h"

#define TIMEOUT_MS 300
#define ASKERS     3

/* So many questions from now on get no answer. */
static atomic_int lost;

/* A memcached in which there is nothing. */
static void empty_memcached(wire_peer *peer)
{
    char line[512];
    size_t len;
    bool silent = false;
    while ((len = wire_receive(peer, line, sizeof(line))) > 0) {
        bool question = text_starts((text_t){line, len}, TEXT("gets "));
        if (question && atomic_fetch_sub(&lost, 1) > 0)
            silent = true;
        if (!silent && !wire_send(peer, question ? TEXT("END\r\n") : TEXT("NOT_FOUND\r\n")))
            return;
    }
}

static store_port *store_of(apr_pool_t *pool, const wire_server *server)
{
    store_url *url = apr_palloc(pool, sizeof(*url));
    store_port *store = NULL;
    text_t text = text_format(pool, "memcached://127.0.0.1:%d?timeout=%dms", server->port, TIMEOUT_MS);
    assert_null(storeurl_read(pool, text, url));
    assert_null(mcstore_open(pool, url, hostclock_port(), ASKERS + 1, &store));
    return store;
}

static store_rc ask(store_port *store, apr_pool_t *pool)
{
    store_item item;
    char key[STORE_KEY_LEN + 1];
    memset(key, 'k', STORE_KEY_LEN);
    key[STORE_KEY_LEN] = '\0';
    return store->get(store, key, pool, &item);
}

typedef struct asker {
    store_port *store;
    int64_t until;
    int asked, down;
    int64_t longest;
} asker;

static void *ask_all_the_time(void *data)
{
    asker *one = data;
    apr_pool_t *pool = NULL;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    while (wire_now() < one->until) {
        int64_t began = wire_now();
        one->down += ask(one->store, pool) != STORE_MISS ? 1 : 0;
        one->asked++;
        int64_t took = wire_now() - began;
        one->longest = took > one->longest ? took : one->longest;
        apr_pool_clear(pool);
        wire_rest(5);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void one_lost_answer_is_asked_for_again(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    wire_server *server = wire_start(pool, empty_memcached, NULL);
    asker askers[ASKERS];
    pthread_t threads[ASKERS];
    atomic_store(&lost, 0);
    store_port *store = store_of(pool, server);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (asker){.store = store, .until = wire_now() + 2500};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all_the_time, &askers[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        wire_rest(600);
        atomic_store(&lost, 1);
    }
    int64_t longest = 0;
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].down, 0);
        assert_true(askers[i].asked > 20);
        longest = askers[i].longest > longest ? askers[i].longest : longest;
    }
    assert_true(longest >= TIMEOUT_MS && longest < 4 * TIMEOUT_MS);
}

/* F-02 */
static void silence_is_not_a_lost_answer(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    wire_server *server = wire_start(pool, empty_memcached, NULL);
    atomic_store(&lost, 0);
    store_port *store = store_of(pool, server);
    assert_int_equal(ask(store, pool), STORE_MISS);
    wire_rest(TIMEOUT_MS);
    atomic_store(&lost, 1000000);
    int64_t began = wire_now();
    assert_int_equal(ask(store, pool), STORE_DOWN);
    assert_true(wire_now() - began < 2 * TIMEOUT_MS);
    began = wire_now();
    assert_int_equal(ask(store, pool), STORE_DOWN);
    assert_true(wire_now() - began < 50); /* the breaker is open */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(one_lost_answer_is_asked_for_again),
        UNIT_TEST(silence_is_not_a_lost_answer),
    };
    return UNIT_MAIN(tests);
}
