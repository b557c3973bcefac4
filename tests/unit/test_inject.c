/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What applications see, and what clients may not send. */

#include "unit.h"

#include "flow/inject.h"
#include "flow/kindnames.h"

#define MAX_CLAIMS 20

typedef struct setup {
    apr_pool_t *pool;
    claim_t claims[MAX_CLAIMS];
    identity_t identity;
    place_settings *place;
    injection_t got;
} setup;

static setup *start(void **state)
{
    setup *one = apr_pcalloc(unit_pool(state), sizeof(*one));
    one->pool = unit_pool(state);
    one->place = settings_place_new(one->pool);
    one->place->claims = KIND_CLAIMS_OFF;
    one->identity = (identity_t){.user = "u", .claims = {one->claims, 0}, .tag = "01234567"};
    return one;
}

/* Claims come in their order. */
static void has(setup *one, text_t path, claim_type type, text_t text)
{
    const claim_t claim = {path, type, text};
    assert_true(one->identity.claims.count < MAX_CLAIMS);
    if (one->identity.claims.count > 0)
        assert_true(claim_order(&one->claims[one->identity.claims.count - 1], &claim) < 0);
    one->claims[one->identity.claims.count++] = claim;
}

static void row(setup *one, apr_array_header_t **list, const char *name, const char *claim,
                header_encoding encoding)
{
    if (*list == NULL)
        *list = apr_array_make(one->pool, 4, sizeof(claim_row));
    APR_ARRAY_PUSH(*list, claim_row) = (claim_row){name, claim, encoding};
}

static void make(setup *one)
{
    assert_no_fault(inject_make(one->pool, &one->identity, one->place, &one->got));
}

static text_t list_of(setup *one, const char *first, const char *second)
{
    char *room = apr_palloc(one->pool, 200), *end = room;
    claim_add_item(&end, CLAIM_TEXT, text_of(first));
    if (second != NULL)
        claim_add_item(&end, CLAIM_TEXT, text_of(second));
    return (text_t){room, (size_t)(end - room)};
}

/* "name=value;" each. */
static text_t shown(setup *one, const apr_array_header_t *pairs)
{
    text_t all = TEXT("");
    for (int i = 0; i < pairs->nelts; i += 2)
        all = text_format(one->pool, "%s%s=%s;", all.at, APR_ARRAY_IDX(pairs, i, const char *),
                          APR_ARRAY_IDX(pairs, i + 1, const char *));
    return all;
}

