/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Which way the client names itself, and the header for the first of them. The configured way is not
 * second-guessed: providers whose metadata are wrong exist. A client without a secret sends its id alone,
 * whatever the metadata list, because many providers accept that without saying "none". */

#include "oidc/clientauth.h"

#include "base/codec.h"
#include "oidc/secretform.h"

const fault_t *clientauth_choose(apr_pool_t *pool, const client_t *client, const provider_t *provider,
                                 clientauth_method *method)
{
    if (client->method != CLIENTAUTH_FROM_METADATA)
        *method = client->method;
    else if (client->secret.len == 0)
        *method = CLIENTAUTH_NONE;
    else if (provider->allows_basic)
        *method = CLIENTAUTH_BASIC;
    else if (provider->allows_post)
        *method = CLIENTAUTH_POST;
    else
        return fault_make(pool, FAULT_PROVIDER_UNSUITABLE,
                          "the token endpoint takes neither client_secret_basic nor client_secret_post");
    return NULL;
}

const char *clientauth_basic(apr_pool_t *pool, const client_t *client)
{
    text_t secret = secretform_take(pool, codec_form(pool, client->secret));
    text_t pair = secretform_take(
        pool, text_join(pool, (const text_t[]){
                                  codec_form(pool, text_of(client->id)), TEXT(":"), secret, {NULL, 0}}));
    text_t coded = secretform_take(pool, codec_base64(pool, pair));
    return secretform_take(pool, text_join(pool, (const text_t[]){TEXT("Basic "), coded, {NULL, 0}})).at;
}
