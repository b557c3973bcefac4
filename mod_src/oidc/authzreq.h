/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_AUTHZREQ_H
#define OIDC_AUTHZREQ_H

/* The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1), always with PKCE S256 (RFC
 * 7636) and state, and with nonce where the scopes ask for an ID token. */

#include <apr_pools.h>

#include "base/fault.h"
#include "base/url.h"

typedef struct authzreq {
    const char *endpoint;
    const char *client_id;
    const char *redirect_uri;
    const char *scopes; /* separated by blanks */
    text_t state;
    text_t nonce;          /* `at` NULL: none is sent */
    text_t verifier;       /* its S256 challenge is sent */
    const url_pair *extra; /* the administrator's parameters (SSOAuthParam), none of which authzreq_owns */
    size_t extra_count;
} authzreq_t;

/* The URL that the browser is sent to, in the pool. FAULT_INTERNAL when the hash fails. */
const fault_t *authzreq_make(apr_pool_t *pool, const authzreq_t *request, text_t *url) MUST_USE;

/* Is this a parameter that only the module may set? */
bool authzreq_owns(text_t name);

#endif
