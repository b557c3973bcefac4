/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_SNAPSHOTS_H
#define BACKEND_SNAPSHOTS_H

/* Immutable values that are replaced whole, by name, for the threads of one process. */

#include <apr_pools.h>

#define SNAPSHOTS_MAX 256 /* names; one more drops the snapshot that was published longest ago */

typedef struct snapshots snapshots_t;

/* No snapshots yet. When the pool ends the current ones go; one that is still being read goes with its last
 * reader, also when that reader's pool outlives this one. Never NULL. */
snapshots_t *snapshots_new(apr_pool_t *pool);

/* See `snapshot`, `draft` and `publish` of port/shared.h. A draft's pool hangs on no other pool and has an
 * allocator of its own, so it may be filled by one thread and destroyed by another. */
const void *snapshots_read(snapshots_t *snapshots, const char *name, apr_pool_t *pool);
apr_pool_t *snapshots_draft(snapshots_t *snapshots);
void snapshots_publish(snapshots_t *snapshots, const char *name, const void *value, apr_pool_t *draft);

#endif
