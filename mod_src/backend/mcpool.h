/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MCPOOL_H
#define BACKEND_MCPOOL_H

/* The connections to one memcached, shared by the threads of one process, with a breaker: after a failure
 * nobody waits for the server any more, one thread at a time finds out whether it is back. */

#include <stdbool.h>
#include <stdint.h>

#include <apr_pools.h>

#include "backend/breaker.h"
#include "backend/mcconn.h"
#include "backend/mcname.h"
#include "port/clock.h"

#define MCPOOL_PROBE_FIRST_MS ((int64_t)100) /* from a failure to the first probe */
#define MCPOOL_PROBE_LAST_MS  ((int64_t)500) /* from probe to probe while the server stays away */
#define MCPOOL_PROBE_WAIT_MS                                                                                 \
    ((int64_t)400) /* the longest a probe waits to be greeted, so that a second is enough */

typedef struct mcpool mcpool;

typedef struct mcpool_place {
    const char *host; /* NULL for a unix socket */
    int port;
    const char *path; /* NULL for TCP */
} mcpool_place;

/* A connection on loan. */
typedef struct mcpool_loan {
    mcconn *conn;
    int64_t deadline; /* steady milliseconds; what has no answer by then is a failure */
    uint64_t generation;
    bool reused; /* it was idle before, so the peer may have closed it since */
    breaker_pass pass;
} mcpool_loan;

typedef enum {
    MCPOOL_FINE,  /* goes back for the next one */
    MCPOOL_SPENT, /* the server is all right, the connection is closed all the same */
    MCPOOL_STALE, /* an idle connection turned out to be dead: all that are idle go, the breaker stays closed
                   */
    MCPOOL_LOST,  /* this connection got no answer in time while others did: it goes alone */
    MCPOOL_FAILED /* the breaker opens */
} mcpool_end;

/* How it is used. */
typedef struct mcpool_terms {
    int64_t timeout_ms; /* for waiting until a connection is free, and again for all that happens on it */
    int connections;    /* at a time, at most */
} mcpool_terms;

/* Connects to nothing yet; all connections are closed with the APR pool. The place, its strings and the clock
 * are borrowed. To be made in the process that uses it, after the fork. */
mcpool *mcpool_new(apr_pool_t *pool, const mcpool_place *place, const mcpool_terms *terms,
                   const clock_port *clock);

/* Lends a connection, waiting for one to come free or opening it. `proven` asks for one that has answered
 * just now, for what must not be sent twice. False: none to be had; with an open breaker within microseconds.
 */
bool mcpool_take(mcpool *server, bool proven, mcpool_loan *loan);

/* Has anybody got an answer lately, less than half a timeout ago? A server that hangs answers nobody; a
 * packet that was lost held up one connection. */
bool mcpool_answers(mcpool *server);

/* Takes it back. Each loan ends exactly once. */
void mcpool_give(mcpool *server, const mcpool_loan *loan, mcpool_end end);

#endif
