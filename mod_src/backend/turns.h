/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_TURNS_H
#define BACKEND_TURNS_H

/* "One does it, the others wait for the result", by name, for the threads of one process. */

#include <stdint.h>

#include <apr_pools.h>

#include "port/shared.h"

#define TURNS_MAX 4096 /* turns held at the same time; every other name is then SHARED_LATE */

typedef struct turns turns_t;

/* Turns that nobody holds yet; they end with the pool, when no thread uses them any more. Never NULL. */
turns_t *turns_new(apr_pool_t *pool);

/* See `take_turn` of port/shared.h. A thread that already has the turn must not ask for it again. */
shared_turn turns_take(turns_t *turns, const char *name, int64_t wait_ms);

/* See `give_turn` of port/shared.h. Any thread may give a turn back; a name that nobody holds is left alone.
 */
void turns_give(turns_t *turns, const char *name);

#endif
