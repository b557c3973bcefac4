/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_SETTINGS_H
#define FLOW_SETTINGS_H

/* Every directive, one row each: directive, field, kind, default ("" = none), help. From these rows come the
 * structs, the parsers' table, httpd's command records, docs/directives.md and conf/sso.conf.example. Nothing
 * else knows a directive. */

#include <stdbool.h>

#include "flow/kind.h"

/* clang-format off */
#define SERVER_SETTINGS(X) \
    X(SSOIssuer, issuer, url, "", \
      "Issuer identifier of the provider. Its metadata are fetched from the discovery document when they are first needed.") \
    X(SSOClientID, client_id, word, "", \
      "The client that the provider knows this site as.") \
    X(SSOClientSecret, client_secret, secret, "", \
      "The client's secret. It lies in the memory of the configuration, is wiped with it and never printed.") \
    X(SSOClientAuth, client_auth, clientauth, "auto", \
      "How the client proves who it is at the token endpoint. `auto` takes what the provider's metadata allow, basic before post.") \
    X(SSOScopes, scopes, words, "openid", \
      "Scopes asked for. Without `openid` the provider is plain OAuth 2.0: no ID token is expected, and userinfo says who the user is.") \
    X(SSOAuthParam, auth_params, pairs, "", \
      "A parameter added to the authorization request. Parameters that the module owns are refused.") \
    X(SSOEndpoint, endpoints, endpoints, "", \
      "An endpoint of the provider, for plain OAuth 2.0 providers or to override the metadata. With all that are needed no discovery takes place.") \
    X(SSOUserinfo, userinfo, userinfo, "auto", \
      "Whether the userinfo endpoint is asked: never, when a claim that the configuration wants is missing, or always. Its `sub` must match.") \
    X(SSOClaimsFrom, claims_from, sources, "idtoken,userinfo", \
      "Where claims come from. `access` adds an access token that is a JWT meant for this client, verified like an ID token (Keycloak's roles are there).") \
    X(SSORequireScope, require_scopes, words, "", \
      "Scopes without which a login is refused.") \
    X(SSOClockSkew, skew, seconds, "60s", \
      "Tolerance for the provider's clock in exp, nbf and iat.") \
    X(SSOIatAge, iat_age, seconds, "10m", \
      "The oldest ID token (by iat) that is accepted.") \
    X(SSOTokenLifetime, token_lifetime, seconds, "5m", \
      "Lifetime of an access token when the provider does not say.") \
    X(SSOOutbound, outbound, count, "32", \
      "Calls to providers that one child process may have under way at once, but never more than half as many as it has workers.") \
    X(SSOIdTokenAlg, idtoken_algs, algs, "", \
      "Pins the signature algorithms of ID tokens. Otherwise those of the metadata are accepted, as far as the module knows them.") \
    X(SSOProviderCA, provider_ca, file, "", \
      "Certificates (PEM) that are trusted for calls to the provider, instead of the system's.") \
    X(SSOHTTPTimeout, http_timeout, seconds, "10s", \
      "Total deadline of one call to the provider. The environment's proxy settings are never read.") \
    X(SSOHTTPProxy, http_proxy, origin, "", \
      "Proxy for calls to the provider.") \
    X(SSOPath, path, path, "/sso", \
      "Where the module's own endpoints live. It owns everything below, before rewriting and proxying.") \
    X(SSOBaseURL, base_url, origin, "", \
      "Public address of the site, for httpd behind a TLS-terminating proxy. Without it: the Host header when it equals ServerName or a ServerAlias, otherwise ServerName.") \
    X(SSOTrustProxy, trust_proxy, addresses, "", \
      "Peers whose X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Port count.") \
    X(SSOCookie, cookie, cookie, "Lax", \
      "The session cookie: name, SameSite value, Domain=, Path=, persistent. Always HttpOnly, always Secure on https; the name is __Host-sso on https and sso on http where none is given.") \
    X(SSOStore, store, store, "lmdb:", \
      "Where sessions are kept: memcached servers, or an LMDB file shared by the processes of this host (in httpd's runtime directory where no path is given).") \
    X(SSONearCache, near_cache, span, "1s", \
      "How long one process may reuse a record that it has just read; 0 switches that off. A logout is seen at once on the same host, on another host within this time. LMDB needs no such cache and has none.") \
    X(SSOStoreGrace, store_grace, span, "0", \
      "How much longer the near cache may go on serving while the store is down.") \
    X(SSOMaxSession, session_bytes, bytes, "128k", \
      "Ceiling of one session record. A login above it is refused with a reason that names the biggest part.") \
    X(SSOSessionIdle, session_idle, seconds, "30m", \
      "Idle time that ends a session.") \
    X(SSOSessionMax, session_max, seconds, "12h", \
      "Absolute end of a session, counted from the login.") \
    X(SSORefresh, refresh, refresh, "auto", \
      "Whether access tokens are refreshed when there is a refresh token.") \
    X(SSORefreshAhead, refresh_ahead, ahead, "20%", \
      "How long before its end a token is refreshed: a part of its lifetime, or a time (at most half of the lifetime).") \
    X(SSOKey, key, keyfile, "", \
      "The server key: a file with one key a line, the first seals, all open. Without it the key is derived from a client secret of at least 32 characters.") \
    X(SSOUser, user, user, "sub", \
      "Claim for REMOTE_USER, optionally with a regular expression and a substitution.") \
    X(SSOStripHeader, strip_headers, names, "", \
      "Further request headers that are removed from what clients send, in every spelling.") \
    X(SSOStripCookie, strip_cookie, flag, "on", \
      "Whether the module's own cookies are kept from applications.") \
    X(SSOCacheControl, cache_control, text, "auto", \
      "Cache-Control of protected responses that have none: auto (`private, no-store` for HTML, `private, no-cache` otherwise), off, or a value.") \
    X(SSOLogoutURL, logout_url, target, "", \
      "Where the browser lands after a logout. Default: a page of the module.") \
    X(SSOAfterLogout, after_logout, targets, "", \
      "Targets that a logout may be asked to go to with `?return=`, besides paths of the same origin.") \
    X(SSOPage, page, template, "", \
      "Folder with a page.html that replaces the module's own page template (docs/pages.md).")

