/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef SESSION_TICKET_H
#define SESSION_TICKET_H

/* A login in flight, as a sealed cookie in the browser: strangers cannot fill the store, and a graceful
 * restart or another node does not matter. One cookie a login, so that tabs do not disturb each other. */

#include <apr_pools.h>

#include "base/fault.h"
#include "jose/seal.h"
#include "port/random.h"

#define TICKET_LIFE       3600 /* seconds that a login may take */
#define TICKET_BYTES_MAX  4096 /* all ticket cookies of a browser together, names included */
#define TICKET_COUNT_MAX  7
#define TICKET_RETURN_MAX 1800 /* bytes of a return address that is kept */

typedef struct ticket {
    int64_t born;
    text_t state; /* 43 base64url characters each, independent of each other */
    text_t nonce;
    text_t verifier;
    text_t redirect_uri; /* as in the authorization request */
    text_t return_to;    /* path and query on the same origin */
} ticket_t;

/* A new ticket: state, nonce and verifier drawn. FAULT_INTERNAL when there are no random numbers. */
const fault_t *ticket_draw(apr_pool_t *pool, const random_port *random, ticket_t *ticket) MUST_USE;

/* The cookie name of a state: prefix and a short hash of it. NULL when the hash fails. In the pool. */
const char *ticket_name(apr_pool_t *pool, const char *prefix, text_t state);

/* What a ticket is sealed with. The namespace is part of the seal: a ticket of another site does not open. */
typedef struct ticket_desk {
    const seal_ring *ring;
    const random_port *random;
    text_t space;
} ticket_desk;

/* The cookie value. FAULT_INTERNAL. */
const fault_t *ticket_seal(apr_pool_t *pool, const ticket_desk *desk, const ticket_t *ticket,
                           text_t *cookie) MUST_USE;

/* The ticket of a cookie value. FAULT_STATE_UNKNOWN when it does not open, FAULT_STATE_EXPIRED when it is
 * older than TICKET_LIFE (or from the future by more than that). */
const fault_t *ticket_open(apr_pool_t *pool, const ticket_desk *desk, text_t cookie, int64_t now,
                           ticket_t *ticket) MUST_USE;

#endif
