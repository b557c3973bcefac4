/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The logout URL. A hint that makes the URL too long is left out as a whole: providers take client_id
 * instead, whereas a cut token would be refused, and a POST would need a page with a form (LO-11). */

#include "oidc/endsession.h"

#include "base/url.h"

static text_t make(apr_pool_t *pool, const endsession_t *request, text_t hint)
{
    const url_pair pairs[] = {
        {TEXT("id_token_hint"), hint},
        {TEXT("client_id"), text_of(request->client_id)},
        {TEXT("post_logout_redirect_uri"), text_of(request->post_logout_redirect_uri)},
        {TEXT("state"), request->state},
    };
    text_t query = url_form(pool, pairs, sizeof(pairs) / sizeof(pairs[0]));
    return url_with_query(pool, text_of(request->endpoint), query);
}

text_t endsession_make(apr_pool_t *pool, const endsession_t *request)
{
    const text_t none = {NULL, 0};
    text_t url = make(pool, request, request->id_token.len > 0 ? request->id_token : none);
    return url.len <= ENDSESSION_URL_MAX ? url : make(pool, request, none);
}
