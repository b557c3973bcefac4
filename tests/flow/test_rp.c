/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Settings that do not fit each other: every sentence an administrator can get from `httpd -t` about more
 * than one directive names directive, fault and cure. And what passes. */

#include "unit.h"

#include "flow/rpinside.h"
#include "world.h"

#define SECRET "0123456789abcdef0123456789abcdef" /* 32 characters: a server key can be derived */
#define KEY    "8f1d3c5b7a9e0f2d4c6b8a0e1f3d5c7b9a0e2f4d6c8b0a1e3f5d7c9b0a2e4f6d\n"

static server_settings *sound(apr_pool_t *pool)
{
    server_settings *settings = settings_server_new(pool);
    settings->issuer = "https://op.test/realm";
    settings->client_id = "rp";
    settings->client_secret = TEXT(SECRET);
    return settings;
}

static const char *make_at(apr_pool_t *pool, const server_settings *settings, bool https, const rp_t **rp)
{
    static const rp_t *unused;
    const rp_site site = {.server_name = "rp.test", .https = https, .pattern = fakes_pattern()};
    return rp_make(pool, settings, &site, rp != NULL ? rp : &unused);
}

static const struct {
    const char *lines[4]; /* beside issuer, client and a secret of 32 characters, at https://rp.test */
    const char *begins;   /* the directive stands first */
    const char *cure;     /* and what helps is said */
    const char *why;
} refused_cases[] = {
    {{"SSOClientAuth none", "SSOClientSecret x"},
     "SSOClientAuth none contradicts SSOClientSecret",
     "take one",
     "one of the two"},
    {{"SSOBaseURL https://rp.test", "SSOTrustProxy 10.0.0.1"},
     "SSOBaseURL and SSOTrustProxy contradict",
     "take SSOTrustProxy away",
     "one says what the other asks"},
    {{"SSOLogoutURL /sso"}, "SSOLogoutURL lies below SSOPath", "a page of your own", "round in circles"},
    {{"SSOLogoutURL /sso/logout"},
     "SSOLogoutURL lies below SSOPath",
     "a page of your own",
     "round in circles"},
    {{"SSOLogoutURL /in/out", "SSOPath /in"},
     "SSOLogoutURL lies below SSOPath",
     "a page of your own",
     "round in circles"},
    {{"SSOBaseURL http://rp.test", "SSOCookie __Secure-x"},
     "SSOCookie: the name __Secure-x needs https",
     "without __",
     "browsers drop it"},
    {{"SSOBaseURL http://rp.test", "SSOCookie None"},
     "SSOCookie: SameSite None needs https",
     "use Lax",
     "browsers drop it"},
    {{"SSOCookie Domain=other.test"},
     "SSOCookie: Domain=other.test does not contain the host rp.test",
     "drop",
     "browsers drop it"},
    {{"SSOCookie Domain=www.rp.test"},
     "SSOCookie: Domain=www.rp.test does not contain",
     "drop",
     "a domain below the host"},
    {{"SSOBaseURL https://evilrp.test", "SSOCookie Domain=rp.test"},
     "SSOCookie: Domain=rp.test does not contain the host evilrp.test",
     "drop",
     "RD-05 dot boundary"},
    {{"SSOCookie c Path=/app"},
     "SSOCookie: Path=/app does not contain SSOPath /sso",
     "move SSOPath",
     "it would not reach the callback"},
    {{"SSOCookie c Path=/ss"},
     "SSOCookie: Path=/ss does not contain SSOPath",
     "move SSOPath",
     "a part of a segment is no path"},
    {{"SSOCookie c Path=/sso/x"},
     "SSOCookie: Path=/sso/x does not contain SSOPath",
     "move SSOPath",
     "below it is too far"},
    {{"SSOCookie Path=/sso"},
     "SSOCookie: Path=/sso contradicts the default name __Host-sso",
     "choose a name",
     "__Host- is for / alone"},
    {{"SSOSessionIdle 13h"},
     "SSOSessionIdle is longer than SSOSessionMax",
     "make it shorter",
     "it would have no effect"},
    {{"SSOSessionMax 10m"},
     "SSOSessionIdle is longer than SSOSessionMax",
     "SSOSessionMax longer",
     "against the default"},
    {{"SSOHTTPTimeout 61s"}, "SSOHTTPTimeout is longer than 60s", "nobody waits", "TE-05 threads would hang"},
    {{"SSORefresh off", "SSORefreshAhead 30s"},
     "SSORefreshAhead has no effect with SSORefresh off",
     "take one",
     "one of the two"},
    {{"SSOMaxSession 4095"}, "SSOMaxSession is below 4k", "the default is 128k", "no login would succeed"},
    {{"SSOScopes profile", "SSOUserinfo off"},
     "SSOScopes without openid needs userinfo",
     "add openid",
     "nobody says who it is"},
    {{"SSOScopes profile", "SSOClaimsFrom idtoken"},
     "SSOScopes without openid needs userinfo",
     "SSOClaimsFrom",
     "nobody says who it is"},
    {{"SSOScopes profile", "SSOClaimsFrom userinfo,access"},
     "SSOClaimsFrom access needs an ID token",
     "add openid",
     "sub could not be compared"},
    {{"SSOClaimsFrom userinfo"},
     "SSOClaimsFrom without idtoken",
     "add idtoken",
     "the verified token would not count"},
    {{"SSORequireScope openid admin"},
     "SSORequireScope admin is not among SSOScopes",
     "add it there",
     "no login would succeed"},
    {{"SSORequireScope open"},
     "SSORequireScope open is not among SSOScopes",
     "add it there",
     "words, not parts of words"},
    {{"SSOClientSecret 0123456789abcdef0123456789abcde"},
     "SSOKey is missing",
     "openssl rand -hex 32",
     "CF-01 31 characters make no key"},
    {{"SSOClientAuth none"},
     "SSOKey is missing",
     "openssl rand -hex 32",
     "CF-01 nothing to derive a key from"},
    {{"SSOUser email ( $1"},
     "SSOUser: the regular expression is wrong: ",
     "",
     "CF-08 found by httpd -t, not by a user"},
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < COUNT(refused_cases); i++) {
        const char *problem = world_refusal(unit_pool(state), refused_cases[i].lines);
        assert_case(problem != NULL, refused_cases[i].why);
        if (!text_starts(text_of(problem), text_of(refused_cases[i].begins)) ||
            strstr(problem, refused_cases[i].cure) == NULL)
            fail_msg("%s: %s", refused_cases[i].why, problem);
        assert_case(strstr(problem, "0123456789") == NULL, "OE-11 no secret is quoted");
    }
}

