/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_STOREURL_H
#define BACKEND_STOREURL_H

/* The value of SSOStore, read: which backend, where it is, and its two numbers. Pure; nothing is opened or
 * looked up. */

#include <stdint.h>

#include <apr_pools.h>

#include "base/text.h"

#define STOREURL_SERVERS_MAX 16
#define STOREURL_PORT        11211 /* where none is given */
#define STOREURL_TIMEOUT_MS  250
#define STOREURL_SIZE        ((int64_t)256 * 1024 * 1024)

typedef enum {
    STOREURL_SERVERS, /* memcached over TCP: `servers` has at least one */
    STOREURL_SOCKET,  /* memcached behind the unix socket at `path` */
    STOREURL_LMDB     /* an LMDB file at `path`, or NULL where the caller knows the place */
} store_scheme;

typedef struct store_server {
    const char *host; /* a name, an IPv4 address, or an IPv6 address without brackets; lower case */
    int port;
} store_server;

typedef struct store_url {
    store_scheme scheme;
    store_server *servers;
    int server_count;
    int64_t timeout_ms; /* of memcached: for one verb, whatever happens in it */
    const char *path;
    int64_t size; /* of LMDB: bytes that the file may grow to */
} store_url;

/* Reads `memcached://host[:port][,host[:port]...][?timeout=250ms]`, `memcached:///path.sock[?timeout=250ms]`
 * or `lmdb:[/path][?size=256m]` into the pool. Ranges: port 1-65535, timeout 10ms-5s, size 1m-64g. Answers
 * NULL, or a sentence (in the pool, printable) that says what is wrong and what would be right. */
const char *storeurl_read(apr_pool_t *pool, text_t text, store_url *url) __attribute__((warn_unused_result));

#endif
