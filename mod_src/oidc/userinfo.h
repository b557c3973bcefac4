/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_USERINFO_H
#define OIDC_USERINFO_H

/* The userinfo answer (OpenID Connect Core 5.3.2). Signed or encrypted ones are refused: nobody asked for
 * them. */

#include <apr_pools.h>

#include "base/jval.h"
#include "oidc/answer.h"

#define USERINFO_MAX ((size_t)256 * 1024)

/* Reads the claims. `sub` is the one of the ID token and must be there, byte for byte; with a NULL `at`
 * (plain OAuth 2.0) nobody has vouched for a subject yet and none is compared. FAULT_USERINFO_REFUSED;
 * FAULT_USERINFO_SUBJECT when the subject is another or missing; FAULT_PROVIDER_DOWN for 5xx,
 * FAULT_PROVIDER_BUSY for 429. */
const fault_t *userinfo_read(apr_pool_t *pool, const answer_t *answer, text_t sub,
                             const jval_t **claims) MUST_USE;

#endif
