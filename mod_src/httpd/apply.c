/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Identity applied. It happens in fixups, where the last configuration of the place is known and mod_rewrite
 * has not looked yet, and anew for each record: an internal redirect shares headers_in with the request
 * before it and brings its environment under REDIRECT_, a subrequest copies both, so what was set there is
 * undone first. The module's cookies go even where nobody has to sign in. */

#include "httpd/apply.h"

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/cookie.h"
#include "flow/gate.h"
#include "httpd/conf.h"
#include "httpd/reqstate.h"
#include "httpd/respond.h"
#include "httpd/scrub.h"
#include "httpd/visitread.h"

void apply_user(request_rec *r, const identity_t *identity)
{
    static char auth_type[] = "SSO";
    r->user = apr_pstrdup(r->pool, identity->user);
    r->ap_auth_type = auth_type;
}

static void unset_names(apr_table_t *table, const apr_array_header_t *pairs)
{
    for (int i = 0; pairs != NULL && i + 1 < pairs->nelts; i += 2)
        apr_table_unset(table, APR_ARRAY_IDX(pairs, i, const char *));
}

static void set_names(apr_table_t *table, const apr_array_header_t *pairs)
{
    for (int i = 0; pairs != NULL && i + 1 < pairs->nelts; i += 2)
        apr_table_setn(table, APR_ARRAY_IDX(pairs, i, const char *),
                       APR_ARRAY_IDX(pairs, i + 1, const char *));
}

static void undo(request_rec *r)
{
    for (request_rec *before = r->prev != NULL ? r->prev : r->main; before != NULL;
         before = before->prev != NULL ? before->prev : before->main) {
        const injection_t *injected = &reqstate_of(before)->injected;
        unset_names(r->headers_in, injected->headers);
        unset_names(r->subprocess_env, injected->variables);
        for (int i = 0; injected->variables != NULL && i + 1 < injected->variables->nelts; i += 2)
            apr_table_unset(
                r->subprocess_env,
                apr_pstrcat(r->pool, "REDIRECT_", APR_ARRAY_IDX(injected->variables, i, const char *), NULL));
    }
}

static void strip_cookies(request_rec *r, const conf_server *conf)
{
    const char *header = apr_table_get(r->headers_in, "Cookie");
    if (header == NULL || !conf->settings->strip_cookie)
        return;
    bool https = visitread_visit(r)->https;
    text_t all = text_of(header);
    text_t kept = cookie_without(r->pool, all, text_of(rp_cookie_name(conf->rp, https)),
                                 text_of(rp_ticket_prefix(conf->rp, https)));
    if (kept.len == 0)
        apr_table_unset(r->headers_in, "Cookie");
    else if (kept.len != all.len)
        apr_table_setn(r->headers_in, "Cookie", apr_pstrmemdup(r->pool, kept.at, kept.len));
}

int apply_request(request_rec *r, const identity_t *identity)
{
    const conf_server *conf = conf_of(r);
    reqstate_t *state = reqstate_of(r);
    undo(r);
    strip_cookies(r, conf);
    scrub_trailers(r);
    if (identity == NULL)
        return DECLINED;
    apply_user(r, identity);
    apr_table_unset(r->headers_in, "Authorization");
    const fault_t *fault = inject_make(r->pool, identity, conf_place(r), &state->injected);
    if (fault != NULL)
        return respond_with(r, gate_refuse(conf->rp, conf->env, visitread_visit(r), fault));
    state->known = true;
    set_names(r->headers_in, state->injected.headers);
    set_names(r->subprocess_env, state->injected.variables);
    return DECLINED;
}

void apply_headers_again(request_rec *r)
{
    set_names(r->headers_in, reqstate_of(r)->injected.headers);
}