static void encodes(void **state)
{
    static const struct {
        header_encoding encoding;
        const char *value;
    } cases[] = {
        {HEADER_UTF8, "H=Cem \xc3\x96z, \"x\";"},
        {HEADER_URL, "H=Cem%20%C3%96z%2C%20%22x%22;"},
        {HEADER_BASE64, "H=Q2VtIMOWeiwgIngi;"},
        {HEADER_RFC8187, "H=UTF-8''Cem%20%C3%96z%2C%20%22x%22;"},
        {HEADER_JSON, "H=\"Cem \xc3\x96z, \\\"x\\\"\";"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        setup *one = start(state);
        has(one, TEXT("name"), CLAIM_TEXT, TEXT("Cem \xc3\x96z, \"x\""));
        row(one, &one->place->headers, "H", "name", cases[i].encoding);
        make(one);
        assert_texts(shown(one, one->got.headers), text_of(cases[i].value), cases[i].value);
        assert_int_equal(one->got.variables->nelts, 0);
    }
}

static void renders_types(void **state)
{
    setup *one = start(state);
    has(one, TEXT("big"), CLAIM_NUMBER, TEXT("12345678901234567890"));
    has(one, TEXT("empty"), CLAIM_TEXT, TEXT(""));
    has(one, TEXT("groups"), CLAIM_LIST, list_of(one, "CN=Admins,OU=G", "b\\c"));
    has(one, TEXT("none"), CLAIM_LIST, TEXT(""));
    has(one, TEXT("realm\x1froles"), CLAIM_LIST, list_of(one, "boss", NULL));
    has(one, TEXT("tab"), CLAIM_TEXT, TEXT("a\tb"));
    has(one, TEXT("yes"), CLAIM_TRUE, TEXT("true"));
    static const char *const claims[] = {"big",   "empty", "groups", "none",   "realm.roles",
                                         "realm", "tab",   "yes",    "missing"};
    for (size_t i = 0; i < COUNT(claims); i++)
        row(one, &one->place->variables, claims[i], claims[i], HEADER_UTF8);
    row(one, &one->place->headers, "J-Groups", "groups", HEADER_JSON);
    row(one, &one->place->headers, "J-Realm", "realm", HEADER_JSON);
    row(one, &one->place->headers, "J-Missing", "missing", HEADER_JSON);
    make(one);
    assert_text(shown(one, one->got.variables),
                "big=12345678901234567890;groups=CN=Admins\\,OU=G,b\\\\c;realm.roles=boss;"
                "realm={\"roles\":[\"boss\"]};tab=a\tb;yes=true;");
    assert_text(shown(one, one->got.headers),
                "J-Groups=[\"CN=Admins,OU=G\",\"b\\\\c\"];J-Realm={\"roles\":[\"boss\"]};");
}

static void refuses_what_a_row_cannot_carry(void **state)
{
    static const struct {
        text_t value;
        header_encoding encoding;
        bool fine;
        const char *why;
    } cases[] = {
        {TEXT("a\r\nX-Role: admin"), HEADER_UTF8, false, "CR and LF"},
        {TEXT("a\nb"), HEADER_UTF8, false, "LF"},
        {TEXT("a\0b"), HEADER_UTF8, false, "NUL"},
        {TEXT("a\x1b[0m"), HEADER_UTF8, false, "an escape"},
        {TEXT("a\x7f"), HEADER_UTF8, false, "DEL"},
        {TEXT("a\tb"), HEADER_UTF8, true, "a tab"},
        {TEXT("a\r\nb"), HEADER_URL, true, "encoded"},
        {TEXT("a\r\nb"), HEADER_BASE64, true, "encoded"},
        {TEXT("a\r\nb"), HEADER_RFC8187, true, "encoded"},
        {TEXT("a\r\nb"), HEADER_JSON, true, "encoded"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        setup *one = start(state);
        has(one, TEXT("name"), CLAIM_TEXT, cases[i].value);
        row(one, &one->place->headers, "H", "name", cases[i].encoding);
        const fault_t *fault = inject_make(one->pool, &one->identity, one->place, &one->got);
        assert_case((fault == NULL) == cases[i].fine, cases[i].why);
        if (fault != NULL) {
            assert_fault(fault, FAULT_CLAIM_UNUSABLE);
            assert_string_equal(fault->detail, "name has a control byte");
        }
        one->place->variables = one->place->headers;
        one->place->headers = NULL;
        fault = inject_make(one->pool, &one->identity, one->place, &one->got);
        assert_case((fault == NULL) == cases[i].fine, "the same for a variable");
    }
}

static void bounds_values(void **state)
{
    char *bytes = apr_palloc(unit_pool(state), INJECT_VALUE_MAX + 1);
    memset(bytes, 'x', INJECT_VALUE_MAX + 1);
    for (size_t len = INJECT_VALUE_MAX; len <= INJECT_VALUE_MAX + 1; len++) {
        setup *one = start(state);
        has(one, TEXT("groups"), CLAIM_TEXT, (text_t){bytes, len});
        one->place->claims = KIND_CLAIMS_BOTH;
        make(one);
        assert_int_equal(one->got.headers->nelts, len > INJECT_VALUE_MAX ? 0 : 2);
        row(one, &one->place->headers, "H", "groups", HEADER_UTF8);
        const fault_t *fault = inject_make(one->pool, &one->identity, one->place, &one->got);
        assert_fault(fault, len > INJECT_VALUE_MAX ? FAULT_CLAIM_UNUSABLE : FAULT_NONE);
        if (fault != NULL)
            assert_string_equal(fault->detail, "groups is too long");
    }
}

static void exports_all(void **state)
{
    setup *one = start(state);
    has(one, TEXT("Mail"), CLAIM_TEXT, TEXT("upper"));
    has(one,
        TEXT("address\x1f"
             "city"),
        CLAIM_TEXT, TEXT("Ulm"));
    has(one, TEXT("address\x1fzip"), CLAIM_TEXT, TEXT("89073"));
    has(one, TEXT("empty"), CLAIM_TEXT, TEXT(""));
    has(one, TEXT("evil"), CLAIM_TEXT, TEXT("a\nb"));
    has(one, TEXT("groups"), CLAIM_LIST, list_of(one, "a", "b"));
    has(one, TEXT("https://x.example/dept"), CLAIM_TEXT, TEXT("R&D"));
    has(one, TEXT("mail"), CLAIM_TEXT, TEXT("lower"));
    has(one, TEXT("user-name"), CLAIM_TEXT, TEXT("first"));
    has(one, TEXT("user.name"), CLAIM_TEXT, TEXT("second"));
    has(one, TEXT("user_name"), CLAIM_TEXT, TEXT("third"));
    one->place->claims = KIND_CLAIMS_BOTH;
    make(one);
    assert_text(
        shown(one, one->got.variables),
        "SSO_CLAIM_Mail=upper;SSO_CLAIM_address={\"city\":\"Ulm\",\"zip\":\"89073\"};SSO_CLAIM_groups=a,b;"
        "SSO_CLAIM_https___x_example_dept=R&D;SSO_CLAIM_user_name=first;");
    assert_text(
        shown(one, one->got.headers),
        "SSO-CLAIM-Mail=upper;SSO-CLAIM-address={\"city\":\"Ulm\",\"zip\":\"89073\"};SSO-CLAIM-groups=a,b;"
        "SSO-CLAIM-https---x-example-dept=R&D;SSO-CLAIM-user-name=first;");
    one->place->claims = KIND_CLAIMS_ENV;
    make(one);
    assert_int_equal(one->got.headers->nelts, 0);
    one->place->claims = KIND_CLAIMS_HEADERS;
    make(one);
    assert_int_equal(one->got.variables->nelts, 0);
    assert_int_equal(one->got.headers->nelts, 10);
}

static void rows_win_over_the_export(void **state)
{
    setup *one = start(state);
    has(one, TEXT("mail"), CLAIM_TEXT, TEXT("m"));
    has(one, TEXT("sub"), CLAIM_TEXT, TEXT("s"));
    one->place->claims = KIND_CLAIMS_BOTH;
    row(one, &one->place->headers, "sso_claim_mail", "sub", HEADER_UTF8);
    row(one, &one->place->variables, "SSO_CLAIM_MAIL", "sub", HEADER_UTF8);
    make(one);
    assert_text(shown(one, one->got.headers), "sso_claim_mail=s;SSO-CLAIM-sub=s;");
    assert_text(shown(one, one->got.variables), "SSO_CLAIM_MAIL=s;SSO_CLAIM_sub=s;");
}

static void passes_tokens(void **state)
{
    setup *one = start(state);
    one->identity.access_token = TEXT("access.token");
    one->identity.id_token = TEXT("id.token");
    make(one);
    assert_int_equal(one->got.headers->nelts + one->got.variables->nelts, 0);
    one->place->pass_tokens = KIND_PASS_ACCESS | KIND_PASS_ID;
    make(one);
    assert_text(shown(one, one->got.headers), "Authorization=Bearer access.token;X-SSO-ID-Token=id.token;");
    assert_text(shown(one, one->got.variables), "SSO_ACCESS_TOKEN=access.token;SSO_ID_TOKEN=id.token;");
    one->identity.access_token = (text_t){NULL, 0};
    make(one);
    assert_text(shown(one, one->got.headers), "X-SSO-ID-Token=id.token;");
    one->identity.id_token = TEXT("a\r\nb");
    const fault_t *fault = inject_make(one->pool, &one->identity, one->place, &one->got);
    assert_fault(fault, FAULT_CLAIM_UNUSABLE);
    assert_null(strstr(fault->detail, "a\\"));
}

static void folds_variants(void **state)
{
    assert_string_equal(inject_variant(unit_pool(state), "X_Claim.E~Mail9"), "x-claim-e-mail9");
    assert_string_equal(inject_variant(unit_pool(state), "\xc3\xa4"), "--");
    assert_string_equal(inject_variant(unit_pool(state), ""), "");
}

static void forbids(void **state)
{
    static const struct {
        const char *header;
        bool forbidden;
        const char *why;
    } cases[] = {
        {"X-User", true, "a row"},
        {"x_USER", true, "a row in another spelling"},
        {"X.User", true, "and another"},
        {"X-Users", false, "longer than a row"},
        {"X-Use", false, "shorter than a row"},
        {"X-Role", true, "SSOStripHeader"},
        {"MyApp_Mail", true, "a prefix in use"},
        {"MyApp", false, "shorter than the prefix"},
        {"SSO-Anything", true, "our own names"},
        {"sso_claim_sub", true, "our own names with underscores"},
        {"SSO", false, "not yet our own"},
        {"X-Forwarded-User", true, "well known"},
        {"X_Remote_User", true, "well known"},
        {"Remote-User", true, "well known"},
        {"X-SSL-Client-Anything", true, "a family"},
        {"X-Auth-Request-Groups", true, "a family"},
        {"x-sso-id-token", true, "a token"},
        {"Authorization", true, "where an access token is passed"},
        {"Accept", false, "a header of every request"},
        {"Cookie", false, "a header of every request"},
        {"X-Forwarded-For", false, "a proxy's"},
        {"", false, "nothing"},
    };
    setup *one = start(state);
    server_settings *server = settings_server_new(one->pool);
    apr_array_header_t *names = apr_array_make(one->pool, 1, sizeof(const char *));
    apr_array_header_t *prefixes = apr_array_make(one->pool, 1, sizeof(const char *));
    server->strip_headers = apr_array_make(one->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(server->strip_headers, const char *) = "X_Role";
    APR_ARRAY_PUSH(prefixes, const char *) = inject_variant(one->pool, "MyApp_");
    inject_collect(names, server, one->place);
    assert_false(inject_is_forbidden(names, prefixes, "Authorization"));
    assert_false(inject_is_forbidden(names, prefixes, "X-User"));
    row(one, &one->place->headers, "X-User", "sub", HEADER_UTF8);
    one->place->pass_tokens = KIND_PASS_ACCESS;
    inject_collect(names, server, one->place);
    int count = names->nelts;
    inject_collect(names, server, one->place);
    assert_int_equal(names->nelts, count);
    for (int i = 1; i < names->nelts; i++)
        assert_true(strcmp(APR_ARRAY_IDX(names, i - 1, const char *), APR_ARRAY_IDX(names, i, const char *)) <
                    0);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(inject_is_forbidden(names, prefixes, cases[i].header) == cases[i].forbidden,
                    cases[i].why);
}

/* Names injected are names scrubbed. */
static void forbids_all_that_it_makes(void **state)
{
    setup *one = start(state);
    server_settings *server = settings_server_new(one->pool);
    apr_array_header_t *names = apr_array_make(one->pool, 1, sizeof(const char *));
    apr_array_header_t *prefixes = apr_array_make(one->pool, 1, sizeof(const char *));
    has(one, TEXT("a.b"), CLAIM_TEXT, TEXT("1"));
    has(one, TEXT("z\xc3\xa4"), CLAIM_TEXT, TEXT("2"));
    row(one, &one->place->headers, "My_Header", "a.b", HEADER_UTF8);
    one->identity.access_token = TEXT("t");
    one->identity.id_token = TEXT("t");
    one->place->claim_prefix = "Gate_";
    one->place->claims = KIND_CLAIMS_BOTH;
    one->place->pass_tokens = KIND_PASS_ACCESS | KIND_PASS_ID;
    make(one);
    inject_collect(names, server, one->place);
    APR_ARRAY_PUSH(prefixes, const char *) = inject_variant(one->pool, one->place->claim_prefix);
    assert_int_equal(one->got.headers->nelts, 10);
    for (int i = 0; i < one->got.headers->nelts; i += 2)
        assert_true(inject_is_forbidden(names, prefixes, APR_ARRAY_IDX(one->got.headers, i, const char *)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(encodes),
        UNIT_TEST(renders_types),
        UNIT_TEST(refuses_what_a_row_cannot_carry),
        UNIT_TEST(bounds_values),
        UNIT_TEST(exports_all),
        UNIT_TEST(rows_win_over_the_export),
        UNIT_TEST(passes_tokens),
        UNIT_TEST(folds_variants),
        UNIT_TEST(forbids),
        UNIT_TEST(forbids_all_that_it_makes),
    };
    return UNIT_MAIN(tests);
}
