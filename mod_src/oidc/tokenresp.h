/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_TOKENRESP_H
#define OIDC_TOKENRESP_H

/* The token endpoint's answer (RFC 6749 sections 5.1 and 5.2, OpenID Connect Core 3.1.3.3 and 12.2). */

#include <apr_pools.h>

#include "oidc/answer.h"

typedef struct tokens {
    text_t
        access_token; /* 0x21 to 0x7e, never empty: what a header can carry, more than RFC 6750's b64token */
    text_t refresh_token; /* empty when there is none; VSCHAR and space */
    text_t id_token;      /* empty when there is none; not looked at yet */
    text_t scope;         /* `at` NULL when the provider did not say */
    int64_t expires_in;   /* seconds; -1 when it did not say; saturates at one year */
    int64_t
        refresh_expires_in; /* Keycloak's; -1 when it did not say, 0 there means never and is -1 here too */
} tokens_t;

/* Reads a success or says which kind of failure it is:
 *   FAULT_GRANT_REFUSED   400 or 401 with error=invalid_grant
 *   FAULT_CLIENT_REFUSED  invalid_client, unauthorized_client
 *   FAULT_PROVIDER_BUSY   429
 *   FAULT_PROVIDER_DOWN   5xx
 *   FAULT_TOKEN_REFUSED   any other error answer
 *   FAULT_TOKEN_ANSWER    a 200 that is not JSON, has an `error`, lacks access_token or token_type Bearer,
 * has members of wrong type, or tokens with bytes that do not belong there; any other status expires_in may
 * be a number or a string of digits; fractions are floored, negative ones refused. The detail never quotes a
 * token; error and error_description are escaped and cut. Tokens lie in the pool and are wiped with it. */
const fault_t *tokenresp_read(apr_pool_t *pool, const answer_t *answer, tokens_t *tokens) MUST_USE;

#endif
