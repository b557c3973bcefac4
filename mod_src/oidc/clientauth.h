/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_CLIENTAUTH_H
#define OIDC_CLIENTAUTH_H

/* Who we are at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core section 9). */

#include <apr_pools.h>

#include "base/fault.h"
#include "oidc/provider.h"

typedef enum {
    CLIENTAUTH_FROM_METADATA,
    CLIENTAUTH_BASIC,
    CLIENTAUTH_POST,
    CLIENTAUTH_NONE
} clientauth_method;

typedef struct client {
    const char *id;
    text_t secret; /* empty for a public client */
    clientauth_method method;
} client_t;

/* The method that is used: the configured one; otherwise basic where the provider takes it, then post; none
 * for a client without a secret. FAULT_PROVIDER_UNSUITABLE when nothing fits. */
const fault_t *clientauth_choose(apr_pool_t *pool, const client_t *client, const provider_t *provider,
                                 clientauth_method *method) MUST_USE;

/* The value of an Authorization header for basic: id and secret form-encoded, then base64 (RFC 6749
 * section 2.3.1). In the pool, wiped with it. */
const char *clientauth_basic(apr_pool_t *pool, const client_t *client);

#endif
