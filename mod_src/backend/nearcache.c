/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Copies of sealed values in shards, each a mutex and a table (neartable.h). A hit costs one lock and one
 * copy into the caller's pool. A read-write lock was rejected (it writes to the same cache line, twice), as
 * was handing out references instead of copies (they need a count and a cleanup each, which cost more than
 * two kilobytes of memcpy).
 *
 * Who is too late is told by two numbers. The generation of the key is read before the inner store is asked,
 * and every writer of the host counts it on before and after its write: a question that was under way
 * meanwhile leaves a copy that nobody may use. The order of the questions of this process is for what is
 * written elsewhere: when two that overlapped have different answers nobody knows which is the newer one, so
 * neither is used, and a MISS lets nothing in that was asked before it was known. */

#include "backend/nearcache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "backend/neartable.h"

#define SHARDS_MAX       ((size_t)64)
#define SHARD_ENTRIES    ((size_t)32)         /* with fewer each, there are fewer shards */
#define SHARD_BYTES      ((size_t)256 * 1024) /* so that usual records fit into any shard */
#define MILLISECONDS_MAX (STORE_TTL_MAX * 1000)
#define OWN_GENERATIONS  ((size_t)4096) /* where none are given */

typedef struct shard {
    pthread_mutex_t lock;
    neartable table;
    uint64_t missed; /* how many questions had been asked when the latest MISS came */
} shard;

/* The two doors have the same verbs but for get. */
typedef struct door {
    store_port port; /* first, so that the one is the other */
    nearcache *cache;
} door;

struct nearcache {
    nearcache_terms terms;
    door caching;
    door truth;
    shard *shards;
    size_t shard_count;
    atomic_uint_fast64_t questions;
};

/* A get of the inner store. */
typedef struct question {
    const char *key;
    uint64_t hash;
    uint64_t order;
    int64_t asked;
    uint32_t generation;
} question;

static nearcache *self(store_port *port)
{
    return ((door *)port)->cache;
}

static int64_t steady(const nearcache *cache)
{
    return cache->terms.clock->steady(cache->terms.clock);
}

/* Buckets go by the low bits, shards by the high ones. */
static shard *shard_of(nearcache *cache, uint64_t hash)
{
    return &cache->shards[(hash >> 48) & (cache->shard_count - 1)];
}

/* Under the lock: the answer contradicts a copy that others on this host may hold too, so they are told. Our
 * own answer stays good unless there was another writer. */
static void spread(nearcache *cache, question *about, const neartable_entry *old)
{
    if (old->generation == about->generation &&
        generations_bump(cache->terms.generations, about->key) == about->generation + 1)
        about->generation++;
}

/* Under the lock: keeps or drops the answer. */
static void keep(nearcache *cache, shard *home, const question *about, neartable_entry *fresh)
{
    int64_t useless = about->asked - cache->terms.fresh_ms - cache->terms.grace_ms;
    if (about->order <= home->missed ||
        about->generation != generations_of(cache->terms.generations, about->key)) {
        neartable_drop(fresh);
        return;
    }
    fresh->settled = atomic_load(&cache->questions);
    fresh->asked = about->asked;
    fresh->generation = about->generation;
    neartable_insert(&home->table, fresh, useless);
}

/* Puts an answer, NULL for MISS, in the place of what was there. */
static void learn(nearcache *cache, question *about, const store_item *item)
{
    shard *home = shard_of(cache, about->hash);
    neartable_entry *fresh = item ? neartable_make(&home->table, about->hash, about->key, item) : NULL;
    pthread_mutex_lock(&home->lock);
    neartable_entry **link = neartable_find(&home->table, about->hash, about->key);
    bool overlapped = *link != NULL && about->order <= (*link)->settled;
    bool differs = *link != NULL && (item == NULL || item->version != (*link)->version);
    if (item == NULL)
        home->missed = atomic_load(&cache->questions);
    if (differs)
        spread(cache, about, *link);
    if (!overlapped)
        neartable_take_out(&home->table, link);
    if (fresh != NULL && !overlapped) {
        keep(cache, home, about, fresh);
        fresh = NULL;
    }
    pthread_mutex_unlock(&home->lock);
    neartable_drop(fresh);
}

static store_rc truth_get(store_port *port, const char *key, apr_pool_t *pool, store_item *item)
{
    nearcache *cache = self(port);
    store_port *inner = cache->terms.inner;
    if (cache->terms.fresh_ms == 0)
        return inner->get(inner, key, pool, item);
    question about = {.key = key, .hash = generations_hash(key), .asked = steady(cache)};
    about.order = atomic_fetch_add(&cache->questions, 1) + 1;
    about.generation = generations_of(cache->terms.generations, key);
    store_rc rc = inner->get(inner, key, pool, item);
    if (rc == STORE_OK || rc == STORE_MISS)
        learn(cache, &about, rc == STORE_OK ? item : NULL);
    return rc;
}

/* Answers with the copy, if there is one that is younger than this and was not overtaken by a write. */
static bool serve(nearcache *cache, const char *key, int64_t younger_ms, apr_pool_t *pool, store_item *item)
{
    uint64_t hash = generations_hash(key);
    uint32_t generation = generations_of(cache->terms.generations, key);
    int64_t now = steady(cache);
    shard *home = shard_of(cache, hash);
    bool served = false;
    pthread_mutex_lock(&home->lock);
    neartable_entry *one = *neartable_find(&home->table, hash, key);
    if (one != NULL && one->generation == generation && now - one->asked < younger_ms) {
        one->used = true;
        item->value = text_copy(pool, (text_t){one->value, one->len});
        item->version = one->version;
        served = true;
    }
    pthread_mutex_unlock(&home->lock);
    return served;
}

