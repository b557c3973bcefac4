/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_SCRUB_H
#define HTTPD_SCRUB_H

/* What clients may not say: names that the module could inject, in every spelling, wherever a client can put
 * them. */

#include <httpd.h>

/* Declares the filter for trailers; to be called while hooks are registered. */
void scrub_register(void);

/* Hook post_read_request: removes forbidden headers, takes their names out of Connection, and hides the
 * callback's query from everybody who comes later, the access log included. In every virtual host where
 * somebody can sign in, whatever the place. */
int scrub_request(request_rec *r);

/* Makes trailers that come behind the body harmless as well. To be called before the handler reads it. */
void scrub_trailers(request_rec *r);

#endif
