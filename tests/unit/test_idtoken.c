/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The rules of an ID token: sections IT and CI of the attacks, and Core 12.2 for refreshed ones. */

#include "unit.h"

#include "jose/digest.h"
#include "oidc/idtoken.h"

#define NOW 1700000000

static const idtoken_rules usual = {
    .issuer = "https://op.test/",
    .client_id = "rp",
    .now = NOW,
    .skew = 60,
    .iat_age = 600,
    .nonce = {"N-1", 3},
};

/* A payload with one member replaced or added; a NULL value leaves it out. Values are raw JSON. */
static text_t payload(apr_pool_t *pool, const char *member, const char *value)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"iss", "\"https://op.test/\""}, {"aud", "\"rp\""},    {"exp", "1700000300"},
        {"iat", "1700000000"},           {"sub", "\"alice\""}, {"nonce", "\"N-1\""},
    };
    text_t text = TEXT("{\"x\":1");
    bool added = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool replaced = strcmp(rows[i].name, member) == 0;
        added = added || replaced;
        if (!replaced || value != NULL)
            text = text_format(pool, "%s,\"%s\":%s", text.at, rows[i].name, replaced ? value : rows[i].value);
    }
    if (!added && value != NULL)
        text = text_format(pool, "%s,\"%s\":%s", text.at, member, value);
    return text_format(pool, "%s}", text.at);
}

static const fault_t *check(apr_pool_t *pool, const char *member, const char *value)
{
    idtoken_t idtoken;
    return idtoken_check(pool, payload(pool, member, value), &usual, &idtoken);
}

