/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_JWKS_H
#define JOSE_JWKS_H

/* The key set of a provider (RFC 7517 section 5). Immutable; threads may share it. */

#include <apr_pools.h>

#include "base/fault.h"
#include "jose/jwk.h"

#define JWKS_KEYS_MAX     64 /* keys of a set that are read */
#define JWKS_TRIES        8  /* keys that one signature is tried with */
#define JWKS_DOCUMENT_MAX ((size_t)256 * 1024)

typedef struct jwks {
    const jwk_t *keys;
    size_t count;
    size_t skipped;     /* keys that could not be used */
    const char *reason; /* why the last one was skipped, for the log; NULL when none was */
} jwks_t;

/* Reads a key set. Keys that cannot be used are skipped and counted; a set without a usable key is
 * FAULT_METADATA_INVALID. */
const fault_t *jwks_read(apr_pool_t *pool, text_t document, jwks_t **keys) MUST_USE;

/* The keys that fit the algorithm and, when `kid` is not empty, have exactly this kid. Fills at most
 * JWKS_TRIES, answers how many. */
size_t jwks_pick(const jwks_t *keys, const alg_t *alg, text_t kid, const jwk_t *picked[JWKS_TRIES]);

#endif