#define PLACE_SETTINGS(X) \
    X(SSOUnauth, unauth, unauth, "auto", \
      "What a request without a session gets: auto (login for a navigation, otherwise 401 with JSON), login, 401, 403, or pass (anonymous; never satisfies valid-user).") \
    X(SSOSlide, slide, flag, "on", \
      "Whether requests here count as activity. Off suits polling and heartbeats.") \
    X(SSOHeader, headers, headers, "", \
      "A request header for proxied applications, made from a claim: name, claim, and utf8 (default), url, base64, rfc8187 or json. What a client sends under that name, in every spelling, is removed first.") \
    X(SSOEnv, variables, variables, "", \
      "An environment variable for CGI, PHP, FastCGI, SSI and rewrite rules, made from a claim.") \
    X(SSOClaims, claims, export, "env", \
      "All claims at once, as variables, headers or both. Lists are joined with a comma; a comma or backslash inside an item gets a backslash before it; objects are JSON.") \
    X(SSOClaimPrefix, claim_prefix, prefix, "SSO_CLAIM_", \
      "What the names of SSOClaims begin with.") \
    X(SSOPassToken, pass_tokens, tokens, "off", \
      "Tokens that the application gets: access (header Authorization: Bearer and variable SSO_ACCESS_TOKEN), id (header X-SSO-ID-Token and variable SSO_ID_TOKEN).")
/* clang-format on */

#define SETTING_FIELD(directive, field, kind, initial, help)        kind_##kind field;
#define SETTING_INDEX_SERVER(directive, field, kind, initial, help) SERVER_##field,
#define SETTING_INDEX_PLACE(directive, field, kind, initial, help)  PLACE_##field,

enum { SERVER_SETTINGS(SETTING_INDEX_SERVER) SERVER_COUNT };
enum { PLACE_SETTINGS(SETTING_INDEX_PLACE) PLACE_COUNT };

/* Settings of a server or virtual host. `given` says which rows were written down, by index. */
typedef struct server_settings {
    SERVER_SETTINGS(SETTING_FIELD)
    bool given[SERVER_COUNT];
} server_settings;

/* Settings of a place: a Location, a Directory, or all of a host. */
typedef struct place_settings {
    PLACE_SETTINGS(SETTING_FIELD)
    bool given[PLACE_COUNT];
} place_settings;

#undef SETTING_FIELD
#undef SETTING_INDEX_SERVER
#undef SETTING_INDEX_PLACE

/* One row as data. */
typedef struct setting_row {
    const char *directive;
    const char *kind;
    const char *initial; /* default as it would be written; "" where there is none */
    const char *help;
    size_t offset; /* of the field */
    size_t size;   /* of the field */
    int index;     /* in `given` */
} setting_row;

extern const setting_row settings_server_rows[SERVER_COUNT];
extern const setting_row settings_place_rows[PLACE_COUNT];

/* Settings with every default set and nothing given, in the pool. */
server_settings *settings_server_new(apr_pool_t *pool);
place_settings *settings_place_new(apr_pool_t *pool);

/* Reads one directive line into the settings. NULL, or what is wrong, as in kind.h but with the directive's
 * name before it. A row that was given before and whose kind does not add is refused: "is there twice". */
const char *settings_read_server(server_settings *settings, const setting_row *row, const kind_input *input);
const char *settings_read_place(place_settings *settings, const setting_row *row, const kind_input *input);

/* What holds in the inner one where the outer one says other things: each row as a whole from the innermost
 * that gives it; the lists of SSOHeader and SSOEnv add up, and where both name the same the inner row counts.
 * Credentials stay with their owner: an inner SSOIssuer that is another one inherits no client, secret and
 * endpoints, an inner SSOClientID that is another one no secret. The result lies in the pool, the parts are
 * shared. */
server_settings *settings_merge_server(apr_pool_t *pool, const server_settings *outer,
                                       const server_settings *inner);
place_settings *settings_merge_place(apr_pool_t *pool, const place_settings *outer,
                                     const place_settings *inner);

/* Was any directive given? */
bool settings_any_given(const server_settings *settings);

#endif
