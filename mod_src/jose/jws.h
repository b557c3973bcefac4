/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

/* A signed JWT in compact form (RFC 7515 section 7.1, RFC 8725). Reading looks at the header only; the
 * payload is not interpreted by anybody before the signature was verified. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/fault.h"
#include "jose/jwks.h"

#define JWS_TOKEN_MAX ((size_t)256 * 1024) /* bytes of a token that is read at all */

typedef struct jws {
    const alg_t *alg;
    text_t kid;       /* empty where there is none */
    text_t typ;       /* empty where there is none */
    text_t covered;   /* header.payload as signed */
    text_t body;      /* payload, still base64url */
    text_t signature; /* bytes */
} jws_t;

/* Reads header and shape: exactly three parts, none of header and signature empty, strict base64url, strict
 * JSON header, `alg` in `allowed`, no `crit`, no `b64`. `kid`, `jku`, `x5u`, `x5c` and `jwk` never lead
 * anywhere. FAULT_IDTOKEN_MALFORMED or FAULT_IDTOKEN_ALGORITHM. */
const fault_t *jws_read(apr_pool_t *pool, text_t token, alg_set allowed, jws_t *jws) MUST_USE;

/* Is the header's typ this media type, without "application/" and in any case (RFC 7515 section 4.1.9)? False
 * where there is no typ. jws_read accepts every typ; who knows what kind of token it is asks here. */
bool jws_typ_is(const jws_t *jws, const char *name);

/* Verifies with the keys of the set that fit. FAULT_IDTOKEN_KEY: no key fits (fetching the keys anew may
 * help). FAULT_IDTOKEN_SIGNATURE: keys fit, none verifies. Success: *payload is decoded, in the pool, wiped
 * with it. */
const fault_t *jws_verify(apr_pool_t *pool, const jws_t *jws, const jwks_t *keys, text_t *payload) MUST_USE;

/* The payload of a token that this module has verified before and kept sealed itself: no signature is looked
 * at. FAULT_IDTOKEN_MALFORMED when it is no compact JWS. */
const fault_t *jws_payload_of_our_own(apr_pool_t *pool, text_t token, text_t *payload) MUST_USE;

#endif
