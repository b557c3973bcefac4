/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_LATER_H
#define PORT_LATER_H

/* Work behind the response: a bounded pool of threads in the child that drains when the child stops
 * gracefully. */

#include <stdbool.h>

#include <apr_pools.h>

typedef struct later_port later_port;

/* The work gets the task it was submitted with and a pool of its own that is destroyed behind it. */
typedef void (*later_work)(void *task, apr_pool_t *pool);

struct later_port {
    /* Takes `room` bytes at `task` (copied) and runs the work soon. False: the pool is full or stopping; the
     * caller does it itself or leaves it. */
    bool (*submit)(later_port *later, later_work work, const void *task, size_t room);
};

#endif
