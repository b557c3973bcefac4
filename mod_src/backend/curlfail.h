/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_CURLFAIL_H
#define BACKEND_CURLFAIL_H

/* What libcurl's failures mean. */

#include <stdbool.h>

#include <apr_pools.h>

#include <curl/curl.h>

#include "port/http.h"

/* The answer of the port for a code other than CURLE_OK; `sent` tells whether the first byte of the request
 * may have gone out. Never HTTP_ANSWERED. */
http_rc curlfail_meaning(CURLcode code, bool sent);

/* A short printable text for the log: `error` (the handle's error buffer, may be empty) or libcurl's text for
 * the code, with a hint where this host itself forbade the connection. In the pool. */
const char *curlfail_text(CURL *handle, CURLcode code, const char *error, apr_pool_t *pool);

#endif
