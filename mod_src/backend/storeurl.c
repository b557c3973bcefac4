/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* One small grammar, cut from left to right: scheme, place, parameters. Hand-made instead of apr_uri_parse,
 * which takes no list of hosts and lets ports such as "80x" or "-1" pass; and instead of libmemcached's own
 * option strings, which could switch on what the store must never do (binary protocol, UDP, ejecting
 * servers). */

#include <string.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include <apr_strings.h>

#include "backend/storeurl.h"

#define SHOWN_MAX  ((size_t)80) /* bytes of a bad value that a message repeats */
#define HOST_MAX   ((size_t)253)
#define LABEL_MAX  ((size_t)63)
#define SOCKET_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define PATH_ROOM  ((size_t)4000) /* below PATH_MAX, as names are derived from it */

static const char *shown(apr_pool_t *pool, text_t text)
{
    return text_loggable(pool, text, SHOWN_MAX);
}

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

/* A number with one of the units, multiplied out. False: no number, no unit, or out of range. */
static bool measure(text_t text, const unit *units, int64_t least, int64_t most, int64_t *value)
{
    for (; units->name; units++) {
        text_t name = text_of(units->name);
        text_t digits = text;
        if (!text_ends(text, name)) {
            continue;
        }
        digits.len -= name.len;
        if (text_number(digits, most / units->factor, value)) {
            *value *= units->factor;
            return *value >= least;
        }
    }
    return false;
}

static const char *timeout_read(apr_pool_t *pool, text_t value, store_url *url)
{
    static const unit units[] = {{"ms", 1}, {"s", 1000}, {NULL, 0}};
    if (!measure(value, units, 10, 5000, &url->timeout_ms)) {
        return apr_psprintf(pool, "timeout '%s' is not a time between 10ms and 5s, such as timeout=250ms",
                            shown(pool, value));
    }
    return NULL;
}

static const char *size_read(apr_pool_t *pool, text_t value, store_url *url)
{
    static const unit units[] = {{"m", 1024 * 1024}, {"g", 1024 * 1024 * 1024}, {NULL, 0}};
    const int64_t mega = 1024 * 1024;
    if (!measure(value, units, mega, 64 * 1024 * mega, &url->size)) {
        return apr_psprintf(pool, "size '%s' is not a size between 1m and 64g, such as size=256m",
                            shown(pool, value));
    }
    return NULL;
}

/* The one parameter that a scheme knows, at most once. `query` is what follows the question mark. */
static const char *parameter_read(apr_pool_t *pool, text_t query, store_url *url)
{
    const bool lmdb = url->scheme == STOREURL_LMDB;
    const char *known = lmdb ? "size" : "timeout";
    text_t name;
    text_t value = query;
    if (text_find(query, '&') < query.len) {
        return apr_psprintf(pool, "'%s' has more than one parameter; there is only %s=", shown(pool, query),
                            known);
    }
    if (!text_cut(&value, '=', &name) || !text_equal(name, text_of(known)) || value.at == NULL) {
        return apr_psprintf(pool, "parameter '%s' is unknown; there is only %s=", shown(pool, query), known);
    }
    return lmdb ? size_read(pool, value, url) : timeout_read(pool, value, url);
}

static const char *path_read(apr_pool_t *pool, text_t path, size_t longest, store_url *url)
{
    if (text_has_control(path) || !text_is_utf8(path)) {
        return apr_psprintf(pool, "path '%s' contains bytes that no file name here may have",
                            shown(pool, path));
    }
    if (path.len > longest) {
        return apr_psprintf(pool, "path '%s' is longer than %" APR_SIZE_T_FMT " bytes", shown(pool, path),
                            longest);
    }
    if (path.len < 2 || text_ends(path, TEXT("/"))) {
        return apr_psprintf(pool, "path '%s' does not name a file", shown(pool, path));
    }
    url->path = text_string(pool, path);
    return NULL;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Underscores are no part of a host name (RFC 1123), but container networks give such names. */
static bool is_label(text_t label)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.at[0] == '-' || label.at[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_alnum(label.at[i]) && label.at[i] != '-' && label.at[i] != '_') {
            return false;
        }
    }
    return true;
}

static bool is_address(apr_pool_t *pool, int family, text_t text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *string = text_string(pool, text);
    return string != NULL && inet_pton(family, string, bytes) == 1;
}

/* A last label that begins with a digit makes it an IPv4 address or nothing: resolvers take 127.1 and 0x7f.1
 * for addresses, too. */
static bool is_host(apr_pool_t *pool, text_t host)
{
    text_t rest = host;
    text_t label;
    bool digits = false;
    if (host.len == 0 || host.len > HOST_MAX) {
        return false;
    }
    while (text_cut(&rest, '.', &label)) {
        if (!is_label(label)) {
            return false;
        }
        digits = label.at[0] >= '0' && label.at[0] <= '9';
    }
    return !digits || is_address(pool, AF_INET, host);
}

