/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_NEARTABLE_H
#define BACKEND_NEARTABLE_H

/* Copies of store items by key, bounded in number and bytes: the memory of one shard of the near cache. It
 * knows no lock, no clock and no rule; its caller does. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "port/store.h"

typedef struct neartable_entry neartable_entry;
struct neartable_entry {
    neartable_entry *chained; /* next in the bucket */
    neartable_entry *older;   /* in the queue; NULL at its end */
    neartable_entry *newer;
    uint64_t hash; /* of the key */
    uint64_t version;
    uint64_t settled;    /* how many questions had been asked when the answer came */
    int64_t asked;       /* when it was asked for: steady milliseconds */
    uint32_t generation; /* of the key before it was asked */
    bool used;           /* set by whoever uses the entry: earns it a second turn in the queue */
    char key[STORE_KEY_LEN];
    size_t len;
    char value[];
};

typedef struct neartable {
    neartable_entry **buckets;
    size_t mask;
    neartable_entry *newest;
    neartable_entry *oldest;
    size_t entries;
    size_t bytes;
    size_t entries_max;
    size_t bytes_max;
} neartable;

/* An empty table. The entries lie outside the pool: neartable_clear before it ends. */
void neartable_init(neartable *table, apr_pool_t *pool, size_t entries_max, size_t bytes_max);

/* A copy of the item that is in no table yet; settled, asked and generation are still to be set. NULL: it
 * would not fit into this one, or there is no memory. Reads only the bounds, so it needs no lock. */
neartable_entry *neartable_make(const neartable *table, uint64_t hash, const char *key,
                                const store_item *item);

/* Frees an entry that is in no table; NULL is left alone. */
void neartable_drop(neartable_entry *one);

/* What points to the key's entry, or to the NULL where there is none. Good until the table changes. */
neartable_entry **neartable_find(neartable *table, uint64_t hash, const char *key);

/* Takes over an entry made for this table whose key is not in it. Others go so that the bounds hold: first
 * those that were asked before `useless` (steady milliseconds), then the oldest that nobody used. */
void neartable_insert(neartable *table, neartable_entry *one, int64_t useless);

/* Takes out what neartable_find has found, if anything, and drops it. */
void neartable_take_out(neartable *table, neartable_entry **link);

/* Wipes all of them. */
void neartable_clear(neartable *table);

#endif
