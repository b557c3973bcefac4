/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_VISIT_H
#define FLOW_VISIT_H

/* A request as the flows see it: plain values, read once by httpd/visitread.c. Nothing in it changes. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"
#include "flow/settings.h"

typedef enum { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER } visit_method;

typedef struct visit {
    apr_pool_t *pool; /* lives as long as the request */
    visit_method method;
    const char
        *base_url;     /* public "https://host[:port]" of this site; NULL: the request names no usable host */
    bool https;        /* scheme of base_url */
    text_t path;       /* as sent by the client, still encoded, without query */
    text_t query;      /* `at` NULL where there is none */
    text_t cookies;    /* the Cookie headers, joined by "; " */
    text_t origin;     /* Origin header; empty where there is none, as the next six */
    text_t referer;    /* Referer */
    text_t fetch_mode; /* Sec-Fetch-Mode */
    text_t fetch_dest; /* Sec-Fetch-Dest */
    text_t fetch_site; /* Sec-Fetch-Site */
    text_t accept;     /* Accept */
    text_t purpose;    /* Sec-Purpose, Purpose, X-Moz: the first that is there */
    bool upgrade;      /* an Upgrade header */
    bool scripted;     /* an X-Requested-With header */
    text_t form;       /* body of a POST to one of our endpoints, at most 64 kB; empty otherwise */
    const place_settings *place;
} visit_t;

#endif
