/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Scopes are compared word by word; the list that a session keeps is the one that the provider has granted
 * last. */

#include "flow/scopes.h"

static bool is_granted(text_t granted, text_t scope)
{
    text_t part;
    while (text_cut(&granted, ' ', &part)) {
        if (text_equal(part, scope))
            return true;
    }
    return false;
}

const fault_t *scopes_check(const rp_t *rp, apr_pool_t *pool, text_t granted)
{
    const apr_array_header_t *required = rp->required_scopes;
    for (int i = 0; required != NULL && i < required->nelts && granted.at != NULL; i++) {
        const char *scope = ((const char **)required->elts)[i];
        if (!is_granted(granted, text_of(scope)))
            return fault_make(pool, FAULT_SCOPE_MISSING, "the provider did not grant %s", scope);
    }
    return NULL;
}
