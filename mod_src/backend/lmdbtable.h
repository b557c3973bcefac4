/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LMDBTABLE_H
#define BACKEND_LMDBTABLE_H

/* What the store does within one LMDB transaction: records, their expiry index, versions, and how full the
 * file is. All answers are LMDB's codes: 0, MDB_NOTFOUND, MDB_MAP_FULL, or trouble. */

#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

#include "backend/lmdbenv.h"
#include "base/text.h"

typedef struct lmdbtable_record {
    int64_t expiry; /* seconds since 1970; the last second of its life */
    uint64_t version;
    text_t value; /* as found: of its whole length, but `at` is only the beginning; see lmdbtable_copy */
} lmdbtable_record;

/* One transaction and what it works on. */
typedef struct lmdbtable {
    const lmdbenv *env;
    MDB_txn *txn;
    int64_t now; /* seconds since 1970 */
} lmdbtable;

/* The record under the key, dead or alive. Valid until the transaction ends or changes something. */
int lmdbtable_find(const lmdbtable *table, const char *key, lmdbtable_record *record);

/* Copies the whole value of a record that was found into a room of its length. */
int lmdbtable_copy(const lmdbtable *table, const char *key, const lmdbtable_record *record, char *room);

/* Has its life ended? */
bool lmdbtable_is_dead(const lmdbtable *table, const lmdbtable_record *record);

/* A version that no record has had before, also after the file was made anew. */
int lmdbtable_version(const lmdbtable *table, uint64_t *version);

/* Writes the record over `old`, which was found under the key; NULL: nothing was found. The value must not be
 * in the map. */
int lmdbtable_write(const lmdbtable *table, const char *key, const lmdbtable_record *record,
                    const lmdbtable_record *old);

/* Gives the record that was found under the key another expiry. */
int lmdbtable_touch(const lmdbtable *table, const char *key, const lmdbtable_record *old, int64_t expiry);

/* Removes the record that was found under the key. */
int lmdbtable_remove(const lmdbtable *table, const char *key, const lmdbtable_record *old);

/* Removes at most so many records whose life has ended, oldest first. *swept gets their number. */
int lmdbtable_sweep(const lmdbtable *table, int most, int *swept);

/* MDB_MAP_FULL when there is no room for a value of so many bytes. New records leave an eighth of the file
 * (96 pages at least) free for changes of those that are there, and changes a 64th (48 pages) for what every
 * transaction, a drop as well, needs for itself. */
int lmdbtable_room(const lmdbtable *table, size_t len, bool is_new);

#endif