static const struct {
    const char *lines[4];
    const char *why;
} accepted_cases[] = {
    {{NULL}, "the smallest configuration"},
    {{"SSOBaseURL http://rp.test"}, "the same on http"},
    {{"SSOBaseURL https://www.rp.test:8443", "SSOCookie Domain=rp.test"},
     "a domain above the host, another port"},
    {{"SSOCookie Domain=RP.test"}, "case does not matter in names of hosts"},
    {{"SSOCookie c Path=/app/", "SSOPath /app/sso"}, "RFC 6265 5.1.4: a path with a slash at its end"},
    {{"SSOCookie c Path=/app", "SSOPath /app/sso"}, "RFC 6265 5.1.4: a path above"},
    {{"SSOCookie c Path=/sso"}, "RFC 6265 5.1.4: the path itself"},
    {{"SSOCookie __Secure-x None"}, "prefix and None on https"},
    {{"SSOSessionIdle 12h"}, "the bounds themselves are fine"},
    {{"SSOHTTPTimeout 60s", "SSOMaxSession 4k"}, "the bounds themselves are fine"},
    {{"SSORefresh off"}, "the default of SSORefreshAhead is not 'given'"},
    {{"SSOScopes read:user"}, "OAuth 2.0 with userinfo"},
    {{"SSOScopes openid email a", "SSORequireScope a email"},
     "required scopes that are asked for, in any order"},
    {{"SSOLogoutURL /sso-bye"}, "begins like SSOPath, but is not below it"},
    {{"SSOUser email ^(.*)@rp.test$ $1"}, "an expression that compiles"},
    {{"SSOTrustProxy 10.0.0.0/8"}, "a proxy that is asked"},
};

