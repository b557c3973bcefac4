/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Anonymous memory that is inherited by fork needs no name, no file and nobody who removes it after a crash.
 * The counters are bare atomics: a lock in shared memory would stay locked when its holder is killed. Exact
 * keys in shared memory were rejected, since they would need such a lock and could run out of room; a hash
 * that two keys share is harmless here. */

#include "backend/generations.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include <apr_shm.h>

#include "port/store.h"

/* Only what is lock-free works between processes. */
static_assert(ATOMIC_INT_LOCK_FREE == 2 && sizeof(atomic_uint) == sizeof(uint32_t),
              "counters must be lock-free");

#define COUNT_MAX ((size_t)1 << 24)

struct generations {
    atomic_uint *counters;
    size_t mask; /* their number, a power of two, less one */
    bool shared;
};

static size_t rounded(size_t count)
{
    size_t power = 1;
    while (power < count && power < COUNT_MAX)
        power *= 2;
    return power;
}

static generations *over(apr_pool_t *pool, void *memory, size_t count, bool shared)
{
    generations *all = apr_palloc(pool, sizeof *all);
    all->counters = memory;
    all->mask = count - 1;
    all->shared = shared;
    for (size_t i = 0; i < count; i++)
        atomic_init(&all->counters[i], 0);
    return all;
}

generations *generations_local(apr_pool_t *pool, size_t count)
{
    size_t power = rounded(count);
    return over(pool, apr_palloc(pool, power * sizeof(atomic_uint)), power, false);
}

generations *generations_new(apr_pool_t *pool, size_t count)
{
    size_t power = rounded(count);
    apr_shm_t *memory = NULL;
    if (apr_shm_create(&memory, power * sizeof(atomic_uint), NULL, pool) != APR_SUCCESS)
        return generations_local(pool, count);
    return over(pool, apr_shm_baseaddr_get(memory), power, true);
}

bool generations_are_shared(const generations *all)
{
    return all->shared;
}

/* Eight bytes a step; the last step overlaps the one before. A product carries upwards only, so each one is
 * folded back, and one more carries the last fold up. */
uint64_t generations_hash(const char *key)
{
    uint64_t hash = STORE_KEY_LEN;
    for (size_t at = 0; at < STORE_KEY_LEN; at += sizeof hash) {
        uint64_t word;
        memcpy(&word, key + (at + sizeof word > STORE_KEY_LEN ? STORE_KEY_LEN - sizeof word : at),
               sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static atomic_uint *counter_of(const generations *all, const char *key)
{
    return &all->counters[generations_hash(key) & all->mask];
}

uint32_t generations_of(const generations *all, const char *key)
{
    return atomic_load_explicit(counter_of(all, key), memory_order_acquire);
}

uint32_t generations_bump(generations *all, const char *key)
{
    return atomic_fetch_add(counter_of(all, key), 1) + 1;
}
