/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LMDBFILE_H
#define BACKEND_LMDBFILE_H

/* The three files of an LMDB store: PATH (the records), PATH-lock (LMDB's own), PATH-boot (which start of the
 * host wrote it). */

#include <stdbool.h>

#include <sys/types.h>

#include <apr_pools.h>

/* Whose the files shall be. (uid_t)-1 and (gid_t)-1 leave it to whoever creates them. */
typedef struct lmdbfile_owner {
    uid_t uid;
    gid_t gid;
} lmdbfile_owner;

/* Makes the files ready for mdb_env_open: created where they are missing, mode 0600, given to the owner, and
 * emptied where they were written before the host was started the last time, as they may be torn. Cheap where
 * all is well; any number of processes may call it at once. *remembered is false where the host does not tell
 * its starts apart: then writes have to be synced. Answers NULL, or a sentence with the path. Never touches a
 * file that is not surely the store's. */
const char *lmdbfile_prepare(apr_pool_t *pool, const char *path, lmdbfile_owner owner, bool *remembered)
    __attribute__((warn_unused_result));

#endif