static void test_accepted(void **state)
{
    for (size_t i = 0; i < COUNT(accepted_cases); i++) {
        const char *problem = world_refusal(unit_pool(state), accepted_cases[i].lines);
        if (problem != NULL)
            fail_msg("%s: %s", accepted_cases[i].why, problem);
    }
}

static void test_required(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *settings = sound(pool);
    settings->issuer = NULL;
    assert_non_null(strstr(make_at(pool, settings, true, NULL), "SSOIssuer is missing; write"));
    settings = sound(pool);
    settings->client_id = NULL;
    assert_non_null(strstr(make_at(pool, settings, true, NULL), "SSOClientID is missing; write"));
    settings = sound(pool);
    settings->client_secret = (text_t){NULL, 0};
    assert_non_null(strstr(make_at(pool, settings, true, NULL), "SSOClientSecret is missing; write"));
    settings = sound(pool);
    settings->base_url = "rp.test";
    assert_non_null(strstr(make_at(pool, settings, true, NULL), "SSOBaseURL is not a URL"));
}

/* CF-01, CF-10: a key of one's own stands in for a short or absent secret; a broken one never does. */
static void test_keys(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *settings = sound(pool);
    const rp_t *rp = NULL;
    settings->key = TEXT(KEY);
    settings->client_secret = TEXT("short");
    assert_null(make_at(pool, settings, true, &rp));
    settings->client_secret = (text_t){NULL, 0};
    settings->client_auth = KIND_CLIENTAUTH_NONE;
    assert_null(make_at(pool, settings, true, &rp));
    assert_non_null(rp->ring);
    settings = sound(pool);
    settings->key = TEXT("deadbeef\n");
    const char *problem = make_at(pool, settings, true, &rp);
    assert_true(text_starts(text_of(problem), TEXT("SSOKey: ")));
    assert_null(strstr(problem, "deadbeef")); /* OE-11 */
}

