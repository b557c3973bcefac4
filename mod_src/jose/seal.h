/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_SEAL_H
#define JOSE_SEAL_H

/* Sealing what leaves our hands: AES-256-GCM under a key that is derived for each scope from a server key.
 * Server keys have ids and rotate: the first seals, all open.
 *
 * A message is: version (1 byte), key id (4), nonce (12), salt (16, only without a scope secret), ciphertext,
 * tag (16). Its key is HMAC-SHA-256(server key; label, context, secret, salt), secret or salt empty: with a
 * secret (the session cookie) nobody without it can open the message; without one the salt gives every
 * message a key of its own. Version, key id, label and context are authenticated too, so that a message means
 * nothing in another place. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/fault.h"
#include "base/text.h"

#define SEAL_KEY_LEN   32
#define SEAL_KEYS_MAX  8
#define SEAL_FRESH_LEN 28 /* unpredictable bytes that a message takes: nonce and salt */
#define SEAL_OVERHEAD  49 /* bytes that a message is longer than its content, at most */

typedef struct seal_ring seal_ring;

/* Reads a key file: one key a line as 64 hex digits or 43 base64url characters, blank lines and lines with
 * '#' left out, at most SEAL_KEYS_MAX, none of one byte repeated. Answers NULL, or a sentence that says what
 * is wrong (never the key). Keys are wiped with the pool. */
const char *seal_ring_read(apr_pool_t *pool, text_t file, seal_ring **ring) MUST_USE;

/* A ring of one key, derived from a client secret of at least 32 bytes. NULL when it is shorter or the
 * library failed. */
seal_ring *seal_ring_derive(apr_pool_t *pool, text_t client_secret);

typedef struct seal_scope {
    const char *label;          /* purpose: "session", "ticket", ...; never used for two */
    text_t context;             /* where the message belongs: namespace, store key */
    text_t secret;              /* key material that we do not keep (the cookie); empty: salt */
    const unsigned char *fresh; /* to close: SEAL_FRESH_LEN bytes from the random port, never used twice; to
                                   open: not read */
} seal_scope;

/* Seals. The result lies in the pool. FAULT_INTERNAL when the library fails. */
const fault_t *seal_close(apr_pool_t *pool, const seal_ring *ring, const seal_scope *scope, text_t plain,
                          text_t *sealed) MUST_USE;

/* Opens. The content lies in the pool and is wiped with it. FAULT_STORE_FOREIGN for everything that is not a
 * whole, unchanged message of this scope under one of the ring's keys. */
const fault_t *seal_open(apr_pool_t *pool, const seal_ring *ring, const seal_scope *scope, text_t sealed,
                         text_t *plain) MUST_USE;

#endif
