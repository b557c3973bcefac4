/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Names of headers, variables and claims, and above all those that nobody may take. */

#include "kindtry.h"

#include "flow/kindnames.h"

static void compares(void **state)
{
    static const struct {
        const char *one, *other;
        bool header, variable;
    } cases[] = {
        {"X-User", "x_user", true, false},    {"X-User", "x.USER", true, false}, {"a", "a", true, true},
        {"APP_USER", "app_user", true, true}, {"a", "ab", false, false},         {"", "", true, true},
        {"a-b", "ab", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_case(kindnames_same_header(cases[i].one, cases[i].other) == cases[i].header, cases[i].one);
        assert_case(kindnames_same_header(cases[i].other, cases[i].one) == cases[i].header, cases[i].one);
        assert_case(kindnames_same_variable(cases[i].one, cases[i].other) == cases[i].variable, cases[i].one);
    }
    assert_int_equal(kindnames_fold('A'), 'a');
    assert_int_equal(kindnames_fold('9'), '9');
    assert_int_equal(kindnames_fold('\xc3'), '-');
}

static void reads_headers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_headers list = NULL;
    try_right(try_read(pool, "headers", "X-User|preferred_username", &list), "two values");
    try_right(try_read(pool, "headers", "X_Roles|realm_access.roles|JSON", &list), "a second line adds");
    try_right(try_read(pool, "headers", "X-Name|name|rfc8187", &list), "and a third");
    assert_int_equal(list->nelts, 3);
    const claim_row *rows = (const claim_row *)list->elts;
    assert_string_equal(rows[0].name, "X-User");
    assert_string_equal(rows[0].claim, "preferred_username");
    assert_int_equal(rows[0].encoding, HEADER_UTF8);
    assert_int_equal(rows[1].encoding, HEADER_JSON);
    assert_int_equal(rows[2].encoding, HEADER_RFC8187);
    const char *wrong = try_read(pool, "headers", "x-user|sub", &list);
    assert_string_equal(
        wrong, "'x-user' is the same as 'X-User' to applications, which is there already; keep one of them");
    wrong = try_read(pool, "headers", "X-Roles|sub", &list);
    assert_non_null(strstr(wrong, "the same as 'X_Roles'"));
    assert_int_equal(list->nelts, 3);
}

static void bounds_rows(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_headers list = NULL;
    for (int i = 0; i < 100; i++)
        try_right(try_read(pool, "headers", text_format(pool, "X-%d|sub", i).at, &list), "up to a hundred");
    assert_non_null(strstr(try_read(pool, "headers", "X-100|sub", &list), "one too many"));
    assert_int_equal(list->nelts, 100);
}

static void reads_variables(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_variables list = NULL;
    try_right(try_read(pool, "variables", "APP_USER|sub", &list), "a name");
    try_right(try_read(pool, "variables", "_x1|https://example.com/claims/dept", &list),
              "a claim that is a URL");
    try_right(try_read(pool, "variables", "PATHS|x", &list), "longer than a reserved name");
    assert_int_equal(list->nelts, 3);
    assert_non_null(strstr(try_read(pool, "variables", "app_user|email", &list), "the same as 'APP_USER'"));
}

static void reads_names_and_prefixes(void **state)
{
    static const char *const prefixes[] = {"SSO_CLAIM_", "X-Claim-", "OIDC_CLAIM_", "app", "Claim"};
    apr_pool_t *pool = unit_pool(state);
    kind_names list = NULL;
    try_right(try_read(pool, "names", "X-Role|X_Group", &list), "two");
    try_right(try_read(pool, "names", "Authorization", &list), "credentials may be taken from clients");
    assert_int_equal(list->nelts, 3);
    assert_string_equal(APR_ARRAY_IDX(list, 1, const char *), "X_Group");
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        const char *prefix = NULL;
        try_right(try_read(pool, "prefix", prefixes[i], &prefix), prefixes[i]);
        assert_string_equal(prefix, prefixes[i]);
    }
}

static void reads_users(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    kind_user user = {"x", "x", "x"};
    try_right(try_read(pool, "user", "sub", &user), "a claim");
    assert_string_equal(user.claim, "sub");
    assert_null(user.expression);
    try_right(try_read(pool, "user", "email|^(.*)@|$1", &user), "a claim and an expression");
    assert_string_equal(user.expression, "^(.*)@");
    assert_string_equal(user.substitution, "$1");
}

#define OWN_MEANING "has a meaning of its own"

