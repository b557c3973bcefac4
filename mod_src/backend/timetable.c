/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A table of a fixed size that is searched from end to end: a thousand comparisons of a hash take about a
 * microsecond, and what is asked here stands before calls that take milliseconds. Names are kept whole, since
 * two names that share a hash must not mix. */

#include "backend/timetable.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend/namehash.h"

typedef struct entry {
    char *name; /* NULL: free */
    uint64_t hash;
    uint64_t used; /* counts uses of the table */
    uint64_t mark;
    int64_t since;
} entry;

struct timetable {
    pthread_mutex_t lock;
    uint64_t uses;
    entry entries[TIMETABLE_NAMES_MAX];
};

static apr_status_t release(void *data)
{
    timetable_t *table = data;
    for (size_t i = 0; i < TIMETABLE_NAMES_MAX; i++) {
        free(table->entries[i].name);
    }
    pthread_mutex_destroy(&table->lock);
    return APR_SUCCESS;
}

timetable_t *timetable_new(apr_pool_t *pool)
{
    timetable_t *table = apr_pcalloc(pool, sizeof *table);
    pthread_mutex_init(&table->lock, NULL);
    apr_pool_cleanup_register(pool, table, release, apr_pool_cleanup_null);
    return table;
}

/* Under the lock: the entry of the name; *fresh tells that it was made now, perhaps in the place of the one
 * used longest ago. */
static entry *take_entry(timetable_t *table, const char *name, bool *fresh)
{
    uint64_t hash = namehash_of(name);
    entry *spare = &table->entries[0];
    for (size_t i = 0; i < TIMETABLE_NAMES_MAX; i++) {
        entry *one = &table->entries[i];
        if (one->name != NULL && one->hash == hash && strcmp(one->name, name) == 0) {
            *fresh = false;
            return one;
        }
        if (spare->name != NULL && (one->name == NULL || one->used < spare->used)) {
            spare = one;
        }
    }
    free(spare->name);
    spare->name = strdup(name);
    spare->hash = hash;
    *fresh = true;
    return spare;
}

bool timetable_allow(timetable_t *table, const char *name, int64_t now_ms, int64_t interval_ms)
{
    bool fresh = false;
    pthread_mutex_lock(&table->lock);
    entry *one = take_entry(table, name, &fresh);
    bool allowed = fresh || now_ms - one->since >= interval_ms;
    if (allowed) {
        one->since = now_ms;
        one->used = ++table->uses;
    }
    pthread_mutex_unlock(&table->lock);
    return allowed;
}

int64_t timetable_unchanged_since(timetable_t *table, const char *name, uint64_t mark, int64_t now_ms)
{
    bool fresh = false;
    pthread_mutex_lock(&table->lock);
    entry *one = take_entry(table, name, &fresh);
    if (fresh || one->mark != mark) {
        one->mark = mark;
        one->since = now_ms;
    }
    one->used = ++table->uses;
    int64_t since = one->since;
    pthread_mutex_unlock(&table->lock);
    return since;
}
