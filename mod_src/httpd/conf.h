/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_CONF_H
#define HTTPD_CONF_H

/* Directives as httpd sees them, and what hangs on its servers and places. */

#include <httpd.h>
#include <http_config.h>

#include "backend/curlbreaker.h"
#include "backend/storeurl.h"
#include "flow/env.h"
#include "flow/rp.h"
#include "flow/settings.h"

/* The one symbol that the module shows; httpd's own macro would leave it hidden. */
extern module AP_MODULE_DECLARE_DATA __attribute__((visibility("default"))) sso_module;

/* A server or virtual host. After the configuration was read only `env` changes, once in each child, before
 * it takes requests. */
typedef struct conf_server {
    server_settings *settings;
    bool own;                   /* did a directive stand in this server itself? */
    apr_array_header_t *places; /* of const place_settings *: those that directives of this server, or the
                                   main one, wrote to */

    apr_array_header_t *wanted; /* of const char *: claims that Require sso-claim names in them */

    /* by confcheck.c, for the server that it was made for */
    const rp_t *rp;                /* NULL: nobody signs in here */
    apr_array_header_t *forbidden; /* of const char *, see inject_collect */
    apr_array_header_t *prefixes;  /* of const char *, see inject_is_forbidden */
    apr_array_header_t *proxies;   /* of apr_ipsubnet_t *: SSOTrustProxy */
    store_url *store;              /* SSOStore, with a path where it is LMDB */

    /* by lifecycle.c */
    curlbreaker_t *breakers; /* of all servers, in the main one; made before the children are */
    const env_t *env;
} conf_server;

/* The command records, one a row of flow/settings.h. */
extern const command_rec conf_commands[];

/* httpd's four functions for configurations: conf_server for servers, place_settings for places. */
void *conf_create_server(apr_pool_t *pool, server_rec *server);
void *conf_merge_server(apr_pool_t *pool, void *outer, void *inner);
void *conf_create_place(apr_pool_t *pool, char *path);
void *conf_merge_place(apr_pool_t *pool, void *outer, void *inner);

/* The configuration of a server, of a request's server, of a request's place. Never NULL. */
conf_server *conf_of_server(const server_rec *server);
conf_server *conf_of(const request_rec *r);
const place_settings *conf_place(const request_rec *r);

#endif