static const struct {
    const char *member, *value;
    fault_code code;
    const char *why;
} rule_cases[] = {
    {"x", NULL, FAULT_NONE, "as usual"},
    {"iss", NULL, FAULT_IDTOKEN_ISSUER, "IT-01 missing"},
    {"iss", "\"https://evil.test/\"", FAULT_IDTOKEN_ISSUER, "IT-01 wrong"},
    {"iss", "[\"https://op.test/\"]", FAULT_IDTOKEN_ISSUER, "IT-01 list"},
    {"iss", "null", FAULT_IDTOKEN_ISSUER, "IT-01 null"},
    {"iss", "\"\"", FAULT_IDTOKEN_ISSUER, "DS-11 empty"},
    {"iss", "\"https://op.test\"", FAULT_IDTOKEN_ISSUER, "IT-01, MX-03 without the slash"},
    {"iss", "\"HTTPS://OP.TEST/\"", FAULT_IDTOKEN_ISSUER, "IT-01, MX-03 case"},
    {"iss", "\"https://op.test:443/\"", FAULT_IDTOKEN_ISSUER, "IT-01, MX-03 port"},
    {"aud", NULL, FAULT_IDTOKEN_AUDIENCE, "IT-02 missing"},
    {"aud", "\"other\"", FAULT_IDTOKEN_AUDIENCE, "IT-02, IT-21 another client"},
    {"aud", "\"rp2\"", FAULT_IDTOKEN_AUDIENCE, "longer"},
    {"aud", "\"RP\"", FAULT_IDTOKEN_AUDIENCE, "case"},
    {"aud", "[]", FAULT_IDTOKEN_AUDIENCE, "IT-02 empty list"},
    {"aud", "[\"other\"]", FAULT_IDTOKEN_AUDIENCE, "IT-02 list of others"},
    {"aud", "[\"rp\"]", FAULT_NONE, "IT-03 list with us only"},
    {"aud", "[\"rp\",\"other\"]", FAULT_IDTOKEN_AUDIENCE, "IT-04 others too, no azp"},
    {"aud", "[\"rp\",1]", FAULT_IDTOKEN_AUDIENCE, "no list of strings"},
    {"aud", "{\"rp\":1}", FAULT_IDTOKEN_AUDIENCE, "object"},
    {"aud", "[[\"rp\"]]", FAULT_IDTOKEN_AUDIENCE, "list in a list"},
    {"azp", "\"rp\"", FAULT_NONE, "azp is us"},
    {"azp", "null", FAULT_NONE, "null is absent"},
    {"azp", "\"other\"", FAULT_IDTOKEN_AUDIENCE, "IT-06"},
    {"azp", "\"\"", FAULT_IDTOKEN_AUDIENCE, "IT-06 empty"},
    {"azp", "[\"rp\"]", FAULT_IDTOKEN_AUDIENCE, "IT-06 list"},
    {"exp", NULL, FAULT_IDTOKEN_CLAIMS, "missing"},
    {"exp", "null", FAULT_IDTOKEN_CLAIMS, "IT-10 null"},
    {"exp", "\"1700000300\"", FAULT_IDTOKEN_CLAIMS, "IT-10 string"},
    {"exp", "[]", FAULT_IDTOKEN_CLAIMS, "IT-10 list"},
    {"exp", "true", FAULT_IDTOKEN_CLAIMS, "IT-10 boolean"},
    {"exp", "1699999939", FAULT_IDTOKEN_EXPIRED, "IT-09 now - skew - 1"},
    {"exp", "1699999940", FAULT_IDTOKEN_EXPIRED, "the very moment is too late"},
    {"exp", "1699999941", FAULT_NONE, "IT-09 now - skew + 1"},
    {"exp", "1699999941.5", FAULT_NONE, "IT-10 fraction"},
    {"exp", "1699999940.9", FAULT_IDTOKEN_EXPIRED, "IT-10 fraction is floored"},
    {"exp", "-1", FAULT_IDTOKEN_EXPIRED, "IT-10"},
    {"exp", "0", FAULT_IDTOKEN_EXPIRED, "IT-10"},
    {"exp", "-9223372036854775808", FAULT_IDTOKEN_EXPIRED, "no overflow"},
    {"exp", "-1e300", FAULT_IDTOKEN_EXPIRED, "no overflow"},
    {"exp", "1.5e9", FAULT_IDTOKEN_EXPIRED, "IT-10 long ago"},
    {"exp", "2147483648", FAULT_NONE, "IT-10 2^31"},
    {"exp", "9223372036854775807", FAULT_NONE, "IT-10 far future"},
    {"exp", "1e300", FAULT_NONE, "IT-10 saturates"},
    {"exp", "9223372036854775808", FAULT_IDTOKEN_CLAIMS, "IT-10 2^63 is no number that we read"},
    {"nbf", "1700000060", FAULT_NONE, "now + skew"},
    {"nbf", "1700000061", FAULT_IDTOKEN_EXPIRED, "IT-13"},
    {"nbf", "1e300", FAULT_IDTOKEN_EXPIRED, "IT-13 saturated"},
    {"nbf", "\"0\"", FAULT_IDTOKEN_CLAIMS, "string"},
    {"nbf", "null", FAULT_NONE, "null is absent"},
    {"iat", NULL, FAULT_IDTOKEN_CLAIMS, "missing"},
    {"iat", "\"1700000000\"", FAULT_IDTOKEN_CLAIMS, "string"},
    {"iat", "1700000060", FAULT_NONE, "IT-31 now + skew"},
    {"iat", "1700000061", FAULT_IDTOKEN_EXPIRED, "IT-12 future"},
    {"iat", "1699999400", FAULT_NONE, "the oldest"},
    {"iat", "1699999399", FAULT_IDTOKEN_EXPIRED, "IT-12 one older"},
    {"iat", "1699395200", FAULT_IDTOKEN_EXPIRED, "IT-12 a week"},
    {"iat", "-9223372036854775808", FAULT_IDTOKEN_EXPIRED, "no overflow"},
    {"iat", "1e300", FAULT_IDTOKEN_EXPIRED, "no overflow"},
    {"sub", NULL, FAULT_IDTOKEN_SUBJECT, "IT-14 missing"},
    {"sub", "\"\"", FAULT_IDTOKEN_SUBJECT, "IT-14 empty"},
    {"sub", "123", FAULT_IDTOKEN_SUBJECT, "IT-14 number"},
    {"sub", "null", FAULT_IDTOKEN_SUBJECT, "IT-14 null"},
    {"sub", "\"a\\r\\nX-H: 1\"", FAULT_IDTOKEN_SUBJECT, "IT-16 CRLF"},
    {"sub", "\"\xc3\xa9\"", FAULT_IDTOKEN_SUBJECT, "IT-16 not ASCII"},
    {"sub", "\"a\\u007f\"", FAULT_IDTOKEN_SUBJECT, "IT-16 DEL"},
    {"sub", "\"admin\\u0000x\"", FAULT_IDTOKEN_CLAIMS, "IT-16 NUL: never truncated"},
    {"sub", "\"a b|~\"", FAULT_NONE, "printable"},
    {"nonce", NULL, FAULT_IDTOKEN_NONCE, "CI-03"},
    {"nonce", "null", FAULT_IDTOKEN_NONCE, "CI-04 null"},
    {"nonce", "[\"N-1\"]", FAULT_IDTOKEN_NONCE, "CI-04 list"},
    {"nonce", "{}", FAULT_IDTOKEN_NONCE, "CI-04 object"},
    {"nonce", "1", FAULT_IDTOKEN_NONCE, "CI-04 number"},
    {"nonce", "true", FAULT_IDTOKEN_NONCE, "CI-04 boolean"},
    {"nonce", "\"\"", FAULT_IDTOKEN_NONCE, "CI-05 empty"},
    {"nonce", "\"N-\"", FAULT_IDTOKEN_NONCE, "CI-05 prefix"},
    {"nonce", "\"N-1x\"", FAULT_IDTOKEN_NONCE, "CI-05 suffix"},
    {"nonce", "\"n-1\"", FAULT_IDTOKEN_NONCE, "CI-05 case"},
    {"nonce", "\"N-1 \"", FAULT_IDTOKEN_NONCE, "CI-05 blank"},
    {"nonce", "\"M-1\"", FAULT_IDTOKEN_NONCE, "CI-02, CI-06 another login's"},
    {"auth_time", "1699990000", FAULT_NONE, "kept"},
    {"auth_time", "\"1699990000\"", FAULT_IDTOKEN_CLAIMS, "IT-19 string"},
    {"auth_time", "-5", FAULT_IDTOKEN_CLAIMS, "before all times"},
    {"at_hash", "\"anything\"", FAULT_NONE, "no access token here to compare with"},
    {"at_hash", "1", FAULT_IDTOKEN_HASH, "IT-26 wrong type"},
};

