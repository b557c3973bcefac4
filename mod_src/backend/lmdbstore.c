/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The verbs: each one is a transaction, and LMDB's single writer makes every look-then-write atomic. Every
 * write sweeps a few expired records, so that no thread or timer has to; one that finds the file full sweeps
 * harder and tries again. A full file is FULL for new records first: those that are there can still be read,
 * changed, touched and dropped. */

#include <errno.h>
#include <stdbool.h>

#include <apr_strings.h>

#include "backend/lmdbenv.h"
#include "backend/lmdbfile.h"
#include "backend/lmdbstore.h"
#include "backend/lmdbtable.h"

#define SWEEP_USUAL 8   /* more than a write can add, so that the sweeping keeps up */
#define SWEEP_FULL  256 /* when there is no room */
#define ROUNDS_FULL 2   /* pages that one transaction frees can be used by the next but one */

typedef struct lmdbstore {
    store_port port; /* first, so that the one is the other */
    lmdbenv *env;
    const clock_port *clock;
} lmdbstore;

/* A write that is to happen in a transaction. */
typedef struct edit edit;
struct edit {
    store_rc (*apply)(const lmdbtable *table, const edit *what);
    const char *key;
    text_t value;
    int64_t ttl;
    uint64_t version; /* of a cas */
};

static store_rc answer_of(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return STORE_OK;
    case MDB_NOTFOUND:
        return STORE_MISS;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STORE_FULL;
    default:
        return STORE_DOWN;
    }
}

/* The last second of a life: counted so that it never ends early. */
static int64_t expiry(const lmdbtable *table, int64_t ttl)
{
    if (ttl < 1)
        ttl = 1;
    return table->now + (ttl > STORE_TTL_MAX ? STORE_TTL_MAX : ttl);
}

/* OK: alive; MISS: dead or not there; `found` tells whether there is something to overwrite. */
static store_rc find(const lmdbtable *table, const edit *what, lmdbtable_record *old,
                     const lmdbtable_record **found)
{
    int rc = lmdbtable_find(table, what->key, old);
    *found = rc == MDB_SUCCESS ? old : NULL;
    if (rc == MDB_SUCCESS && lmdbtable_is_dead(table, old))
        return STORE_MISS;
    return answer_of(rc);
}

static store_rc write_record(const lmdbtable *table, const edit *what, const lmdbtable_record *old)
{
    lmdbtable_record record = {.expiry = expiry(table, what->ttl), .value = what->value};
    int rc = lmdbtable_room(table, what->value.len, old == NULL);
    if (rc == MDB_SUCCESS)
        rc = lmdbtable_version(table, &record.version);
    if (rc == MDB_SUCCESS)
        rc = lmdbtable_write(table, what->key, &record, old);
    return rc == MDB_NOTFOUND ? STORE_DOWN : answer_of(rc);
}

static store_rc apply_put(const lmdbtable *table, const edit *what)
{
    lmdbtable_record old;
    const lmdbtable_record *found;
    store_rc there = find(table, what, &old, &found);
    return there == STORE_DOWN ? STORE_DOWN : write_record(table, what, found);
}

static store_rc apply_add(const lmdbtable *table, const edit *what)
{
    lmdbtable_record old;
    const lmdbtable_record *found;
    store_rc there = find(table, what, &old, &found);
    if (there == STORE_OK)
        return STORE_CLASH;
    return there == STORE_MISS ? write_record(table, what, found) : there;
}

static store_rc apply_cas(const lmdbtable *table, const edit *what)
{
    lmdbtable_record old;
    const lmdbtable_record *found;
    store_rc there = find(table, what, &old, &found);
    if (there != STORE_OK)
        return there;
    return old.version == what->version ? write_record(table, what, found) : STORE_CLASH;
}

static store_rc apply_touch(const lmdbtable *table, const edit *what)
{
    lmdbtable_record old;
    const lmdbtable_record *found;
    store_rc there = find(table, what, &old, &found);
    int rc;
    if (there != STORE_OK)
        return there;
    rc = lmdbtable_touch(table, what->key, found, expiry(table, what->ttl));
    return rc == MDB_NOTFOUND ? STORE_DOWN : answer_of(rc);
}

static store_rc apply_drop(const lmdbtable *table, const edit *what)
{
    lmdbtable_record old;
    const lmdbtable_record *found;
    store_rc there = find(table, what, &old, &found);
    if (found) {
        int rc = lmdbtable_remove(table, what->key, found);
        return rc == MDB_SUCCESS ? there : STORE_DOWN;
    }
    return there;
}

/* One transaction. Only what changed something is committed. */
static store_rc attempt(const lmdbstore *store, const edit *what)
{
    lmdbtable table = {store->env, NULL, store->clock->wall(store->clock)};
    store_rc answer;
    int swept = 0;
    int rc = mdb_txn_begin(store->env->env, NULL, 0, &table.txn);
    if (rc != MDB_SUCCESS)
        return STORE_DOWN;
    rc = lmdbtable_sweep(&table, SWEEP_USUAL, &swept);
    answer = rc == MDB_SUCCESS ? what->apply(&table, what) : answer_of(rc);
    if (answer == STORE_OK || (swept > 0 && (answer == STORE_MISS || answer == STORE_CLASH))) {
        store_rc written = answer_of(mdb_txn_commit(table.txn));
        return written == STORE_OK ? answer : written;
    }
    mdb_txn_abort(table.txn);
    return answer;
}

