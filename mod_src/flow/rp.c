/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Settings become a relying party: what one row says must fit what the others say. Each check is a function
 * of its own in a table, so that the sentence an administrator reads and the rule behind it stand together.
 */

#include "flow/rpinside.h"

#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "flow/page.h"

#define SECRET_FOR_KEY 32 /* bytes of a client secret that a server key may be derived from */
#define LEASE_MARGIN   5  /* seconds that a lease is longer than a call to the provider */
#define HTTP_MAX       60 /* seconds */
#define NEAR_MAX       60 /* seconds */
#define SESSION_MIN    (4 * 1024)

static const char name_https[] = "__Host-sso";
static const char name_domain[] = "__Secure-sso";
static const char name_http[] = "sso";

/* What is being made, and from what. */
typedef struct making {
    apr_pool_t *pool;
    const server_settings *settings;
    const rp_site *site;
    rp_t *rp;
    bool https;       /* does the public address speak TLS? */
    const char *host; /* public host name, lower case, no port */
} making_t;

typedef const char *(*check_t)(making_t *making);

static bool has_word(const char *words, const char *word)
{
    text_t rest = text_of(words), part;
    while (text_cut(&rest, ' ', &part)) {
        if (text_equal(part, text_of(word)))
            return true;
    }
    return false;
}

static const char *check_required(making_t *making)
{
    const server_settings *settings = making->settings;
    if (settings->issuer == NULL)
        return "SSOIssuer is missing; write the issuer identifier of your provider, such as "
               "SSOIssuer https://keycloak.example.com/realms/demo";
    if (settings->client_id == NULL)
        return "SSOClientID is missing; write the client's id as the provider knows it";
    if (settings->client_auth == KIND_CLIENTAUTH_NONE && settings->client_secret.len > 0)
        return "SSOClientAuth none contradicts SSOClientSecret; take one of them away";
    if (settings->client_auth != KIND_CLIENTAUTH_NONE && settings->client_secret.len == 0)
        return "SSOClientSecret is missing; write SSOClientSecret file:PATH, or SSOClientAuth none for a "
               "public client";
    return NULL;
}

static const char *check_host(making_t *making)
{
    url_t url;
    const char *name = making->site->server_name;
    if (making->settings->base_url != NULL) {
        if (!url_read(making->pool, text_of(making->settings->base_url), &url))
            return "SSOBaseURL is not a URL";
        making->https = url.https;
        making->host = text_string(making->pool, url.host);
        return NULL;
    }
    const char *full = apr_pstrcat(making->pool, making->site->https ? "https://" : "http://", name, NULL);
    if (!url_read(making->pool, text_of(full), &url))
        return apr_psprintf(making->pool, "ServerName %s is not a host name; set ServerName, or SSOBaseURL",
                            text_loggable(making->pool, text_of(name), 100));
    making->https = making->site->https;
    making->host = text_string(making->pool, url.host);
    return NULL;
}

/* Does a path, or a URL of this host, lead to one of the module's endpoints? */
static bool leads_to_endpoint(const making_t *making, const char *target)
{
    url_t url;
    if (target[0] == '/')
        return rp_owns(making->rp, text_of(target));
    return url_read(making->pool, text_of(target), &url) && text_equal(url.host, text_of(making->host)) &&
           rp_owns(making->rp, url.path);
}

static const char *check_addresses(making_t *making)
{
    const server_settings *settings = making->settings;
    if (settings->base_url != NULL && settings->trust_proxy != NULL)
        return "SSOBaseURL and SSOTrustProxy contradict each other; take SSOTrustProxy away where the "
               "address is fixed";
    if (settings->logout_url != NULL && leads_to_endpoint(making, settings->logout_url))
        return "SSOLogoutURL lies below SSOPath; take a page of your own, or none for the module's page";
    return NULL;
}

/* Is the host the domain itself, or below it? */
static bool is_within(const char *host, const char *domain)
{
    text_t whole = text_of(host), end = text_of(domain);
    if (whole.len < end.len || !text_equal_nocase(text_from(whole, whole.len - end.len), end))
        return false;
    return whole.len == end.len || whole.at[whole.len - end.len - 1] == '.';
}

/* Is a cookie of this path sent to the other path (RFC 6265 section 5.1.4)? */
static bool contains_path(const char *cookie_path, const char *path)
{
    size_t len = strlen(cookie_path);
    if (strncmp(path, cookie_path, len) != 0)
        return false;
    return cookie_path[len - 1] == '/' || path[len] == '/' || path[len] == '\0';
}

