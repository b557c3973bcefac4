/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

/* One public key of a provider (RFC 7517, RFC 7518 section 6, RFC 8037). */

#include <apr_pools.h>

#include "base/jval.h"
#include "jose/alg.h"

struct evp_pkey_st;

typedef struct jwk {
    text_t kid;              /* empty where there is none */
    const char *kty;         /* "RSA", "EC" or "OKP" */
    const char *curve;       /* NULL for RSA */
    const alg_t *alg;        /* the only algorithm it is for, or NULL */
    struct evp_pkey_st *key; /* owned by the pool */
} jwk_t;

/* Reads a key that may verify signatures. Refused, with a detail that says why: private or symmetric members,
 * use other than "sig", key_ops without "verify", an unknown kty, curve or alg, RSA below 2048 or above 8192
 * bits or with an exponent that is even, below 65537 (3 is refused) or longer than 64 bits (verifying would
 * take long), an alg that does not fit kty and crv, a point off its curve, coordinates of the wrong length.
 */
const fault_t *jwk_read(apr_pool_t *pool, const jval_t *object, jwk_t *jwk) MUST_USE;

/* May this key verify that algorithm? kty, curve and its own alg all fit. */
bool jwk_fits(const jwk_t *jwk, const alg_t *alg);

#endif