static void rules(void **state)
{
    for (size_t i = 0; i < COUNT(rule_cases); i++) {
        const fault_t *fault = check(unit_pool(state), rule_cases[i].member, rule_cases[i].value);
        if ((fault == NULL ? FAULT_NONE : fault->code) != rule_cases[i].code)
            print_error("%s: %s\n", rule_cases[i].member, rule_cases[i].value);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == rule_cases[i].code, rule_cases[i].why);
    }
}

static void payloads(void **state)
{
    static const char *const cases[] = {
        "",
        "[]",
        "\"x\"",
        "1",
        "null",
        "{",
        "{}x",                               /* IT-29 */
        "{\"sub\":\"a\",\"sub\":\"admin\"}", /* IT-28 */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        idtoken_t idtoken;
        const fault_t *fault = idtoken_check(unit_pool(state), text_of(cases[i]), &usual, &idtoken);
        assert_case(fault != NULL && fault->code == FAULT_IDTOKEN_CLAIMS, cases[i]);
    }
}

static void fields(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    assert_no_fault(idtoken_check(pool, payload(pool, "exp", "1e300"), &usual, &idtoken));
    assert_text(idtoken.sub, "alice");
    assert_text(idtoken.nonce, "N-1");
    assert_true(idtoken.exp == INT64_MAX);
    assert_int_equal(idtoken.iat, NOW);
    assert_int_equal(idtoken.auth_time, -1);
    assert_non_null(idtoken.claims);
    assert_no_fault(idtoken_check(pool, payload(pool, "auth_time", "1699990000.7"), &usual, &idtoken));
    assert_int_equal(idtoken.auth_time, 1699990000);
}

static void time_details(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    idtoken_rules late = usual;
    late.now = 1700000423;
    assert_string_equal(idtoken_check(pool, payload(pool, "x", NULL), &late, &idtoken)->detail,
                        "exp 1700000300 is before now 1700000423 (skew 60 s)"); /* IT-31 */
    assert_string_equal(check(pool, "iat", "1700000100")->detail,
                        "iat 1700000100 is after now 1700000000 (skew 60 s)");
    assert_string_equal(check(pool, "nbf", "1700000100")->detail,
                        "nbf 1700000100 is after now 1700000000 (skew 60 s)");
    assert_string_equal(check(pool, "iat", "1699990000")->detail,
                        "iat 1699990000 is more than 600 s before now 1700000000");
}

static void hostile_details(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const fault_t *fault = check(pool, "iss", "\"a\\r\\nb%n\xc3\xa9\"");
    assert_false(text_has_control(text_of(fault->detail)));
    assert_true(text_is_printable(text_of(fault->detail)));
    assert_null(strstr(check(pool, "nonce", "\"CANARY99\"")->detail, "CANARY"));
}

