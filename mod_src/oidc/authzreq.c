/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The authorization request as a URL. Parameters that belong to the module stand once, whatever the
 * administrator or the provider's own endpoint URL holds (CI-13, DS-05): a second `state` or `redirect_uri`
 * would be read by some providers and the first by others. Only parts of the endpoint's query that collide
 * are dropped; the rest stays as written. */

#include "oidc/authzreq.h"

#include <apr_tables.h>

#include "base/codec.h"
#include "jose/digest.h"

#define OWN_PAIRS 8

bool authzreq_owns(text_t name)
{
    static const char *const owned[] = {
        "response_type",  "response_mode",         "client_id", "redirect_uri", "scope", "state", "nonce",
        "code_challenge", "code_challenge_method", "request",   "request_uri"};
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        if (text_equal(name, text_of(owned[i])))
            return true;
    return false;
}

/* Is the raw pair of the endpoint's query one that the request sets itself? */
static bool collides(apr_pool_t *pool, const authzreq_t *request, text_t pair)
{
    text_t name;
    if (!codec_unpercent(pool, (text_t){pair.at, text_find(pair, '=')}, true, &name))
        return true;
    for (size_t i = 0; i < request->extra_count; i++)
        if (text_equal(name, request->extra[i].name))
            return true;
    return authzreq_owns(name);
}

/* The endpoint without what collides. */
static text_t endpoint_of(apr_pool_t *pool, const authzreq_t *request)
{
    text_t endpoint = text_of(request->endpoint), pair;
    size_t mark = text_find(endpoint, '?');
    text_t url = {endpoint.at, mark}, rest = text_from(endpoint, mark + 1);
    if (mark == endpoint.len)
        return endpoint;
    while (text_cut(&rest, '&', &pair))
        if (pair.len > 0 && !collides(pool, request, pair))
            url = url_with_query(pool, url, pair);
    return url;
}

/* An empty value says nothing; a slice whose `at` is NULL is left out. */
static text_t unless_empty(const char *value)
{
    return value == NULL || *value == '\0' ? (text_t){NULL, 0} : text_of(value);
}

const fault_t *authzreq_make(apr_pool_t *pool, const authzreq_t *request, text_t *url)
{
    text_t challenge = digest_s256(pool, request->verifier);
    if (challenge.at == NULL)
        return fault_make(pool, FAULT_INTERNAL, "SHA-256 of the code verifier failed");
    const url_pair own[OWN_PAIRS] = {
        {TEXT("response_type"), TEXT("code")},
        {TEXT("client_id"), text_of(request->client_id)},
        {TEXT("redirect_uri"), text_of(request->redirect_uri)},
        {TEXT("scope"), unless_empty(request->scopes)},
        {TEXT("state"), request->state},
        {TEXT("nonce"), request->nonce},
        {TEXT("code_challenge"), challenge},
        {TEXT("code_challenge_method"), TEXT("S256")},
    };
    apr_array_header_t *pairs = apr_array_make(pool, OWN_PAIRS, sizeof(url_pair));
    for (size_t i = 0; i < OWN_PAIRS; i++)
        APR_ARRAY_PUSH(pairs, url_pair) = own[i];
    for (size_t i = 0; i < request->extra_count; i++)
        if (!authzreq_owns(request->extra[i].name))
            APR_ARRAY_PUSH(pairs, url_pair) = request->extra[i];
    text_t query = url_form(pool, (const url_pair *)(const void *)pairs->elts, (size_t)pairs->nelts);
    *url = url_with_query(pool, endpoint_of(pool, request), query);
    return NULL;
}
