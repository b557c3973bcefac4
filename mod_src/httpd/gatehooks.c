/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The gate in httpd's phases. r->user is set in check_access_ex, before httpd evaluates Require: a user that
 * is set as late as check_authn and then refused gets 401 from httpd and would be asked to sign in for ever.
 * For the page of a refusal the Require rules are asked from here (ap_run_auth_checker) after all other
 * access hooks had their say; a filter that replaces httpd's own 403 page was rejected, since it cannot tell
 * why there is one. */

#include "httpd/gatehooks.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "flow/gate.h"
#include "httpd/apply.h"
#include "httpd/conf.h"
#include "httpd/logbridge.h"
#include "httpd/reqstate.h"
#include "httpd/respond.h"
#include "httpd/visitread.h"

/* Only what a client itself asks for reaches the endpoints; redirects and subrequests inside httpd do not. */
static bool is_own(request_rec *r)
{
    return conf_of(r)->rp != NULL && r->main == NULL && r->prev == NULL && reqstate_of(r)->origin->own;
}

static bool is_sso(request_rec *r)
{
    const char *type = ap_auth_type(r);
    return type != NULL && strcasecmp(type, "SSO") == 0;
}

static bool is_ready(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    if (conf->rp != NULL && conf->env != NULL)
        return true;
    logbridge_unready(r, "AuthType SSO stands here, but this server has no SSOIssuer: nobody is let in");
    return false;
}

int gatehooks_translate(request_rec *r)
{
    if (!is_own(r))
        return DECLINED;
    if (r->filename == NULL)
        r->filename = apr_pstrdup(r->pool, r->uri);
    return OK;
}

/* Asks who it is, once for everything that comes of one request. DECLINED, or what the hook is to return. */
static int admit(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    reqstate_origin *origin = reqstate_of(r)->origin;
    if (origin->admitted == NULL) {
        origin->admitted = gate_admit(conf->rp, conf->env, visitread_visit(r));
        if (origin->admitted->kind != VERDICT_ANSWER)
            logbridge_notes(r, origin->admitted);
    }
    switch (origin->admitted->kind) {
    case VERDICT_ANSWER:
        return respond_with(r, origin->admitted);
    case VERDICT_STRANGER:
        r->user = NULL;
        break;
    case VERDICT_KNOWN:
        apply_user(r, origin->admitted->identity);
        break;
    }
    return DECLINED;
}

int gatehooks_admit(request_rec *r)
{
    if (is_own(r))
        return OK;
    if (!is_sso(r))
        return DECLINED;
    return is_ready(r) ? admit(r) : HTTP_INTERNAL_SERVER_ERROR;
}

int gatehooks_authorize(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    if (conf->rp == NULL || reqstate_identity(r) == NULL || r->user == NULL || !is_sso(r))
        return DECLINED;
    int status = ap_run_auth_checker(r);
    if (status != HTTP_UNAUTHORIZED && status != HTTP_FORBIDDEN)
        return status;
    if (!respond_may_write(r))
        return HTTP_FORBIDDEN;
    return respond_with(r, gate_refuse(conf->rp, conf->env, visitread_visit(r), NULL));
}

/* Somebody without a user where Require wants one. */
static int turn_away(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    if (!respond_may_write(r))
        return HTTP_UNAUTHORIZED;
    const verdict_t *admitted = reqstate_of(r)->origin->admitted;
    const verdict_t *verdict = gate_stranger(conf->rp, conf->env, visitread_visit(r), admitted);
    if (verdict->fault != admitted->fault)
        logbridge_refusal(r, admitted);
    if (verdict->kind == VERDICT_ANSWER)
        return respond_with(r, verdict);
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", "SSO");
    return HTTP_UNAUTHORIZED;
}

int gatehooks_authenticate(request_rec *r)
{
    if (!is_sso(r))
        return DECLINED;
    if (!is_ready(r))
        return HTTP_INTERNAL_SERVER_ERROR;
    int status = admit(r);
    if (status != DECLINED)
        return status;
    return r->user != NULL ? OK : turn_away(r);
}

static int answer_endpoint(request_rec *r)
{
    const conf_server *conf = conf_of(r);
    visit_t *visit = visitread_visit(r);
    if (!is_ready(r))
        return HTTP_INTERNAL_SERVER_ERROR;
    int status = visitread_form(r, visit);
    return status != OK ? status : respond_with(r, gate_endpoint(conf->rp, conf->env, visit));
}

/* What the gate has to say besides who it is, once it is clear that the request goes through. */
static void tell(request_rec *r, reqstate_origin *origin)
{
    if (origin->told || origin->admitted == NULL)
        return;
    origin->told = true;
    logbridge_refusal(r, origin->admitted);
    respond_cookies(origin->first, origin->admitted);
}

/* An ErrorDocument or an included page outside of AuthType SSO still serves whom the request was let in for.
 */
static bool inherits(request_rec *r)
{
    const reqstate_t *parent = reqstate_parent(r);
    const char *type = ap_auth_type(r);
    return parent != NULL && parent->known && (type == NULL || strcasecmp(type, "None") == 0);
}

int gatehooks_fixups(request_rec *r)
{
    if (conf_of(r)->rp == NULL)
        return DECLINED;
    if (is_own(r))
        return answer_endpoint(r);
    bool sso = is_sso(r);
    /* `Satisfy Any` and the like let somebody in without asking who it is */
    if (sso) {
        int status = is_ready(r) ? admit(r) : HTTP_INTERNAL_SERVER_ERROR;
        if (status != DECLINED)
            return status;
        tell(r, reqstate_of(r)->origin);
    }
    return apply_request(r, sso || inherits(r) ? reqstate_identity(r) : NULL);
}