static void second_audience(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    text_t text = payload(pool, "aud", "[\"rp\",\"other\"],\"azp\":\"rp\"");
    assert_no_fault(idtoken_check(pool, text, &usual, &idtoken));
    text = payload(pool, "aud", "[\"rp\",\"other\"],\"azp\":\"other\"");
    assert_fault(idtoken_check(pool, text, &usual, &idtoken), FAULT_IDTOKEN_AUDIENCE); /* IT-06 */
    text = payload(pool, "aud", "[\"other\",\"third\"],\"azp\":\"rp\"");
    assert_fault(idtoken_check(pool, text, &usual, &idtoken), FAULT_IDTOKEN_AUDIENCE);
}

static void long_subjects(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    char many[256];
    memset(many, 'x', sizeof(many));
    assert_no_fault(check(pool, "sub", text_format(pool, "\"%.255s\"", many).at));
    assert_fault(check(pool, "sub", text_format(pool, "\"%.256s\"", many).at), FAULT_IDTOKEN_SUBJECT);
}

static void nonce_rules(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    idtoken_rules other = usual;
    other.nonce = (text_t){NULL, 0};
    assert_no_fault(idtoken_check(pool, payload(pool, "nonce", NULL), &other, &idtoken));
    assert_null(idtoken.nonce.at);
    assert_no_fault(idtoken_check(pool, payload(pool, "nonce", "\"any\""), &other, &idtoken));
    assert_text(idtoken.nonce, "any");
    assert_fault(idtoken_check(pool, payload(pool, "nonce", "7"), &other, &idtoken), FAULT_IDTOKEN_NONCE);
    other.nonce = TEXT(""); /* a mistake of ours must not let everybody in */
    assert_fault(idtoken_check(pool, payload(pool, "nonce", "\"\""), &other, &idtoken), FAULT_IDTOKEN_NONCE);
    assert_fault(idtoken_check(pool, payload(pool, "nonce", NULL), &other, &idtoken), FAULT_IDTOKEN_NONCE);
}

