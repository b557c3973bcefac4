/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_CURLHTTP_H
#define BACKEND_CURLHTTP_H

/* The http port made real by libcurl. After failures in a row, or when calls pile up unanswered, an origin
 * rests for a moment: calls answer HTTP_RESTING at once, but for one now and then that finds out whether it
 * is back (curlbreaker.h). */

#include <apr_pools.h>

#include "backend/curlbreaker.h"
#include "port/http.h"

#define CURLHTTP_CALLS_DEFAULT 32

typedef struct curlhttp_settings {
    const char *ca_file; /* PEM file with the only authorities that are trusted; NULL: those of the system */
    const char *proxy; /* URL of a proxy for everything but loopback over http; NULL: none. The environment is
                          never read */
    int max_calls;     /* under way at the same time, further ones wait for up to a second and are HTTP_BUSY
                          then; 0: CURLHTTP_CALLS_DEFAULT */
    curlbreaker_t *breakers; /* borrowed; NULL: of its own */
    int scope; /* among those who share the breakers: another number for another proxy or trust */
} curlhttp_settings;

/* Makes the port in the httpd child, after the fork; it ends with the pool, when no call is under way any
 * more. The settings are copied. Initialises libcurl once per process and never cleans it up, since other
 * modules may use it too. Any thread may call. The program must ignore SIGPIPE, as httpd does. Never NULL:
 * where libcurl cannot be initialised every call is HTTP_UNREACHABLE. */
http_port *curlhttp_new(apr_pool_t *pool, const curlhttp_settings *settings);

#endif