static void test_server_name(void **state)
{
    static const struct {
        const char *name;
        bool fine;
        const char *why;
    } cases[] = {
        {"rp.test", true, "a name"},
        {"rp.test:8443", true, "name and port"},
        {"[::1]:8443", true, "an address"},
        {"rp test", false, "no name of a host"},
        {"_default_", false, "httpd's word for none"},
        {"", false, "nothing"},
        {"rp.test/x", true, "url_read knows paths; httpd refuses them itself"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const rp_site site = {.server_name = cases[i].name, .https = true, .pattern = fakes_pattern()};
        const rp_t *rp = NULL;
        const char *problem = rp_make(unit_pool(state), sound(unit_pool(state)), &site, &rp);
        assert_case((problem == NULL) == cases[i].fine, cases[i].why);
        assert_case(problem == NULL || strstr(problem, "set ServerName, or SSOBaseURL") != NULL,
                    cases[i].why);
    }
}

static void test_paths_owned(void **state)
{
    static const struct {
        text_t path;
        bool own;
        const char *why;
    } cases[] = {
        {{"/sso", 4}, true, "SSOPath itself"},
        {{"/sso/callback", 13}, true, "below"},
        {{"/sso/", 5}, true, "below, though nothing is there"},
        {{"/ssox", 5}, false, "AR-26 begins alike"},
        {{"/sso;v=1", 8}, false, "AR-26"},
        {{"/SSO/callback", 13}, false, "AR-26 case counts"},
        {{"//sso/callback", 14}, false, "AR-26 no other spelling"},
        {{"/sso%2fcallback", 15}, false, "AR-26 no other spelling"},
        {{"/ss", 3}, false, "shorter"},
        {{"", 0}, false, "nothing"},
        {{NULL, 0}, false, "nothing at all"},
    };
    const rp_t *rp = NULL;
    assert_null(make_at(unit_pool(state), sound(unit_pool(state)), true, &rp));
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(rp_owns(rp, unit_flush(unit_pool(state), cases[i].path)) == cases[i].own, cases[i].why);
}

static void test_cookie_names(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const rp_t *rp = NULL;
    server_settings *settings = sound(pool);
    assert_null(make_at(pool, settings, true, &rp));
    assert_string_equal(rp_cookie_name(rp, true), "__Host-sso");
    assert_string_equal(rp_cookie_name(rp, false), "sso");
    assert_string_equal(rp_ticket_prefix(rp, true), "__Host-sso-login-");
    assert_string_equal(rp_ticket_prefix(rp, false), "sso-login-");
    settings = sound(pool);
    settings->cookie.domain = "rp.test";
    assert_null(make_at(pool, settings, true, &rp));
    assert_string_equal(rp_cookie_name(rp, true), "__Secure-sso"); /* __Host- cookies have no Domain */
    settings = sound(pool);
    settings->cookie.name = "mine";
    assert_null(make_at(pool, settings, true, &rp));
    assert_string_equal(rp_cookie_name(rp, true), "mine");
    assert_string_equal(rp_ticket_prefix(rp, false), "mine-login-");
}

/* CK-09: what makes a namespace of its own. */
static void test_namespace(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const rp_t *first = NULL, *other = NULL;
    assert_null(make_at(pool, sound(pool), true, &first));
    assert_null(make_at(pool, sound(pool), true, &other));
    assert_texts(other->space, first->space, "the same settings share their sessions");
    for (size_t i = 0; i < 4; i++) {
        server_settings *changed = sound(pool);
        changed->issuer = i == 0 ? "https://op.test/realm2" : changed->issuer;
        changed->client_id = i == 1 ? "rp2" : changed->client_id;
        changed->base_url = i == 2 ? "https://other.test" : i == 3 ? "http://rp.test" : NULL;
        assert_null(make_at(pool, changed, true, &other));
        assert_false(text_equal(other->space, first->space));
    }
    server_settings *one = sound(pool), *two = sound(pool);
    one->cookie.domain = two->cookie.domain = "rp.test";
    one->base_url = "https://a.rp.test";
    two->base_url = "https://b.rp.test";
    assert_null(make_at(pool, one, true, &first));
    assert_null(make_at(pool, two, true, &other));
    assert_texts(other->space, first->space, "hosts below one cookie domain share their sessions");
}

static void test_resolved(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *settings = sound(pool);
    const rp_t *rp = NULL;
    settings->scopes = "openid email profile";
    settings->require_scopes = "email profile";
    settings->endpoints =
        (kind_endpoints){.authorization = "https://op.test/a", .token = "https://op.test/t"};
    settings->http_timeout = 7;
    assert_null(make_at(pool, settings, true, &rp));
    assert_false(rp->plain_oauth);
    assert_true(rp->discovers); /* the keys are not known */
    assert_int_equal(rp->http_ms, 7000);
    assert_true(rp->lease_seconds * 1000 > rp->http_ms); /* a lease outlives the call it covers */
    assert_int_equal(rp->required_scopes->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(rp->required_scopes, 1, const char *), "profile");
    assert_int_equal(rp->wanted->nelts, 3); /* sub, email, name */
    settings->endpoints.jwks = "https://op.test/k";
    assert_null(make_at(pool, settings, true, &rp));
    assert_false(rp->discovers);
    settings->scopes = "read";
    settings->require_scopes = NULL;
    assert_null(make_at(pool, settings, true, &rp));
    assert_true(rp->plain_oauth && rp->discovers); /* jwks does not identify anybody without openid */
    assert_null(rp->required_scopes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_refused),      UNIT_TEST(test_accepted),    UNIT_TEST(test_required),
        UNIT_TEST(test_keys),         UNIT_TEST(test_server_name), UNIT_TEST(test_paths_owned),
        UNIT_TEST(test_cookie_names), UNIT_TEST(test_namespace),   UNIT_TEST(test_resolved),
    };
    return UNIT_MAIN(tests);
}
