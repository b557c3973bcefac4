/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Discovery documents: DS-01, DS-04, DS-14, CI-07, CI-08, TE-25. */

#include "unit.h"

#include "oidc/provider.h"

#define ISSUER "https://op.test/realm"
#define OPEN   "{\"issuer\":\"" ISSUER "\","
#define LOCAL  "{\"issuer\":\"http://127.0.0.1:8080\","

static void discovery_url(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_string_equal(provider_discovery_url(pool, ISSUER), ISSUER "/.well-known/openid-configuration");
    assert_string_equal(provider_discovery_url(pool, ISSUER "/"), ISSUER "/.well-known/openid-configuration");
    assert_string_equal(provider_discovery_url(pool, ""), "/.well-known/openid-configuration");
}

static void whole_document(void **state)
{
    static const char document[] = OPEN
        "\"authorization_endpoint\":\"https://op.test/a?tenant=1\",\"token_endpoint\":\"https://op.test/t\","
        "\"userinfo_endpoint\":\"https://op.test/u\",\"jwks_uri\":\"https://keys.test/j\","
        "\"end_session_endpoint\":\"https://op.test/e\",\"revocation_endpoint\":\"https://op.test/r\","
        "\"authorization_response_iss_parameter_supported\":true,"
        "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\",\"none\"],"
        "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
        "\"id_token_signing_alg_values_supported\":[\"none\",\"HS256\",\"ES256\",\"XX\"],\"more\":[1]}";
    provider_t provider;
    assert_no_fault(provider_read(unit_pool(state), text_of(document), ISSUER, &provider));
    assert_string_equal(provider.issuer, ISSUER);
    assert_string_equal(provider.authorization, "https://op.test/a?tenant=1");
    assert_string_equal(provider.token, "https://op.test/t");
    assert_string_equal(provider.userinfo, "https://op.test/u");
    assert_string_equal(provider.jwks, "https://keys.test/j");
    assert_string_equal(provider.end_session, "https://op.test/e");
    assert_string_equal(provider.revocation, "https://op.test/r");
    assert_true(provider.iss_promised);
    assert_false(provider.allows_basic);
    assert_true(provider.allows_post);
    assert_true(provider.allows_public);
    assert_false(provider.refuses_s256);
    assert_int_equal(provider.idtoken_algs, alg_find(TEXT("ES256"))->bit);
}

static void silent_document(void **state)
{
    provider_t provider;
    assert_no_fault(provider_read(unit_pool(state), TEXT(OPEN "\"jwks_uri\":null}"), ISSUER, &provider));
    assert_null(provider.authorization);
    assert_null(provider.token);
    assert_null(provider.jwks);
    assert_true(provider.allows_basic);
    assert_false(provider.allows_post);
    assert_false(provider.allows_public);
    assert_false(provider.iss_promised);
    assert_false(provider.refuses_s256); /* CI-07: S256 is used, whether it is announced or not */
    assert_int_equal(provider.idtoken_algs, alg_default());
}

