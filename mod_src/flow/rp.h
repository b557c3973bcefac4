/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_RP_H
#define FLOW_RP_H

/* Settings resolved into one finished, immutable relying party: cross-checked, keys made, rows compiled. Made
 * when httpd reads its configuration (also by `httpd -t`), read by all threads. */

#include <apr_pools.h>

#include "flow/settings.h"
#include "port/pattern.h"

typedef struct rp rp_t;

/* What the host knows of the site that the settings are for. */
typedef struct rp_site {
    const char *server_name; /* "host" or "host:port" */
    bool https;              /* does the virtual host speak TLS itself? */
    const pattern_port *pattern;
    const apr_array_header_t
        *wanted; /* of const char *: claims that places and Require rules of this host name; NULL: none */
} rp_site;

/* Makes the relying party, or answers a sentence that names directive, fault and cure. Everything lies in the
 * pool. */
const char *rp_make(apr_pool_t *pool, const server_settings *settings, const rp_site *site,
                    const rp_t **rp) MUST_USE;

/* The settings that it was made from, for the rooms that wire ports. */
const server_settings *rp_settings(const rp_t *rp);

/* Is it a path of the module's own: SSOPath itself or below? `path` as sent by the client. */
bool rp_owns(const rp_t *rp, text_t path);

/* Name of the session cookie, and what the names of ticket cookies begin with, on http or https. */
const char *rp_cookie_name(const rp_t *rp, bool https);
const char *rp_ticket_prefix(const rp_t *rp, bool https);

#endif
