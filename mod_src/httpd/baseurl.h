/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_BASEURL_H
#define HTTPD_BASEURL_H

/* The public address of the site that a request means. */

#include <httpd.h>

/* "https://host[:port]" without a default port: SSOBaseURL; else what the client named as host, where that is
 * ServerName or an exact ServerAlias and the port is the server's own or the connection's; else ServerName.
 * X-Forwarded-Proto, -Host and -Port count from peers in SSOTrustProxy only. In the request's pool; NULL when
 * the server has no name. */
const char *baseurl_of(request_rec *r);

#endif
