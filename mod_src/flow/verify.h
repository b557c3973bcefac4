/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_VERIFY_H
#define FLOW_VERIFY_H

/* Tokens verified: signature by the provider's keys (fetched anew once when a key is unknown), then the
 * rules. */

#include "flow/issuer.h"
#include "oidc/idtoken.h"
#include "oidc/tokenresp.h"

/* Verifies an ID token. `nonce` with a NULL `at` is not compared. */
const fault_t *verify_idtoken(walk_t *walk, const provider_t *provider, const tokens_t *tokens, text_t nonce,
                              idtoken_t *idtoken) MUST_USE;

/* Verifies an access token that is a JWT meant for us. */
const fault_t *verify_accesstoken(walk_t *walk, const provider_t *provider, text_t token, text_t sub,
                                  const jval_t **claims) MUST_USE;

#endif
