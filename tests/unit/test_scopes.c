/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* SSORequireScope (TE-22, RF-26): words are compared whole; silence of the provider means that all was
 * granted. */

#include "unit.h"

#include "flow/scopes.h"

static apr_array_header_t *words(apr_pool_t *pool, const char *one, const char *other)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));
    if (one != NULL)
        APR_ARRAY_PUSH(list, const char *) = one;
    if (other != NULL)
        APR_ARRAY_PUSH(list, const char *) = other;
    return list;
}

static void test_granted(void **state)
{
    static const struct {
        const char *one, *other, *granted;
        bool fine;
        const char *why;
    } cases[] = {
        {NULL, NULL, "openid", true, "nothing is required"},
        {"wiki", NULL, "openid wiki", true, "granted"},
        {"wiki", NULL, "wiki", true, "granted alone"},
        {"wiki", "edit", "edit openid wiki", true, "both, in another order"},
        {"wiki", "edit", "openid wiki", false, "one of two"},
        {"wiki", NULL, "openid", false, "not granted"},
        {"wiki", NULL, "wikipedia", false, "a longer word is another one"},
        {"wiki", NULL, "wik", false, "a shorter word is another one"},
        {"wiki", NULL, "WIKI", false, "case matters (RFC 6749 section 3.3)"},
        {"wiki", NULL, "", false, "nothing was granted"},
        {"wiki", NULL, NULL, true, "the provider does not say: what was asked for (RFC 6749 section 5.1)"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const rp_t rp = {.required_scopes = words(pool, cases[i].one, cases[i].other)};
        text_t granted = cases[i].granted == NULL ? (text_t){NULL, 0} : text_of(cases[i].granted);
        const fault_t *fault = scopes_check(&rp, pool, granted);
        assert_case((fault == NULL) == cases[i].fine, cases[i].why);
        if (fault != NULL)
            assert_int_equal(fault->code, FAULT_SCOPE_MISSING);
    }
    const rp_t rp = {.required_scopes = NULL};
    assert_null(scopes_check(&rp, pool, TEXT("openid")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(test_granted)};
    return UNIT_MAIN(tests);
}
