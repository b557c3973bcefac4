/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_IDTOKEN_H
#define OIDC_IDTOKEN_H

/* The rules of an ID token whose signature has been verified (OpenID Connect Core 3.1.3.7, 3.1.3.8 and 12.2).
 */

#include <apr_pools.h>

#include "base/fault.h"
#include "base/jval.h"
#include "jose/alg.h"

#define IDTOKEN_SUB_MAX 255 /* bytes, printable ASCII (OpenID Connect Core section 2) */

typedef struct idtoken_rules {
    const char *issuer;
    const char *client_id;
    int64_t now;         /* seconds */
    int64_t skew;        /* seconds of tolerance */
    int64_t iat_age;     /* oldest iat accepted, seconds */
    text_t nonce;        /* `at` NULL: a nonce is neither asked for nor compared here */
    text_t access_token; /* for at_hash, which is checked when it is there */
    const alg_t *alg;    /* the one that verified */
} idtoken_rules;

typedef struct idtoken {
    const jval_t *claims;
    text_t sub;
    text_t nonce; /* `at` NULL when there is none */
    int64_t exp;  /* saturated */
    int64_t iat;
    int64_t auth_time; /* -1 when there is none */
} idtoken_t;

/* Reads and checks a verified payload, rule by rule: JSON object, iss, aud, azp, exp, nbf, iat, sub, nonce,
 * at_hash. aud may be a string or a list of strings that has us; a list with others is accepted only when azp
 * is there and is us, since nothing else says whom the token was made for. Each rule has a fault code of its
 * own; time faults name both times. A time that is missing or no number is FAULT_IDTOKEN_CLAIMS. exp and iat
 * must be there. */
const fault_t *idtoken_check(apr_pool_t *pool, text_t payload, const idtoken_rules *rules,
                             idtoken_t *idtoken) MUST_USE;

/* What holds for every JWT of the provider, ID token or not: the rules iss, exp, nbf and iat, with the same
 * codes. */
const fault_t *idtoken_check_origin(apr_pool_t *pool, const jval_t *claims,
                                    const idtoken_rules *rules) MUST_USE;

/* What Core 12.2 adds for one that came with a refresh: same sub, iat not older, auth_time unchanged when
 * there, nonce unchanged when there, azp unchanged. `before` is the token of the session. */
const fault_t *idtoken_check_refreshed(apr_pool_t *pool, const idtoken_t *before,
                                       const idtoken_t *after) MUST_USE;

/* The fields of a payload of our own session, which was checked when it came; no rule is applied, sub must be
 * there. */
const fault_t *idtoken_recall(apr_pool_t *pool, text_t payload, idtoken_t *idtoken) MUST_USE;

#endif
