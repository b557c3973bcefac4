/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Requests into visits. The raw request line is read, not r->uri, which others have unescaped, collapsed and
 * rewritten by the time anybody asks: the module owns what the client sent, and returns to it. */

#include "httpd/visitread.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <http_protocol.h>

#include "httpd/baseurl.h"
#include "httpd/conf.h"
#include "flow/rp.h"

/* The part behind scheme and authority of a request target in absolute form (RFC 9112 section 3.2.2). */
static text_t target_of(text_t uri)
{
    if (uri.len == 0 || uri.at[0] == '/')
        return uri;
    size_t colon = text_find(uri, ':');
    if (!text_starts(text_from(uri, colon), TEXT("://")))
        return uri;
    text_t rest = text_from(uri, colon + 3);
    size_t slash = text_find(rest, '/');
    size_t mark = text_find(rest, '?');
    return text_from(rest, slash < mark ? slash : mark);
}

static int add_cookie(void *joined, const char *name, const char *value)
{
    (void)name;
    *(const char **)apr_array_push(joined) = value;
    return 1;
}

static text_t read_cookies(request_rec *r)
{
    const char *one = apr_table_get(r->headers_in, "Cookie");
    if (one == NULL)
        return (text_t){NULL, 0};
    apr_array_header_t *all = apr_array_make(r->pool, 2, sizeof(const char *));
    apr_table_do(add_cookie, all, r->headers_in, "Cookie", NULL);
    text_t joined = text_of(one);
    for (int i = 1; i < all->nelts; i++)
        joined =
            text_format(r->pool, "%.*s; %s", (int)joined.len, joined.at, APR_ARRAY_IDX(all, i, const char *));
    return joined;
}

void visitread_note(request_rec *r, reqstate_origin *origin)
{
    text_t target = target_of(text_of(r->unparsed_uri));
    text_t path = {target.at, text_find(target, '#')};
    size_t mark = text_find(path, '?');
    if (mark < path.len) {
        origin->query = text_copy(r->pool, text_from(path, mark + 1));
        path.len = mark;
    }
    origin->path = path.len == 0 ? TEXT("/") : path;
    origin->cookies = read_cookies(r);
    const conf_server *conf = conf_of(r);
    origin->own = conf->rp != NULL && rp_owns(conf->rp, origin->path);
}

static text_t header(const request_rec *r, const char *name)
{
    return text_of(apr_table_get(r->headers_in, name));
}

static visit_method read_method(const request_rec *r)
{
    if (r->method_number == M_GET)
        return r->header_only ? METHOD_HEAD : METHOD_GET;
    return r->method_number == M_POST ? METHOD_POST : METHOD_OTHER;
}

static text_t read_purpose(const request_rec *r)
{
    static const char *const names[] = {"Sec-Purpose", "Purpose", "X-Moz"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (apr_table_get(r->headers_in, names[i]) != NULL)
            return header(r, names[i]);
    return (text_t){NULL, 0};
}

static visit_t *make_visit(const reqstate_origin *origin)
{
    request_rec *r = origin->first;
    visit_t *visit = apr_pcalloc(r->pool, sizeof(*visit));
    visit->pool = r->pool;
    visit->method = read_method(r);
    visit->base_url = baseurl_of(r);
    visit->https = visit->base_url != NULL && text_starts(text_of(visit->base_url), TEXT("https:"));
    visit->path = origin->path;
    visit->query = origin->query;
    visit->cookies = origin->cookies;
    visit->origin = header(r, "Origin");
    visit->fetch_mode = header(r, "Sec-Fetch-Mode");
    visit->fetch_dest = header(r, "Sec-Fetch-Dest");
    visit->fetch_site = header(r, "Sec-Fetch-Site");
    visit->accept = header(r, "Accept");
    visit->purpose = read_purpose(r);
    visit->upgrade = apr_table_get(r->headers_in, "Upgrade") != NULL;
    visit->scripted = apr_table_get(r->headers_in, "X-Requested-With") != NULL;
    return visit;
}

visit_t *visitread_visit(request_rec *r)
{
    reqstate_origin *origin = reqstate_of(r)->origin;
    const place_settings *place = conf_place(r);
    if (origin->visit == NULL)
        origin->visit = make_visit(origin);
    if (origin->visit->place == NULL)
        origin->visit->place = place;
    if (origin->visit->place == place)
        return origin->visit;
    visit_t *visit = apr_pmemdup(r->pool, origin->visit, sizeof(*visit));
    visit->place = place;
    return visit;
}

static bool is_form(const request_rec *r)
{
    text_t type = header(r, "Content-Type");
    type.len = text_find(type, ';');
    return text_equal_nocase(text_trim(type), TEXT("application/x-www-form-urlencoded"));
}

int visitread_form(request_rec *r, visit_t *visit)
{
    if (visit->method != METHOD_POST || !is_form(r))
        return OK;
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);
    if (status != OK || !ap_should_client_block(r))
        return status;
    if (r->remaining > (apr_off_t)VISITREAD_FORM_MAX)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    char *room = apr_palloc(r->pool, VISITREAD_FORM_MAX + 1);
    size_t len = 0;
    long count;
    while ((count = ap_get_client_block(r, room + len, VISITREAD_FORM_MAX + 1 - len)) > 0) {
        len += (size_t)count;
        if (len > VISITREAD_FORM_MAX)
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (count < 0)
        return HTTP_BAD_REQUEST;
    visit->form = (text_t){room, len};
    return OK;
}
