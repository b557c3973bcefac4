/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Client authentication (RFC 6749 section 2.3). */

#include "unit.h"

#include "oidc/clientauth.h"

static void choosing(void **state)
{
    static const struct {
        clientauth_method configured;
        const char *secret;
        bool basic, post;
        clientauth_method expected;
        const char *why;
    } cases[] = {
        {CLIENTAUTH_FROM_METADATA, "s", true, true, CLIENTAUTH_BASIC, "basic first"},
        {CLIENTAUTH_FROM_METADATA, "s", false, true, CLIENTAUTH_POST, "then post"},
        {CLIENTAUTH_FROM_METADATA, "", true, true, CLIENTAUTH_NONE, "no secret"},
        {CLIENTAUTH_FROM_METADATA, "", false, false, CLIENTAUTH_NONE,
         "no secret, and the metadata do not say none"},
        {CLIENTAUTH_POST, "s", true, false, CLIENTAUTH_POST, "the administrator knows better"},
        {CLIENTAUTH_BASIC, "s", false, true, CLIENTAUTH_BASIC, "the administrator knows better"},
        {CLIENTAUTH_NONE, "s", true, true, CLIENTAUTH_NONE, "a secret for SSOKey alone"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        provider_t provider = {.allows_basic = cases[i].basic, .allows_post = cases[i].post};
        client_t client = {"rp", text_of(cases[i].secret), cases[i].configured};
        clientauth_method method = CLIENTAUTH_FROM_METADATA;
        assert_no_fault(clientauth_choose(unit_pool(state), &client, &provider, &method));
        assert_case(method == cases[i].expected, cases[i].why);
    }
}

static void nothing_fits(void **state)
{
    provider_t provider = {.allows_public = true};
    client_t client = {"rp", TEXT("s"), CLIENTAUTH_FROM_METADATA};
    clientauth_method method;
    assert_fault(clientauth_choose(unit_pool(state), &client, &provider, &method), FAULT_PROVIDER_UNSUITABLE);
}

static void basic_header(void **state)
{
    static const struct {
        const char *id, *secret, *header;
    } cases[] = {
        {"s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw",
         "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"},         /* RFC 6749 */
        {"a:b c", "p%&\xc3\xa9", "Basic YSUzQWIrYzpwJTI1JTI2JUMzJUE5"}, /* form-encoded first */
        {"rp", "", "Basic cnA6"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        client_t client = {cases[i].id, text_of(cases[i].secret), CLIENTAUTH_BASIC};
        assert_string_equal(clientauth_basic(unit_pool(state), &client), cases[i].header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(choosing), UNIT_TEST(nothing_fits), UNIT_TEST(basic_header)};
    return UNIT_MAIN(tests);
}
