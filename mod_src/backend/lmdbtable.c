/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A record is 8 bytes of expiry, 8 of version (both big-endian, so that the file does not depend on the
 * machine and the index sorts by time), then the value. The index is a table of its own because finding what
 * has expired must not read what has not.
 *
 * How full the file is follows from LMDB's own page counters, which cost nothing to read. Its last page
 * number would not do: it never shrinks, as freed pages stay in the file to be used again. */

#include <string.h>

#include "backend/lmdbtable.h"
#include "port/store.h"

#define HEAD     16
#define DUE_LEN  (8 + STORE_KEY_LEN)
#define COUNTER  "version"
#define FREE_DBI 0 /* LMDB's own table of freed pages */

static void number_write(unsigned char *at, uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)(number & 0xff);
}

static uint64_t number_read(const unsigned char *at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | at[i];
    return number;
}

/* LMDB's keys and values are not const, though it only reads them. */
static MDB_val bytes_of(const void *at, size_t len)
{
    MDB_val bytes = {len, NULL};
    memcpy(&bytes.mv_data, &at, sizeof(at));
    return bytes;
}

static MDB_val due_of(unsigned char room[DUE_LEN], const char *key, int64_t expiry)
{
    number_write(room, (uint64_t)expiry);
    memcpy(room + 8, key, STORE_KEY_LEN);
    return bytes_of(room, DUE_LEN);
}

int lmdbtable_find(const lmdbtable *table, const char *key, lmdbtable_record *record)
{
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    MDB_val bytes;
    const unsigned char *head;
    int rc = mdb_get(table->txn, table->env->records, &name, &bytes);
    if (rc != MDB_SUCCESS)
        return rc;
    if (bytes.mv_size < HEAD)
        return MDB_CORRUPTED;
    head = bytes.mv_data;
    record->expiry = (int64_t)number_read(head);
    record->version = number_read(head + 8);
    record->value = (text_t){(const char *)head + HEAD, bytes.mv_size - HEAD};
    return MDB_SUCCESS;
}

bool lmdbtable_is_dead(const lmdbtable *table, const lmdbtable_record *record)
{
    return record->expiry < table->now;
}

/* Begins at the time of day, a million versions for each second: a file that was removed and made anew begins
 * above the old one. */
int lmdbtable_version(const lmdbtable *table, uint64_t *version)
{
    unsigned char room[8];
    MDB_val name = bytes_of(COUNTER, sizeof(COUNTER) - 1);
    MDB_val bytes;
    uint64_t last = (uint64_t)table->now << 20;
    int rc = mdb_get(table->txn, table->env->counter, &name, &bytes);
    if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
        return rc;
    if (rc == MDB_SUCCESS && bytes.mv_size != sizeof(room))
        return MDB_CORRUPTED;
    if (rc == MDB_SUCCESS)
        last = number_read(bytes.mv_data);
    *version = last + 1;
    number_write(room, *version);
    bytes = bytes_of(room, sizeof(room));
    return mdb_put(table->txn, table->env->counter, &name, &bytes, 0);
}

static int due_remove(const lmdbtable *table, const char *key, int64_t expiry)
{
    unsigned char room[DUE_LEN];
    MDB_val due = due_of(room, key, expiry);
    int rc = mdb_del(table->txn, table->env->dues, &due, NULL);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int due_write(const lmdbtable *table, const char *key, int64_t expiry)
{
    unsigned char room[DUE_LEN];
    MDB_val due = due_of(room, key, expiry);
    MDB_val nothing = {0, NULL};
    return mdb_put(table->txn, table->env->dues, &due, &nothing, 0);
}

int lmdbtable_write(const lmdbtable *table, const char *key, const lmdbtable_record *record,
                    const lmdbtable_record *old)
{
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    MDB_val bytes = {HEAD + record->value.len, NULL};
    int rc = MDB_SUCCESS;
    unsigned char *head;
    if (old && old->expiry != record->expiry)
        rc = due_remove(table, key, old->expiry);
    if (rc == MDB_SUCCESS && (old == NULL || old->expiry != record->expiry))
        rc = due_write(table, key, record->expiry);
    if (rc == MDB_SUCCESS)
        rc = mdb_put(table->txn, table->env->records, &name, &bytes, MDB_RESERVE);
    if (rc != MDB_SUCCESS)
        return rc;
    head = bytes.mv_data;
    number_write(head, (uint64_t)record->expiry);
    number_write(head + 8, record->version);
    if (record->value.len > 0)
        memcpy(head + HEAD, record->value.at, record->value.len);
    return MDB_SUCCESS;
}

int lmdbtable_remove(const lmdbtable *table, const char *key, const lmdbtable_record *old)
{
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    int rc = due_remove(table, key, old->expiry);
    return rc == MDB_SUCCESS ? mdb_del(table->txn, table->env->records, &name, NULL) : rc;
}

/* The first of the index, if its time has come: taken out of both tables. MDB_NOTFOUND: nothing is due. */
static int sweep_one(const lmdbtable *table, MDB_cursor *cursor)
{
    MDB_val due;
    MDB_val nothing;
    char key[STORE_KEY_LEN];
    MDB_val name = bytes_of(key, sizeof(key));
    int rc = mdb_cursor_get(cursor, &due, &nothing, MDB_FIRST);
    if (rc != MDB_SUCCESS)
        return rc;
    if (due.mv_size != DUE_LEN)
        return MDB_CORRUPTED;
    if ((int64_t)number_read(due.mv_data) >= table->now)
        return MDB_NOTFOUND;
    memcpy(key, (const char *)due.mv_data + 8, sizeof(key));
    rc = mdb_cursor_del(cursor, 0);
    if (rc == MDB_SUCCESS)
        rc = mdb_del(table->txn, table->env->records, &name, NULL);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

int lmdbtable_sweep(const lmdbtable *table, int most, int *swept)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(table->txn, table->env->dues, &cursor);
    *swept = 0;
    if (rc != MDB_SUCCESS)
        return rc;
    while (*swept < most && rc == MDB_SUCCESS) {
        rc = sweep_one(table, cursor);
        if (rc == MDB_SUCCESS)
            ++*swept;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? MDB_SUCCESS : rc;
}

static int pages_of(const lmdbtable *table, MDB_dbi dbi, size_t *pages)
{
    MDB_stat stat;
    int rc = mdb_stat(table->txn, dbi, &stat);
    if (rc == MDB_SUCCESS)
        *pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return rc;
}

int lmdbtable_room(const lmdbtable *table, size_t len, bool is_new)
{
    const lmdbenv *env = table->env;
    size_t used = 4; /* two meta pages, LMDB's table of tables, the counter */
    size_t reserve = is_new ? env->pages / 10 : env->pages / 20;
    size_t least = is_new ? 64 : 48;
    int rc = pages_of(table, env->records, &used);
    if (rc == MDB_SUCCESS)
        rc = pages_of(table, env->dues, &used);
    if (rc == MDB_SUCCESS)
        rc = pages_of(table, FREE_DBI, &used);
    if (rc != MDB_SUCCESS)
        return rc;
    used += len / env->page + 1 + (reserve > least ? reserve : least);
    return used > env->pages ? MDB_MAP_FULL : MDB_SUCCESS;
}
