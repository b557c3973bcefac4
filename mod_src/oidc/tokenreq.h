/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_TOKENREQ_H
#define OIDC_TOKENREQ_H

/* Requests to the token endpoint (RFC 6749 sections 4.1.3 and 6) and the revocation endpoint (RFC 7009). */

#include <apr_pools.h>

#include "base/text.h"
#include "oidc/clientauth.h"

typedef struct tokenreq {
    const char *authorization; /* header value, or NULL */
    text_t form;               /* body */
} tokenreq_t;

/* All results lie in the pool and are wiped with it. `method` of the client is BASIC, POST or NONE here
 * (clientauth_choose). POST sends client_id and client_secret in the form, NONE client_id alone, BASIC
 * neither. */

/* grant_type=authorization_code. redirect_uri is the one of the authorization request, byte for byte. */
tokenreq_t tokenreq_code(apr_pool_t *pool, const client_t *client, text_t code, const char *redirect_uri,
                         text_t verifier);

/* grant_type=refresh_token, with nothing that Keycloak's form does not have. */
tokenreq_t tokenreq_refresh(apr_pool_t *pool, const client_t *client, text_t refresh_token);

/* Revocation: token and token_type_hint ("refresh_token" or "access_token"). */
tokenreq_t tokenreq_revoke(apr_pool_t *pool, const client_t *client, text_t token, const char *hint);

#endif
