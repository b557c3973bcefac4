/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_RPINSIDE_H
#define FLOW_RPINSIDE_H

/* The inside of a relying party, for the files of this room only; httpd sees flow/rp.h. Immutable once made.
 */

#include "flow/rp.h"
#include "jose/seal.h"
#include "oidc/clientauth.h"
#include "oidc/provider.h"
#include "session/session.h"

struct rp {
    const server_settings *settings;
    bool plain_oauth; /* no openid among the scopes: no ID token */
    bool discovers;   /* metadata are fetched; otherwise SSOEndpoint says all */
    client_t client;
    provider_endpoints endpoints;
    const char *issuer_name; /* names snapshots of this issuer in the shared port */
    const char *keys_name;
    const seal_ring *ring;
    const char *ticket_prefix_https; /* what the names of ticket cookies begin with */
    const char *ticket_prefix_http;
    text_t space; /* namespace of sessions and tickets: issuer, client, scheme, host or cookie domain */
    refresh_rules refresh;
    uint32_t lease_seconds;           /* longer than a call to the provider may take */
    int64_t http_ms;                  /* deadline of such a call */
    const pattern_t *user_pattern;    /* NULL: the claim as it is */
    const apr_array_header_t *wanted; /* of const char *: claims whose absence makes userinfo be asked */
    const apr_array_header_t *required_scopes; /* of const char *; NULL: none */
    text_t template;
    const char *page_policy; /* Content-Security-Policy of pages */
};

#endif
