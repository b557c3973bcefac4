/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#ifndef OIDC_SECRETFORM_H
#define OIDC_SECRETFORM_H

/* Forms that carry secrets: as url_form (base/url.h), but nothing of them stays behind in the pool's memory.
 */

#include <apr_pools.h>

#include "base/url.h"

/* Moves bytes that were just made, and that nobody else holds, into memory that is wiped with the pool; the
 * old place is overwritten now. */
text_t secretform_take(apr_pool_t *pool, text_t made);

/* Pairs as application/x-www-form-urlencoded; pairs whose value has a NULL `at` are left out. In the pool,
 * wiped with it. */
text_t secretform_make(apr_pool_t *pool, const url_pair *pairs, size_t count);

#endif
