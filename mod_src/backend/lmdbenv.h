/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LMDBENV_H
#define BACKEND_LMDBENV_H

/* An open LMDB environment with the store's three tables. LMDB allows one per file and process, so those who
 * open the same file share it. */

#include <stdint.h>

#include <apr_pools.h>
#include <lmdb.h>

#include "backend/latch.h"

typedef struct lmdbenv {
    MDB_env *env;
    MDB_dbi records; /* key -> expiry, version, value */
    MDB_dbi dues;    /* expiry, key -> nothing: what to sweep next */
    MDB_dbi counter; /* the last version given */
    size_t pages;    /* that the map has room for */
    size_t page;     /* bytes of one */
    /* Whoever writes holds it, so that of one process at most one thread waits for the writer of another
     * process. */
    latch writing;
} lmdbenv;

/* Opens the file (see lmdbfile.h: it is prepared), or joins those who have it open in this process; given
 * back with the pool. After a fork, what the parent had open is not used. Answers NULL, or a sentence with
 * the path. */
const char *lmdbenv_open(apr_pool_t *pool, const char *path, int64_t size, lmdbenv **env)
    __attribute__((warn_unused_result));

#endif
