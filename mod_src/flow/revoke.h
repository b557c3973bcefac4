/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_REVOKE_H
#define FLOW_REVOKE_H

/* Tokens that nobody will use are given back to the provider (RFC 7009). */

#include "flow/issuer.h"
#include "oidc/tokenresp.h"

/* Revokes the refresh token, or else the access token, when there is one and the provider has an endpoint for
 * it. Best effort, two seconds at most; a failure is not an error. */
void revoke_tokens(walk_t *walk, const provider_t *provider, const tokens_t *tokens);

#endif
