/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LMDBSTORE_H
#define BACKEND_LMDBSTORE_H

/* The store contract on one file of this host: no server to run, all processes see the same truth. It
 * survives the death of any or all of them, and forgets when the host is started anew. */

#include <sys/types.h>

#include <apr_pools.h>

#include "backend/storeurl.h"
#include "port/clock.h"
#include "port/store.h"

/* The longest a verb waits for other writers, in milliseconds, before it answers DOWN. (A process that was
 * stopped, not killed, in the middle of a write blocks writers for as long as it is stopped: one thread of
 * each process waits for it, the others are DOWN.) */
#define LMDBSTORE_WAIT_MS 1000

/* To be called at start, by the parent that may still be root: creates PATH, PATH-lock and PATH-boot, mode
 * 0600, and gives them to the user that children run as; (uid_t)-1 and (gid_t)-1 change no owner. What was
 * written before the host's last start is removed, as nothing forced it onto the disk. Opens no environment,
 * so nothing is carried over a fork. The URL's path must not be NULL. Answers NULL, or a sentence with the
 * path. */
const char *lmdbstore_prepare(apr_pool_t *pool, const store_url *url, uid_t uid, gid_t gid)
    __attribute__((warn_unused_result));

/* A store in the URL's file, which may grow to the URL's size; open for the life of the pool, with the clock
 * borrowed. To be called in the child, after the fork. Opening the same file again in the same process shares
 * it (and its first size). All processes should name the same size. Answers NULL, or a sentence with the path
 * and the reason. */
const char *lmdbstore_open(apr_pool_t *pool, const store_url *url, const clock_port *clock,
                           store_port **store) __attribute__((warn_unused_result));

#endif
