/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Bodies for the token and revocation endpoints: the message's own pairs, then the client's. One writer for
 * all, so that a secret is handled in one place. Everything else that a provider might take (scope at a
 * refresh, for instance) is not sent: Keycloak and others read its absence as "as before". */

#include "oidc/tokenreq.h"

#include <string.h>

#include "oidc/secretform.h"

#define OWN_PAIRS 4 /* of a message */
#define ALL_PAIRS (OWN_PAIRS + 2)

/* Pairs without a name, or whose value has a NULL `at`, are left out. */
static tokenreq_t make(apr_pool_t *pool, const client_t *client, const url_pair own[OWN_PAIRS])
{
    tokenreq_t request = {NULL, {NULL, 0}};
    url_pair pairs[ALL_PAIRS] = {{{NULL, 0}, {NULL, 0}}};
    memcpy(pairs, own, OWN_PAIRS * sizeof(own[0]));
    switch (client->method) {
    case CLIENTAUTH_POST:
        pairs[OWN_PAIRS] = (url_pair){TEXT("client_id"), text_of(client->id)};
        pairs[OWN_PAIRS + 1] = (url_pair){TEXT("client_secret"), client->secret};
        break;
    case CLIENTAUTH_NONE:
        pairs[OWN_PAIRS] = (url_pair){TEXT("client_id"), text_of(client->id)};
        break;
    case CLIENTAUTH_FROM_METADATA:
    case CLIENTAUTH_BASIC:
        request.authorization = clientauth_basic(pool, client);
        break;
    }
    request.form = secretform_make(pool, pairs, ALL_PAIRS);
    return request;
}

tokenreq_t tokenreq_code(apr_pool_t *pool, const client_t *client, text_t code, const char *redirect_uri,
                         text_t verifier)
{
    const url_pair own[OWN_PAIRS] = {
        {TEXT("grant_type"), TEXT("authorization_code")},
        {TEXT("code"), code},
        {TEXT("redirect_uri"), text_of(redirect_uri)},
        {TEXT("code_verifier"), verifier},
    };
    return make(pool, client, own);
}

tokenreq_t tokenreq_refresh(apr_pool_t *pool, const client_t *client, text_t refresh_token)
{
    const url_pair own[OWN_PAIRS] = {
        {TEXT("grant_type"), TEXT("refresh_token")},
        {TEXT("refresh_token"), refresh_token},
    };
    return make(pool, client, own);
}

tokenreq_t tokenreq_revoke(apr_pool_t *pool, const client_t *client, text_t token, const char *hint)
{
    const url_pair own[OWN_PAIRS] = {
        {TEXT("token"), token},
        {TEXT("token_type_hint"), text_of(hint)},
    };
    return make(pool, client, own);
}
