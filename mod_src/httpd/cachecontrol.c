/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A filter, because only when the first bytes come is it known whether the application has said something
 * about caches itself, and what type its answer has. It stands behind mod_expires and before mod_cache and
 * mod_headers, which have the last word. */

#include "httpd/cachecontrol.h"

#include <util_filter.h>

#include "base/text.h"
#include "httpd/conf.h"
#include "httpd/reqstate.h"

#define CACHE_FILTER "SSO_CACHE_CONTROL"

static const char *value_for(const request_rec *r)
{
    const char *wanted = conf_of(r)->settings->cache_control;
    if (strcasecmp(wanted, "auto") != 0)
        return wanted;
    text_t type = text_of(r->content_type);
    bool html = text_starts(type, TEXT("text/html")) || text_starts(type, TEXT("application/xhtml+xml"));
    return html ? "private, no-store" : "private, no-cache";
}

static apr_status_t cache_filter(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    request_rec *r = filter->r;
    bool said = apr_table_get(r->headers_out, "Cache-Control") != NULL ||
                apr_table_get(r->err_headers_out, "Cache-Control") != NULL;
    if (!said)
        apr_table_setn(r->headers_out, "Cache-Control", value_for(r));
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void cachecontrol_register(void)
{
    ap_register_output_filter(CACHE_FILTER, cache_filter, NULL, AP_FTYPE_CONTENT_SET - 1);
}

void cachecontrol_insert(request_rec *r)
{
    if (r->main != NULL || conf_of(r)->rp == NULL || reqstate_identity(r) == NULL)
        return;
    if (strcasecmp(conf_of(r)->settings->cache_control, "off") != 0)
        ap_add_output_filter(CACHE_FILTER, NULL, r, r->connection);
}