static const char *check_cookie(making_t *making)
{
    const kind_cookie *cookie = &making->settings->cookie;
    const char *path = making->settings->path;
    bool is_prefixed = cookie->name != NULL && strncmp(cookie->name, "__", 2) == 0;
    if (is_prefixed && !making->https)
        return apr_psprintf(making->pool,
                            "SSOCookie: the name %s needs https, but the site is http; use https, set "
                            "SSOBaseURL https://..., or choose a name without __",
                            cookie->name);
    if (text_equal(text_of(cookie->same_site), TEXT("None")) && !making->https)
        return "SSOCookie: SameSite None needs https; use Lax, or set SSOBaseURL https://...";
    if (cookie->domain != NULL && !is_within(making->host, cookie->domain))
        return apr_psprintf(making->pool,
                            "SSOCookie: Domain=%s does not contain the host %s; browsers would drop the "
                            "cookie",
                            cookie->domain, making->host);
    size_t len = strlen(cookie->path);
    if (len > 1 && !contains_path(cookie->path, path))
        return apr_psprintf(making->pool,
                            "SSOCookie: Path=%s does not contain SSOPath %s, so the cookie would not come "
                            "back; move SSOPath below it",
                            cookie->path, path);
    if (len > 1 && cookie->name == NULL && making->https && cookie->domain == NULL)
        return apr_psprintf(making->pool, "SSOCookie: Path=%s contradicts the default name %s; choose a name",
                            cookie->path, name_https);
    return NULL;
}

static const char *check_times(making_t *making)
{
    const server_settings *settings = making->settings;
    if (settings->session_idle > settings->session_max)
        return "SSOSessionIdle is longer than SSOSessionMax; make it shorter, or SSOSessionMax longer";
    if (settings->http_timeout > HTTP_MAX)
        return "SSOHTTPTimeout is longer than 60s; nobody waits that long for a page";
    if (settings->refresh == KIND_REFRESH_OFF && settings->given[SERVER_refresh_ahead])
        return "SSORefreshAhead has no effect with SSORefresh off; take one of them away";
    if (settings->near_cache > NEAR_MAX)
        return "SSONearCache is longer than 60s; other hosts would let users in for that long after a logout";
    if (settings->near_cache == 0 && settings->store_grace > 0)
        return "SSOStoreGrace has no effect with SSONearCache 0; take one of them away";
    if (settings->session_bytes < SESSION_MIN)
        return "SSOMaxSession is below 4k, which no session fits into; the default is 128k";
    making->rp->http_ms = settings->http_timeout * 1000;
    making->rp->lease_seconds = (uint32_t)(settings->http_timeout + LEASE_MARGIN);
    making->rp->refresh = (refresh_rules){.on = settings->refresh == KIND_REFRESH_AUTO,
                                          .ahead_percent = settings->refresh_ahead.percent,
                                          .ahead_seconds = settings->refresh_ahead.seconds};
    return NULL;
}

static const char *check_provider(making_t *making)
{
    rp_t *rp = making->rp;
    const server_settings *settings = making->settings;
    const kind_endpoints *given = &settings->endpoints;
    rp->endpoints = (provider_endpoints){given->authorization, given->token,       given->userinfo,
                                         given->jwks,          given->end_session, given->revocation};
    rp->plain_oauth = !has_word(settings->scopes, "openid");
    bool identifies = rp->plain_oauth ? given->userinfo != NULL : given->jwks != NULL;
    rp->discovers = given->authorization == NULL || given->token == NULL || !identifies;
    if (rp->plain_oauth &&
        (settings->userinfo == KIND_USERINFO_OFF || !(settings->claims_from & KIND_FROM_USERINFO)))
        return "SSOScopes without openid needs userinfo to say who the user is; add openid, or allow "
               "userinfo with "
               "SSOUserinfo and SSOClaimsFrom";
    if (rp->plain_oauth && (settings->claims_from & KIND_FROM_ACCESS))
        return "SSOClaimsFrom access needs an ID token to compare with; add openid to SSOScopes";
    if (!rp->plain_oauth && !(settings->claims_from & KIND_FROM_IDTOKEN))
        return "SSOClaimsFrom without idtoken makes no sense with openid; add idtoken";
    return NULL;
}

static const char *check_scopes(making_t *making)
{
    text_t rest = text_of(making->settings->require_scopes), part;
    apr_array_header_t *required =
        rest.len > 0 ? apr_array_make(making->pool, 4, sizeof(const char *)) : NULL;
    while (rest.len > 0 && text_cut(&rest, ' ', &part)) {
        const char *scope = text_string(making->pool, part);
        if (!has_word(making->settings->scopes, scope))
            return apr_psprintf(making->pool, "SSORequireScope %s is not among SSOScopes; add it there",
                                scope);
        *(const char **)apr_array_push(required) = scope;
    }
    making->rp->required_scopes = required;
    return NULL;
}

static const char *check_key(making_t *making)
{
    const server_settings *settings = making->settings;
    seal_ring *ring = NULL;
    if (settings->key.len > 0) {
        const char *problem = seal_ring_read(making->pool, settings->key, &ring);
        if (problem != NULL)
            return apr_pstrcat(making->pool, "SSOKey: ", problem, NULL);
    } else {
        if (settings->client_secret.len < SECRET_FOR_KEY)
            return "SSOKey is missing, and the client secret is shorter than 32 characters or absent, so "
                   "that no key can be "
                   "derived from it; make one with: (umask 077; openssl rand -hex 32 > /etc/apache2/sso.key) "
                   "and write "
                   "SSOKey /etc/apache2/sso.key";
        ring = seal_ring_derive(making->pool, settings->client_secret);
        if (ring == NULL)
            return "SSOKey: no key could be derived from the client secret; OpenSSL lacks HMAC-SHA-256";
    }
    making->rp->ring = ring;
    return NULL;
}

