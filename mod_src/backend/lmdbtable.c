/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A record is 8 bytes of expiry, 8 of version, 4 of length (big-endian, so that the file does not depend on
 * the machine and the index sorts by time), then the value. The index is a table of its own because finding
 * what has expired must not read what has not.
 *
 * A value that does not fit into one page goes on in pieces of one page each, under its key and the piece's
 * number. LMDB would take it whole, but wants consecutive pages then: tried, a file that has been nearly full
 * for a while has room and still cannot take a changed session, because the free pages do not lie side by
 * side.
 *
 * How full the file is follows from LMDB's own page counters, which cost nothing to read. Its last page
 * number would not do: it never shrinks, as freed pages stay in the file to be used again. */

#include <string.h>

#include "backend/lmdbtable.h"
#include "port/store.h"

#define HEAD      ((size_t)20)
#define PIECE     ((size_t)4080) /* a page of 4096 bytes without LMDB's own 16 */
#define FIRST     (PIECE - HEAD) /* bytes of a value that lie in the record itself */
#define DUE_LEN   ((size_t)8 + STORE_KEY_LEN)
#define PIECE_KEY ((size_t)STORE_KEY_LEN + 2)
#define COUNTER   "version"
#define FREE_DBI  0 /* LMDB's own table of freed pages */

static void number_write(unsigned char *at, int bytes, uint64_t number)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)(number & 0xff);
}

static uint64_t number_read(const unsigned char *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
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
    number_write(room, 8, (uint64_t)expiry);
    memcpy(room + 8, key, STORE_KEY_LEN);
    return bytes_of(room, DUE_LEN);
}

/* Pieces are counted from 1: the record itself is the first. */
static MDB_val piece_of(unsigned char room[PIECE_KEY], const char *key, size_t piece)
{
    memcpy(room, key, STORE_KEY_LEN);
    number_write(room + STORE_KEY_LEN, 2, piece);
    return bytes_of(room, PIECE_KEY);
}

static size_t pieces_of(size_t len)
{
    return len <= FIRST ? 0 : (len - FIRST + PIECE - 1) / PIECE;
}

/* The part of a value that lies in a piece. */
static size_t piece_at(size_t piece)
{
    return FIRST + (piece - 1) * PIECE;
}

static size_t piece_len(size_t len, size_t piece)
{
    size_t rest = len - piece_at(piece);
    return rest < PIECE ? rest : PIECE;
}

int lmdbtable_find(const lmdbtable *table, const char *key, lmdbtable_record *record)
{
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    MDB_val bytes;
    const unsigned char *head;
    size_t len;
    int rc = mdb_get(table->txn, table->env->records, &name, &bytes);
    if (rc != MDB_SUCCESS)
        return rc;
    if (bytes.mv_size < HEAD)
        return MDB_CORRUPTED;
    head = bytes.mv_data;
    len = (size_t)number_read(head + 16, 4);
    if (len > STORE_VALUE_MAX || bytes.mv_size != HEAD + (len < FIRST ? len : FIRST))
        return MDB_CORRUPTED;
    record->expiry = (int64_t)number_read(head, 8);
    record->version = number_read(head + 8, 8);
    record->value = (text_t){(const char *)head + HEAD, len};
    return MDB_SUCCESS;
}

int lmdbtable_copy(const lmdbtable *table, const char *key, const lmdbtable_record *record, char *room)
{
    const size_t len = record->value.len;
    const size_t pieces = pieces_of(len);
    memcpy(room, record->value.at, len < FIRST ? len : FIRST);
    for (size_t i = 1; i <= pieces; i++) {
        unsigned char name_room[PIECE_KEY];
        MDB_val name = piece_of(name_room, key, i);
        MDB_val bytes;
        int rc = mdb_get(table->txn, table->env->records, &name, &bytes);
        if (rc != MDB_SUCCESS || bytes.mv_size != piece_len(len, i))
            return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
        memcpy(room + piece_at(i), bytes.mv_data, bytes.mv_size);
    }
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
        last = number_read(bytes.mv_data, 8);
    *version = last + 1;
    number_write(room, 8, *version);
    bytes = bytes_of(room, sizeof(room));
    return mdb_put(table->txn, table->env->counter, &name, &bytes, 0);
}

/* Puts the key where its expiry belongs in the index. `old` is NULL where it was not there. */
static int due_move(const lmdbtable *table, const char *key, const lmdbtable_record *old, int64_t expiry)
{
    unsigned char room[DUE_LEN];
    MDB_val due;
    MDB_val nothing = {0, NULL};
    int rc = MDB_SUCCESS;
    if (old && old->expiry == expiry)
        return MDB_SUCCESS;
    if (old) {
        due = due_of(room, key, old->expiry);
        rc = mdb_del(table->txn, table->env->dues, &due, NULL);
    }
    due = due_of(room, key, expiry);
    return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? mdb_put(table->txn, table->env->dues, &due, &nothing, 0)
                                                   : rc;
}

