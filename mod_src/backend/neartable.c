/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A hash table and a queue through the same entries. Making room is the queue with a second chance instead of
 * strict LRU: a hit then writes one byte of its own entry and does not touch its neighbours. Each entry is a
 * block of its own from malloc, since sizes differ widely and a pool gives nothing back. What goes is not
 * wiped: values are sealed, and most of them have left the processor's caches by then, so that wiping one
 * would cost more than all the rest of its replacement. */

#include "backend/neartable.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP 2 /* more than an insert adds, so that the sweeping keeps up */

void neartable_init(neartable *table, apr_pool_t *pool, size_t entries_max, size_t bytes_max)
{
    size_t buckets = 1;
    while (buckets < entries_max)
        buckets *= 2;
    *table = (neartable){.mask = buckets - 1, .entries_max = entries_max, .bytes_max = bytes_max};
    table->buckets = apr_pcalloc(pool, buckets * sizeof *table->buckets);
}

static size_t cost_of(size_t len)
{
    return sizeof(neartable_entry) + len;
}

neartable_entry *neartable_make(const neartable *table, uint64_t hash, const char *key,
                                const store_item *item)
{
    size_t len = item->value.len;
    if (table->entries_max == 0 || len > table->bytes_max || cost_of(len) > table->bytes_max)
        return NULL;
    neartable_entry *one = malloc(cost_of(len));
    if (one == NULL)
        return NULL;
    *one = (neartable_entry){.hash = hash, .version = item->version, .len = len};
    memcpy(one->key, key, STORE_KEY_LEN);
    if (len > 0)
        memcpy(one->value, item->value.at, len);
    return one;
}

void neartable_drop(neartable_entry *one)
{
    free(one);
}

neartable_entry **neartable_find(neartable *table, uint64_t hash, const char *key)
{
    neartable_entry **link = &table->buckets[hash & table->mask];
    while (*link != NULL && ((*link)->hash != hash || memcmp((*link)->key, key, STORE_KEY_LEN) != 0))
        link = &(*link)->chained;
    return link;
}

static void enqueue(neartable *table, neartable_entry *one)
{
    one->older = table->newest;
    one->newer = NULL;
    if (table->newest != NULL)
        table->newest->newer = one;
    else
        table->oldest = one;
    table->newest = one;
}

static void dequeue(neartable *table, const neartable_entry *one)
{
    *(one->older != NULL ? &one->older->newer : &table->oldest) = one->newer;
    *(one->newer != NULL ? &one->newer->older : &table->newest) = one->older;
}

void neartable_take_out(neartable *table, neartable_entry **link)
{
    neartable_entry *one = *link;
    if (one == NULL)
        return;
    *link = one->chained;
    dequeue(table, one);
    table->entries--;
    table->bytes -= cost_of(one->len);
    neartable_drop(one);
}

static void take_oldest(neartable *table)
{
    neartable_take_out(table, neartable_find(table, table->oldest->hash, table->oldest->key));
}

/* Also without need a few useless ones go, so that the table shrinks again after a busy hour. */
static void make_room(neartable *table, size_t cost, int64_t useless)
{
    for (int i = 0; i < SWEEP && table->entries > 0 && table->oldest->asked < useless; i++)
        take_oldest(table);
    while (table->entries >= table->entries_max || table->bytes + cost > table->bytes_max) {
        neartable_entry *oldest = table->oldest;
        if (oldest->used) {
            oldest->used = false;
            dequeue(table, oldest);
            enqueue(table, oldest);
        } else {
            take_oldest(table);
        }
    }
}

void neartable_insert(neartable *table, neartable_entry *one, int64_t useless)
{
    neartable_entry **bucket = &table->buckets[one->hash & table->mask];
    make_room(table, cost_of(one->len), useless);
    one->chained = *bucket;
    *bucket = one;
    enqueue(table, one);
    table->entries++;
    table->bytes += cost_of(one->len);
}

void neartable_clear(neartable *table)
{
    while (table->entries > 0)
        take_oldest(table);
}
