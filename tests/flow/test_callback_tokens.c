/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What the token endpoint, the keys and userinfo may say at a login: sections 4 to 6 of the attacks. Nothing
 * is used before it is verified, and what is not going to be used is given back. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/url.h"

static text_t form_value(const journey_t *journey, const char *name)
{
    const fakes_sent *sent = fakes_http_last(&journey->world->http, "/token");
    text_t value = {NULL, 0};
    assert_non_null(sent);
    assert_int_equal(url_parameter(journey->world->pool, text_of(sent->form), name, &value), URL_FOUND);
    return value;
}

/* CI-07, CI-10, AR-24: what goes to the token endpoint is what the login began with, byte for byte. */
static void test_request(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/app", NULL);
    char code[2049];
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (char)(' ' + i % 95);
    code[sizeof code - 1] = '\0';
    const url_pair pairs[] = {{TEXT("state"), journey.state}, {TEXT("code"), {code, sizeof code - 1}}};
    journey.code = code;
    verdict_t *verdict = journey_return(&journey, url_form(world->pool, pairs, 2).at);
    assert_fault(verdict->fault, FAULT_GRANT_REFUSED); /* the provider does not know it */
    assert_texts(form_value(&journey, "code"), pairs[1].value, "AR-24");
    assert_text(form_value(&journey, "grant_type"), "authorization_code");
    assert_text(form_value(&journey, "redirect_uri"), JOURNEY_CALLBACK);
    assert_texts(form_value(&journey, "redirect_uri"), journey_asked(&journey, "redirect_uri"), "CI-10");
    assert_texts(form_value(&journey, "code_verifier"), journey.verifier, "CI-07");
    const fakes_sent *sent = fakes_http_last(&world->http, "/token");
    assert_true(text_starts(text_of(sent->authorization), TEXT("Basic ")));
    assert_int_equal(sent->deadline_ms, 10000);
    assert_null(strstr(sent->url, "?"));
}

static const struct {
    int status;
    const char *type, *body;
    fault_code code;
    const char *why;
} answer_cases[] = {
    {400, NULL, "{\"error\":\"invalid_grant\"}", FAULT_GRANT_REFUSED, "TE-01, CI-01"},
    {401, NULL, "{\"error\":\"invalid_client\"}", FAULT_CLIENT_REFUSED, "our own fault is 503"},
    {400, NULL, "{\"error\":\"<svg>\",\"error_description\":\"a\\r\\nb\"}", FAULT_TOKEN_REFUSED,
     "OE-01, OE-03"},
    {400, "text/html", "<script>", FAULT_TOKEN_REFUSED, "a proxy's page"},
    {429, NULL, "", FAULT_PROVIDER_BUSY, "asked to wait"},
    {500, NULL, "", FAULT_PROVIDER_DOWN, "TE-03"},
    {502, "text/html", "<h1>", FAULT_PROVIDER_DOWN, "TE-03"},
    {503, NULL, "{\"error\":\"invalid_grant\"}", FAULT_PROVIDER_DOWN, "TE-03 whatever it says"},
    {302, NULL, "", FAULT_TOKEN_ANSWER, "TE-09"},
    {204, NULL, "", FAULT_TOKEN_ANSWER, "TE-08"},
    {200, NULL, "", FAULT_TOKEN_ANSWER, "TE-08"},
    {200, "text/html", "{}", FAULT_TOKEN_ANSWER, "TE-07"},
    {200, NULL, "{\"error\":\"x\"}", FAULT_TOKEN_ANSWER, "TE-23"},
    {200, NULL, "{\"error\":\"x\",\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"x\"}",
     FAULT_TOKEN_ANSWER, "TE-23"},
    {200, NULL, "{\"token_type\":\"Bearer\",\"id_token\":\"x.y.z\"}", FAULT_TOKEN_ANSWER,
     "TE-15 no access_token"},
    {200, NULL, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", FAULT_TOKEN_ANSWER,
     "TE-15 no id_token"},
    {200, NULL, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"\"}", FAULT_TOKEN_ANSWER,
     "TE-15 empty id_token"},
    {200, NULL, "{\"access_token\":\"a\",\"id_token\":\"x.y.z\"}", FAULT_TOKEN_ANSWER, "TE-15 no token_type"},
    {200, NULL, "{\"access_token\":\"a\",\"token_type\":\"DPoP\",\"id_token\":\"x.y.z\"}", FAULT_TOKEN_ANSWER,
     "TE-16"},
    {200, NULL, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"id_token\":\"x.y\"}",
     FAULT_IDTOKEN_MALFORMED, "IT-23"},
    {200, NULL, "[]", FAULT_TOKEN_ANSWER, "no object"},
};

