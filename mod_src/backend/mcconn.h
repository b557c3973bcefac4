/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MCCONN_H
#define BACKEND_MCCONN_H

/* One connection to one memcached, and the six verbs on it. After an answer of STORE_DOWN, or after its
 * deadline, it is of no further use and must be closed. One thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include <apr_pools.h>

#include "base/text.h"
#include "port/clock.h"
#include "port/store.h"

typedef struct mcconn mcconn;

/* Where a memcached listens. */
typedef struct mcconn_place {
    const char *address; /* numeric, so that nothing is looked up; NULL for a unix socket */
    int port;
    const char *path; /* of the unix socket, or NULL */
} mcconn_place;

/* What a write writes. */
typedef struct mcconn_record {
    text_t value;
    int64_t ttl;      /* seconds, relative */
    uint64_t version; /* for cas */
} mcconn_record;

/* Connects and hears one sensible answer before the deadline (steady milliseconds of the clock). NULL: it did
 * not. */
mcconn *mcconn_open(const mcconn_place *place, const clock_port *clock, int64_t deadline);

/* The steady time by which whatever is asked next has to be answered. */
void mcconn_until(mcconn *conn, int64_t deadline);

/* Has the deadline passed? */
bool mcconn_is_late(const mcconn *conn);

/* Is anybody there? True after any sensible answer to a harmless question. */
bool mcconn_greet(mcconn *conn);

/* The verbs of port/store.h. A get that finds nothing may take its time twice, as it asks again. */
store_rc mcconn_get(mcconn *conn, const char *key, apr_pool_t *pool, store_item *item);
store_rc mcconn_put(mcconn *conn, const char *key, const mcconn_record *record);
store_rc mcconn_add(mcconn *conn, const char *key, const mcconn_record *record);
store_rc mcconn_cas(mcconn *conn, const char *key, const mcconn_record *record);
store_rc mcconn_touch(mcconn *conn, const char *key, int64_t ttl);
store_rc mcconn_drop(mcconn *conn, const char *key);

/* Closes at once, whatever state it is in. NULL is nothing. */
void mcconn_close(mcconn *conn);

#endif