static void refused_documents(void **state)
{
    static const struct {
        const char *document, *detail, *why;
    } cases[] = {
        {"", NULL, "nothing"},
        {"[]", NULL, "JS-06 no object"},
        {"<html>", NULL, "DS-07 a page"},
        {"{}", "issuer", "DS-01 no issuer"},
        {"{\"issuer\":1}", "issuer", "DS-14 issuer a number"},
        {"{\"issuer\":\"" ISSUER "INVALID\"}", "issuer", "DS-01 more behind it"},
        {"{\"issuer\":\"" ISSUER "/\"}", "issuer", "DS-01 slash at the end"},
        {"{\"issuer\":\"https://OP.test/realm\"}", "issuer", "DS-01 other case"},
        {"{\"issuer\":\"" ISSUER "\",\"issuer\":\"" ISSUER "\"}", NULL, "JS-02 twice"},
        {OPEN "\"jwks_uri\":1}", "jwks_uri", "DS-14 number"},
        {OPEN "\"token_endpoint\":[]}", "token_endpoint", "DS-14 list"},
        {OPEN "\"token_endpoint\":\"\"}", "token_endpoint", "empty"},
        {OPEN "\"token_endpoint\":\"http://op.test/t\"}", "token_endpoint", "DS-04, TE-25 clear text"},
        {OPEN "\"token_endpoint\":\"http://127.0.0.1/t\"}", "token_endpoint",
         "TE-25 loopback, but the issuer is not"},
        {OPEN "\"userinfo_endpoint\":\"file:///etc/passwd\"}", "userinfo_endpoint", "DS-04 file"},
        {OPEN "\"jwks_uri\":\"gopher://op.test/\"}", "jwks_uri", "DS-04 gopher"},
        {OPEN "\"authorization_endpoint\":\"https://op@evil/\"}", "authorization_endpoint", "DS-04 userinfo"},
        {OPEN "\"authorization_endpoint\":\"https://op#x\"}", "authorization_endpoint", "DS-04 fragment"},
        {OPEN "\"authorization_endpoint\":\"https://op/a#\"}", "authorization_endpoint",
         "DS-04 empty fragment"},
        {OPEN "\"authorization_endpoint\":\"javascript:alert(1)\"}", "authorization_endpoint",
         "DS-04 script"},
        {OPEN "\"end_session_endpoint\":\"/logout\"}", "end_session_endpoint", "DS-04 relative"},
        {OPEN "\"end_session_endpoint\":\"//op/logout\"}", "end_session_endpoint", "DS-04 without scheme"},
        {OPEN "\"revocation_endpoint\":\"https://op/\\r\\nX: 1\"}", "revocation_endpoint", "DS-04 CRLF"},
        {OPEN "\"revocation_endpoint\":\"https://op/\\\\evil\"}", "revocation_endpoint", "backslash"},
        {OPEN "\"token_endpoint_auth_methods_supported\":[1]}", "token_endpoint_auth",
         "DS-14 list of numbers"},
        {OPEN "\"token_endpoint_auth_methods_supported\":[\"none\",null]}", "token_endpoint_auth",
         "DS-14 null in it"},
        {OPEN "\"token_endpoint_auth_methods_supported\":\"none\"}", "token_endpoint_auth", "DS-14 string"},
        {OPEN "\"code_challenge_methods_supported\":{}}", "code_challenge", "DS-14 object"},
        {OPEN "\"id_token_signing_alg_values_supported\":[[]]}", "id_token_signing", "DS-14 lists in it"},
        {OPEN "\"id_token_signing_alg_values_supported\":\"RS256\"}", "id_token_signing", "DS-14 string"},
        {OPEN "\"authorization_response_iss_parameter_supported\":\"true\"}", "authorization_response",
         "string"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        provider_t provider;
        const fault_t *fault = provider_read(unit_pool(state), text_of(cases[i].document), ISSUER, &provider);
        assert_case(fault != NULL && fault->code == FAULT_METADATA_INVALID, cases[i].why);
        assert_case(cases[i].detail == NULL || strstr(fault->detail, cases[i].detail) != NULL, cases[i].why);
    }
}

static void long_things(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    provider_t provider;
    char *many = apr_palloc(pool, PROVIDER_DOCUMENT_MAX + 2);
    memset(many, 'x', PROVIDER_DOCUMENT_MAX + 1);
    text_t endpoint = {many, 10240};
    text_t document = text_join(
        pool, (const text_t[]){TEXT(OPEN "\"jwks_uri\":\"https://op/"), endpoint, TEXT("\"}"), {NULL, 0}});
    assert_fault(provider_read(pool, document, ISSUER, &provider), FAULT_METADATA_INVALID); /* DS-04 10 KB */
    memset(many, ' ', PROVIDER_DOCUMENT_MAX + 1);
    memcpy(many, OPEN "\"a\":1}", sizeof(OPEN "\"a\":1}") - 1);
    assert_no_fault(provider_read(pool, (text_t){many, PROVIDER_DOCUMENT_MAX}, ISSUER, &provider));
    assert_fault(provider_read(pool, (text_t){many, PROVIDER_DOCUMENT_MAX + 1}, ISSUER, &provider),
                 FAULT_METADATA_INVALID);
}

static void loopback_for_tests(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    provider_t provider;
    const char *issuer = "http://127.0.0.1:8080";
    assert_no_fault(
        provider_read(pool, TEXT(LOCAL "\"token_endpoint\":\"http://localhost:1/t\"}"), issuer, &provider));
    assert_string_equal(provider.token, "http://localhost:1/t");
    assert_no_fault(
        provider_read(pool, TEXT(LOCAL "\"token_endpoint\":\"https://op.test/t\"}"), issuer, &provider));
    assert_fault(
        provider_read(pool, TEXT(LOCAL "\"token_endpoint\":\"http://op.test/t\"}"), issuer, &provider),
        FAULT_METADATA_INVALID);
    text_t secure = TEXT("{\"issuer\":\"https://localhost\",\"token_endpoint\":\"http://localhost/t\"}");
    assert_fault(provider_read(pool, secure, "https://localhost", &provider), FAULT_METADATA_INVALID);
}

static void pkce_and_algs(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    provider_t provider;
    text_t plain = TEXT(OPEN "\"code_challenge_methods_supported\":[\"plain\"]}");
    assert_no_fault(provider_read(pool, plain, ISSUER, &provider));
    assert_true(provider.refuses_s256); /* CI-08 */
    text_t empty = TEXT(OPEN "\"code_challenge_methods_supported\":[]}");
    assert_no_fault(provider_read(pool, empty, ISSUER, &provider));
    assert_true(provider.refuses_s256);
    text_t symmetric = TEXT(OPEN "\"id_token_signing_alg_values_supported\":[\"HS256\",\"none\"]}");
    assert_no_fault(provider_read(pool, symmetric, ISSUER, &provider));
    assert_int_equal(provider.idtoken_algs, 0); /* JW-01, JW-03: nothing that we accept */
}

static void without_document(void **state)
{
    provider_t provider;
    (void)state;
    provider_without_document(ISSUER, &provider);
    assert_string_equal(provider.issuer, ISSUER);
    assert_true(provider.allows_basic && provider.allows_post && provider.allows_public);
    assert_false(provider.iss_promised || provider.refuses_s256);
    assert_int_equal(provider.idtoken_algs, alg_all());
    assert_null(provider.token);
}

static void overrides(void **state)
{
    provider_t provider;
    (void)state;
    provider_without_document(ISSUER, &provider);
    provider.token = "https://op.test/old";
    provider.jwks = "https://op.test/keys";
    provider_override(&provider,
                      &(provider_endpoints){.authorization = "a", .token = "t", .end_session = "e"});
    assert_string_equal(provider.authorization, "a");
    assert_string_equal(provider.token, "t");
    assert_string_equal(provider.end_session, "e");
    assert_string_equal(provider.jwks, "https://op.test/keys");
    assert_null(provider.userinfo);
    provider_override(&provider, &(provider_endpoints){.userinfo = "u", .jwks = "j", .revocation = "r"});
    assert_string_equal(provider.userinfo, "u");
    assert_string_equal(provider.jwks, "j");
    assert_string_equal(provider.revocation, "r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(discovery_url),     UNIT_TEST(whole_document),   UNIT_TEST(silent_document),
        UNIT_TEST(refused_documents), UNIT_TEST(long_things),      UNIT_TEST(loopback_for_tests),
        UNIT_TEST(pkce_and_algs),     UNIT_TEST(without_document), UNIT_TEST(overrides),
    };
    return UNIT_MAIN(tests);
}