static void access_token_hash(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    /* OpenID Connect Core appendix A.3 */
    idtoken_rules with = usual;
    with.access_token = TEXT("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    with.alg = alg_find(TEXT("RS256"));
    assert_no_fault(
        idtoken_check(pool, payload(pool, "at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\""), &with, &idtoken));
    assert_no_fault(idtoken_check(pool, payload(pool, "x", NULL), &with, &idtoken)); /* IT-27 */
    static const char *const wrong[] = {"\"77QmUPtjPfzWtF2AnpK9RQ==\"", "\"77QmUPtjPfzWtF2AnpK9R\"", "\"\"",
                                        "\"77QmUPtjPfzWtF2AnpK9RR\"", "[\"77QmUPtjPfzWtF2AnpK9RQ\"]"};
    for (size_t i = 0; i < COUNT(wrong); i++) { /* IT-26 */
        const fault_t *fault = idtoken_check(pool, payload(pool, "at_hash", wrong[i]), &with, &idtoken);
        assert_case(fault != NULL && fault->code == FAULT_IDTOKEN_HASH, wrong[i]);
    }
    with.alg = alg_find(TEXT("RS384"));
    assert_fault(idtoken_check(pool, payload(pool, "at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\""), &with, &idtoken),
                 FAULT_IDTOKEN_HASH);
}

static void recalled(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    idtoken_t idtoken;
    assert_no_fault(idtoken_recall(
        pool, TEXT("{\"sub\":\"a\",\"nonce\":\"n\",\"exp\":1,\"iat\":2,\"auth_time\":3}"), &idtoken));
    assert_text(idtoken.sub, "a");
    assert_text(idtoken.nonce, "n");
    assert_int_equal(idtoken.exp, 1);
    assert_int_equal(idtoken.iat, 2);
    assert_int_equal(idtoken.auth_time, 3);
    assert_no_fault(idtoken_recall(pool, TEXT("{\"sub\":\"a\",\"nonce\":1,\"exp\":\"1\"}"), &idtoken));
    assert_null(idtoken.nonce.at);
    assert_int_equal(idtoken.exp, 0);
    assert_int_equal(idtoken.auth_time, -1);
    assert_fault(idtoken_recall(pool, TEXT("{}"), &idtoken), FAULT_IDTOKEN_SUBJECT);
    assert_fault(idtoken_recall(pool, TEXT("[]"), &idtoken), FAULT_IDTOKEN_CLAIMS);
}

static void refreshed(void **state)
{
    static const struct {
        const char *before, *after;
        fault_code code;
        const char *why;
    } cases[] = {
        {"\"sub\":\"a\",\"iat\":5", "\"sub\":\"a\",\"iat\":5", FAULT_NONE, "the same second"},
        {"\"sub\":\"a\",\"iat\":5", "\"sub\":\"a\",\"iat\":9", FAULT_NONE, "newer"},
        {"\"sub\":\"a\",\"iat\":5", "\"sub\":\"a\",\"iat\":4", FAULT_IDTOKEN_EXPIRED, "older"},
        {"\"sub\":\"a\"", "\"sub\":\"b\"", FAULT_IDTOKEN_SUBJECT, "somebody else"},
        {"\"sub\":\"a\"", "\"sub\":\"A\"", FAULT_IDTOKEN_SUBJECT, "IT-17"},
        {"\"sub\":\"a\",\"auth_time\":3", "\"sub\":\"a\",\"auth_time\":3", FAULT_NONE, "unchanged"},
        {"\"sub\":\"a\",\"auth_time\":3", "\"sub\":\"a\"", FAULT_NONE, "not there any more"},
        {"\"sub\":\"a\",\"auth_time\":3", "\"sub\":\"a\",\"auth_time\":4", FAULT_IDTOKEN_CLAIMS, "changed"},
        {"\"sub\":\"a\"", "\"sub\":\"a\",\"auth_time\":4", FAULT_NONE, "nothing to compare with"},
        {"\"sub\":\"a\",\"nonce\":\"n\"", "\"sub\":\"a\"", FAULT_NONE, "need not be repeated"},
        {"\"sub\":\"a\",\"nonce\":\"n\"", "\"sub\":\"a\",\"nonce\":\"n\"", FAULT_NONE, "repeated"},
        {"\"sub\":\"a\",\"nonce\":\"n\"", "\"sub\":\"a\",\"nonce\":\"m\"", FAULT_IDTOKEN_NONCE, "changed"},
        {"\"sub\":\"a\"", "\"sub\":\"a\",\"nonce\":\"m\"", FAULT_IDTOKEN_NONCE, "from nowhere"},
        {"\"sub\":\"a\",\"azp\":\"rp\"", "\"sub\":\"a\",\"azp\":\"rp\"", FAULT_NONE, "same azp"},
        {"\"sub\":\"a\",\"azp\":\"rp\"", "\"sub\":\"a\"", FAULT_IDTOKEN_AUDIENCE, "azp lost"},
        {"\"sub\":\"a\"", "\"sub\":\"a\",\"azp\":\"rp\"", FAULT_IDTOKEN_AUDIENCE, "azp from nowhere"},
        {"\"sub\":\"a\",\"azp\":\"rp\"", "\"sub\":\"a\",\"azp\":\"x\"", FAULT_IDTOKEN_AUDIENCE,
         "azp changed"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        idtoken_t before, after;
        assert_no_fault(idtoken_recall(pool, text_format(pool, "{%s}", cases[i].before), &before));
        assert_no_fault(idtoken_recall(pool, text_format(pool, "{%s}", cases[i].after), &after));
        const fault_t *fault = idtoken_check_refreshed(pool, &before, &after);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

static void origin(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *claims = NULL;
    text_t bare = TEXT("{\"iss\":\"https://op.test/\",\"exp\":1700000300,\"iat\":1700000000}");
    assert_no_fault(jval_read(pool, bare, 1000, FAULT_INTERNAL, &claims));
    assert_no_fault(idtoken_check_origin(pool, claims, &usual));
    idtoken_rules late = usual;
    late.now += 1000;
    assert_fault(idtoken_check_origin(pool, claims, &late), FAULT_IDTOKEN_EXPIRED);
    late.issuer = "https://other.test/";
    assert_fault(idtoken_check_origin(pool, claims, &late), FAULT_IDTOKEN_ISSUER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(rules),         UNIT_TEST(payloads),        UNIT_TEST(fields),
        UNIT_TEST(time_details),  UNIT_TEST(hostile_details), UNIT_TEST(second_audience),
        UNIT_TEST(long_subjects), UNIT_TEST(nonce_rules),     UNIT_TEST(access_token_hash),
        UNIT_TEST(recalled),      UNIT_TEST(refreshed),       UNIT_TEST(origin),
    };
    return UNIT_MAIN(tests);
}
