/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_CURLHANDLES_H
#define BACKEND_CURLHANDLES_H

/* Permits for calls, and the libcurl handles that come with them. */

#include <apr_pools.h>

#include <curl/curl.h>

#include "port/http.h"

typedef struct curlhandles curlhandles_t;

#define CURLHANDLES_WAIT_MS  ((int64_t)1000) /* the longest that a call waits for a permit */
#define CURLHANDLES_MOVES_MS ((int64_t)250)  /* after this without one coming back, few more join the wait */

/* At most max_calls handles in use at the same time, and one for a probe. Idle handles end with the pool.
 * Initialises libcurl once per process. Never NULL. */
curlhandles_t *curlhandles_new(apr_pool_t *pool, int max_calls);

/* HTTP_ANSWERED: *handle has default options, may have open connections, and is to be given back. Otherwise
 * HTTP_BUSY (no permit left) or HTTP_UNREACHABLE (libcurl does not work), *handle is NULL and *problem says
 * why. A probe may exceed the ceiling by one, since the others may all hang. Any thread may ask. */
http_rc curlhandles_take(curlhandles_t *handles, bool probe, CURL **handle, const char **problem);

/* Gives the handle and its permit back. It forgets all options, and with them every pointer to the caller's
 * memory. */
void curlhandles_give(curlhandles_t *handles, CURL *handle);

#endif
