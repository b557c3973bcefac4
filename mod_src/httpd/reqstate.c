/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The state of requests. It hangs on request_config, one small struct a record and one shared by all that
 * come from the same bytes; r->notes was rejected, because it is a table of strings that redirects start
 * anew. */

#include "httpd/reqstate.h"

#include <http_config.h>

#include "httpd/conf.h"
#include "httpd/visitread.h"

static reqstate_t *find(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &sso_module);
}

static request_rec *came_from(const request_rec *r)
{
    return r->prev != NULL ? r->prev : r->main;
}

static reqstate_origin *make_origin(request_rec *r)
{
    while (came_from(r) != NULL)
        r = came_from(r);
    reqstate_t *state = find(r);
    if (state != NULL)
        return state->origin;
    reqstate_origin *origin = apr_pcalloc(r->pool, sizeof(*origin));
    origin->first = r;
    visitread_note(r, origin);
    return origin;
}

reqstate_t *reqstate_of(request_rec *r)
{
    reqstate_t *state = find(r);
    if (state != NULL)
        return state;
    state = apr_pcalloc(r->pool, sizeof(*state));
    state->origin = make_origin(r);
    ap_set_module_config(r->request_config, &sso_module, state);
    return state;
}

reqstate_t *reqstate_parent(request_rec *r)
{
    request_rec *parent = came_from(r);
    return parent == NULL ? NULL : find(parent);
}

const identity_t *reqstate_identity(request_rec *r)
{
    reqstate_t *state = find(r);
    if (state == NULL || state->origin->admitted == NULL || state->origin->admitted->kind != VERDICT_KNOWN)
        return NULL;
    return state->origin->admitted->identity;
}

bool reqstate_is_error_page(const request_rec *r)
{
    for (; r != NULL; r = came_from(r))
        if (r->prev != NULL && ap_is_HTTP_ERROR(r->prev->status))
            return true;
    return false;
}
