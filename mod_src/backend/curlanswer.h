/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_CURLANSWER_H
#define BACKEND_CURLANSWER_H

/* Collects one HTTP answer from libcurl's callbacks, under ceilings. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#include "port/http.h"

#define CURLANSWER_HEADER_BYTES                                                                              \
    ((size_t)64 * 1024)             /* of all header lines together, interim answers and trailers included */
#define CURLANSWER_HEADER_LINES 200 /* likewise */

typedef struct curlanswer {
    apr_pool_t *scratch; /* everything lies here, and what is body is wiped with it */
    size_t body_max;     /* bytes */
    char *body;          /* NULL while nothing has come */
    size_t body_len;
    size_t body_room;
    size_t header_bytes;
    size_t header_lines;
    bool in_block; /* between a status line and its empty line */
    bool interim;  /* the block belongs to a 1xx answer */
    bool ended;    /* the final block is over: further lines are trailers */
    const char *content_type;
    int64_t retry_after;
    const char *problem; /* why the callbacks gave up, or NULL */
    http_rc gave_up;     /* HTTP_TOO_LARGE or HTTP_BROKEN when there is a problem */
} curlanswer_t;

/* An answer of which nothing has come yet; at most body_max bytes of body. */
void curlanswer_init(curlanswer_t *answer, apr_pool_t *scratch, size_t body_max);

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; `answer` is the curlanswer_t. They take all bytes, or
 * none to give up. */
size_t curlanswer_header(char *at, size_t size, size_t count, void *answer);
size_t curlanswer_body(char *at, size_t size, size_t count, void *answer);

#endif
