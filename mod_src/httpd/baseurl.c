/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Where this site is, seen from the browser. A Host header is what a stranger says: it chooses among the
 * names that the administrator wrote down and adds none, wildcards included, since redirect URIs and cookies
 * hang on it. mod_remoteip's view of the client is not asked: what counts is who is at the other end of the
 * connection. */

#include "httpd/baseurl.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "base/text.h"
#include "httpd/conf.h"

/* What the request claims about its address, before anything is believed. */
typedef struct address {
    bool https;
    text_t host; /* `at` NULL where none is named */
    int port;    /* 0: the scheme's own */
    bool proxied;
} address_t;

static bool from_trusted_proxy(const request_rec *r, const conf_server *conf)
{
    for (int i = 0; conf->proxies != NULL && i < conf->proxies->nelts; i++)
        if (apr_ipsubnet_test(APR_ARRAY_IDX(conf->proxies, i, apr_ipsubnet_t *), r->connection->client_addr))
            return true;
    return false;
}

/* The last element of a list header: the one that the trusted peer itself added. */
static text_t last_element(const request_rec *r, const char *name)
{
    text_t value = text_of(apr_table_get(r->headers_in, name));
    size_t from = value.len;
    while (from > 0 && value.at[from - 1] != ',')
        from--;
    return text_trim(text_from(value, from));
}

static int default_port(bool https)
{
    return https ? 443 : 80;
}

/* "host:port", with brackets kept. */
static void split_host(text_t value, address_t *address)
{
    size_t end = value.len;
    while (end > 0 && value.at[end - 1] >= '0' && value.at[end - 1] <= '9')
        end--;
    int64_t port = 0;
    if (end > 0 && value.at[end - 1] == ':' && text_number(text_from(value, end), 65535, &port))
        value.len = end - 1;
    address->host = value;
    address->port = (int)port;
}

static void read_forwarded(const request_rec *r, address_t *address)
{
    text_t proto = last_element(r, "X-Forwarded-Proto");
    text_t host = last_element(r, "X-Forwarded-Host");
    text_t port = last_element(r, "X-Forwarded-Port");
    int64_t number = 0;
    if (proto.len > 0) {
        address->https = text_equal_nocase(proto, TEXT("https"));
        address->proxied = true;
    }
    if (host.len > 0) {
        split_host(host, address);
        address->proxied = true;
    }
    if (port.len > 0 && text_number(port, 65535, &number) && number > 0) {
        address->port = (int)number;
        address->proxied = true;
    }
}

static bool is_own_name(const server_rec *server, text_t host)
{
    if (server->server_hostname != NULL && text_equal_nocase(host, text_of(server->server_hostname)))
        return true;
    for (int i = 0; server->names != NULL && i < server->names->nelts; i++)
        if (text_equal_nocase(host, text_of(APR_ARRAY_IDX(server->names, i, const char *))))
            return true;
    return false;
}

static bool is_own_port(const request_rec *r, const address_t *address)
{
    int port = address->port == 0 ? default_port(address->https) : address->port;
    return address->proxied || port == r->server->port || port == r->connection->local_addr->port;
}

/* ServerName, where the request names no address of ours. */
static void use_server_name(const request_rec *r, address_t *address)
{
    address->host = text_of(r->server->server_hostname);
    if (!address->proxied)
        address->port = r->server->port != 0 ? r->server->port : r->connection->local_addr->port;
}

static const char *written(request_rec *r, const address_t *address)
{
    bool bare6 = text_find(address->host, ':') < address->host.len && address->host.at[0] != '[';
    bool plain = address->port == 0 || address->port == default_port(address->https);
    char *host = apr_psprintf(r->pool, "%s%.*s%s", bare6 ? "[" : "", (int)address->host.len, address->host.at,
                              bare6 ? "]" : "");
    ap_str_tolower(host);
    return apr_psprintf(r->pool, plain ? "%s://%s" : "%s://%s:%d", address->https ? "https" : "http", host,
                        address->port);
}

const char *baseurl_of(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    if (conf->settings->base_url != NULL)
        return conf->settings->base_url;
    address_t address = {.https = strcmp(ap_http_scheme(r), "https") == 0, .host = text_of(r->hostname)};
    address.port = r->parsed_uri.port_str == NULL ? 0 : r->parsed_uri.port;
    if (from_trusted_proxy(r, conf))
        read_forwarded(r, &address);
    if (!is_own_name(r->server, address.host) || !is_own_port(r, &address))
        use_server_name(r, &address);
    return address.host.len == 0 ? NULL : written(r, &address);
}