static store_rc caching_get(store_port *port, const char *key, apr_pool_t *pool, store_item *item)
{
    nearcache *cache = self(port);
    int64_t fresh_ms = cache->terms.fresh_ms;
    if (fresh_ms > 0 && serve(cache, key, fresh_ms, pool, item))
        return STORE_OK;
    store_rc rc = truth_get(port, key, pool, item);
    if (rc == STORE_DOWN && fresh_ms > 0 && cache->terms.grace_ms > 0 &&
        serve(cache, key, fresh_ms + cache->terms.grace_ms, pool, item))
        return STORE_OK;
    return rc;
}

/* The first time so that nobody goes on with the old value if this thread dies in its write, the second time
 * so that nobody keeps what he read meanwhile. The copies of other processes stay where they are, useless. */
static void forget(nearcache *cache, const char *key)
{
    uint64_t hash = generations_hash(key);
    generations_bump(cache->terms.generations, key);
    if (cache->terms.fresh_ms == 0)
        return;
    shard *home = shard_of(cache, hash);
    pthread_mutex_lock(&home->lock);
    neartable_take_out(&home->table, neartable_find(&home->table, hash, key));
    pthread_mutex_unlock(&home->lock);
}

static store_rc through_put(store_port *port, const char *key, text_t value, int64_t ttl)
{
    nearcache *cache = self(port);
    forget(cache, key);
    store_rc rc = cache->terms.inner->put(cache->terms.inner, key, value, ttl);
    forget(cache, key);
    return rc;
}

static store_rc through_add(store_port *port, const char *key, text_t value, int64_t ttl)
{
    nearcache *cache = self(port);
    forget(cache, key);
    store_rc rc = cache->terms.inner->add(cache->terms.inner, key, value, ttl);
    forget(cache, key);
    return rc;
}

static store_rc through_cas(store_port *port, const char *key, text_t value, int64_t ttl, uint64_t version)
{
    nearcache *cache = self(port);
    forget(cache, key);
    store_rc rc = cache->terms.inner->cas(cache->terms.inner, key, value, ttl, version);
    forget(cache, key);
    return rc;
}

static store_rc through_touch(store_port *port, const char *key, int64_t ttl)
{
    nearcache *cache = self(port);
    forget(cache, key);
    store_rc rc = cache->terms.inner->touch(cache->terms.inner, key, ttl);
    forget(cache, key);
    return rc;
}

static store_rc through_drop(store_port *port, const char *key)
{
    nearcache *cache = self(port);
    forget(cache, key);
    store_rc rc = cache->terms.inner->drop(cache->terms.inner, key);
    forget(cache, key);
    return rc;
}

static apr_status_t release(void *data)
{
    nearcache *cache = data;
    for (size_t i = 0; i < cache->shard_count; i++) {
        neartable_clear(&cache->shards[i].table);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    return APR_SUCCESS;
}

static void open_shards(nearcache *cache, apr_pool_t *pool)
{
    size_t entries_max = cache->terms.entries_max;
    size_t bytes_max = cache->terms.bytes_max;
    size_t count = SHARDS_MAX;
    while (count > 1 && (entries_max / count < SHARD_ENTRIES || bytes_max / count < SHARD_BYTES))
        count /= 2;
    cache->shard_count = count;
    cache->shards = apr_pcalloc(pool, count * sizeof *cache->shards);
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        neartable_init(&cache->shards[i].table, pool, entries_max / count, bytes_max / count);
    }
}

static int64_t bounded(int64_t milliseconds)
{
    return milliseconds < 0 ? 0 : milliseconds > MILLISECONDS_MAX ? MILLISECONDS_MAX : milliseconds;
}

nearcache *nearcache_new(apr_pool_t *pool, const nearcache_terms *terms)
{
    const char *scheme = terms->inner->scheme;
    nearcache *cache = apr_pcalloc(pool, sizeof *cache);
    const store_port caching = {scheme,      caching_get,   through_put, through_add,
                                through_cas, through_touch, through_drop};
    cache->terms = *terms;
    cache->terms.fresh_ms = bounded(terms->fresh_ms);
    cache->terms.grace_ms = bounded(terms->grace_ms);
    if (terms->generations == NULL)
        cache->terms.generations = generations_local(pool, OWN_GENERATIONS);
    cache->caching = (door){caching, cache};
    cache->truth = (door){caching, cache};
    cache->truth.port.get = truth_get;
    if (cache->terms.fresh_ms > 0)
        open_shards(cache, pool);
    apr_pool_cleanup_register(pool, cache, release, apr_pool_cleanup_null);
    return cache;
}

store_port *nearcache_port(nearcache *cache)
{
    return &cache->caching.port;
}

store_port *nearcache_truth(nearcache *cache)
{
    return &cache->truth.port;
}

nearcache_use nearcache_used(nearcache *cache)
{
    nearcache_use sum = {0, 0};
    for (size_t i = 0; i < cache->shard_count; i++) {
        shard *one = &cache->shards[i];
        pthread_mutex_lock(&one->lock);
        sum.entries += one->table.entries;
        sum.bytes += one->table.bytes;
        pthread_mutex_unlock(&one->lock);
    }
    return sum;
}
