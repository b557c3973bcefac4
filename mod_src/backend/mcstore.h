/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MCSTORE_H
#define BACKEND_MCSTORE_H

/* The store contract on one or several memcached servers. */

#include <apr_pools.h>

#include "backend/storeurl.h"
#include "port/clock.h"
#include "port/store.h"

/* The longest a verb may take, in timeouts of the URL: waiting for a connection, a closed one, its
 * replacement, the call itself, the proof of a miss. (A server that sends its answer byte by byte can hold
 * one call for longer; that opens its breaker.) */
#define MCSTORE_DEADLINES 5

/* A store on the servers, or the socket, of a URL. Connects to nothing yet: a server that is away is no error
 * here but DOWN later. At most `connections` to each server at a time (1 to 1024).
 *
 * To be called in the child, after the fork: connections and locks must not be shared by processes. The URL
 * and the clock are borrowed for the life of the pool; with it all connections are closed, and no thread may
 * be in a verb any more.
 *
 * Answers NULL, or a sentence that says what is wrong. */
const char *mcstore_open(apr_pool_t *pool, const store_url *url, const clock_port *clock, int connections,
                         store_port **store) __attribute__((warn_unused_result));

/* Which of the URL's servers, counted from 0, a key lives on. */
int mcstore_server_of(const store_port *store, const char *key);

#endif