static int head_write(const lmdbtable *table, const char *key, const lmdbtable_record *record)
{
    const size_t first = record->value.len < FIRST ? record->value.len : FIRST;
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    MDB_val bytes = {HEAD + first, NULL};
    unsigned char *head;
    int rc = mdb_put(table->txn, table->env->records, &name, &bytes, MDB_RESERVE);
    if (rc != MDB_SUCCESS)
        return rc;
    head = bytes.mv_data;
    number_write(head, 8, (uint64_t)record->expiry);
    number_write(head + 8, 8, record->version);
    number_write(head + 16, 4, record->value.len);
    if (first > 0)
        memcpy(head + HEAD, record->value.at, first);
    return MDB_SUCCESS;
}

/* Removes the pieces behind the first so many. */
static int pieces_remove(const lmdbtable *table, const char *key, size_t keep, size_t count)
{
    unsigned char room[PIECE_KEY];
    int rc = MDB_SUCCESS;
    for (size_t i = keep + 1; i <= count && rc == MDB_SUCCESS; i++) {
        MDB_val name = piece_of(room, key, i);
        rc = mdb_del(table->txn, table->env->records, &name, NULL);
    }
    return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
}

int lmdbtable_write(const lmdbtable *table, const char *key, const lmdbtable_record *record,
                    const lmdbtable_record *old)
{
    const size_t pieces = pieces_of(record->value.len);
    const size_t before = old ? pieces_of(old->value.len) : 0;
    unsigned char room[PIECE_KEY];
    int rc = due_move(table, key, old, record->expiry);
    if (rc == MDB_SUCCESS && before > pieces)
        rc = pieces_remove(table, key, pieces, before);
    if (rc == MDB_SUCCESS)
        rc = head_write(table, key, record);
    for (size_t i = 1; i <= pieces && rc == MDB_SUCCESS; i++) {
        MDB_val name = piece_of(room, key, i);
        MDB_val bytes = bytes_of(record->value.at + piece_at(i), piece_len(record->value.len, i));
        rc = mdb_put(table->txn, table->env->records, &name, &bytes, 0);
    }
    return rc;
}

/* The beginning of the value lies in the map and would be overwritten by itself, hence the copy. */
int lmdbtable_touch(const lmdbtable *table, const char *key, const lmdbtable_record *old, int64_t expiry)
{
    char first[FIRST];
    lmdbtable_record record = {expiry, old->version, {first, old->value.len}};
    int rc;
    memcpy(first, old->value.at, old->value.len < FIRST ? old->value.len : FIRST);
    rc = due_move(table, key, old, expiry);
    return rc == MDB_SUCCESS ? head_write(table, key, &record) : rc;
}

/* Both the record and its pieces, not the index. */
static int value_remove(const lmdbtable *table, const char *key, size_t len)
{
    MDB_val name = bytes_of(key, STORE_KEY_LEN);
    int rc = pieces_remove(table, key, 0, pieces_of(len));
    return rc == MDB_SUCCESS ? mdb_del(table->txn, table->env->records, &name, NULL) : rc;
}

int lmdbtable_remove(const lmdbtable *table, const char *key, const lmdbtable_record *old)
{
    unsigned char room[DUE_LEN];
    MDB_val due = due_of(room, key, old->expiry);
    const size_t len = old->value.len;
    int rc = mdb_del(table->txn, table->env->dues, &due, NULL);
    return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? value_remove(table, key, len) : rc;
}

/* The first of the index, if its time has come: taken out of both tables. MDB_NOTFOUND: nothing is due. */
static int sweep_one(const lmdbtable *table, MDB_cursor *cursor)
{
    MDB_val due;
    MDB_val nothing;
    char key[STORE_KEY_LEN];
    lmdbtable_record record;
    int rc = mdb_cursor_get(cursor, &due, &nothing, MDB_FIRST);
    if (rc != MDB_SUCCESS)
        return rc;
    if (due.mv_size != DUE_LEN)
        return MDB_CORRUPTED;
    if ((int64_t)number_read(due.mv_data, 8) >= table->now)
        return MDB_NOTFOUND;
    memcpy(key, (const char *)due.mv_data + 8, sizeof(key));
    rc = mdb_cursor_del(cursor, 0);
    if (rc != MDB_SUCCESS)
        return rc;
    rc = lmdbtable_find(table, key, &record);
    if (rc == MDB_SUCCESS)
        rc = value_remove(table, key, record.value.len);
    return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
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
    size_t reserve = is_new ? env->pages / 8 : env->pages / 64;
    size_t least = is_new ? 96 : 48;
    int rc = pages_of(table, env->records, &used);
    if (rc == MDB_SUCCESS)
        rc = pages_of(table, env->dues, &used);
    if (rc == MDB_SUCCESS)
        rc = pages_of(table, FREE_DBI, &used);
    if (rc != MDB_SUCCESS)
        return rc;
    used += pieces_of(len) + 1 + (reserve > least ? reserve : least);
    return used > env->pages ? MDB_MAP_FULL : MDB_SUCCESS;
}
