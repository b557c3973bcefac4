/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_PROVIDER_H
#define OIDC_PROVIDER_H

/* What a provider says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2), and what the
 * administrator says instead. Immutable once made. */

#include <apr_pools.h>

#include "base/fault.h"
#include "base/text.h"
#include "jose/alg.h"

#define PROVIDER_DOCUMENT_MAX ((size_t)256 * 1024)

typedef struct provider {
    const char *issuer;
    const char *authorization; /* URLs; NULL where the provider has none */
    const char *token;
    const char *userinfo;
    const char *jwks;
    const char *end_session;
    const char *revocation;
    bool iss_promised; /* authorization_response_iss_parameter_supported (RFC 9207) */
    bool allows_basic; /* token_endpoint_auth_methods_supported; basic when it says nothing */
    bool allows_post;
    bool allows_public;   /* "none" */
    bool refuses_s256;    /* code_challenge_methods_supported is there and lacks S256 */
    alg_set idtoken_algs; /* what it signs ID tokens with and we accept; RS256 when it says nothing */
} provider_t;

/* Endpoints that the administrator wrote down; NULL where the metadata decides. */
typedef struct provider_endpoints {
    const char *authorization, *token, *userinfo, *jwks, *end_session, *revocation;
} provider_endpoints;

/* Where the metadata lie: issuer without a final slash, then "/.well-known/openid-configuration". In the
 * pool. */
const char *provider_discovery_url(apr_pool_t *pool, const char *issuer);

/* Reads a discovery document. `issuer` in it must equal ours byte for byte; every URL must be https, without
 * userinfo and fragment, or http on loopback when the issuer is that too. FAULT_METADATA_INVALID, whose
 * detail names the member. */
const fault_t *provider_read(apr_pool_t *pool, text_t document, const char *issuer,
                             provider_t *provider) MUST_USE;

/* A provider known from SSOEndpoint alone: no document, all client authentication methods allowed, ID tokens
 * by any algorithm. */
void provider_without_document(const char *issuer, provider_t *provider);

/* Lays the administrator's endpoints over it. */
void provider_override(provider_t *provider, const provider_endpoints *endpoints);

#endif
