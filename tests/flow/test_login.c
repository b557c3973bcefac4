/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The way to the provider: the authorization request, the ticket in the browser, and what a page or a third
 * party may ask for. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/codec.h"
#include "base/cookie.h"
#include "base/url.h"

static verdict_t *ask(world_t *world, const char *target, const char *cookies)
{
    visit_t visit = world_nav(world, target, cookies);
    return gate_endpoint(world->rp, &world->env, &visit);
}

static text_t query_of(const char *url)
{
    return text_from(text_of(url), text_find(text_of(url), '?') + 1);
}

/* ST-30, CI-07, CI-10: the request has what it should, once each, whatever the visitor's own query says. */
static void test_request(void **state)
{
    static const char *const lines[] = {"SSOScopes openid email", "SSOAuthParam prompt=select_account", NULL};
    static const struct {
        const char *name, *value; /* NULL: by length */
        size_t len;
    } wanted[] = {
        {"response_type", "code", 0},
        {"client_id", "rp", 0},
        {"redirect_uri", JOURNEY_CALLBACK, 0},
        {"scope", "openid email", 0},
        {"code_challenge_method", "S256", 0},
        {"prompt", "select_account", 0},
        {"state", NULL, 43},
        {"nonce", NULL, 43},
        {"code_challenge", NULL, 43},
    };
    world_t *world = world_new(unit_pool(state), lines);
    journey_t journey = journey_begin(
        world,
        "/app?client_id=evil&scope=admin&redirect_uri=https://evil.test&prompt=none&state=x&login_hint=y",
        NULL);
    text_t rest = query_of(journey.url), pair;
    size_t pairs = 0;
    while (text_cut(&rest, '&', &pair))
        pairs++;
    assert_int_equal(pairs, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        text_t value = journey_asked(&journey, wanted[i].name);
        if (wanted[i].value != NULL)
            assert_texts(value, text_of(wanted[i].value), wanted[i].name);
        else
            assert_int_equal(value.len, wanted[i].len);
    }
    assert_true(text_starts(text_of(journey.url), TEXT(FAKEOP_ISSUER "/auth?")));
    assert_null(strstr(journey.url, journey.verifier.at));
    assert_false(text_equal(journey.state, journey.nonce) ||
                 text_equal(journey.nonce, journey.verifier)); /* ST-01 */
}

