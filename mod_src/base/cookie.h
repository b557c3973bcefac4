/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_COOKIE_H
#define BASE_COOKIE_H

/* The Cookie header read (RFC 6265 section 5.4) and Set-Cookie lines written. Names are compared byte for
 * byte; a quoted value keeps its quotes and therefore never equals one of ours; $Version is a cookie like any
 * other. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"

#define COOKIE_PAIRS_MAX 200 /* cookies of a request that are looked at */

/* Walks a Cookie header: start with *rest = the header, goes on until false. Pairs without '=' are skipped.
 * Name and value are trimmed slices of the header. */
bool cookie_next(text_t *rest, text_t *name, text_t *value);

typedef enum { COOKIE_FOUND, COOKIE_ABSENT, COOKIE_TWICE } cookie_rc;

/* The value of the one cookie with this name. COOKIE_TWICE: more than one, none of which may be trusted.
 * *value is the empty slice (`at` NULL) unless COOKIE_FOUND. */
cookie_rc cookie_find(text_t header, text_t name, text_t *value);

/* The header without the cookies whose name is `name` or starts with `prefix` (NULL `at`: no prefix); every
 * other byte stays, in order. Empty when nothing is left. In the pool, or the header itself when nothing was
 * removed. */
text_t cookie_without(apr_pool_t *pool, text_t header, text_t name, text_t prefix);

typedef struct cookie_rules {
    const char *domain;    /* NULL: host-only */
    const char *path;      /* never NULL */
    const char *same_site; /* "Lax", "Strict" or "None" */
    bool secure;
} cookie_rules;

/* One Set-Cookie value, always HttpOnly. `max_age` in seconds; negative: a session cookie without Max-Age; 0:
 * expire it now. Name and value are ours and hold cookie-octets only. In the pool. */
const char *cookie_line(apr_pool_t *pool, const char *name, text_t value, int64_t max_age,
                        const cookie_rules *rules);

#endif
