/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_ENDSESSION_H
#define OIDC_ENDSESSION_H

/* The logout request to the provider (OpenID Connect RP-Initiated Logout 1.0 section 2). */

#include <apr_pools.h>

#include "base/text.h"

#define ENDSESSION_URL_MAX                                                                                   \
    8000 /* bytes; above it the id_token_hint is left out, since a cut URL would be worse */

typedef struct endsession {
    const char *endpoint;
    const char *client_id;
    text_t id_token; /* the hint; empty when there is none */
    const char *post_logout_redirect_uri;
    text_t state;
} endsession_t;

/* The URL that the browser is sent to, in the pool. */
text_t endsession_make(apr_pool_t *pool, const endsession_t *request);

#endif
