/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Reference counts under one mutex. A reader pays one lock, a short search and one pool cleanup, far from the
 * hot path. Hazard pointers and read-copy-update were rejected: they buy nothing at this rate and cannot be
 * checked by reading. The counts live in a block of their own outside all pools, because at the end of a
 * child a request's pool may be cleared after the port's. */

#include "backend/snapshots.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "backend/namehash.h"

/* One published value; lives in its own draft pool. */
typedef struct edition {
    struct core *core;
    apr_pool_t *pool;
    const void *value;
    const char *name;
    uint64_t hash;
    uint64_t order; /* counts publications */
    size_t users;   /* readers, and one for being current */
} edition;

typedef struct core {
    pthread_mutex_t lock;
    size_t users; /* editions alive, and one for the port */
    uint64_t published;
    edition *current[SNAPSHOTS_MAX];
} core;

struct snapshots {
    core *core;
    apr_abortfunc_t abort;
};

static void leave_core(core *shared)
{
    pthread_mutex_lock(&shared->lock);
    bool last = --shared->users == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last) {
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
}

/* One user less. The pool is destroyed outside the lock: its cleanups are foreign code. */
static void leave_edition(edition *one)
{
    core *shared = one->core;
    pthread_mutex_lock(&shared->lock);
    bool last = --one->users == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last) {
        apr_pool_destroy(one->pool);
        leave_core(shared);
    }
}

static apr_status_t forget_reader(void *data)
{
    leave_edition(data);
    return APR_SUCCESS;
}

static apr_status_t close_port(void *data)
{
    core *shared = data;
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++) {
        pthread_mutex_lock(&shared->lock);
        edition *one = shared->current[i];
        shared->current[i] = NULL;
        pthread_mutex_unlock(&shared->lock);
        if (one != NULL) {
            leave_edition(one);
        }
    }
    leave_core(shared);
    return APR_SUCCESS;
}

snapshots_t *snapshots_new(apr_pool_t *pool)
{
    snapshots_t *snapshots = apr_palloc(pool, sizeof *snapshots);
    core *shared = calloc(1, sizeof *shared);
    snapshots->abort = apr_pool_abort_get(pool);
    snapshots->core = shared;
    if (shared == NULL) {
        abort();
    }
    shared->users = 1;
    pthread_mutex_init(&shared->lock, NULL);
    apr_pool_cleanup_register(pool, shared, close_port, apr_pool_cleanup_null);
    return snapshots;
}

/* Under the lock: the slot of the name; else a free one; else the one published longest ago. *found tells
 * which. */
static edition **find_slot(core *shared, uint64_t hash, const char *name, bool *found)
{
    edition **spare = &shared->current[0];
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++) {
        edition **slot = &shared->current[i];
        if (*slot != NULL && (*slot)->hash == hash && strcmp((*slot)->name, name) == 0) {
            *found = true;
            return slot;
        }
        if (*spare != NULL && (*slot == NULL || (*slot)->order < (*spare)->order)) {
            spare = slot;
        }
    }
    *found = false;
    return spare;
}

const void *snapshots_read(snapshots_t *snapshots, const char *name, apr_pool_t *pool)
{
    core *shared = snapshots->core;
    uint64_t hash = namehash_of(name);
    bool found = false;
    pthread_mutex_lock(&shared->lock);
    edition *one = *find_slot(shared, hash, name, &found);
    if (found) {
        one->users++;
    }
    pthread_mutex_unlock(&shared->lock);
    if (!found) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, one, forget_reader, apr_pool_cleanup_null);
    return one->value;
}

apr_pool_t *snapshots_draft(snapshots_t *snapshots)
{
    apr_pool_t *draft = NULL;
    if (apr_pool_create_unmanaged_ex(&draft, snapshots->abort, NULL) != APR_SUCCESS) {
        abort();
    }
    return draft;
}

void snapshots_publish(snapshots_t *snapshots, const char *name, const void *value, apr_pool_t *draft)
{
    core *shared = snapshots->core;
    edition *one = apr_pcalloc(draft, sizeof *one);
    size_t len = strlen(name) + 1;
    bool found = false;
    one->core = shared;
    one->pool = draft;
    one->value = value;
    one->name = apr_pmemdup(draft, name, len);
    one->hash = namehash_of(name);
    one->users = 1;
    pthread_mutex_lock(&shared->lock);
    edition **slot = find_slot(shared, one->hash, name, &found);
    edition *old = *slot;
    one->order = ++shared->published;
    shared->users++;
    *slot = one;
    pthread_mutex_unlock(&shared->lock);
    if (old != NULL) {
        leave_edition(old);
    }
}
