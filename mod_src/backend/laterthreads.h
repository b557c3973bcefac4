/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LATERTHREADS_H
#define BACKEND_LATERTHREADS_H

/* The later port made real by a few threads of the process. */

#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "port/later.h"

#define LATERTHREADS_THREADS_MAX 64 /* a larger setting is cut down to it */

typedef struct laterthreads_settings {
    size_t threads;   /* at most so many, started when there is work for them; 0: 4 */
    size_t waiting;   /* pieces of work that may wait for a thread; 0: 64 */
    int64_t drain_ms; /* how long the end of the pool waits for all work to be done; 0: 15000 */
} laterthreads_settings;

/* Makes the port in the httpd child, after the fork. When the pool ends nothing new is taken and what was
 * taken is done, before anything else in the pool goes; what is not begun within drain_ms is dropped, what
 * still runs then is left to itself. Tasks are copied and the copies wiped behind the work, since they may
 * hold tokens. Any thread may submit. Never NULL. */
later_port *laterthreads_new(apr_pool_t *pool, const laterthreads_settings *settings);

#endif
