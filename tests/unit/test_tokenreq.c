/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Bodies of token and revocation requests: CI-07, CI-10, AR-24. */

#include "unit.h"

#include "oidc/tokenreq.h"

static client_t client(clientauth_method method)
{
    return (client_t){"r p", TEXT("s&t"), method};
}

static void code_grant(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    client_t post = client(CLIENTAUTH_POST), basic = client(CLIENTAUTH_BASIC), none = client(CLIENTAUTH_NONE);
    const char *uri = "https://rp.test/sso/callback";
#define CODE_FORM                                                                                            \
    "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Frp.test%2Fsso%2Fcallback&code_"         \
    "verifier=V"
    tokenreq_t request = tokenreq_code(pool, &post, TEXT("c"), uri, TEXT("V"));
    assert_text(request.form, CODE_FORM "&client_id=r+p&client_secret=s%26t");
    assert_null(request.authorization);
    request = tokenreq_code(pool, &none, TEXT("c"), uri, TEXT("V"));
    assert_text(request.form, CODE_FORM "&client_id=r+p");
    assert_null(request.authorization);
    request = tokenreq_code(pool, &basic, TEXT("c"), uri, TEXT("V"));
    assert_text(request.form, CODE_FORM);
    assert_string_equal(request.authorization, "Basic citwOnMlMjZ0");
}

static void exotic_code(void **state)
{
    client_t none = client(CLIENTAUTH_NONE);
    tokenreq_t request = tokenreq_code(unit_pool(state), &none, TEXT("+/=&%\"<> "), "u", TEXT("V"));
    assert_text(request.form, "grant_type=authorization_code&code=%2B%2F%3D%26%25%22%3C%3E+&redirect_uri=u&"
                              "code_verifier=V&client_id=r+p"); /* AR-24 */
}

static void refresh_grant(void **state)
{
    client_t post = client(CLIENTAUTH_POST), basic = client(CLIENTAUTH_BASIC);
    tokenreq_t request = tokenreq_refresh(unit_pool(state), &post, TEXT("r t"));
    assert_text(request.form, "grant_type=refresh_token&refresh_token=r+t&client_id=r+p&client_secret=s%26t");
    request = tokenreq_refresh(unit_pool(state), &basic, TEXT("rt"));
    assert_text(request.form, "grant_type=refresh_token&refresh_token=rt");
    assert_non_null(request.authorization);
}

static void revocation(void **state)
{
    client_t none = client(CLIENTAUTH_NONE), basic = client(CLIENTAUTH_BASIC);
    tokenreq_t request = tokenreq_revoke(unit_pool(state), &none, TEXT("rt"), "refresh_token");
    assert_text(request.form, "token=rt&token_type_hint=refresh_token&client_id=r+p");
    request = tokenreq_revoke(unit_pool(state), &basic, TEXT("at"), "access_token");
    assert_text(request.form, "token=at&token_type_hint=access_token");
    request = tokenreq_revoke(unit_pool(state), &basic, TEXT("at"), NULL);
    assert_text(request.form, "token=at");
}

static void public_client_by_post(void **state)
{
    client_t bare = {"rp", {NULL, 0}, CLIENTAUTH_POST};
    assert_text(tokenreq_refresh(unit_pool(state), &bare, TEXT("r")).form,
                "grant_type=refresh_token&refresh_token=r&client_id=rp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(code_grant), UNIT_TEST(exotic_code),           UNIT_TEST(refresh_grant),
        UNIT_TEST(revocation), UNIT_TEST(public_client_by_post),
    };
    return UNIT_MAIN(tests);
}