static const wrong_case wrong_cases[] = {
    {"headers", "X-User", "two or three values", "NAME CLAIM"},
    {"headers", "X-User|sub|utf8|x", "two or three values", "NAME CLAIM"},
    {"headers", "X User|sub", "'X User' is not a header name", "such as X-User"},
    {"headers", "X.User|sub", "is not a header name", "such as X-User"},
    {"headers", "X-User:|sub", "is not a header name", "letters, digits, - and _"},
    {"headers", "X-\xc3\x84|sub", "is not a header name", "such as X-User"},
    {"headers", "|sub", "is not a header name", "such as X-User"},
    {"headers", "Host|sub", "that httpd itself needs", "choose another"},
    {"headers", "content_length|sub", "that httpd itself needs", "choose another"},
    {"headers", "Content-Anything|sub", "that httpd itself needs", "choose another"},
    {"headers", "TRANSFER-ENCODING|sub", "that httpd itself needs", "choose another"},
    {"headers", "Connection|sub", "that httpd itself needs", "choose another"},
    {"headers", "Cookie|sub", "that httpd itself needs", "choose another"},
    {"headers", "Upgrade|sub", "that httpd itself needs", "choose another"},
    {"headers", "Proxy-Authorization|sub", "that httpd itself needs", "choose another"},
    {"headers", "Authorization|sub", "belongs to SSOPassToken", "choose another"},
    {"headers", "X-SSO-ID_Token|sub", "belongs to SSOPassToken", "choose another"},
    {"headers", "X-Forwarded-For|sub", OWN_MEANING, "choose another"},
    {"headers", "Accept-Language|locale", OWN_MEANING, "choose another"},
    {"headers", "Sec-Fetch-Mode|sub", OWN_MEANING, "choose another"},
    {"headers", "X-User|", "is not the name of a claim", "such as email"},
    {"headers", "X-User|a\nb", "is not the name of a claim", "such as email"},
    {"headers", "X-User|\xff", "is not the name of a claim", "such as email"},
    {"headers", "X-User|sub|latin1", "'latin1' is not an encoding", "utf8, url, base64, rfc8187, json"},
    {"variables", "APP_USER", "two values", "NAME CLAIM"},
    {"variables", "APP_USER|sub|json", "two values", "NAME CLAIM"},
    {"variables", "1USER|sub", "is not a variable's name", "such as APP_USER"},
    {"variables", "APP-USER|sub", "is not a variable's name", "letters, digits and _"},
    {"variables", "PATH|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "path|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "HTTP_X_USER|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "REMOTE_USER|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "LD_PRELOAD|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "PHP_VALUE|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "SCRIPT_FILENAME|sub", OWN_MEANING, "such as APP_USER"},
    {"variables", "SSO_ACCESS_TOKEN|sub", OWN_MEANING, "such as APP_USER"},
    {"names", "", "there is no value", "names of headers"},
    {"names", "X-*", "is not a header name", "letters, digits"},
    {"names", "X-Role|Host", "that httpd itself needs", "choose another"},
    {"names", "cookie", "that httpd itself needs", "choose another"},
    {"prefix", "", "there is no value", "write one"},
    {"prefix", "X-", "is not a prefix", "at least two more"},
    {"prefix", "1ab", "is not a prefix", "a letter"},
    {"prefix", "_claim_", "is not a prefix", "a letter"},
    {"prefix", "a b", "is not a prefix", "SSO_CLAIM_"},
    {"prefix", "Acc", "would take in 'accept'", "SSO_CLAIM_"},
    {"prefix", "user_", "would take in 'user-agent'", "SSO_CLAIM_"},
    {"prefix", "X_Forwarded_", "would take in 'x-forwarded-", "SSO_CLAIM_"},
    {"prefix", "HTTP_CLAIM_", "would take in 'HTTP_'", "SSO_CLAIM_"},
    {"prefix", "Content-Claim", "would take in 'content-'", "SSO_CLAIM_"},
    {"prefix", "Auth", "would take in 'authorization'", "SSO_CLAIM_"},
    {"prefix", "SSO_", "would take in 'SSO_ACCESS_TOKEN'", "SSO_CLAIM_"},
    {"user", "", "one value or three", "CLAIM"},
    {"user", "email|^(.*)@", "one value or three", "REGEX SUBSTITUTION"},
    {"user", "email||x", "is empty", "write both"},
};

static void refuses(void **state)
{
    try_wrong(unit_pool(state), wrong_cases, COUNT(wrong_cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(compares),
        UNIT_TEST(reads_headers),
        UNIT_TEST(bounds_rows),
        UNIT_TEST(reads_variables),
        UNIT_TEST(reads_names_and_prefixes),
        UNIT_TEST(reads_users),
        UNIT_TEST(refuses),
    };
    return UNIT_MAIN(tests);
}
