/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Access tokens as a source of claims. */

#include "unit.h"

#include "oidc/accesstoken.h"

#define TIMES "\"iss\":\"https://op.test/\",\"exp\":1700000300,\"iat\":1700000000"
#define ALICE ",\"sub\":\"alice\""

static const idtoken_rules usual = {.issuer = "https://op.test/",
                                    .client_id = "rp",
                                    .now = 1700000000,
                                    .skew = 60,
                                    .iat_age = 600,
                                    .nonce = {"N", 1}};

static void cases(void **state)
{
    static const struct {
        const char *payload, *detail, *why; /* detail NULL: accepted */
    } table[] = {
        {"{" TIMES ALICE ",\"aud\":\"rp\"}", NULL, "aud is us"},
        {"{" TIMES ALICE ",\"aud\":[\"api\",\"rp\"]}", NULL, "aud has us"},
        {"{" TIMES ALICE ",\"aud\":\"account\",\"azp\":\"rp\"}", NULL, "Keycloak"},
        {"{" TIMES ALICE ",\"aud\":\"api\",\"client_id\":\"rp\"}", NULL, "RFC 9068"},
        {"{" TIMES ALICE ",\"aud\":\"rp\",\"nonce\":\"other\"}", NULL, "a nonce is no matter here"},
        {"{" TIMES ALICE "}", "aud", "for nobody"},
        {"{" TIMES ALICE ",\"aud\":\"api\",\"azp\":\"other\"}", "aud", "IT-21 somebody else's"},
        {"{" TIMES ALICE ",\"aud\":[\"rp\",1]}", "aud", "no list of strings"},
        {"{" TIMES ALICE ",\"azp\":[\"rp\"]}", "aud", "azp of wrong type"},
        {"{" TIMES ",\"aud\":\"rp\"}", "sub", "no subject"},
        {"{" TIMES ",\"aud\":\"rp\",\"sub\":\"bob\"}", "sub", "another user's"},
        {"{" TIMES ",\"aud\":\"rp\",\"sub\":\"Alice\"}", "sub", "IT-17 exact"},
        {"{\"iss\":\"https://evil.test/\",\"exp\":1700000300,\"iat\":1700000000,\"aud\":\"rp\"" ALICE "}",
         "iss", "IT-01"},
        {"{\"iss\":\"https://op.test/\",\"exp\":1699999000,\"iat\":1700000000,\"aud\":\"rp\"" ALICE "}",
         "exp", "IT-09"},
        {"{\"iss\":\"https://op.test/\",\"exp\":1700000300,\"aud\":\"rp\"" ALICE "}", "iat", "no iat"},
        {"{" TIMES ",\"nbf\":1700001000,\"aud\":\"rp\"" ALICE "}", "nbf", "IT-13"},
        {"[]", "JSON", "IT-29"},
        {"opaque", "JSON", "no JWT payload"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const jval_t *claims = NULL;
        const fault_t *fault =
            accesstoken_check(unit_pool(state), text_of(table[i].payload), &usual, TEXT("alice"), &claims);
        assert_case((fault == NULL) == (table[i].detail == NULL), table[i].why);
        assert_case((claims != NULL) == (fault == NULL), table[i].why);
        assert_case(fault == NULL || fault->code == FAULT_ACCESSTOKEN_REFUSED, table[i].why);
        assert_case(fault == NULL || strstr(fault->detail, table[i].detail) != NULL, table[i].why);
    }
}

static void nobody(void **state)
{
    const jval_t *claims = NULL;
    text_t payload = TEXT("{" TIMES ",\"aud\":\"rp\",\"sub\":\"\"}");
    assert_fault(accesstoken_check(unit_pool(state), payload, &usual, TEXT(""), &claims),
                 FAULT_ACCESSTOKEN_REFUSED);
    assert_null(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(cases), UNIT_TEST(nobody)};
    return UNIT_MAIN(tests);
}
