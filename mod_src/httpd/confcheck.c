/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Cross-checks. A misconfiguration must stop httpd, never leave a place open; all errors of all hosts are
 * told at once. Settings may stand in the main server to be shared by virtual hosts, which alone say
 * SSOIssuer: hence the question who needs one. */

#include "httpd/confcheck.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <http_config.h>

#include "httpd/conf.h"
#include "httpd/conftree.h"
#include "httpd/logbridge.h"
#include "httpd/pattern.h"
#include "flow/inject.h"

/* What the check of one server needs. */
typedef struct check {
    apr_pool_t *pool;
    server_rec *server;
    conf_server *conf;
} check_t;

static const char *host_label(apr_pool_t *pool, const server_rec *server)
{
    const char *name = server->server_hostname == NULL ? "(no ServerName)" : server->server_hostname;
    if (!server->is_virtual)
        return apr_psprintf(pool, "main server %s", name);
    return apr_psprintf(pool, "virtual host %s (%s:%u)", name,
                        server->defn_name == NULL ? "?" : server->defn_name, server->defn_line_number);
}

/* One line for the console and the log. Always false. */
static bool complain(const check_t *check, const char *sentence)
{
    logbridge_config(check->server,
                     apr_psprintf(check->pool, "%s: %s", host_label(check->pool, check->server), sentence));
    return false;
}

static void collect_names(const check_t *check)
{
    conf_server *conf = check->conf;
    conf->forbidden = apr_array_make(check->pool, 32, sizeof(const char *));
    conf->prefixes = apr_array_make(check->pool, 2, sizeof(const char *));
    place_settings *usual = settings_place_new(check->pool);
    inject_collect(conf->forbidden, conf->settings, usual);
    APR_ARRAY_PUSH(conf->prefixes, const char *) = inject_variant(check->pool, usual->claim_prefix);
    for (int i = 0; i < conf->places->nelts; i++) {
        const place_settings *place = APR_ARRAY_IDX(conf->places, i, const place_settings *);
        inject_collect(conf->forbidden, conf->settings, place);
        if (place->given[PLACE_claim_prefix])
            APR_ARRAY_PUSH(conf->prefixes, const char *) = inject_variant(check->pool, place->claim_prefix);
    }
}

static bool read_proxies(const check_t *check)
{
    const apr_array_header_t *given = check->conf->settings->trust_proxy;
    check->conf->proxies = apr_array_make(check->pool, 2, sizeof(apr_ipsubnet_t *));
    for (int i = 0; given != NULL && i < given->nelts; i++) {
        char *address = apr_pstrdup(check->pool, APR_ARRAY_IDX(given, i, const char *));
        char *mask = strchr(address, '/');
        apr_ipsubnet_t *net = NULL;
        if (mask != NULL)
            *mask++ = '\0';
        if (apr_ipsubnet_create(&net, address, mask, check->pool) != APR_SUCCESS)
            return complain(check, apr_psprintf(check->pool,
                                                "SSOTrustProxy: '%s' is not an IP address or network; write "
                                                "192.0.2.7 or 192.0.2.0/24",
                                                APR_ARRAY_IDX(given, i, const char *)));
        APR_ARRAY_PUSH(check->conf->proxies, apr_ipsubnet_t *) = net;
    }
    return true;
}

static bool read_store(const check_t *check)
{
    store_url *url = apr_pcalloc(check->pool, sizeof(*url));
    const char *wrong = storeurl_read(check->pool, text_of(check->conf->settings->store), url);
    if (wrong != NULL)
        return complain(check, apr_pstrcat(check->pool, "SSOStore: ", wrong, NULL));
    if (url->scheme == STOREURL_LMDB && url->path == NULL)
        url->path = ap_runtime_dir_relative(check->pool, "sso-sessions.lmdb");
    check->conf->store = url;
    return true;
}

static void add_claims(apr_array_header_t *wanted, const apr_array_header_t *rows)
{
    for (int i = 0; rows != NULL && i < rows->nelts; i++)
        APR_ARRAY_PUSH(wanted, const char *) = APR_ARRAY_IDX(rows, i, claim_row).claim;
}

/* The claims that this host's places ask for by name. */
static const apr_array_header_t *wanted_claims(const check_t *check)
{
    const conf_server *conf = check->conf;
    apr_array_header_t *wanted = apr_array_copy(check->pool, conf->wanted);
    for (int i = 0; i < conf->places->nelts; i++) {
        const place_settings *place = APR_ARRAY_IDX(conf->places, i, const place_settings *);
        add_claims(wanted, place->headers);
        add_claims(wanted, place->variables);
    }
    return wanted;
}

static bool make_rp(const check_t *check)
{
    const server_rec *server = check->server;
    const char *name = server->server_hostname;
    rp_site site = {
        .https = conftree_https(server), .pattern = pattern_port_get(), .wanted = wanted_claims(check)};
    site.server_name = server->port == 0 ? name : apr_psprintf(check->pool, "%s:%d", name, server->port);
    if (name == NULL && check->conf->settings->base_url == NULL)
        return complain(check, "ServerName is missing; add it, or SSOBaseURL");
    const char *wrong = rp_make(check->pool, check->conf->settings, &site, &check->conf->rp);
    return wrong == NULL ? true : complain(check, wrong);
}

static bool has_issuer(const server_rec *server)
{
    return conf_of_server(server)->settings->given[SERVER_issuer];
}

static bool any_host_has_issuer(const server_rec *main_server)
{
    for (const server_rec *server = main_server; server != NULL; server = server->next)
        if (has_issuer(server))
            return true;
    return false;
}

/* A server without SSOIssuer is fine when it wants none. */
static bool check_without_issuer(const check_t *check, const server_rec *main_server)
{
    if (!check->server->is_virtual && any_host_has_issuer(main_server))
        return true;
    const ap_directive_t *used = conftree_auth_sso(check->server);
    if (used != NULL)
        return complain(
            check, apr_psprintf(check->pool,
                                "AuthType SSO is used in %s:%d, but SSOIssuer is missing; add SSOIssuer, "
                                "SSOClientID and SSOClientSecret to this server",
                                used->filename, used->line_num));
    if (check->conf->own)
        return complain(check,
                        "there are SSO directives, but SSOIssuer is missing; add SSOIssuer, SSOClientID and "
                        "SSOClientSecret, or remove them");
    return true;
}

static bool check_server(const check_t *check, const server_rec *main_server)
{
    if (!has_issuer(check->server))
        return check_without_issuer(check, main_server);
    bool fine = read_store(check);
    fine &= read_proxies(check);
    collect_names(check);
    fine &= make_rp(check);
    return fine;
}

int confcheck_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    bool fine = true;
    (void)plog;
    (void)ptemp;
    for (server_rec *server = main_server; server != NULL; server = server->next) {
        check_t check = {pconf, server, conf_of_server(server)};
        fine &= check_server(&check, main_server);
    }
    return fine ? OK : !OK;
}
