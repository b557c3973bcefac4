/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_URL_H
#define BASE_URL_H

/* Absolute http(s) URLs, origins, and the query and form syntax. The parser accepts less than browsers do, so
 * that no two readers can disagree about where a URL leads. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"

#define URL_MAX 8192 /* bytes of a URL that is read at all */

typedef struct url {
    bool https;
    text_t host;     /* lower case letters, digits, '-', '.', or a bracketed IPv6 address; never empty */
    int port;        /* 443 or 80 where the URL names none */
    text_t path;     /* "/" or longer, as written */
    text_t query;    /* without '?'; `at` is NULL where there is none */
    text_t fragment; /* without '#'; `at` is NULL where there is none */
} url_t;

/* Reads an absolute URL: http or https, no userinfo, only RFC 3986 characters, no backslash, at most URL_MAX
 * bytes. Slices point into `text`, but for the host, which is lower-cased in the pool. Answers false on
 * anything else. */
bool url_read(apr_pool_t *pool, text_t text, url_t *url);

/* Same scheme, host and port (RFC 6454 section 5)? */
bool url_same_origin(const url_t *one, const url_t *other);

/* "https://host[:port]" without a default port, in the pool. */
text_t url_origin(apr_pool_t *pool, const url_t *url);

/* Is the host loopback: localhost, 127.0.0.0/8 or [::1]? Only there is http:// accepted for a provider. */
bool url_is_loopback(const url_t *url);

/* A path that stays on its origin when a browser resolves it: starts with one '/', then no second '/' or '\',
 * no control byte, space or non-ASCII byte, no "%5c" or "%2f" as its second character, no '\' before its
 * query, no broken escape, no fragment; at most URL_MAX bytes. */
bool url_is_local(text_t path_and_query);

/* A name and value of a query or a form. */
typedef struct url_pair {
    text_t name;
    text_t value;
} url_pair;

#define URL_PAIRS_MAX 64 /* pairs of a query or form that are read at all */

typedef enum { URL_FOUND, URL_ABSENT, URL_REFUSED } url_rc;

/* Looks up one parameter of a raw query or form body, decoded in the pool. URL_REFUSED: it is there twice,
 * its escapes are broken, or there are more than URL_PAIRS_MAX pairs. Names are compared after decoding.
 * *value is the empty slice (`at` NULL) unless URL_FOUND. */
url_rc url_parameter(apr_pool_t *pool, text_t query, const char *name, text_t *value);

/* Pairs as a query or form body ("a=1&b=2"), encoded as application/x-www-form-urlencoded, in the pool; pairs
 * whose value has a NULL `at` are left out. `count` pairs. */
text_t url_form(apr_pool_t *pool, const url_pair *pairs, size_t count);

/* A URL with a query appended: '?' or '&' as needed, before no fragment (endpoints have none). In the pool.
 */
text_t url_with_query(apr_pool_t *pool, text_t url, text_t query);

#endif
