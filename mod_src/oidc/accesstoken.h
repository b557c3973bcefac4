/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_ACCESSTOKEN_H
#define OIDC_ACCESSTOKEN_H

/* An access token that is a JWT and meant for us may supply claims (SSOClaimsFrom access), after the same
 * checks as an ID token. */

#include <apr_pools.h>

#include "oidc/idtoken.h"

/* Checks a verified payload: issuer, exp, nbf and iat as an ID token's, aud or azp (client_id, too) is us,
 * sub is the one of the session. FAULT_ACCESSTOKEN_REFUSED, whose detail names the rule. */
const fault_t *accesstoken_check(apr_pool_t *pool, text_t payload, const idtoken_rules *rules, text_t sub,
                                 const jval_t **claims) MUST_USE;

#endif
