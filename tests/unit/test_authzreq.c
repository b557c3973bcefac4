/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The authorization request: CI-07, CI-08, CI-10, CI-13, DS-05, ST-30. */

#include "unit.h"

#include "oidc/authzreq.h"

/* RFC 7636 appendix B. */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define PKCE      "&code_challenge=" CHALLENGE "&code_challenge_method=S256"

static authzreq_t usual(void)
{
    return (authzreq_t){
        .endpoint = "https://op.test/auth",
        .client_id = "rp",
        .redirect_uri = "https://rp.test/sso/callback",
        .scopes = "openid email",
        .state = TEXT("S"),
        .nonce = TEXT("N"),
        .verifier = TEXT(VERIFIER),
    };
}

#define HEAD "response_type=code&client_id=rp&redirect_uri=https%3A%2F%2Frp.test%2Fsso%2Fcallback"
#define FULL HEAD "&scope=openid+email&state=S&nonce=N" PKCE

static void plain(void **state)
{
    authzreq_t request = usual();
    text_t url;
    assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
    assert_text(url, "https://op.test/auth?" FULL);
}

static void without_nonce_and_scope(void **state)
{
    authzreq_t request = usual();
    text_t url;
    request.nonce = (text_t){NULL, 0};
    request.scopes = "";
    assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
    assert_text(url, "https://op.test/auth?" HEAD "&state=S" PKCE);
    request.scopes = NULL;
    assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
    assert_text(url, "https://op.test/auth?" HEAD "&state=S" PKCE);
}

static void hostile_values_are_encoded(void **state)
{
    authzreq_t request = usual();
    text_t url;
    request.client_id = "r&p=\r\n#\"";
    assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
    assert_true(
        text_starts(url, TEXT("https://op.test/auth?response_type=code&client_id=r%26p%3D%0D%0A%23%22&")));
}

static void extra_parameters(void **state)
{
    const url_pair extra[] = {
        {TEXT("prompt"), TEXT("login consent")}, {TEXT("state"), TEXT("evil")},
        {TEXT("resource"), TEXT("https://a")},   {TEXT("resource"), TEXT("https://b")},
        {TEXT("nonce"), TEXT("evil")},
    };
    authzreq_t request = usual();
    text_t url;
    request.extra = extra;
    request.extra_count = COUNT(extra);
    assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
    assert_text(url, "https://op.test/auth?" FULL
                     "&prompt=login+consent&resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb"); /* CI-13 */
}

static void endpoint_with_query(void **state)
{
    static const struct {
        const char *endpoint, *begins, *why;
    } cases[] = {
        {"https://op.test/a?tenant=1", "https://op.test/a?tenant=1&" FULL "&prompt=x",
         "DS-05 appended with &"},
        {"https://op.test/a?", "https://op.test/a?" FULL "&prompt=x", "lonely question mark"},
        {"https://op.test/a?&&t=1&", "https://op.test/a?t=1&" FULL "&prompt=x", "empty pairs"},
        {"https://op.test/a?client_id=evil&t=a%20b&state=z", "https://op.test/a?t=a%20b&" FULL "&prompt=x",
         "DS-05, MX-07 ours stand once, the rest as written"},
        {"https://op.test/a?%73tate=z", "https://op.test/a?" FULL "&prompt=x", "also when encoded"},
        {"https://op.test/a?nonce", "https://op.test/a?" FULL "&prompt=x", "also without a value"},
        {"https://op.test/a?prompt=none&t=1", "https://op.test/a?t=1&" FULL "&prompt=x",
         "the administrator's wins"},
        {"https://op.test/a?%zz=1", "https://op.test/a?" FULL "&prompt=x", "an unreadable name is dropped"},
    };
    const url_pair extra[] = {{TEXT("prompt"), TEXT("x")}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        authzreq_t request = usual();
        text_t url;
        request.endpoint = cases[i].endpoint;
        request.extra = extra;
        request.extra_count = COUNT(extra);
        assert_no_fault(authzreq_make(unit_pool(state), &request, &url));
        assert_texts(url, text_of(cases[i].begins), cases[i].why);
    }
}

static void owned_names(void **state)
{
    static const char *const ours[] = {
        "response_type",  "response_mode", "client_id",   "redirect_uri",         "scope", "state", "nonce",
        "code_challenge", "request",       "request_uri", "code_challenge_method"};
    static const char *const theirs[] = {"prompt", "max_age", "login_hint", "States", "STATE", "", "stat"};
    (void)state;
    for (size_t i = 0; i < COUNT(ours); i++)
        assert_case(authzreq_owns(text_of(ours[i])), ours[i]);
    for (size_t i = 0; i < COUNT(theirs); i++)
        assert_case(!authzreq_owns(text_of(theirs[i])), theirs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(plain),
        UNIT_TEST(without_nonce_and_scope),
        UNIT_TEST(hostile_values_are_encoded),
        UNIT_TEST(extra_parameters),
        UNIT_TEST(endpoint_with_query),
        UNIT_TEST(owned_names),
    };
    return UNIT_MAIN(tests);
}
