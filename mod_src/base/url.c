/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* URLs read strictly after RFC 3986. apr_uri_parse was rejected: it accepts userinfo, blanks and backslashes,
 * and leaves the port unchecked. Whatever browsers repair or resolve in their own way (numbers as hosts,
 * backslashes, broken escapes) is refused, so that an address that passes here leads to the same place
 * everywhere. */

#include "base/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <apr_tables.h>

#include "base/codec.h"

#define HOST_MAX  255 /* bytes of a host name, RFC 1035 section 2.3.4 */
#define LABEL_MAX 63

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_hex(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_escape(text_t text, size_t at)
{
    return text.len - at >= 3 && is_hex(text.at[at + 1]) && is_hex(text.at[at + 2]);
}

/* Characters of a path, query or fragment, RFC 3986 section 3.3: pchar, and what else `also` lists. */
static bool is_uri_text(text_t text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte == '%' && is_escape(text, i))
            i += 2;
        else if (byte == '\0' || !(is_letter(byte) || is_digit(byte) ||
                                   strchr("-._~!$&'()*+,;=:@", byte) != NULL || strchr(also, byte) != NULL))
            return false;
    }
    return true;
}

static text_t lower_copy(apr_pool_t *pool, text_t text)
{
    char *copy = apr_palloc(pool, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.at[i] >= 'A' && text.at[i] <= 'Z' ? (char)(text.at[i] - 'A' + 'a') : text.at[i];
    copy[text.len] = '\0';
    return (text_t){copy, text.len};
}

static bool is_label(text_t label)
{
    if (label.len == 0 || label.len > LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_letter(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-')
            return false;
    return true;
}

/* Digits alone, or 0x and hexadecimal digits: browsers take a host whose last label looks like this for an
 * IPv4 address. */
static bool is_number_label(text_t label)
{
    bool hex = text_starts(label, TEXT("0x")) || text_starts(label, TEXT("0X"));
    for (size_t i = hex ? 2 : 0; i < label.len; i++)
        if (!(hex ? is_hex(label.at[i]) : is_digit(label.at[i])))
            return false;
    return true;
}

/* The address as the C library reads it. Host and family fit or the answer is false. */
static bool to_address(int family, text_t host, void *address)
{
    char string[INET6_ADDRSTRLEN + 1];
    if (host.len >= sizeof(string) || text_find(host, '\0') < host.len)
        return false;
    memcpy(string, host.at, host.len);
    string[host.len] = '\0';
    return inet_pton(family, string, address) == 1;
}

static bool is_host_name(text_t host)
{
    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    text_t rest = host;
    text_t label;
    text_t last = {NULL, 0};
    while (text_cut(&rest, '.', &label)) {
        bool trailing_dot = label.len == 0 && rest.at == NULL && last.len > 0;
        if (!trailing_dot && !is_label(label))
            return false;
        if (!trailing_dot)
            last = label;
    }
    struct in_addr address;
    return !is_number_label(last) || to_address(AF_INET, host, &address);
}

static bool is_bracketed(text_t host)
{
    return host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
}

static bool to_ipv6(text_t host, struct in6_addr *address)
{
    return is_bracketed(host) && to_address(AF_INET6, (text_t){host.at + 1, host.len - 2}, address);
}

/* authority = host [ ":" port ], without userinfo: RFC 9110 section 4.2.4 deprecates it. */
static bool read_authority(apr_pool_t *pool, text_t authority, url_t *url)
{
    size_t host_len = text_find(authority, ':');
    if (authority.len > 0 && authority.at[0] == '[') {
        host_len = text_find(authority, ']');
        if (host_len == authority.len)
            return false;
        host_len++;
    }
    text_t host = {authority.at, host_len};
    text_t port = text_from(authority, host_len);
    struct in6_addr address;
    if (!is_host_name(host) && !to_ipv6(host, &address))
        return false;
    url->port = url->https ? 443 : 80;
    if (port.len > 0) {
        int64_t number = 0;
        if (port.at[0] != ':' || !text_number(text_from(port, 1), 65535, &number) || number == 0)
            return false;
        url->port = (int)number;
    }
    url->host = lower_copy(pool, host);
    return true;
}

/* Splits `rest` at the first `mark`: it keeps the part before, *part gets the part behind. */
static void split_behind(text_t *rest, char mark, text_t *part)
{
    size_t at = text_find(*rest, mark);
    *part = at < rest->len ? text_from(*rest, at + 1) : (text_t){NULL, 0};
    rest->len = at;
}

bool url_read(apr_pool_t *pool, text_t text, url_t *url)
{
    if (text.len > URL_MAX)
        return false;
    url_t read = {.https =
                      text_equal_nocase((text_t){text.at, text.len < 8 ? text.len : 8}, TEXT("https://"))};
    if (!read.https && !text_equal_nocase((text_t){text.at, text.len < 7 ? text.len : 7}, TEXT("http://")))
        return false;
    text_t rest = text_from(text, read.https ? 8 : 7);
    split_behind(&rest, '#', &read.fragment);
    split_behind(&rest, '?', &read.query);
    size_t slash = text_find(rest, '/');
    read.path = slash < rest.len ? text_from(rest, slash) : TEXT("/");
    if (!read_authority(pool, (text_t){rest.at, slash}, &read))
        return false;
    if (!is_uri_text(read.path, "/") || !is_uri_text(read.query, "/?") || !is_uri_text(read.fragment, "/?"))
        return false;
    *url = read;
    return true;
}

bool url_same_origin(const url_t *one, const url_t *other)
{
    return one->https == other->https && one->port == other->port && text_equal(one->host, other->host);
}

text_t url_origin(apr_pool_t *pool, const url_t *url)
{
    text_t scheme = url->https ? TEXT("https://") : TEXT("http://");
    text_t port = {NULL, 0};
    if (url->port != (url->https ? 443 : 80))
        port = text_format(pool, ":%d", url->port);
    return text_join(pool, (const text_t[]){scheme, url->host, port, {NULL, 0}});
}

bool url_is_loopback(const url_t *url)
{
    struct in_addr four;
    struct in6_addr six;
    if (text_equal(url->host, TEXT("localhost")))
        return true;
    if (to_address(AF_INET, url->host, &four))
        return ntohl(four.s_addr) >> 24 == 127;
    return to_ipv6(url->host, &six) && IN6_IS_ADDR_LOOPBACK(&six);
}

bool url_is_local(text_t path_and_query)
{
    text_t text = path_and_query;
    if (text.len == 0 || text.len > URL_MAX || text.at[0] != '/')
        return false;
    text_t path = {text.at, text_find(text, '?')};
    text_t second = text_from(path, 1);
    if (text_starts(second, TEXT("/")) || text_find(path, '\\') < path.len)
        return false;
    text_t escape = {second.at, second.len < 3 ? second.len : 3};
    if (text_equal_nocase(escape, TEXT("%2f")) || text_equal_nocase(escape, TEXT("%5c")))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte <= 0x20 || byte > 0x7e || byte == '#' || (byte == '%' && !is_escape(text, i)))
            return false;
    }
    return true;
}

/* Is this pair's name, once decoded, the one looked for? A name with a broken escape is nobody's. */
static bool is_named(apr_pool_t *pool, text_t raw, text_t name)
{
    if (text_find(raw, '%') == raw.len && text_find(raw, '+') == raw.len)
        return text_equal(raw, name);
    text_t decoded;
    return codec_unpercent(pool, raw, true, &decoded) && text_equal(decoded, name);
}

url_rc url_parameter(apr_pool_t *pool, text_t query, const char *name, text_t *value)
{
    text_t wanted = text_of(name);
    text_t found = {NULL, 0};
    text_t pair;
    size_t pairs = 0;
    *value = found;
    while (text_cut(&query, '&', &pair)) {
        if (++pairs > URL_PAIRS_MAX)
            return URL_REFUSED;
        size_t equals = text_find(pair, '=');
        if (!is_named(pool, (text_t){pair.at, equals}, wanted))
            continue;
        if (found.at != NULL || !codec_unpercent(pool, text_from(pair, equals + 1), true, &found))
            return URL_REFUSED;
    }
    *value = found;
    return found.at == NULL ? URL_ABSENT : URL_FOUND;
}

text_t url_form(apr_pool_t *pool, const url_pair *pairs, size_t count)
{
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(text_t));
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].value.at == NULL)
            continue;
        if (parts->nelts > 0)
            APR_ARRAY_PUSH(parts, text_t) = TEXT("&");
        APR_ARRAY_PUSH(parts, text_t) = codec_form(pool, pairs[i].name);
        APR_ARRAY_PUSH(parts, text_t) = TEXT("=");
        APR_ARRAY_PUSH(parts, text_t) = codec_form(pool, pairs[i].value);
    }
    APR_ARRAY_PUSH(parts, text_t) = (text_t){NULL, 0};
    return text_join(pool, (const text_t *)(const void *)parts->elts);
}

text_t url_with_query(apr_pool_t *pool, text_t url, text_t query)
{
    if (query.len == 0)
        return text_copy(pool, url);
    text_t mark = text_find(url, '?') == url.len ? TEXT("?") : TEXT("&");
    if (text_ends(url, TEXT("?")) || text_ends(url, TEXT("&")))
        mark = TEXT("");
    return text_join(pool, (const text_t[]){url, mark, query, {NULL, 0}});
}
