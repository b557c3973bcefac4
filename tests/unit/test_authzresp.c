/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The callback's query: sections AR and MX of the attacks, DS-11. */

#include "unit.h"

#include "base/codec.h"
#include "oidc/authzresp.h"

#define MALFORMED FAULT_CALLBACK_MALFORMED

static void reading(void **state)
{
    static const struct {
        const char *query;
        fault_code code;
        const char *why;
    } cases[] = {
        {"code=c&state=S", FAULT_NONE, "as usual"},
        {"state=S&code=c&foo=1&foo=2&session_state=x&scope=", FAULT_NONE,
         "AR-30 unknown ones are left alone"},
        {"code=a%2Bb%20c%22&state=S", FAULT_NONE, "AR-24 every VSCHAR"},
        {"error=x&code=y&state=S", FAULT_NONE, "AR-12 the error counts"},
        {"error=access_denied&state=S", FAULT_NONE, "AR-11"},
        {"error=x&state=S&error_description=a&error_description=b", FAULT_NONE,
         "the description is only for the log"},
        {"", FAULT_STATE_MISSING, "AR-01"},
        {"code=x", FAULT_STATE_MISSING, "AR-02"},
        {"state=&code=x", FAULT_STATE_MISSING, "empty"},
        {"state=a%20b&code=x", FAULT_STATE_MISSING, "a blank is not ours"},
        {"state=a%00b&code=x", FAULT_STATE_MISSING, "NUL"},
        {"state=%C3%A9&code=x", FAULT_STATE_MISSING, "not ASCII"},
        {"state=S", MALFORMED, "AR-03"},
        {"state=S&code=", MALFORMED, "empty code"},
        {"code=a&code=b&state=S", MALFORMED, "AR-08"},
        {"code=a&%63ode=b&state=S", MALFORMED, "AR-08 encoded"},
        {"code=a&state=S&state=T", MALFORMED, "AR-09"},
        {"code=a&state=S&state=S", MALFORMED, "AR-09 the same twice"},
        {"code=a&state=S&iss=a&iss=b", MALFORMED, "AR-10 iss"},
        {"error=a&state=S&error=b", MALFORMED, "AR-10 error"},
        {"error=x&code=a&code=b&state=S", MALFORMED, "code twice beside an error"},
        {"code=a%00b&state=S", MALFORMED, "AR-24 NUL"},
        {"code=a%0Ab&state=S", MALFORMED, "AR-24 line feed"},
        {"code=%E2%82%AC&state=S", MALFORMED, "AR-24 not ASCII"},
        {"code=%zz&state=S", MALFORMED, "broken escape"},
        {"code=%4&state=S", MALFORMED, "cut escape"},
        {"code=c&access_token=a&state=S", MALFORMED, "AR-22"},
        {"id_token=a.b.c&state=S&code=c", MALFORMED, "AR-22"},
        {"code=c&token_type=&state=S", MALFORMED, "AR-22, empty"},
        {"access_token=a&access_token=b&code=c&state=S", MALFORMED, "AR-22 twice"},
        {"response=ey.J.x&state=S", MALFORMED, "AR-23"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        authzresp_t response;
        const fault_t *fault = authzresp_read(
            unit_pool(state), unit_flush(unit_pool(state), text_of(cases[i].query)), &response);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

static void fields(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    authzresp_t response;
    assert_no_fault(authzresp_read(pool, TEXT("code=a%2Bb+c&state=S-1&iss="), &response));
    assert_text(response.code, "a+b c");
    assert_text(response.state, "S-1");
    assert_non_null(response.iss.at); /* DS-11: sent, though empty */
    assert_int_equal(response.iss.len, 0);
    assert_int_equal(response.error.len, 0);
    assert_no_fault(
        authzresp_read(pool, TEXT("code=c&error=no_no&error_description=d%0A&state=S"), &response));
    assert_text(response.error, "no_no");
    assert_text(response.description, "d\n");
    assert_int_equal(response.code.len, 0);
    assert_null(response.iss.at);
    assert_fault(authzresp_read(pool, TEXT("code=a&code=b&state=S"), &response), MALFORMED);
    assert_text(response.state, "S"); /* so that the login can be ended */
    assert_int_equal(response.code.len, 0);
}

static void error_words(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *query, *error;
    } cases[] = {
        {"state=S&error=", "malformed"},
        {"state=S&error=%22", "malformed"},
        {"state=S&error=a%5Cb", "malformed"},
        {"state=S&error=a%0d%0aX:1", "malformed"},
        {"state=S&error=%C3%A9", "malformed"},
        {"state=S&error=<script>alert(1)</script>", "<script>alert(1)</script>"},
        {"state=S&error=a+b", "a b"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        authzresp_t response;
        assert_no_fault(authzresp_read(pool, text_of(cases[i].query), &response));
        assert_texts(response.error, text_of(cases[i].error), cases[i].query);
    }
}

static text_t query_of(apr_pool_t *pool, const char *start, size_t count, const char *more)
{
    char *many = apr_palloc(pool, count + 1);
    memset(many, 'x', count);
    return text_join(pool, (const text_t[]){text_of(start), {many, count}, text_of(more), {NULL, 0}});
}

static void ceilings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    authzresp_t response;
    assert_no_fault(authzresp_read(pool, query_of(pool, "state=S&code=", 4096, ""), &response));
    assert_fault(authzresp_read(pool, query_of(pool, "state=S&code=", 4097, ""), &response), MALFORMED);
    assert_no_fault(authzresp_read(pool, query_of(pool, "code=c&state=", 512, ""), &response));
    assert_fault(authzresp_read(pool, query_of(pool, "code=c&state=", 513, ""), &response),
                 FAULT_STATE_MISSING);
    assert_no_fault(authzresp_read(pool, query_of(pool, "state=S&error=", 101, ""), &response));
    assert_text(response.error, "malformed");
    text_t many = TEXT("code=c&state=S");
    for (int i = 0; i < 63; i++)
        many = text_join(pool, (const text_t[]){many, TEXT("&a=b"), {NULL, 0}});
    assert_fault(authzresp_read(pool, many, &response), MALFORMED); /* AR-34 */
}

static void issuers(void **state)
{
    static const struct {
        const char *iss;
        bool promised, good;
        const char *why;
    } cases[] = {
        {NULL, false, true, "neither promised nor sent"},
        {NULL, true, false, "MX-01"},
        {"https://op.test/", true, true, "as promised"},
        {"https://op.test/", false, true, "MX-04 right"},
        {"https://evil.test/", false, false, "MX-04 wrong"},
        {"https://evil.test/", true, false, "MX-02"},
        {"https://op.test", true, false, "MX-03 without the slash"},
        {"HTTPS://OP.TEST/", true, false, "MX-03 case"},
        {"https://op.test:443/", true, false, "MX-03 port"},
        {"https://op.test%2F", true, false, "MX-03 escape"},
        {"", false, false, "DS-11 empty"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        provider_t provider;
        provider_without_document("https://op.test/", &provider);
        provider.iss_promised = cases[i].promised;
        authzresp_t response = {.iss = text_of(cases[i].iss)};
        const fault_t *fault = authzresp_check_issuer(pool, &response, &provider);
        assert_case((fault == NULL) == cases[i].good, cases[i].why);
        assert_case(fault == NULL || fault->code == FAULT_ISSUER_MISMATCH, cases[i].why);
    }
    provider_t provider;
    provider_without_document("https://op.test/", &provider);
    authzresp_t response = {.iss = TEXT("https://op.test/\0")};
    assert_fault(authzresp_check_issuer(pool, &response, &provider), FAULT_ISSUER_MISMATCH); /* DS-11 NUL */
}

static void error_answers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    authzresp_t response = {.code = TEXT("c")};
    assert_no_fault(authzresp_error(pool, &response));
    response.error = TEXT("access_denied");
    assert_fault(authzresp_error(pool, &response), FAULT_LOGIN_REFUSED); /* AR-11 */
    response.error = TEXT("server_error");
    assert_fault(authzresp_error(pool, &response), FAULT_LOGIN_UNAVAILABLE);
    response.error = TEXT("temporarily_unavailable"); /* AR-17 */
    response.description = TEXT("a\r\nX-Evil: 1\x1b[0m\"%s%n");
    const fault_t *fault = authzresp_error(pool, &response);
    assert_fault(fault, FAULT_LOGIN_UNAVAILABLE);
    assert_non_null(strstr(fault->detail, "temporarily_unavailable"));
    assert_non_null(strstr(fault->detail, "%s%n"));         /* OE-05 */
    assert_false(text_has_control(text_of(fault->detail))); /* AR-14 */
    response.description = query_of(pool, "", 65536, "");
    assert_true(strlen(authzresp_error(pool, &response)->detail) < 512); /* OE-03 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reading),  UNIT_TEST(fields),  UNIT_TEST(error_words),
        UNIT_TEST(ceilings), UNIT_TEST(issuers), UNIT_TEST(error_answers),
    };
    return UNIT_MAIN(tests);
}