static void test_answers(void **state)
{
    for (size_t i = 0; i < COUNT(answer_cases); i++) {
        const char *why = answer_cases[i].why;
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        fakes_http_answer(&world->http, "/token", 1, answer_cases[i].status, answer_cases[i].type,
                          answer_cases[i].body);
        verdict_t *verdict = journey_return(&journey, query);
        journey_refused(&journey, verdict, answer_cases[i].code, why);
        assert_non_null(strstr(world_set_cookie(verdict, journey.ticket),
                               "Max-Age=0")); /* also with 503: the code is used */
        assert_case(journey_calls(world, "/token") == 1 && journey_calls(world, "/userinfo") == 0, why);
        assert_case(strstr(verdict->body.at, "svg") == NULL && strstr(verdict->body.at, "<script") == NULL,
                    why);
    }
}

/* CI-11, TE-04 to TE-06, TE-10, TE-24: the connection fails; the code is not sent again. */
static void test_connections(void **state)
{
    static const struct {
        http_rc rc;
        fault_code code;
    } cases[] = {
        {HTTP_UNREACHABLE, FAULT_PROVIDER_DOWN}, {HTTP_BROKEN, FAULT_PROVIDER_DOWN},
        {HTTP_UNTRUSTED, FAULT_PROVIDER_TLS},    {HTTP_TOO_LARGE, FAULT_TOKEN_ANSWER},
        {HTTP_BUSY, FAULT_PROVIDER_BUSY},        {HTTP_REFUSED, FAULT_PROVIDER_DOWN},
        {HTTP_RESTING, FAULT_PROVIDER_DOWN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        fakes_http_fail(&world->http, "/token", 1, cases[i].rc);
        journey_refused(&journey, journey_return(&journey, query), cases[i].code, "CI-11");
        fakestore_recount(&world->store);
        journey_refused(&journey, journey_return(&journey, query), FAULT_STATE_USED, "ST-12 the reload");
        assert_int_equal(journey_calls(world, "/token"), 1);
    }
}

/* F-19: the provider is known to be sick. Nothing is used up, and a reload succeeds when it is well again. */
static void test_resting(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/app", NULL);
    const char *query = journey_consent(&journey);
    world->http.rests = true;
    const verdict_t *verdict = journey_return(&journey, query);
    assert_int_equal(verdict->status, 503);
    assert_int_equal(verdict->fault->code, FAULT_PROVIDER_DOWN);
    assert_null(verdict->cookies);
    assert_int_equal(journey_calls(world, "/token"), 0);
    world->http.rests = false;
    assert_int_equal(journey_return(&journey, query)->status, 303);
    assert_int_equal(journey_calls(world, "/token"), 1);
}

static const struct {
    const char *name, *json;
    fault_code code;
    const char *why;
} claim_cases[] = {
    {"nonce", NULL, FAULT_IDTOKEN_NONCE, "CI-03"},
    {"nonce", "[\"n\"]", FAULT_IDTOKEN_NONCE, "CI-04"},
    {"nonce", "{}", FAULT_IDTOKEN_NONCE, "CI-04"},
    {"nonce", "1", FAULT_IDTOKEN_NONCE, "CI-04"},
    {"nonce", "null", FAULT_IDTOKEN_NONCE, "CI-04"},
    {"nonce", "true", FAULT_IDTOKEN_NONCE, "CI-04"},
    {"nonce", "\"\"", FAULT_IDTOKEN_NONCE, "CI-05"},
    {"nonce", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", FAULT_IDTOKEN_NONCE,
     "CI-02, CI-06 of another login"},
    {"iss", NULL, FAULT_IDTOKEN_ISSUER, "IT-01"},
    {"iss", "\"https://evil.test\"", FAULT_IDTOKEN_ISSUER, "IT-01, MX-08"},
    {"iss", "[\"" FAKEOP_ISSUER "\"]", FAULT_IDTOKEN_ISSUER, "IT-01"},
    {"iss", "\"" FAKEOP_ISSUER "/\"", FAULT_IDTOKEN_ISSUER, "IT-01, MX-03"},
    {"aud", NULL, FAULT_IDTOKEN_AUDIENCE, "IT-02"},
    {"aud", "\"other\"", FAULT_IDTOKEN_AUDIENCE, "IT-21"},
    {"aud", "[\"rp\"]", FAULT_NONE, "IT-03"},
    {"aud", "[\"rp\",\"other\"]", FAULT_IDTOKEN_AUDIENCE, "IT-04"},
    {"azp", "\"other\"", FAULT_IDTOKEN_AUDIENCE, "IT-06"},
    {"exp", "1699999939", FAULT_IDTOKEN_EXPIRED, "IT-09"},
    {"exp", "1699999941", FAULT_NONE, "IT-09, IT-31 within the skew"},
    {"exp", "9223372036854775807", FAULT_NONE, "IT-10"},
    {"exp", "null", FAULT_IDTOKEN_CLAIMS, "IT-10"},
    {"iat", "1700000061", FAULT_IDTOKEN_EXPIRED, "IT-12"},
    {"iat", "1699395200", FAULT_IDTOKEN_EXPIRED, "IT-12"},
    {"nbf", "1700000061", FAULT_IDTOKEN_EXPIRED, "IT-13"},
    {"sub", NULL, FAULT_IDTOKEN_SUBJECT, "IT-14"},
    {"sub", "\"\"", FAULT_IDTOKEN_SUBJECT, "IT-14"},
    {"sub", "123", FAULT_IDTOKEN_SUBJECT, "IT-14"},
    {"sub", "\"admin\\u0000x\"", FAULT_IDTOKEN_CLAIMS, "IT-16"},
    {"sub", "\"a\\r\\nX-H: 1\"", FAULT_IDTOKEN_SUBJECT, "IT-16"},
    {"at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"", FAULT_IDTOKEN_HASH, "IT-26"},
    {"groups", "[\"a\",\"b\"]", FAULT_NONE, "any other claim"},
};

/* CI-12: userinfo is not asked with tokens that are not verified, and they are revoked. */
static void test_claims(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    for (size_t i = 0; i < COUNT(claim_cases); i++) {
        const char *why = claim_cases[i].why;
        world_t *world = world_new(unit_pool(state), lines);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        const fakeop_claim *claims = journey_claims(&journey, claim_cases[i].name, claim_cases[i].json);
        journey_answer(&journey, fakeop_idtoken(&world->op, world->pool, claims), "");
        verdict_t *verdict = journey_return(&journey, query);
        if (claim_cases[i].code == FAULT_NONE) {
            journey_welcomed(&journey, verdict, "/app");
            continue;
        }
        journey_refused(&journey, verdict, claim_cases[i].code, why);
        assert_case(journey_calls(world, "/userinfo") == 0, why);
        const fakes_sent *revoked = fakes_http_last(&world->http, "/revoke");
        assert_case(revoked != NULL && strstr(revoked->form, JOURNEY_REFRESH) != NULL, why);
        assert_case(journey_calls(world, "/revoke") == 1, why);
    }
}

/* CI-05: near misses of the right nonce. */
static void test_near_nonces(void **state)
{
    static const char *const forms[] = {"\"%.42s\"", "\"%sx\"", "\"%s \"", "\"%s\\u0000\"", "\" %s\""};
    for (size_t i = 0; i <= COUNT(forms); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        char *upper = apr_pstrdup(world->pool, journey.nonce.at);
        for (char *c = upper; *c != '\0'; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        text_t begin = TEXT("\""),
               json = text_join(world->pool, (const text_t[]){begin, text_of(upper), begin, {NULL, 0}});
        if (i < COUNT(forms)) {
            char room[100];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(room, sizeof room, forms[i], journey.nonce.at);
#pragma GCC diagnostic pop
            json = text_copy(world->pool, text_of(room));
        }
        world->op.claims = journey_claims(&journey, "nonce", json.at);
        verdict_t *verdict = journey_return(&journey, query);
        fault_code code =
            i == 3 ? FAULT_IDTOKEN_CLAIMS : FAULT_IDTOKEN_NONCE; /* a NUL refuses the whole document */
        journey_refused(&journey, verdict, code, "CI-05");
    }
}

/* The header of the ID token, and keys. */
static void test_signature(void **state)
{
    static const struct {
        const char *header;
        fault_code code;
        const char *why;
    } cases[] = {
        {"{\"alg\":\"none\"}", FAULT_IDTOKEN_ALGORITHM, "alg none"},
        {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", FAULT_IDTOKEN_ALGORITHM, "HMAC"},
        {"{\"alg\":\"ES384\",\"kid\":\"k1\"}", FAULT_IDTOKEN_ALGORITHM, "not offered by the metadata"},
        {"{\"alg\":\"ES256\",\"kid\":\"k9\"}", FAULT_IDTOKEN_KEY, "unknown kid"},
        {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}", FAULT_IDTOKEN_MALFORMED, "BL-13"},
        {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", FAULT_IDTOKEN_MALFORMED, "an access token"},
        {"{\"alg\":\"ES256\"}", FAULT_NONE, "no kid, one key that fits"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        text_t payload = fakeop_payload(&world->op, world->pool, journey_claims(&journey, NULL, NULL));
        journey_answer(&journey, fakeop_sign(&world->op, world->pool, cases[i].header, payload), "");
        verdict_t *verdict = journey_return(&journey, query);
        if (cases[i].code == FAULT_NONE)
            journey_welcomed(&journey, verdict, "/app");
        else
            journey_refused(&journey, verdict, cases[i].code, cases[i].why);
    }
}

/* TE-22: a scope that is demanded must be granted; silence means that all was (RFC 6749 section 5.1). */
static void test_scopes(void **state)
{
    static const char *const lines[] = {"SSOScopes openid a b", "SSORequireScope a b", NULL};
    static const struct {
        const char *granted;
        fault_code code;
    } cases[] = {
        {NULL, FAULT_NONE},
        {"openid a b", FAULT_NONE},
        {"b openid a admin", FAULT_NONE},
        {"openid", FAULT_SCOPE_MISSING},
        {"openid a", FAULT_SCOPE_MISSING},
        {"openid a bb", FAULT_SCOPE_MISSING},
        {"openid admin", FAULT_SCOPE_MISSING},
        {"", FAULT_SCOPE_MISSING},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        journey_t journey;
        world_t *world = world_new(unit_pool(state), lines);
        world->op.scope = cases[i].granted;
        verdict_t *verdict = journey_whole(&journey, world);
        if (cases[i].code == FAULT_NONE)
            journey_welcomed(&journey, verdict, "/app");
        else
            journey_refused(&journey, verdict, cases[i].code, cases[i].granted);
    }
}

/* UI-01 to UI-04, UI-08: userinfo is about the same subject, and overrides nothing that the ID token vouches
 * for. */
static void test_userinfo(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    static const struct {
        int status;
        const char *type, *body;
        fault_code code;
        const char *why;
    } cases[] = {
        {200, NULL, "{\"sub\":\"alice\",\"email\":\"a@rp.test\"}", FAULT_NONE, "as usual"},
        {200, NULL, "{\"sub\":\"alice\",\"iss\":\"evil\",\"aud\":\"evil\",\"acr\":\"9\"}", FAULT_NONE,
         "UI-03"},
        {200, NULL, "{\"sub\":\"bob\"}", FAULT_USERINFO_SUBJECT, "UI-01"},
        {200, NULL, "{\"sub\":\"Alice\"}", FAULT_USERINFO_SUBJECT, "UI-01, IT-17"},
        {200, NULL, "{\"sub\":[\"alice\"]}", FAULT_USERINFO_SUBJECT, "UI-01"},
        {200, NULL, "{\"email\":\"a@rp.test\"}", FAULT_USERINFO_SUBJECT, "UI-02"},
        {200, NULL, "[]", FAULT_USERINFO_REFUSED, "UI-04"},
        {200, "text/html", "{\"sub\":\"alice\"}", FAULT_USERINFO_REFUSED, "UI-04"},
        {401, NULL, "{}", FAULT_USERINFO_REFUSED, "the token does not work there"},
        {500, NULL, "{}", FAULT_PROVIDER_DOWN, "UI-09"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), lines);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        journey_answer(&journey,
                       fakeop_idtoken(&world->op, world->pool, journey_claims(&journey, "acr", "\"1\"")), "");
        fakes_http_answer(&world->http, "/userinfo", 1, cases[i].status, cases[i].type, cases[i].body);
        verdict_t *verdict = journey_return(&journey, query);
        const fakes_sent *asked = fakes_http_last(&world->http, "/userinfo");
        assert_case(asked != NULL && strcmp(asked->authorization, "Bearer " JOURNEY_ACCESS) == 0, "UI-08");
        assert_case(strstr(asked->url, "?") == NULL && asked->form[0] == '\0', "UI-08");
        if (cases[i].code != FAULT_NONE) {
            journey_refused(&journey, verdict, cases[i].code, cases[i].why);
            continue;
        }
        vault_record record;
        journey_welcomed(&journey, verdict, "/app");
        const char *line = world_set_cookie(verdict, WORLD_COOKIE "=");
        assert_int_equal(world_load(world, apr_pstrndup(world->pool, line, strcspn(line, ";")), &record),
                         VAULT_OK);
        assert_text(claim_find(&record.session.claims, TEXT("acr"))->text, "1");
        assert_text(claim_find(&record.session.claims, TEXT("iss"))->text, FAKEOP_ISSUER);
    }
}

/* Whoever cannot be named is not let in. */
static void test_nameless(void **state)
{
    static const char *const lines[] = {"SSOUser email", "SSOUserinfo off", NULL};
    static const char *const values[] = {NULL, "\"\"", "\"a\\nb\"", "null", "{\"x\":1}"};
    for (size_t i = 0; i < COUNT(values); i++) {
        world_t *world = world_new(unit_pool(state), lines);
        journey_t journey = journey_begin(world, "/app", NULL);
        world->op.claims = journey_claims(&journey, "email", values[i]);
        verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
        journey_refused(&journey, verdict, FAULT_CLAIM_UNUSABLE, "SSOUser");
        assert_non_null(strstr(verdict->fault->detail, "email"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_request),   UNIT_TEST(test_answers), UNIT_TEST(test_connections),
        UNIT_TEST(test_resting),   UNIT_TEST(test_claims),  UNIT_TEST(test_near_nonces),
        UNIT_TEST(test_signature), UNIT_TEST(test_scopes),  UNIT_TEST(test_userinfo),
        UNIT_TEST(test_nameless),
    };
    return UNIT_MAIN(tests);
}
