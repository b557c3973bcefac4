/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef SESSION_VAULT_H
#define SESSION_VAULT_H

/* Sessions in the store: the only file that knows how a cookie becomes a store key and a record key.
 *
 * The cookie is 256 random bits as base64url. Store key: SHA-256(label, namespace, cookie). Record key:
 * HMAC(server key; label, namespace and store key, cookie). Whoever reads the store has neither; whoever has
 * the cookie lacks the server key. */

#include <apr_pools.h>

#include "jose/seal.h"
#include "port/random.h"
#include "port/store.h"
#include "session/session.h"

#define VAULT_COOKIE_LEN 43 /* bytes of a cookie value */
#define VAULT_TAG_LEN    8  /* hex digits that name a session in logs */

typedef struct vault {
    store_port *store;
    store_port *near; /* for vault_glance; NULL: as store */
    const seal_ring *ring;
    const random_port *random;
    text_t space;      /* namespace: issuer, client, host or cookie domain */
    size_t record_max; /* bytes of a sealed record */
} vault_t;

typedef enum {
    VAULT_OK,
    VAULT_MISS,    /* no such session */
    VAULT_FOREIGN, /* a record is there but does not open */
    VAULT_CLASH,   /* changed since it was loaded */
    VAULT_LARGE,   /* above record_max */
    VAULT_FULL,    /* the store has no room */
    VAULT_DOWN,    /* the store does not answer; of a write nobody knows whether it happened */
    VAULT_BROKEN   /* random numbers or cryptography failed */
} vault_rc;

typedef struct vault_record {
    text_t cookie;
    char key[STORE_KEY_LEN + 1];
    char tag[VAULT_TAG_LEN + 1];
    uint64_t version;
    session_t session;
} vault_record;

/* Could this be a cookie of ours? Exactly VAULT_COOKIE_LEN bytes of the base64url alphabet. Nothing else
 * reaches the store. */
bool vault_is_cookie(text_t cookie);

/* Loads the record: OK, MISS, FOREIGN, DOWN or BROKEN. One get. */
vault_rc vault_load(const vault_t *vault, apr_pool_t *pool, text_t cookie, vault_record *record);

/* As vault_load, but may answer with a copy that is a moment old. For requests that only look; whoever writes
 * over it gets CLASH. */
vault_rc vault_glance(const vault_t *vault, apr_pool_t *pool, text_t cookie, vault_record *record);

/* Stores a new session under a new cookie: OK (cookie, key and tag of the record are then set), LARGE, FULL,
 * DOWN or BROKEN. */
vault_rc vault_create(const vault_t *vault, apr_pool_t *pool, vault_record *record, int64_t ttl);

/* Stores a changed record if nobody else has changed it since it was loaded: OK (the record's version is then
 * out of date: load it again before the next swap), MISS, CLASH, LARGE, FULL, DOWN or BROKEN. */
vault_rc vault_swap(const vault_t *vault, apr_pool_t *pool, const vault_record *record, int64_t ttl);

/* Forgets the session: OK, MISS or DOWN. A refresh that is under way cannot bring it back. */
vault_rc vault_end(const vault_t *vault, text_t cookie);

/* Uses up a name once and for all nodes: OK the first time, then CLASH; FULL, DOWN or BROKEN. */
vault_rc vault_use_once(const vault_t *vault, const char *label, text_t name, int64_t ttl);

/* Keeps a document sealed under the server key, and brings it back: for provider metadata. vault_recall
 * answers OK, MISS, FOREIGN, DOWN or BROKEN; vault_keep OK, LARGE, FULL, DOWN or BROKEN. */
vault_rc vault_keep(const vault_t *vault, apr_pool_t *pool, text_t name, text_t document, int64_t ttl);
vault_rc vault_recall(const vault_t *vault, apr_pool_t *pool, text_t name, text_t *document);

#endif
