/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_HTTP_H
#define PORT_HTTP_H

/* One HTTP exchange with a provider: sent at most once, never redirected, ended at a total deadline. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "base/text.h"

#define HTTP_BODY_MAX ((size_t)1024 * 1024) /* bytes of an answer that are read at all */

typedef struct http_request {
    const char *url; /* https, or http on loopback; anything else answers HTTP_REFUSED */
    text_t form;     /* application/x-www-form-urlencoded body of a POST; `at` NULL makes a GET. Wiped by the
                        caller */
    const char *authorization; /* whole value of the Authorization header, or NULL */
    const char *accept;        /* value of the Accept header, or NULL for application/json */
    size_t body_max;           /* bytes, at most HTTP_BODY_MAX */
    int64_t deadline_ms;       /* for everything from name resolution to the last byte */
} http_request;

typedef struct http_answer {
    int status;
    text_t body;              /* in the caller's pool, wiped with it */
    const char *content_type; /* "" when there is none */
    int64_t retry_after; /* seconds, from Retry-After as a number of seconds; -1 when there is none; capped at
                            3600 */
    bool sent;           /* the request may have been read, whatever came back; otherwise it surely was not */
} http_answer;

typedef enum {
    HTTP_ANSWERED,    /* with whatever status */
    HTTP_UNREACHABLE, /* no connection: the request was surely not read */
    HTTP_BROKEN,      /* connection lost, too slow, or nonsense after the request may have been read */
    HTTP_UNTRUSTED,   /* TLS: nothing of the request was sent */
    HTTP_TOO_LARGE,   /* body or headers above their ceilings; given up */
    HTTP_BUSY,        /* too many calls under way in this process; nothing was sent */
    HTTP_RESTING, /* the provider is sick, and others are finding out whether it is back; nothing was sent */
    HTTP_REFUSED  /* URL or request that must not be sent */
} http_rc;

typedef struct http_port http_port;

struct http_port {
    /* A POST always uses a fresh connection that is closed behind it; a GET may reuse one. *problem gets a
     * short text for the log (never the body, never a secret) whenever the answer is not HTTP_ANSWERED. */
    http_rc (*call)(http_port *http, const http_request *request, apr_pool_t *pool, http_answer *answer,
                    const char **problem);
    /* Would a call to where the URL points be HTTP_RESTING now? Never waits, changes nothing. */
    bool (*rests)(http_port *http, const char *url, apr_pool_t *pool);
    /* Milliseconds since somebody was served by what the URL points to, as far as this host knows; -1: nobody
     * yet. */
    int64_t (*served_ago)(http_port *http, const char *url, apr_pool_t *pool);
};

#endif
