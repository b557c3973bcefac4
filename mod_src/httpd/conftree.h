/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_CONFTREE_H
#define HTTPD_CONFTREE_H

/* Facts that stand in httpd's configuration tree and nowhere else while it is being checked. */

#include <stdbool.h>

#include <httpd.h>
#include <util_cfgtree.h>

/* The first `AuthType SSO` in a virtual host, or outside of all of them for the main server; NULL when there
 * is none. */
const ap_directive_t *conftree_auth_sso(const server_rec *server);

/* Will the server speak TLS itself? By SSLEngine, by the scheme in ServerName, by its port. */
bool conftree_https(const server_rec *server);

#endif
