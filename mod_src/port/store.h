/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_STORE_H
#define PORT_STORE_H

/* The contract of everything that remembers: six verbs, five answers. tests/backend/contract.c holds every
 * backend to it.
 *
 * Keys are STORE_KEY_LEN bytes of the base64url alphabet: names, identifiers and tokens from outside never
 * reach a backend. Values are bytes. Times to live are seconds, 1 to STORE_TTL_MAX; the backend may forget a
 * value at its end and never later than a few seconds after it.
 *
 * Each verb ends within the backend's deadline. DOWN after a write means *unknown*: it may have happened. All
 * verbs may be called from any thread. */

#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "base/text.h"

#define STORE_KEY_LEN   43                         /* base64url of 32 bytes */
#define STORE_TTL_MAX   ((int64_t)400 * 24 * 3600) /* seconds */
#define STORE_VALUE_MAX ((size_t)1024 * 1024)      /* bytes; a backend may have less and then answers FULL */

typedef enum {
    STORE_OK,
    STORE_MISS,  /* surely not there */
    STORE_CLASH, /* add: it is there already; cas: changed since it was read */
    STORE_FULL,  /* no memory, or the value is too large; nothing was written */
    STORE_DOWN   /* no answer in time or no sense in it; of a write nobody knows whether it happened */
} store_rc;

typedef struct store_item {
    text_t value;     /* in the caller's pool */
    uint64_t version; /* for cas; changes with every write of the key, but not with touch */
} store_item;

typedef struct store_port store_port;

struct store_port {
    const char *scheme; /* "memcached", "lmdb": for messages */
    /* OK, MISS or DOWN. The value is copied into the pool. */
    store_rc (*get)(store_port *store, const char *key, apr_pool_t *pool, store_item *item);
    /* Writes whatever was there. OK, FULL or DOWN. */
    store_rc (*put)(store_port *store, const char *key, text_t value, int64_t ttl);
    /* Writes only where nothing is: the one primitive for "only once". OK, CLASH, FULL or DOWN. */
    store_rc (*add)(store_port *store, const char *key, text_t value, int64_t ttl);
    /* Writes only over the version that was read. OK, CLASH, MISS, FULL or DOWN. */
    store_rc (*cas)(store_port *store, const char *key, text_t value, int64_t ttl, uint64_t version);
    /* New time to live, same value, same version. OK, MISS or DOWN. */
    store_rc (*touch)(store_port *store, const char *key, int64_t ttl);
    /* Forgets. OK, MISS or DOWN. */
    store_rc (*drop)(store_port *store, const char *key);
};

#endif
