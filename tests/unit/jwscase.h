/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JWSCASE_H
#define JWSCASE_H

/* What the tests of signed tokens share: a signer with its published key, and what becomes of a token. */

#include "unit.h"
#include "signer.h"

#include <openssl/err.h>

#include "jose/jws.h"

#define CLAIMS TEXT("{\"iss\":\"https://op.example\",\"sub\":\"x\"}")

/* A key, the set with its public half under kid "k", and its algorithm. */
typedef struct signer {
    EVP_PKEY *key;
    jwks_t *keys;
    const alg_t *alg;
} signer_t;

static inline jwks_t *jwscase_set(apr_pool_t *pool, EVP_PKEY *key, const char *extra)
{
    jwks_t *keys = NULL;
    assert_no_fault(
        jwks_read(pool, text_format(pool, "{\"keys\":[%s]}", signer_jwk(pool, key, extra)), &keys));
    return keys;
}

static inline signer_t jwscase_signer(apr_pool_t *pool, const char *alg)
{
    EVP_PKEY *key = signer_key_for(pool, alg);
    return (signer_t){key, jwscase_set(pool, key, ",\"kid\":\"k\""), alg_find(text_of(alg))};
}

static inline text_t jwscase_token(apr_pool_t *pool, const signer_t *signer)
{
    const char *header = apr_psprintf(pool, "{\"alg\":\"%s\",\"kid\":\"k\"}", signer->alg->name);
    return signer_token(pool, signer->key, signer->alg->name, header, CLAIMS);
}

/* FAULT_NONE when the token is read and verifies. */
static inline fault_code jwscase_outcome(apr_pool_t *pool, text_t token, alg_set allowed, const jwks_t *keys)
{
    jws_t jws;
    text_t payload;
    ERR_clear_error();
    const fault_t *fault = jws_read(pool, token, allowed, &jws);
    if (fault == NULL)
        fault = jws_verify(pool, &jws, keys, &payload);
    assert_int_equal(ERR_peek_error(), 0);
    return fault == NULL ? FAULT_NONE : fault->code;
}

#endif
