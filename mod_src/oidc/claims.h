/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_CLAIMS_H
#define OIDC_CLAIMS_H

/* From JSON objects to the flat sorted list that a session keeps (base/claim.h). */

#include <apr_pools.h>

#include "base/claim.h"
#include "base/fault.h"
#include "base/jval.h"

#define CLAIMS_MAX 1000 /* entries */

typedef enum { CLAIMS_FROM_IDTOKEN, CLAIMS_FROM_USERINFO, CLAIMS_FROM_ACCESS } claims_origin;

typedef struct claims_source {
    claims_origin origin;
    const jval_t *object; /* verified; NULL: skipped */
} claims_source;

/* Merges top level members: an earlier source wins, and what vouches for the token itself (iss, sub, aud,
 * azp, sid, auth_time, acr, amr) is taken from the ID token alone wherever it stands in the list (without
 * one: from the first source that is there). Left out, since it serves a protocol step and goes stale: exp,
 * iat, nbf, nonce, jti, typ, at_hash, c_hash, s_hash, session_state, and _claim_names with _claim_sources,
 * which are never followed. Result in the pool, texts borrowed from the objects where they can be.
 * FAULT_IDTOKEN_CLAIMS for names with CLAIM_STEP or control bytes, and above CLAIMS_MAX entries. */
const fault_t *claims_collect(apr_pool_t *pool, const claims_source *sources, size_t count,
                              claim_list *claims) MUST_USE;

/* Is the claim one that the provider left out and points to instead (_claim_names, Entra's group overage)? */
bool claims_points_elsewhere(const jval_t *object, text_t name);

#endif