static const char *check_user(making_t *making)
{
    const kind_user *user = &making->settings->user;
    const pattern_port *port = making->site->pattern;
    if (user->expression == NULL)
        return NULL;
    const char *problem = port->compile(port, making->pool, user->expression, &making->rp->user_pattern);
    return problem == NULL
               ? NULL
               : apr_psprintf(making->pool, "SSOUser: the regular expression is wrong: %s", problem);
}

/* Standard claims that a scope promises (OpenID Connect Core 5.4), one of each. */
static const char *const scope_claims[][2] = {
    {"email", "email"}, {"profile", "name"}, {"phone", "phone_number"}, {"address", "address"}};

static const char *collect_wanted(making_t *making)
{
    const apr_array_header_t *named = making->site->wanted;
    apr_array_header_t *wanted = apr_array_make(making->pool, 8, sizeof(const char *));
    *(const char **)apr_array_push(wanted) = making->settings->user.claim;
    for (size_t i = 0; i < sizeof scope_claims / sizeof *scope_claims; i++) {
        if (has_word(making->settings->scopes, scope_claims[i][0]))
            *(const char **)apr_array_push(wanted) = scope_claims[i][1];
    }
    if (named != NULL)
        apr_array_cat(wanted, named);
    making->rp->wanted = wanted;
    return NULL;
}

static const char *make_names(making_t *making)
{
    rp_t *rp = making->rp;
    const server_settings *settings = making->settings;
    const char *domain = settings->cookie.domain != NULL ? settings->cookie.domain : making->host;
    rp->space = text_of(apr_pstrcat(making->pool, settings->issuer, "\n", settings->client_id, "\n",
                                    making->https ? "https" : "http", "\n", domain, NULL));
    rp->issuer_name = apr_pstrcat(making->pool, "metadata ", settings->issuer, NULL);
    rp->keys_name = apr_pstrcat(making->pool, "keys ", settings->issuer, NULL);
    rp->ticket_prefix_https = apr_pstrcat(making->pool, rp_cookie_name(rp, true), "-login-", NULL);
    rp->ticket_prefix_http = apr_pstrcat(making->pool, rp_cookie_name(rp, false), "-login-", NULL);
    rp->client = (client_t){.id = settings->client_id, .secret = settings->client_secret};
    switch (settings->client_auth) {
    case KIND_CLIENTAUTH_AUTO:
        rp->client.method = CLIENTAUTH_FROM_METADATA;
        break;
    case KIND_CLIENTAUTH_BASIC:
        rp->client.method = CLIENTAUTH_BASIC;
        break;
    case KIND_CLIENTAUTH_POST:
        rp->client.method = CLIENTAUTH_POST;
        break;
    case KIND_CLIENTAUTH_NONE:
        rp->client.method = CLIENTAUTH_NONE;
        break;
    }
    return NULL;
}

static const char *make_pages(making_t *making)
{
    rp_t *rp = making->rp;
    rp->template = making->settings->page.len > 0 ? making->settings->page : page_template();
    rp->page_policy = page_policy(making->pool, rp->template);
    return rp->page_policy != NULL ? NULL : "SSOPage: the style cannot be hashed; OpenSSL lacks SHA-256";
}

const char *rp_make(apr_pool_t *pool, const server_settings *settings, const rp_site *site, const rp_t **rp)
{
    static const check_t checks[] = {check_required, check_host,     check_addresses, check_cookie,
                                     check_times,    check_provider, check_scopes,    check_key,
                                     check_user,     collect_wanted, make_names,      make_pages};
    rp_t *made = apr_pcalloc(pool, sizeof *made);
    making_t making = {.pool = pool, .settings = settings, .site = site, .rp = made};
    made->settings = settings;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        const char *problem = checks[i](&making);
        if (problem != NULL)
            return problem;
    }
    *rp = made;
    return NULL;
}

const server_settings *rp_settings(const rp_t *rp)
{
    return rp->settings;
}

bool rp_owns(const rp_t *rp, text_t path)
{
    text_t own = text_of(rp->settings->path);
    return text_starts(path, own) && (path.len == own.len || path.at[own.len] == '/');
}

const char *rp_cookie_name(const rp_t *rp, bool https)
{
    const kind_cookie *cookie = &rp->settings->cookie;
    if (cookie->name != NULL)
        return cookie->name;
    if (!https)
        return name_http;
    return cookie->domain != NULL ? name_domain : name_https;
}

const char *rp_ticket_prefix(const rp_t *rp, bool https)
{
    return https ? rp->ticket_prefix_https : rp->ticket_prefix_http;
}
