/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_NEARCACHE_H
#define BACKEND_NEARCACHE_H

/* A store in front of a store: what a process has just read it need not ask for again. The two doors keep the
 * contract of port/store.h, but for the one promise that the caching one trades for speed:
 *
 * A write through either door, in any process that shares the generations, is seen at once by every get that
 * starts after it returned. (If the writer is killed in the middle: within fresh_ms.) A write from elsewhere
 * (another host, ssoctl) and the end of a time to live are seen within fresh_ms, and at once by all caches
 * that share the generations when one of them finds its copy outdated; within fresh_ms and grace_ms where the
 * inner store cannot be asked. MISS and DOWN are never remembered.
 *
 * Threads that miss the same key at the same time each ask the inner store: at most as many gets as there are
 * threads, once in fresh_ms. */

#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "backend/generations.h"
#include "port/clock.h"
#include "port/store.h"

typedef struct nearcache nearcache;

typedef struct nearcache_terms {
    store_port *inner;
    const clock_port *clock;
    generations *generations; /* the same for all caches of the host; NULL: each sees its own writes only */
    int64_t fresh_ms;         /* how long a copy is used; 0: nothing is kept, both doors ask always */
    int64_t grace_ms; /* how much longer while the inner store answers DOWN, unless the key was written */
    size_t entries_max;
    size_t bytes_max; /* of all entries, with their overhead of about 120 bytes each */
} nearcache_terms;

typedef struct nearcache_use {
    size_t entries;
    size_t bytes;
} nearcache_use;

/* A cache for the threads of this process, to be made after the fork. Ports and generations are borrowed for
 * the life of the pool; with it all copies go, and no thread may be in a verb any more. Never NULL.
 *
 * The bounds are split evenly among the shards (see nearcache.c), so a busy shard may let go a little before
 * the whole is full; a value larger than a shard's share (at least a 64th of bytes_max, or 256 kB) is not
 * kept. */
nearcache *nearcache_new(apr_pool_t *pool, const nearcache_terms *terms);

/* The door whose get may answer with a copy. For requests. */
store_port *nearcache_port(nearcache *cache);

/* The door whose get always asks the inner store, and leaves what it read for the other door; it knows no
 * grace. For those who must see the truth: lease, logout, step-up. */
store_port *nearcache_truth(nearcache *cache);

/* What is kept at the moment. */
nearcache_use nearcache_used(nearcache *cache);

#endif