/* ST-02, ST-06, ST-29: the ticket cookie. */
static void test_ticket(void **state)
{
    static const char *const lines[] = {"SSOCookie Strict", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    visit_t visit = world_nav(world, "/private-page", NULL);
    const verdict_t *stranger = gate_admit(world->rp, &world->env, &visit);
    verdict_t *one = gate_stranger(world->rp, &world->env, &visit, stranger);
    verdict_t *two = gate_stranger(world->rp, &world->env, &visit, stranger);
    const char *line = world_set_cookie(one, JOURNEY_TICKETS);
    assert_non_null(line);
    assert_int_equal(one->cookies->nelts, 1);
    assert_string_equal(strchr(line, ';'),
                        "; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"); /* not Strict */
    assert_int_equal(strcspn(line, "="), strlen(JOURNEY_TICKETS) + 10);
    assert_string_not_equal(line, world_set_cookie(two, JOURNEY_TICKETS));
    text_t raw, value = {strchr(line, '=') + 1, strcspn(strchr(line, '=') + 1, ";")};
    assert_true(codec_unbase64url(world->pool, value, &raw));
    assert_null(memmem(raw.at, raw.len, "private", 7));
    assert_string_equal(one->location + strlen(FAKEOP_ISSUER "/auth"), strchr(one->location, '?'));
}

/* How many tickets a jar has, and their bytes. */
static size_t tickets_in(const char *jar, size_t *bytes)
{
    text_t rest = text_of(jar), name, value;
    size_t count = 0;
    *bytes = 0;
    while (cookie_next(&rest, &name, &value)) {
        bool is_ticket = text_starts(name, TEXT(JOURNEY_TICKETS));
        count += is_ticket;
        *bytes += is_ticket ? name.len + value.len : 0;
    }
    return count;
}

/* ST-10, ST-20: logins that nobody finishes; the oldest tickets go, the newest stay and work. */
static void test_abandoned(void **state)
{
    static const size_t lengths[] = {5, 600, 1800};
    for (size_t n = 0; n < COUNT(lengths); n++) {
        world_t *world = world_new(unit_pool(state), NULL);
        char *target = apr_pcalloc(world->pool, lengths[n] + 1);
        memset(target, 'a', lengths[n]);
        target[0] = '/';
        const char *jar = "other=1";
        journey_t journey = {.world = NULL}, former = {.world = NULL};
        size_t bytes = 0;
        for (int i = 0; i < 100; i++) {
            former = journey;
            journey = journey_begin(world, target, jar);
            jar = journey.cookies;
            size_t count = tickets_in(jar, &bytes);
            assert_true(count >= 1 && count <= TICKET_COUNT_MAX && bytes <= TICKET_BYTES_MAX);
            fakes_clock_pass(&world->clock, 1);
        }
        assert_true(tickets_in(jar, &bytes) == TICKET_COUNT_MAX || bytes > TICKET_BYTES_MAX / 2);
        assert_non_null(strstr(jar, "other=1"));
        if (lengths[n] < 100) {
            former.cookies = jar;
            journey_welcomed(&former, journey_return(&former, journey_consent(&former)), target);
            fakestore_recount(&world->store);
        }
        journey_welcomed(&journey, journey_return(&journey, journey_consent(&journey)), target);
    }
}

/* Tickets that do not open are left alone while there is room, since they may be another site's on the same
 * host; they go first when there is none. The application's cookies are never touched. */
static void test_dead_tickets(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *jar = JOURNEY_TICKETS "AAAAAAAAAA=rubbish; app=1; " JOURNEY_TICKETS
                                      "count=1.1700000000; " WORLD_COOKIE "=x";
    journey_t journey = journey_begin(world, "/app", jar);
    const char *first = journey.ticket;
    assert_non_null(strstr(journey.cookies, "rubbish"));
    for (int i = 0; i < TICKET_COUNT_MAX - 1; i++)
        journey = journey_begin(world, "/app", journey.cookies);
    assert_null(strstr(journey.cookies, "rubbish"));
    assert_non_null(strstr(journey.cookies, first));
    assert_non_null(strstr(journey.cookies, "app=1"));
    assert_non_null(strstr(journey.cookies, "count=1.1700000000"));
    assert_non_null(strstr(journey.cookies, WORLD_COOKIE "=x"));
}

/* ST-20: an address that is too long to keep leads to the root; the login works. */
static void test_long_address(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    char target[7501];
    memset(target, 'a', sizeof target - 1);
    target[0] = '/';
    target[sizeof target - 1] = '\0';
    journey_t journey = journey_begin(world, target, NULL);
    assert_true(strlen(journey.cookies) < 1000);
    journey_welcomed(&journey, journey_return(&journey, journey_consent(&journey)), "/");
}

/* DO-01: once the metadata are known, a stranger costs neither a call nor a write. */
static void test_costs(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_begin(world, "/app", NULL);
    unsigned calls = world->http.calls;
    for (int i = 0; i < 10; i++) {
        fakestore_recount(&world->store);
        visit_t visit = world_nav(world, "/app", NULL);
        verdict_t *verdict =
            gate_stranger(world->rp, &world->env, &visit, gate_admit(world->rp, &world->env, &visit));
        assert_int_equal(verdict->status, 302);
        assert_int_equal(fakestore_calls(&world->store), 0);
    }
    assert_int_equal(world->http.calls, calls);
}

static const struct {
    const char *query;
    fault_code code; /* FAULT_NONE: to the provider */
    const char *why;
} asked_cases[] = {
    {"", FAULT_NONE, "nothing asked: the root"},
    {"?return=/app%3Fx%3D1", FAULT_NONE, "a path"},
    {"?return=https://rp.test/app", FAULT_NONE, "our origin"},
    {"?target_link_uri=https://rp.test/app", FAULT_NONE, "RD-17 by a third party"},
    {"?return=/a&target_link_uri=https://evil.test", FAULT_NONE, "only one of them is looked at"},
    {"?return=//evil.test", FAULT_TARGET_REFUSED, "RD-01"},
    {"?return=https://evil.test/%3Cscript%3E", FAULT_TARGET_REFUSED, "RD-05, OE-01"},
    {"?return=", FAULT_TARGET_REFUSED, "empty"},
    {"?return=/a&return=/b", FAULT_TARGET_REFUSED, "twice"},
    {"?return=%zz", FAULT_TARGET_REFUSED, "broken escape"},
    {"?return=/sso/callback%3Fcode=x", FAULT_TARGET_REFUSED, "RD-15"},
    {"?return=/x/../sso/callback%3Fcode=x", FAULT_TARGET_REFUSED, "RD-15"},
    {"?target_link_uri=https://evil.test", FAULT_TARGET_REFUSED, "RD-17"},
    {"?iss=" FAKEOP_ISSUER "&target_link_uri=https://evil.test", FAULT_TARGET_REFUSED, "RD-17"},
    {"?iss=" FAKEOP_ISSUER, FAULT_NONE, "DS-10 our issuer"},
    {"?iss=https://evil.test", FAULT_ISSUER_MISMATCH, "DS-10"},
    {"?iss=" FAKEOP_ISSUER "/", FAULT_ISSUER_MISMATCH, "DS-10 byte by byte"},
    {"?iss=", FAULT_ISSUER_MISMATCH, "DS-11"},
    {"?iss", FAULT_ISSUER_MISMATCH, "DS-11"},
    {"?iss=%00", FAULT_ISSUER_MISMATCH, "DS-11"},
    {"?iss=" FAKEOP_ISSUER "%00", FAULT_ISSUER_MISMATCH, "DS-11"},
    {"?iss=" FAKEOP_ISSUER "&iss=https://evil.test", FAULT_ISSUER_MISMATCH, "DS-10 twice"},
};

/* DS-10, DS-11, RD-15, RD-17: what is refused makes no call and no ticket. */
static void test_asked(void **state)
{
    for (size_t i = 0; i < COUNT(asked_cases); i++) {
        const char *why = asked_cases[i].why;
        world_t *world = world_new(unit_pool(state), NULL);
        verdict_t *verdict =
            ask(world, apr_pstrcat(world->pool, "/sso/login", asked_cases[i].query, NULL), NULL);
        if (asked_cases[i].code == FAULT_NONE) {
            assert_case(verdict->status == 302 && verdict->fault == NULL, why);
            continue;
        }
        assert_fault(verdict->fault, asked_cases[i].code);
        assert_case(verdict->status == 400 && verdict->location == NULL && verdict->cookies == NULL, why);
        assert_case(world->http.calls == 0, why);
        assert_case(strstr(verdict->body.at, "evil") == NULL && strstr(verdict->body.at, "<script") == NULL,
                    why);
    }
}

/* The target that was asked for is where the login ends. */
static void test_lands(void **state)
{
    static const char *const targets[][2] = {
        {"", "/"}, {"?return=/a%3Fb%3D%2525", "/a?b=%25"}, {"?return=https://rp.test?q", "/?q"}};
    for (size_t i = 0; i < COUNT(targets); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/x", NULL);
        verdict_t *verdict = ask(world, apr_pstrcat(world->pool, "/sso/login", targets[i][0], NULL), NULL);
        const char *query = fakeop_authorize(&world->op, world->pool, verdict->location).at;
        journey.cookies = world_cookies_after(world->pool, NULL, verdict);
        verdict = journey_return(&journey, query);
        assert_int_equal(verdict->status, 303);
        assert_string_equal(verdict->location, apr_pstrcat(world->pool, WORLD_BASE, targets[i][1], NULL));
    }
}

/* RD-17, ST-30: a hint is passed on encoded, never twice, and dropped when it is no use. */
static void test_hint(void **state)
{
    static const char *const own[] = {"SSOAuthParam login_hint=desk", NULL};
    char big[300];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    const struct {
        const char *const *lines;
        const char *query, *hint;
    } cases[] = {
        {NULL, "login_hint=%3Cscript%3E%26state%3Dx", "<script>&state=x"},
        {NULL, "login_hint=a&login_hint=b", NULL},
        {NULL, "login_hint=", NULL},
        {NULL, apr_pstrcat(unit_pool(state), "login_hint=", big, NULL), NULL},
        {own, "login_hint=evil", "desk"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t hint;
        world_t *world = world_new(unit_pool(state), cases[i].lines);
        verdict_t *verdict = ask(world, apr_pstrcat(world->pool, "/sso/login?", cases[i].query, NULL), NULL);
        assert_int_equal(verdict->status, 302);
        assert_null(strstr(verdict->location, "<script"));
        url_rc rc = url_parameter(world->pool, query_of(verdict->location), "login_hint", &hint);
        assert_int_equal(rc, cases[i].hint != NULL ? URL_FOUND : URL_ABSENT);
        assert_texts(hint, text_of(cases[i].hint), cases[i].query);
    }
}

/* CI-08 and a provider that cannot be used: refused, no ticket, no request without PKCE. */
static void test_unsuitable(void **state)
{
    static const struct {
        const char *metadata;
        int status;
        fault_code code;
        const char *why;
    } cases[] = {
        {",\"code_challenge_methods_supported\":[\"plain\"]", 200, FAULT_PROVIDER_UNSUITABLE, "CI-08"},
        {",\"code_challenge_methods_supported\":[]", 200, FAULT_PROVIDER_UNSUITABLE, "CI-08"},
        {",\"code_challenge_methods_supported\":[\"plain\",\"S256\"]", 200, FAULT_NONE,
         "S256 besides others"},
        {NULL, 200, FAULT_NONE, "CI-07 it does not say: PKCE all the same"},
        {NULL, 500, FAULT_PROVIDER_DOWN, "DS-02"},
        {NULL, 404, FAULT_METADATA_INVALID, "no metadata there"},
        {",\"issuer\":\"https://evil.test\"", 200, FAULT_METADATA_INVALID, "DS-01 the issuer twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        world->op.metadata = cases[i].metadata;
        if (cases[i].status != 200)
            fakes_http_answer(&world->http, "/.well-known/openid-configuration", 1, cases[i].status, NULL,
                              "");
        verdict_t *verdict = ask(world, "/sso/login", NULL);
        assert_fault(verdict->fault, cases[i].code);
        if (cases[i].code == FAULT_NONE) {
            assert_non_null(strstr(verdict->location, "&code_challenge_method=S256"));
            continue;
        }
        assert_case(verdict->status == 503 && verdict->retry_after > 0, cases[i].why);
        assert_case(verdict->location == NULL && verdict->cookies == NULL, cases[i].why);
    }
}

/* CF-11, ST-15: no random numbers, no host, no navigation: no login. */
static void test_not_begun(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_begin(world, "/warm", NULL);
    for (int fills = 0; fills < 4; fills++) { /* state, nonce, verifier, seal */
        world->random.fails_after = fills;
        verdict_t *verdict = ask(world, "/sso/login", NULL);
        assert_fault(verdict->fault, FAULT_INTERNAL);
        assert_true(verdict->status == 500 && verdict->cookies == NULL && verdict->location == NULL);
    }
    world->random.fails_after = -1;
    visit_t visit = world_nav(world, "/sso/login", NULL);
    visit.base_url = NULL;
    assert_fault(gate_endpoint(world->rp, &world->env, &visit)->fault, FAULT_HOST_UNKNOWN);
    visit = world_xhr(world, "/sso/login", NULL);
    verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
    assert_fault(verdict->fault, FAULT_LOGIN_REQUIRED);
    assert_string_equal(verdict->content_type, "application/json");
    assert_null(verdict->cookies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_request),      UNIT_TEST(test_ticket),       UNIT_TEST(test_abandoned),
        UNIT_TEST(test_dead_tickets), UNIT_TEST(test_long_address), UNIT_TEST(test_costs),
        UNIT_TEST(test_asked),        UNIT_TEST(test_lands),        UNIT_TEST(test_hint),
        UNIT_TEST(test_unsuitable),   UNIT_TEST(test_not_begun),
    };
    return UNIT_MAIN(tests);
}
