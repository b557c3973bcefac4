/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The token endpoint's answers: section TE of the attacks. */

#include "unit.h"

#include "oidc/tokenresp.h"

#define JSON "application/json"
#define GOOD "\"access_token\":\"at\",\"token_type\":\"Bearer\""

static void statuses(void **state)
{
    static const struct {
        int status;
        const char *type, *body;
        fault_code code;
        const char *why;
    } cases[] = {
        {200, JSON, "{" GOOD "}", FAULT_NONE, "as usual"},
        {200, JSON ";charset=utf-8", "{" GOOD "}", FAULT_NONE, "TE-07"},
        {200, "text/html", "<html>", FAULT_TOKEN_ANSWER, "TE-07 a page"},
        {200, "text/html", "{" GOOD "}", FAULT_TOKEN_ANSWER, "TE-07 JSON under another name"},
        {200, "", "{" GOOD "}", FAULT_TOKEN_ANSWER, "no type"},
        {200, JSON, "", FAULT_TOKEN_ANSWER, "TE-08 empty"},
        {204, JSON, "", FAULT_TOKEN_ANSWER, "TE-08"},
        {206, JSON, "{" GOOD "}", FAULT_TOKEN_ANSWER, "TE-08"},
        {201, JSON, "{" GOOD "}", FAULT_TOKEN_ANSWER, "only 200 is success"},
        {302, JSON, "{" GOOD "}", FAULT_TOKEN_ANSWER, "TE-09"},
        {100, JSON, "{" GOOD "}", FAULT_TOKEN_ANSWER, "no final answer"},
        {0, "", "", FAULT_TOKEN_ANSWER, "no status at all"},
        {600, JSON, "{" GOOD "}", FAULT_TOKEN_ANSWER, "beyond the classes"},
        {200, JSON, "{\"error\":\"x\"}", FAULT_TOKEN_ANSWER, "TE-23"},
        {200, JSON, "{" GOOD ",\"error\":\"x\"}", FAULT_TOKEN_ANSWER, "TE-23 with tokens"},
        {200, JSON, "{" GOOD ",\"error\":{}}", FAULT_TOKEN_ANSWER, "TE-23 whatever the type"},
        {200, JSON, "{" GOOD ",\"error\":\"invalid_grant\"}", FAULT_TOKEN_ANSWER,
         "TE-23 never ends a session"},
        {400, JSON, "{\"error\":\"invalid_grant\"}", FAULT_GRANT_REFUSED, "TE-01"},
        {401, JSON, "{\"error\":\"invalid_grant\"}", FAULT_GRANT_REFUSED, "some say 401"},
        {403, JSON, "{\"error\":\"invalid_grant\"}", FAULT_TOKEN_REFUSED, "not by the book: transient"},
        {400, "text/html", "{\"error\":\"invalid_grant\"}", FAULT_TOKEN_REFUSED,
         "a page cannot end a session"},
        {400, JSON, "{\"error\":\"Invalid_grant\"}", FAULT_TOKEN_REFUSED, "byte for byte"},
        {400, JSON, "{\"error\":[\"invalid_grant\"]}", FAULT_TOKEN_REFUSED, "wrong type"},
        {400, JSON, "[\"invalid_grant\"]", FAULT_TOKEN_REFUSED, "JS-06"},
        {400, JSON, "", FAULT_TOKEN_REFUSED, "empty"},
        {401, JSON, "{\"error\":\"invalid_client\"}", FAULT_CLIENT_REFUSED, "client"},
        {400, JSON, "{\"error\":\"unauthorized_client\"}", FAULT_CLIENT_REFUSED, "client"},
        {400, JSON, "{\"error\":\"invalid_request\"}", FAULT_TOKEN_REFUSED, "any other"},
        {404, "text/html", "<html>", FAULT_TOKEN_REFUSED, "wrong URL"},
        {429, JSON, "{\"error\":\"invalid_grant\"}", FAULT_PROVIDER_BUSY, "busy"},
        {500, JSON, "{\"error\":\"invalid_grant\"}", FAULT_PROVIDER_DOWN, "TE-03"},
        {503, "text/html", "", FAULT_PROVIDER_DOWN, "TE-03"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        tokens_t tokens;
        answer_t answer = {cases[i].status, cases[i].type, text_of(cases[i].body)};
        const fault_t *fault = tokenresp_read(unit_pool(state), &answer, &tokens);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

static const fault_t *read_body(apr_pool_t *pool, const char *body, tokens_t *tokens)
{
    answer_t answer = {200, JSON, text_of(body)};
    return tokenresp_read(pool, &answer, tokens);
}

static void bodies(void **state)
{
    static const struct {
        const char *body;
        bool good;
        const char *why;
    } cases[] = {
        {"{\"access_token\":\"a\",\"token_type\":\"bEaReR\"}", true, "TE-16 case"},
        {"{\"access_token\":\"a\",\"token_type\":\"BEARER\"}", true, "TE-16 case"},
        {"{\"access_token\":\"00D!AQ|x~=\",\"token_type\":\"Bearer\"}", true,
         "tokens that real providers make"},
        {"{" GOOD ",\"refresh_token\":null,\"id_token\":\"\",\"x\":{\"y\":[[[1]]]}}", true, "TE-31 ignored"},
        {"{" GOOD ",\"refresh_token\":\"a b\"}", true, "a blank may stand in a refresh token"},
        {"{\"access_token\":\"a\"}", false, "TE-15 no token_type"},
        {"{\"access_token\":\"a\",\"token_type\":null}", false, "TE-16 null"},
        {"{\"access_token\":\"a\",\"token_type\":3}", false, "TE-16 number"},
        {"{\"access_token\":\"a\",\"token_type\":\"mac\"}", false, "TE-16 mac"},
        {"{\"access_token\":\"a\",\"token_type\":\"DPoP\"}", false, "TE-16 not asked for"},
        {"{\"access_token\":\"a\",\"token_type\":\"Bearer \"}", false, "TE-16 a blank behind it"},
        {"{\"token_type\":\"Bearer\"}", false, "TE-15 no access token"},
        {"{\"token_type\":\"Bearer\",\"access_token\":\"\"}", false, "TE-19 empty"},
        {"{\"token_type\":\"Bearer\",\"access_token\":123}", false, "TE-19 number"},
        {"{\"token_type\":\"Bearer\",\"access_token\":{}}", false, "TE-19 object"},
        {"{\"token_type\":\"Bearer\",\"access_token\":\"a b\"}", false, "TE-20 blank"},
        {"{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX:1\"}", false, "TE-20 CRLF"},
        {"{\"token_type\":\"Bearer\",\"access_token\":\"a\\u0000\"}", false, "TE-20 NUL"},
        {"{\"token_type\":\"Bearer\",\"access_token\":\"\xc3\xa9\"}", false, "TE-20 not ASCII"},
        {"{" GOOD ",\"refresh_token\":1}", false, "TE-19"},
        {"{" GOOD ",\"refresh_token\":\"a\\n\"}", false, "control byte"},
        {"{" GOOD ",\"id_token\":[]}", false, "TE-19"},
        {"{" GOOD ",\"id_token\":\"a b\"}", false, "blank"},
        {"{" GOOD ",\"scope\":[\"a\"]}", false, "wrong type"},
        {"{" GOOD ",\"scope\":\"a\\nb\"}", false, "control byte"},
        {"{" GOOD ",\"id_token\":\"a\",\"id_token\":\"b\"}", false, "TE-18"},
        {"{\"access_token\":\"b\"," GOOD "}", false, "TE-18"},
        {"{" GOOD "} x", false, "JS-05"},
        {"[]", false, "JS-06"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        tokens_t tokens;
        const fault_t *fault = read_body(unit_pool(state), cases[i].body, &tokens);
        assert_case((fault == NULL) == cases[i].good, cases[i].why);
        assert_case(fault == NULL || fault->code == FAULT_TOKEN_ANSWER, cases[i].why);
    }
}

static void lifetimes(void **state)
{
    static const struct {
        const char *text;
        int64_t expected; /* -2: refused */
    } cases[] = {
        {"null", -1},
        {"3600", 3600},
        {"\"3600\"", 3600},
        {"0", 0},
        {"1.5", 1},
        {"-1", -2},
        {"-0.5", -2},
        {"1e309", -2},
        {"true", -2},
        {"\"abc\"", -2},
        {"\"\"", -2},
        {"\"-1\"", -2},
        {"\"1.5\"", -2},
        {"\" 1\"", -2},
        {"[]", -2},
        {"{}", -2},
        {"1e300", 31536000},
        {"9223372036854775807", 31536000},
        {"18446744073709551616", -2},
        {"\"18446744073709551616\"", 31536000},
        {"\"007\"", 7},
        {"31536001", 31536000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        apr_pool_t *pool = unit_pool(state);
        tokens_t tokens;
        text_t body = text_join(
            pool, (const text_t[]){
                      TEXT("{" GOOD ",\"expires_in\":"), text_of(cases[i].text), TEXT("}"), {NULL, 0}});
        const fault_t *fault = read_body(pool, body.at, &tokens);
        if (cases[i].expected == -2)
            assert_case(fault != NULL && fault->code == FAULT_TOKEN_ANSWER, cases[i].text); /* TE-17 */
        else
            assert_case(fault == NULL && tokens.expires_in == cases[i].expected, cases[i].text);
    }
}

static void fields(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    tokens_t tokens;
    assert_no_fault(read_body(pool, "{" GOOD "}", &tokens));
    assert_text(tokens.access_token, "at");
    assert_int_equal(tokens.refresh_token.len, 0);
    assert_int_equal(tokens.id_token.len, 0);
    assert_null(tokens.scope.at);
    assert_int_equal(tokens.expires_in, -1);
    assert_int_equal(tokens.refresh_expires_in, -1);
    assert_no_fault(read_body(pool,
                              "{" GOOD ",\"refresh_token\":\"r\",\"id_token\":\"a.b.c\",\"scope\":\"\","
                              "\"expires_in\":300,\"refresh_expires_in\":1800}",
                              &tokens));
    assert_text(tokens.refresh_token, "r");
    assert_text(tokens.id_token, "a.b.c");
    assert_non_null(tokens.scope.at);
    assert_int_equal(tokens.scope.len, 0);
    assert_int_equal(tokens.expires_in, 300);
    assert_int_equal(tokens.refresh_expires_in, 1800);
    assert_no_fault(read_body(pool, "{" GOOD ",\"scope\":\"a b\",\"refresh_expires_in\":0}", &tokens));
    assert_text(tokens.scope, "a b");
    assert_int_equal(tokens.refresh_expires_in, -1); /* Keycloak's offline tokens */
}

static void details(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    tokens_t tokens;
    answer_t answer = {
        400, JSON, TEXT("{\"error\":\"invalid_grant\",\"error_description\":\"Token\\r\\n\\\"x\\\" %s\"}")};
    const fault_t *fault = tokenresp_read(pool, &answer, &tokens);
    assert_fault(fault, FAULT_GRANT_REFUSED);
    assert_non_null(strstr(fault->detail, "invalid_grant"));
    assert_non_null(strstr(fault->detail, "%s"));
    assert_false(text_has_control(text_of(fault->detail)));
    fault = read_body(pool, "{\"access_token\":\"CANARYCANARY \",\"token_type\":\"Bearer\"}", &tokens);
    assert_fault(fault, FAULT_TOKEN_ANSWER);
    assert_non_null(strstr(fault->detail, "access_token"));
    assert_null(strstr(fault->detail, "CANARY"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(statuses), UNIT_TEST(bodies), UNIT_TEST(lifetimes), UNIT_TEST(fields), UNIT_TEST(details),
    };
    return UNIT_MAIN(tests);
}
