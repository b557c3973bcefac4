/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The discovery document, read once into a plain struct by two tables: what is a URL, and what is a list. A
 * member that is wrong refuses the whole document, since a provider that is half believed is worse than none
 * (DS-04, DS-14). Which endpoints must exist is not decided here: that depends on the configuration. */

#include "oidc/provider.h"

#include <string.h>

#include <apr_strings.h>

#include "base/jval.h"
#include "base/url.h"

#define WELL_KNOWN "/.well-known/openid-configuration"
#define SHOWN_MAX  200 /* bytes of a member's value in a detail */

const char *provider_discovery_url(apr_pool_t *pool, const char *issuer)
{
    size_t len = strlen(issuer);
    if (len > 0 && issuer[len - 1] == '/')
        len--;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, issuer, len), WELL_KNOWN, NULL);
}

static const fault_t *wrong_type(apr_pool_t *pool, const char *member)
{
    return fault_make(pool, FAULT_METADATA_INVALID, "%s has the wrong type", member);
}

static const fault_t *check_issuer(apr_pool_t *pool, const jval_t *document, const char *issuer)
{
    text_t named = {NULL, 0};
    if (jval_text(document, "issuer", &named) != JVAL_FOUND)
        return fault_make(pool, FAULT_METADATA_INVALID, "issuer is missing or no string");
    if (text_equal(named, text_of(issuer)))
        return NULL;
    return fault_make(pool, FAULT_METADATA_INVALID, "issuer is '%s', configured is '%s'",
                      text_loggable(pool, named, SHOWN_MAX), text_loggable(pool, text_of(issuer), SHOWN_MAX));
}

/* Does an endpoint of this provider lead where it may lead? */
static bool is_endpoint(apr_pool_t *pool, text_t text, bool plain_allowed)
{
    url_t url;
    if (!url_read(pool, text, &url) || url.fragment.at != NULL)
        return false;
    return url.https || (plain_allowed && url_is_loopback(&url));
}

static const fault_t *read_endpoint(apr_pool_t *pool, const jval_t *document, const char *member,
                                    bool plain_allowed, const char **endpoint)
{
    text_t value = {NULL, 0};
    switch (jval_text(document, member, &value)) {
    case JVAL_ABSENT:
        return NULL;
    case JVAL_WRONG:
        return wrong_type(pool, member);
    case JVAL_FOUND:
        break;
    }
    if (!is_endpoint(pool, value, plain_allowed))
        return fault_make(pool, FAULT_METADATA_INVALID, "%s is no acceptable URL: '%s'", member,
                          text_loggable(pool, value, SHOWN_MAX));
    *endpoint = text_string(pool, value);
    return NULL;
}

static const fault_t *read_endpoints(apr_pool_t *pool, const jval_t *document, provider_t *provider)
{
    const struct {
        const char *member;
        const char **endpoint;
    } rows[] = {
        {"authorization_endpoint", &provider->authorization}, {"token_endpoint", &provider->token},
        {"userinfo_endpoint", &provider->userinfo},           {"jwks_uri", &provider->jwks},
        {"end_session_endpoint", &provider->end_session},     {"revocation_endpoint", &provider->revocation},
    };
    url_t issuer;
    bool plain_allowed =
        url_read(pool, text_of(provider->issuer), &issuer) && !issuer.https && url_is_loopback(&issuer);
    const fault_t *fault = NULL;
    for (size_t i = 0; fault == NULL && i < sizeof(rows) / sizeof(rows[0]); i++)
        fault = read_endpoint(pool, document, rows[i].member, plain_allowed, rows[i].endpoint);
    return fault;
}

static const fault_t *read_methods(apr_pool_t *pool, const jval_t *document, provider_t *provider)
{
    const char *member = "token_endpoint_auth_methods_supported";
    const struct {
        text_t word;
        bool *flag;
    } rows[] = {
        {TEXT("client_secret_basic"), &provider->allows_basic},
        {TEXT("client_secret_post"), &provider->allows_post},
        {TEXT("none"), &provider->allows_public},
    };
    provider->allows_basic = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (jval_list_has(document, member, rows[i].word, rows[i].flag) == JVAL_WRONG)
            return wrong_type(pool, member);
    return NULL;
}

static const fault_t *read_pkce(apr_pool_t *pool, const jval_t *document, provider_t *provider)
{
    const char *member = "code_challenge_methods_supported";
    bool has = true;
    if (jval_list_has(document, member, TEXT("S256"), &has) == JVAL_WRONG)
        return wrong_type(pool, member);
    provider->refuses_s256 = !has;
    return NULL;
}

static const fault_t *read_promise(apr_pool_t *pool, const jval_t *document, provider_t *provider)
{
    const char *member = "authorization_response_iss_parameter_supported";
    if (jval_flag(document, member, &provider->iss_promised) == JVAL_WRONG)
        return wrong_type(pool, member);
    return NULL;
}

/* Names that we do not accept are passed over: a provider may offer them besides. */
static const fault_t *read_algs(apr_pool_t *pool, const jval_t *document, provider_t *provider)
{
    const char *member = "id_token_signing_alg_values_supported";
    const jval_t *list = NULL;
    jval_rc rc = jval_list(document, member, &list);
    if (rc == JVAL_WRONG)
        return wrong_type(pool, member);
    provider->idtoken_algs = rc == JVAL_ABSENT ? alg_default() : 0;
    for (size_t i = 0; rc == JVAL_FOUND && i < jval_count(list); i++) {
        if (jval_kind_of(jval_at(list, i)) != JVAL_TEXT)
            return wrong_type(pool, member);
        const alg_t *alg = alg_find(jval_as_text(jval_at(list, i)));
        if (alg != NULL)
            provider->idtoken_algs |= alg->bit;
    }
    return NULL;
}

const fault_t *provider_read(apr_pool_t *pool, text_t document, const char *issuer, provider_t *provider)
{
    typedef const fault_t *(*reader)(apr_pool_t *, const jval_t *, provider_t *);
    static const reader readers[] = {read_endpoints, read_methods, read_pkce, read_promise, read_algs};
    const jval_t *object = NULL;
    const fault_t *fault = jval_read(pool, document, PROVIDER_DOCUMENT_MAX, FAULT_METADATA_INVALID, &object);
    if (fault == NULL)
        fault = check_issuer(pool, object, issuer);
    *provider = (provider_t){.issuer = apr_pstrdup(pool, issuer)};
    for (size_t i = 0; fault == NULL && i < sizeof(readers) / sizeof(readers[0]); i++)
        fault = readers[i](pool, object, provider);
    return fault;
}

void provider_without_document(const char *issuer, provider_t *provider)
{
    *provider = (provider_t){.issuer = issuer,
                             .allows_basic = true,
                             .allows_post = true,
                             .allows_public = true,
                             .idtoken_algs = alg_all()};
}

static void lay_over(const char **endpoint, const char *written)
{
    if (written != NULL)
        *endpoint = written;
}

void provider_override(provider_t *provider, const provider_endpoints *endpoints)
{
    lay_over(&provider->authorization, endpoints->authorization);
    lay_over(&provider->token, endpoints->token);
    lay_over(&provider->userinfo, endpoints->userinfo);
    lay_over(&provider->jwks, endpoints->jwks);
    lay_over(&provider->end_session, endpoints->end_session);
    lay_over(&provider->revocation, endpoints->revocation);
}
