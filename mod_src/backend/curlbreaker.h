/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_CURLBREAKER_H
#define BACKEND_CURLBREAKER_H

/* A breaker for each origin that is called, shared by all threads and processes that descend from the one
 * that made it: what one child has learnt about a sick provider need not cost the others a deadline each.
 * Discovery, token endpoint and userinfo of a provider are one origin, as they mostly fall ill together.
 *
 * It opens after failures in a row. It also opens when calls pile up and none is answered, long before the
 * first of them has failed at its deadline: threads that wait for a provider serve nobody else. */

#include <stdint.h>

#include <apr_pools.h>

#include "backend/breaker.h"
#include "base/text.h"
#include "port/http.h"

#define CURLBREAKER_FAILURES       3 /* in a row open it; a hiccup of one or two does not */
#define CURLBREAKER_MEMORY_MS      ((int64_t)60 * 1000) /* failures further apart are no row */
#define CURLBREAKER_PROBE_FIRST_MS ((int64_t)500)       /* from the opening to the first probe */
#define CURLBREAKER_PROBE_LAST_MS  ((int64_t)2000) /* from probe to probe while the provider stays away */
#define CURLBREAKER_PROBE_MS       ((int64_t)3000) /* after this a probe does not keep the next one back */
#define CURLBREAKER_PILE           3               /* calls under way, none answered for too long: it opens */
#define CURLBREAKER_QUIET_MS       ((int64_t)1000) /* is too long; more where answers usually take more */
#define CURLBREAKER_ORIGINS        32              /* that are watched at a time */
#define CURLBREAKER_CALLS          1024            /* that are counted at a time */

typedef struct curlbreaker curlbreaker_t;

/* A call that somebody wants to make. */
typedef struct curlbreaker_call {
    int scope;           /* tells those apart who go to an origin by other ways: another proxy, other trust */
    text_t origin;       /* "https://host[:port]" */
    int64_t deadline_ms; /* after which the call is over, also when nobody is left to say so */
} curlbreaker_call;

/* The leave to make one call. */
typedef struct curlbreaker_pass {
    int line; /* -1: a call that nobody watches */
    uint64_t serial;
    int call;
    uint64_t ticket;
    breaker_pass pass;
    int64_t began;
} curlbreaker_pass;

/* All closed. Ends with the pool. To be made before the processes that share it are forked; where there is no
 * shared memory, each has its own. Never NULL. */
curlbreaker_t *curlbreaker_new(apr_pool_t *pool);

/* May the call be made at `now` (steady milliseconds)? NULL: yes, and curlbreaker_leave is to be called
 * exactly once with the pass. Otherwise nothing must be sent, and a short printable text in the pool says
 * why. An origin that finds no room in the table, because all others there are open or being called, is not
 * watched. Never waits for a provider. */
const char *curlbreaker_enter(curlbreaker_t *breakers, const curlbreaker_call *call, int64_t now,
                              apr_pool_t *pool, curlbreaker_pass *pass);

/* Would the call be turned away at `now`? */
bool curlbreaker_rests(curlbreaker_t *breakers, const curlbreaker_call *call, int64_t now);

/* When the origin served somebody last, steady milliseconds; -1: not yet. */
int64_t curlbreaker_served(curlbreaker_t *breakers, const curlbreaker_call *call);

/* Has the origin been given up since the pass was given, though not by this call? Then nothing should be sent
 * any more; curlbreaker_leave is to be called all the same. */
bool curlbreaker_is_late(curlbreaker_t *breakers, const curlbreaker_pass *pass);

/* How a call ended. */
typedef struct curlbreaker_end {
    breaker_end sign;
    bool served;     /* it shows that the provider does its work */
    const char *why; /* printable, about a failure, for those who are turned away; it is copied */
} curlbreaker_end;

/* The call is over. */
void curlbreaker_leave(curlbreaker_t *breakers, const curlbreaker_pass *pass, const curlbreaker_end *end,
                       int64_t now);

/* What the outcome of a call tells about the provider; `status` counts with HTTP_ANSWERED only. 429 says that
 * it is well, though it serves nobody: whoever asked too often waits by himself. An answer above its ceiling
 * is no failure, or one user with too many claims could shut the others out. `why` stays NULL. */
curlbreaker_end curlbreaker_sign(http_rc rc, int status);

#endif