/* Parts host and port; *port gets the text behind the colon, `at` NULL when there is none. */
static bool server_cut(apr_pool_t *pool, text_t text, text_t *host, text_t *port)
{
    if (text_starts(text, TEXT("["))) {
        text_t rest = text_from(text, 1);
        text_cut(&rest, ']', host);
        *port = rest;
        if (rest.at == NULL || (rest.len > 0 && rest.at[0] != ':') || !is_address(pool, AF_INET6, *host)) {
            return false;
        }
        *port = rest.len > 0 ? text_from(rest, 1) : (text_t){NULL, 0};
        return true;
    }
    *port = text;
    text_cut(port, ':', host);
    return is_host(pool, *host);
}

static const char *lower_case(apr_pool_t *pool, text_t text)
{
    char *copy = apr_pstrmemdup(pool, text.at, text.len);
    for (char *c = copy; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c + ('a' - 'A'));
        }
    }
    return copy;
}

static const char *server_read(apr_pool_t *pool, text_t text, store_url *url)
{
    store_server *server = &url->servers[url->server_count];
    text_t host = {NULL, 0};
    text_t port = {NULL, 0};
    int64_t number = STOREURL_PORT;
    if (!server_cut(pool, text, &host, &port)) {
        return apr_psprintf(pool,
                            "'%s' is not a server; write host:port, 192.0.2.1:port or [2001:db8::1]:port",
                            shown(pool, text));
    }
    if (port.at != NULL && (!text_number(port, 65535, &number) || number == 0)) {
        return apr_psprintf(pool, "port '%s' is not a number between 1 and 65535", shown(pool, port));
    }
    server->host = lower_case(pool, host);
    server->port = (int)number;
    for (int i = 0; i < url->server_count; i++) {
        if (strcmp(url->servers[i].host, server->host) == 0 && url->servers[i].port == server->port) {
            return apr_psprintf(pool, "server '%s' is listed twice; each server is named once",
                                shown(pool, text));
        }
    }
    url->server_count++;
    return NULL;
}

static const char *servers_read(apr_pool_t *pool, text_t list, store_url *url)
{
    text_t rest = list;
    text_t one;
    url->servers = apr_pcalloc(pool, STOREURL_SERVERS_MAX * sizeof(store_server));
    while (text_cut(&rest, ',', &one)) {
        const char *problem;
        if (url->server_count == STOREURL_SERVERS_MAX) {
            return apr_psprintf(pool, "more than %d servers are listed", STOREURL_SERVERS_MAX);
        }
        problem = server_read(pool, one, url);
        if (problem) {
            return problem;
        }
    }
    return NULL;
}

static const char *memcached_read(apr_pool_t *pool, text_t place, store_url *url)
{
    if (place.len == 0) {
        return "memcached:// names no server; write memcached://127.0.0.1:11211 or memcached:///path.sock";
    }
    if (place.at[0] == '/') {
        url->scheme = STOREURL_SOCKET;
        return path_read(pool, place, SOCKET_MAX, url);
    }
    url->scheme = STOREURL_SERVERS;
    return servers_read(pool, place, url);
}

static const char *lmdb_read(apr_pool_t *pool, text_t place, store_url *url)
{
    url->scheme = STOREURL_LMDB;
    if (place.len == 0) {
        return NULL;
    }
    if (place.at[0] != '/' || text_starts(place, TEXT("//"))) {
        return apr_psprintf(pool, "'%s' is not the absolute path of a file; write lmdb:/path or only lmdb:",
                            shown(pool, place));
    }
    return path_read(pool, place, PATH_ROOM, url);
}

const char *storeurl_read(apr_pool_t *pool, text_t text, store_url *url)
{
    text_t query = text;
    text_t place;
    const char *problem;
    *url = (store_url){.timeout_ms = STOREURL_TIMEOUT_MS, .size = STOREURL_SIZE};
    text_cut(&query, '?', &place);
    if (text_starts(place, TEXT("memcached://"))) {
        problem = memcached_read(pool, text_from(place, sizeof("memcached://") - 1), url);
    } else if (text_starts(place, TEXT("lmdb:"))) {
        problem = lmdb_read(pool, text_from(place, sizeof("lmdb:") - 1), url);
    } else {
        problem = apr_psprintf(
            pool, "'%s' is not a store; write memcached://host:port, memcached:///path.sock or lmdb:",
            shown(pool, text));
    }
    if (problem == NULL && query.at != NULL) {
        problem = parameter_read(pool, query, url);
    }
    return problem;
}
