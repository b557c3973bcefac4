/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef NEARCASE_H
#define NEARCASE_H

/* What the tests of the near cache share: a store in memory, a clock that is set, and caches in front. A
 * cache stands for a process. Include unit.h first. */

#include "backend/lmdbstore.h"
#include "backend/nearcache.h"
#include "fakestore.h"
#include "storeserver.h"

/* The fake store, with a moment between the reading of a value and its arrival. */
typedef struct nearcase {
    store_port port; /* first, so that the one is the other */
    apr_pool_t *pool;
    fakes_clock clock;
    fakestore store;
    generations *host;
    void (*between)(
        void *data); /* called once, by the next get, with the value already read; NULL: nothing */
    void *data;
} nearcase;

static inline store_rc nearcase_get(store_port *port, const char *key, apr_pool_t *pool, store_item *item)
{
    nearcase *world = (nearcase *)port;
    store_rc rc = world->store.port.get(&world->store.port, key, pool, item);
    void (*between)(void *data) = world->between;
    if (between != NULL) {
        world->between = NULL;
        between(world->data);
    }
    return rc;
}

static inline store_rc nearcase_put(store_port *port, const char *key, text_t value, int64_t ttl)
{
    store_port *store = &((nearcase *)port)->store.port;
    return store->put(store, key, value, ttl);
}

static inline store_rc nearcase_add(store_port *port, const char *key, text_t value, int64_t ttl)
{
    store_port *store = &((nearcase *)port)->store.port;
    return store->add(store, key, value, ttl);
}

static inline store_rc nearcase_cas(store_port *port, const char *key, text_t value, int64_t ttl,
                                    uint64_t version)
{
    store_port *store = &((nearcase *)port)->store.port;
    return store->cas(store, key, value, ttl, version);
}

static inline store_rc nearcase_touch(store_port *port, const char *key, int64_t ttl)
{
    store_port *store = &((nearcase *)port)->store.port;
    return store->touch(store, key, ttl);
}

static inline store_rc nearcase_drop(store_port *port, const char *key)
{
    store_port *store = &((nearcase *)port)->store.port;
    return store->drop(store, key);
}

static inline nearcase *nearcase_make(apr_pool_t *pool)
{
    nearcase *world = apr_pcalloc(pool, sizeof(*world));
    world->port = (store_port){"fake",       nearcase_get,   nearcase_put, nearcase_add,
                               nearcase_cas, nearcase_touch, nearcase_drop};
    world->pool = pool;
    fakes_clock_init(&world->clock, 1700000000);
    fakestore_init(&world->store, pool, &world->clock.port);
    world->host = generations_new(pool, 1024);
    return world;
}

/* Terms with room for everything. */
static inline nearcache_terms nearcase_terms(nearcase *world, int64_t fresh_ms, int64_t grace_ms)
{
    return (nearcache_terms){.inner = &world->port,
                             .clock = &world->clock.port,
                             .generations = world->host,
                             .fresh_ms = fresh_ms,
                             .grace_ms = grace_ms,
                             .entries_max = 10000,
                             .bytes_max = (size_t)64 * 1024 * 1024};
}

static inline nearcache *nearcase_cache(nearcase *world, int64_t fresh_ms, int64_t grace_ms)
{
    const nearcache_terms terms = nearcase_terms(world, fresh_ms, grace_ms);
    return nearcache_new(world->pool, &terms);
}

/* How many gets reached the store since the last time it was asked. */
static inline unsigned nearcase_asked(nearcase *world)
{
    unsigned gets = world->store.calls[FAKESTORE_GET];
    world->store.calls[FAKESTORE_GET] = 0;
    return gets;
}

static inline store_rc nearcase_read(store_port *door, apr_pool_t *pool, const char *key, text_t *value)
{
    store_item item = {{NULL, 0}, 0};
    store_rc rc = door->get(door, key, pool, &item);
    *value = item.value;
    return rc;
}

/* The key reads as this literal through the door. */
#define assert_reads(world, door, key, literal)                                                              \
    do {                                                                                                     \
        text_t read_value;                                                                                   \
        assert_answer(nearcase_read((door), (world)->pool, (key), &read_value), STORE_OK);                   \
        assert_text(read_value, literal);                                                                    \
    } while (0)

/* Each verb that writes, on a key that is there as a rule. */
static inline store_rc nearcase_write(store_port *door, fakestore_verb verb, const char *key,
                                      uint64_t version)
{
    switch (verb) {
    case FAKESTORE_PUT:
        return door->put(door, key, TEXT("new"), 600);
    case FAKESTORE_ADD:
        return door->add(door, key, TEXT("new"), 600);
    case FAKESTORE_CAS:
        return door->cas(door, key, TEXT("new"), 600, version);
    case FAKESTORE_TOUCH:
        return door->touch(door, key, 600);
    case FAKESTORE_DROP:
        return door->drop(door, key);
    case FAKESTORE_GET:
    case FAKESTORE_VERBS:
        break;
    }
    abort();
}

/* A real store, in a file. */
static inline store_port *nearcase_lmdb(apr_pool_t *pool, const char *directory)
{
    store_url *url = apr_palloc(pool, sizeof(*url));
    store_port *store = NULL;
    const char *text = apr_pstrcat(pool, "lmdb:", directory, "/store?size=64m", NULL);
    assert_null(storeurl_read(pool, text_of(text), url));
    assert_null(lmdbstore_open(pool, url, hostclock_port(), &store));
    return store;
}

#endif
