/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MCNAME_H
#define BACKEND_MCNAME_H

/* The addresses behind a server's name, looked up beside the calls and never for longer than they may wait.
 * Any thread. */

#include <stdint.h>

#include <apr_pools.h>

typedef struct mcname mcname;

/* Room for one address as text; the longest is an IPv6 address with its zone. */
#define MCNAME_ROOM 64

/* Keeps the name (borrowed; the pool outlives its use) and looks nothing up yet. A numeric address is its own
 * answer. */
mcname *mcname_new(apr_pool_t *pool, const char *host);

/* The address to connect to now, numeric, into `room`. Waits at most so many milliseconds for the resolver
 * and answers -1 when it has not said anything by then, or said no. Otherwise how many addresses the name
 * has. */
int mcname_address(mcname *name, int64_t wait_ms, char room[MCNAME_ROOM]);

/* Nothing sensible answered at this address: the next one is tried next, and after the last one the name is
 * looked up anew. */
void mcname_failed(mcname *name, const char *address);

#endif