/* What has expired goes, and what dead readers held is let go. A version is spent so that there is something
 * to commit: only another transaction brings the pages back that the last ones freed. True: it may be worth
 * another try. */
static bool make_room(const lmdbstore *store)
{
    lmdbtable table = {store->env, NULL, store->clock->wall(store->clock)};
    uint64_t spent;
    int swept;
    int dead;
    mdb_reader_check(store->env->env, &dead);
    if (mdb_txn_begin(store->env->env, NULL, 0, &table.txn) != MDB_SUCCESS)
        return false;
    if (lmdbtable_sweep(&table, SWEEP_FULL, &swept) == MDB_SUCCESS &&
        lmdbtable_version(&table, &spent) == MDB_SUCCESS)
        return mdb_txn_commit(table.txn) == MDB_SUCCESS;
    mdb_txn_abort(table.txn);
    return false;
}

static store_rc run(store_port *port, const edit *what)
{
    const lmdbstore *store = (const lmdbstore *)port;
    store_rc answer;
    if (what->value.len > STORE_VALUE_MAX)
        return STORE_FULL;
    if (!latch_enter(&store->env->writing, LMDBSTORE_WAIT_MS))
        return STORE_DOWN;
    answer = attempt(store, what);
    for (int round = 0; answer == STORE_FULL && round < ROUNDS_FULL && make_room(store); round++)
        answer = attempt(store, what);
    latch_leave(&store->env->writing);
    return answer;
}

static int read_begin(const lmdbstore *store, MDB_txn **txn)
{
    int dead;
    int rc = mdb_txn_begin(store->env->env, NULL, MDB_RDONLY, txn);
    if (rc == MDB_READERS_FULL && mdb_reader_check(store->env->env, &dead) == MDB_SUCCESS && dead > 0)
        rc = mdb_txn_begin(store->env->env, NULL, MDB_RDONLY, txn);
    return rc;
}

static store_rc store_get(store_port *port, const char *key, apr_pool_t *pool, store_item *item)
{
    const lmdbstore *store = (const lmdbstore *)port;
    lmdbtable table = {store->env, NULL, store->clock->wall(store->clock)};
    lmdbtable_record record;
    store_rc answer;
    int rc = read_begin(store, &table.txn);
    if (rc != MDB_SUCCESS)
        return STORE_DOWN;
    rc = lmdbtable_find(&table, key, &record);
    answer = rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? answer_of(rc) : STORE_DOWN;
    if (answer == STORE_OK && lmdbtable_is_dead(&table, &record))
        answer = STORE_MISS;
    if (answer == STORE_OK) {
        char *room = apr_palloc(pool, record.value.len + 1);
        room[record.value.len] = '\0';
        *item = (store_item){{room, record.value.len}, record.version};
        answer = lmdbtable_copy(&table, key, &record, room) == MDB_SUCCESS ? STORE_OK : STORE_DOWN;
    }
    mdb_txn_abort(table.txn);
    return answer;
}

static store_rc store_put(store_port *store, const char *key, text_t value, int64_t ttl)
{
    edit what = {apply_put, key, value, ttl, 0};
    return run(store, &what);
}

static store_rc store_add(store_port *store, const char *key, text_t value, int64_t ttl)
{
    edit what = {apply_add, key, value, ttl, 0};
    return run(store, &what);
}

static store_rc store_cas(store_port *store, const char *key, text_t value, int64_t ttl, uint64_t version)
{
    edit what = {apply_cas, key, value, ttl, version};
    return run(store, &what);
}

/* FULL is no answer of touch and drop; that it comes to it at all is the reserve's failure. */
static store_rc never_full(store_rc answer)
{
    return answer == STORE_FULL ? STORE_DOWN : answer;
}

static store_rc store_touch(store_port *store, const char *key, int64_t ttl)
{
    edit what = {apply_touch, key, {NULL, 0}, ttl, 0};
    return never_full(run(store, &what));
}

static store_rc store_drop(store_port *store, const char *key)
{
    edit what = {apply_drop, key, {NULL, 0}, 1, 0};
    return never_full(run(store, &what));
}

const char *lmdbstore_prepare(apr_pool_t *pool, const store_url *url, uid_t uid, gid_t gid)
{
    bool remembered;
    return lmdbfile_prepare(pool, url->path, (lmdbfile_owner){uid, gid}, &remembered);
}

static const store_port verbs = {"lmdb", store_get, store_put, store_add, store_cas, store_touch, store_drop};

const char *lmdbstore_open(apr_pool_t *pool, const store_url *url, const clock_port *clock,
                           store_port **store)
{
    lmdbstore *made = apr_pcalloc(pool, sizeof(*made));
    const char *problem;
    if (url->scheme != STOREURL_LMDB || url->path == NULL)
        return "the store's address does not name an LMDB file";
    problem = lmdbenv_open(pool, url->path, url->size, &made->env);
    if (problem)
        return problem;
    made->port = verbs;
    made->clock = clock;
    *store = &made->port;
    return NULL;
}
