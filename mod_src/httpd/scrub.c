/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Forged headers end here, before any other module reads them. A list of what to remove is built at start
 * from all places of the host: removing only what the present place injects was rejected, since a request can
 * be redirected from one place to another. Trailers come later than any hook, so a filter meets them where
 * the body ends. */

#include "httpd/scrub.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "flow/inject.h"
#include "flow/rp.h"
#include "httpd/apply.h"
#include "httpd/conf.h"
#include "httpd/reqstate.h"

#define TRAILER_FILTER "SSO_TRAILERS"

/* Removes what is forbidden from a table of headers; did it find anything? */
static bool scrub_table(const conf_server *conf, apr_table_t *table)
{
    const apr_array_header_t *all = apr_table_elts(table);
    bool found = false;
    for (int i = all->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(all, i, apr_table_entry_t).key;
        if (!inject_is_forbidden(conf->forbidden, conf->prefixes, name))
            continue;
        apr_table_unset(table, name);
        found = true;
        if (i > all->nelts)
            i = all->nelts;
    }
    return found;
}

/* The list without forbidden names; the value itself where none is in it. */
static const char *harmless_tokens(request_rec *r, const conf_server *conf, const char *value)
{
    text_t rest = text_of(value);
    text_t token;
    const char *kept = "";
    bool removed = false;
    while (text_cut(&rest, ',', &token)) {
        const char *name = text_string(r->pool, text_trim(token));
        if (name == NULL || name[0] == '\0')
            continue;
        if (inject_is_forbidden(conf->forbidden, conf->prefixes, name))
            removed = true;
        else
            kept = apr_pstrcat(r->pool, kept, kept[0] == '\0' ? "" : ", ", name, NULL);
    }
    return removed ? kept : value;
}

/* mod_proxy drops every header that a Connection header names, ours as well (RFC 9110 section 7.6.1). */
static void scrub_connection(request_rec *r, const conf_server *conf)
{
    const char *name = "Connection";
    for (int round = 0; round < 2; round++, name = "Proxy-Connection") {
        const char *value = apr_table_get(r->headers_in, name);
        if (value == NULL)
            continue;
        const char *kept = harmless_tokens(r, conf, value);
        if (kept[0] == '\0')
            apr_table_unset(r->headers_in, name);
        else if (kept != value)
            apr_table_setn(r->headers_in, name, kept);
    }
}

static bool is_callback(const conf_server *conf, const reqstate_origin *origin)
{
    text_t path = text_from(origin->path, strlen(conf->settings->path));
    return origin->own && text_starts(path, TEXT("/callback"));
}

/* Codes and states stand in the query; httpd's log formats (%r, %q, %U with its friends) read these fields.
 */
static void hide_query(request_rec *r)
{
    text_t line = text_of(r->the_request);
    size_t mark = text_find(line, '?');
    text_t behind = text_from(line, mark);
    if (mark < line.len)
        r->the_request =
            apr_psprintf(r->pool, "%.*s%s", (int)mark, line.at, behind.at + text_find(behind, ' '));
    text_t uri = text_of(r->unparsed_uri);
    r->unparsed_uri = apr_pstrmemdup(r->pool, uri.at, text_find(uri, '?'));
    r->args = NULL;
    r->parsed_uri.query = NULL;
}

int scrub_request(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    if (conf->rp == NULL)
        return DECLINED;
    const reqstate_origin *origin = reqstate_of(r)->origin;
    (void)scrub_table(conf, r->headers_in);
    scrub_connection(r, conf);
    if (is_callback(conf, origin))
        hide_query(r);
    return DECLINED;
}

/* Trailers are there once the end of the body has come up from the protocol's filter, which has merged them
 * by then. */
static apr_status_t trailer_filter(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode,
                                   apr_read_type_e block, apr_off_t readbytes)
{
    apr_status_t status = ap_get_brigade(filter->next, brigade, mode, block, readbytes);
    request_rec *r = filter->r;
    if (r->trailers_in == NULL || apr_is_empty_table(r->trailers_in))
        return status;
    const conf_server *conf = conf_of(r);
    if (scrub_table(conf, r->trailers_in)) {
        (void)scrub_table(conf, r->headers_in);
        apply_headers_again(r);
    }
    return status;
}

void scrub_register(void)
{
    ap_register_input_filter(TRAILER_FILTER, trailer_filter, NULL, AP_FTYPE_PROTOCOL - 1);
}

void scrub_trailers(request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);
    bool merged = core->merge_trailers == AP_MERGE_TRAILERS_ENABLE;
    if (r->main != NULL || conf_of(r)->rp == NULL || !merged)
        return;
    ap_add_input_filter(TRAILER_FILTER, NULL, r, r->connection);
}
