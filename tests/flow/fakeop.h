/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FAKEOP_H
#define FAKEOP_H

/* An OpenID provider on the http port: discovery, keys, token endpoint with rotation and reuse detection,
 * userinfo and revocation. What it says can be bent. Threads may call it through the port; its fields are set
 * while nobody does. */

#include "fakes.h"

#include <apr_tables.h>

#define FAKEOP_ISSUER   "https://op.test/realms/demo"
#define FAKEOP_FAMILIES 1024

/* A member of an ID token as JSON: {"sub", "\"bob\""}; NULL for the JSON leaves the member out. Lists of them
 * end with a NULL name. */
typedef struct fakeop_claim {
    const char *name;
    const char *json;
} fakeop_claim;

/* All refresh tokens that came from one login. */
typedef struct fakeop_family {
    unsigned generation;
    bool revoked;
} fakeop_family;

typedef struct fakeop_code {
    text_t nonce, challenge, redirect_uri; /* `at` NULL: not checked */
    bool used;
} fakeop_code;

typedef struct fakeop {
    apr_pool_t *pool;
    pthread_mutex_t lock;
    fakes_http *http;
    const clock_port *clock;
    const char *issuer;
    const char *client_id;

    /* Signing: ES256 with a key of this process, unless set otherwise. */
    struct evp_pkey_st *key;
    const char *alg, *kid;
    const char *jwks;     /* a whole document instead of our own; NULL: our own */
    const char *metadata; /* members that are put behind our own: ",\"x\":1"; NULL: none */

    /* Tokens. */
    const char *sub;
    int expires_in, refresh_expires_in; /* -1: not said */
    const char *scope;                  /* NULL: not said */
    bool rotates;                       /* a refresh token works once */
    bool refreshes_idtoken;             /* a refresh brings an ID token */
    const fakeop_claim *claims;         /* bends the ID tokens of the token endpoint; NULL: nothing */
    const char *userinfo;               /* members behind sub: ",\"email\":\"a@b\"" */
    const char *userinfo_sub;           /* NULL: sub */
    text_t refresh_token; /* what a refresh answers with, once, instead of its own; `at` NULL: its own */

    /* What happened. */
    unsigned codes, refreshes, reuses, refused, revocations;
    fakeop_family families[FAKEOP_FAMILIES];
    unsigned family_count;
    apr_array_header_t *all_codes; /* of fakeop_code */
    unsigned serial;               /* of access tokens */
} fakeop_t;

/* Serves the provider on the port. */
void fakeop_init(fakeop_t *op, fakes_http *http, apr_pool_t *pool, const clock_port *clock);

/* A signed ID token for sub with iat now and exp in five minutes; `claims` bends it (NULL: nothing). */
text_t fakeop_idtoken(fakeop_t *op, apr_pool_t *pool, const fakeop_claim *claims);
/* Any token: `header` NULL is the usual one, `payload` is JSON. */
text_t fakeop_sign(fakeop_t *op, apr_pool_t *pool, const char *header, text_t payload);
/* The payload that fakeop_idtoken signs. */
text_t fakeop_payload(fakeop_t *op, apr_pool_t *pool, const fakeop_claim *claims);
/* Another key pair from now on, under another kid. `alg`: "RS256", "ES256", ... */
void fakeop_rotate_key(fakeop_t *op, const char *alg, const char *kid);

/* A refresh token as a login would have brought it. */
text_t fakeop_family_new(fakeop_t *op, apr_pool_t *pool);
/* The user comes to the authorization endpoint and consents: the query of the callback. */
text_t fakeop_authorize(fakeop_t *op, apr_pool_t *pool, const char *url);

#endif
