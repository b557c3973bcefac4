/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_GATHER_H
#define FLOW_GATHER_H

/* What is known of the user, gathered from the sources that SSOClaimsFrom names, each verified. */

#include "flow/verify.h"

typedef struct gather {
    const provider_t *provider;
    const tokens_t *tokens;
    const idtoken_t *idtoken; /* NULL with plain OAuth 2.0 */
    bool without_userinfo;    /* leave userinfo out */
} gather_t;

/* Gathers the claims, in the walk's pool. */
const fault_t *gather_claims(walk_t *walk, const gather_t *from, claim_list *claims) MUST_USE;

/* Does userinfo have to be asked, given what the other sources say? */
bool gather_wants_userinfo(const rp_t *rp, const claim_list *claims);

/* REMOTE_USER by SSOUser, in the pool; NULL when the claim is missing, empty, or does not fit into a header.
 */
const char *gather_user(const rp_t *rp, const env_t *env, apr_pool_t *pool, const claim_list *claims);

#endif
