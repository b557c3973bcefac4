/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_ALG_H
#define JOSE_ALG_H

/* The one table of signature algorithms that are accepted (RFC 7518 section 3, RFC 8037). "none" and the
 * symmetric ones are not in it, so no code has to refuse them. */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef enum { ALG_RSA_PKCS1, ALG_RSA_PSS, ALG_ECDSA, ALG_EDDSA } alg_family;

typedef struct alg {
    const char *name; /* "RS256" */
    alg_family family;
    const char *kty;      /* "RSA", "EC" or "OKP" */
    const char *curve;    /* "P-256" ... or NULL where any of the kty will do */
    const char *digest;   /* "SHA256" ..., NULL for EdDSA */
    size_t signature_len; /* bytes; 0 where the key decides */
    uint32_t bit;         /* this row in an alg_set */
} alg_t;

/* A set of rows. */
typedef uint32_t alg_set;

/* The row of a name, compared byte for byte; NULL where it is not accepted. */
const alg_t *alg_find(text_t name);

/* All rows. */
alg_set alg_all(void);

/* RS256 alone: what OpenID Connect Discovery takes for granted where a provider says nothing. */
alg_set alg_default(void);

/* The rows named in a list of names separated by blanks or commas. False where a name is unknown or the list
 * is empty. */
bool alg_set_read(text_t names, alg_set *set);

#endif
