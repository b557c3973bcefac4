/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* JSON flattened: UI-03, IT-39, HD-10, HD-15, HD-19. */

#include "unit.h"

#include "oidc/claims.h"

#define S "\x1f"

static const jval_t *object(apr_pool_t *pool, const char *text)
{
    const jval_t *value = NULL;
    assert_no_fault(jval_read(pool, text_of(text), 1000000, FAULT_INTERNAL, &value));
    return value;
}

static claim_list collect(apr_pool_t *pool, const char *text)
{
    claim_list claims = {NULL, 0};
    claims_source source = {CLAIMS_FROM_IDTOKEN, object(pool, text)};
    assert_no_fault(claims_collect(pool, &source, 1, &claims));
    return claims;
}

/* "path=type:text " for every entry; a step is written '/'. */
static const char *shown(apr_pool_t *pool, const claim_list *claims)
{
    text_t line = TEXT("");
    for (size_t i = 0; i < claims->count; i++) {
        const claim_t *claim = &claims->at[i];
        text_t path = text_copy(pool, claim->path), text = claim_as_text(pool, claim, ',');
        line = text_format(pool, "%s%s%s=%c:%.*s", line.at, i == 0 ? "" : " ", path.at, (char)claim->type,
                           (int)text.len, text.at);
    }
    char *result = (char *)(uintptr_t)line.at;
    for (char *at = result; *at != '\0'; at++)
        if (*at == CLAIM_STEP)
            *at = '/';
    return result;
}

static void flattening(void **state)
{
    static const struct {
        const char *json, *entries;
    } cases[] = {
        {"{}", ""},
        {"{\"b\":\"x\",\"a\":1}", "a=n:1 b=s:x"},
        {"{\"t\":true,\"f\":false,\"n\":null}", "f=f:false t=t:true"},
        {"{\"i\":9007199254740993,\"r\":1.10,\"e\":1e3}", "e=n:1000.0 i=n:9007199254740993 r=n:1.1"},
        {"{\"a\":{\"b\":{\"c\":1,\"d\":\"x\"}}}", "a/b/c=n:1 a/b/d=s:x"},
        {"{\"a\":{},\"b\":[],\"c\":{\"d\":{}}}", "a=j:{} b=l: c/d=j:{}"},
        {"{\"a\":{\"b\":null}}", "a=j:{}"},
        {"{\"g\":[\"x,y\",1,true,false,null,[2],{\"k\":\"v\"},{}]}",
         "g=l:x\\,y,1,true,false,[2],{\"k\":\"v\"},{}"},
        {"{\"a.b\":1,\"a\":{\"b\":2}}", "a.b=n:1 a/b=n:2"},
        {"{\"\":1,\"a\":{\"\":2}}", "=n:1 a/=n:2"},
        {"{\"https://x.test/roles\":[\"r\"]}", "https://x.test/roles=l:r"},
        {"{\"exp\":1,\"iat\":1,\"nbf\":1,\"nonce\":\"n\",\"jti\":\"j\",\"typ\":\"ID\",\"at_hash\":\"h\",\"c_"
         "hash\":\"h\","
         "\"s_hash\":\"h\",\"session_state\":\"s\",\"_claim_names\":{\"g\":\"s\"},"
         "\"_claim_sources\":{\"s\":{\"endpoint\":\"http://169.254.169.254/\"}},\"x\":{\"exp\":2}}",
         "x/exp=n:2"}, /* IT-39; nested names are the user's own */
        {"{\"sub\":\"a\",\"iss\":\"i\",\"amr\":[\"pwd\",\"otp\"]}", "amr=l:pwd,otp iss=s:i sub=s:a"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        claim_list claims = collect(pool, cases[i].json);
        assert_string_equal(shown(pool, &claims), cases[i].entries);
    }
}

static void list_items(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    claim_list claims = collect(pool, "{\"g\":[\"1\",1,{\"a\":[]},[]]}");
    assert_text(claim_as_json(pool, &claims, TEXT("g")), "[\"1\",1,{\"a\":[]},[]]");
    assert_memory_equal(claims.at[0].text.at,
                        "s\0\0\1"
                        "1"
                        "n\0\0\1"
                        "1"
                        "j\0\0\x08",
                        14);
}

static void round_trip(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    claim_list claims = collect(pool, "{\"realm_access\":{\"roles\":[\"a\"],\"x\":{\"y.z\":1,\"y\":{\"q\":2},"
                                      "\"y-\":{}}},\"realm_access.x\":3}");
    assert_text(claim_as_json(pool, &claims, TEXT("realm_access")),
                "{\"roles\":[\"a\"],\"x\":{\"y-\":{},\"y\":{\"q\":2},\"y.z\":1}}");
    assert_text(claim_as_json(pool, &claims, TEXT("realm_access.x")), "3");
    assert_non_null(claim_find(&claims, TEXT("realm_access.roles")));
}

static const char *merged(apr_pool_t *pool, const claims_source *sources, size_t count)
{
    claim_list claims = {NULL, 0};
    assert_no_fault(claims_collect(pool, sources, count, &claims));
    return shown(pool, &claims);
}

static void merging(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *idtoken =
        object(pool, "{\"sub\":\"a\",\"iss\":\"i\",\"email\":\"id@x\",\"o\":{\"p\":1},\"z\":null}");
    const jval_t *userinfo =
        object(pool, "{\"sub\":\"b\",\"iss\":\"evil\",\"aud\":\"evil\",\"acr\":\"evil\",\"amr\":[1],"
                     "\"nonce\":\"evil\",\"email\":\"ui@x\",\"o\":{\"q\":2},\"name\":\"N\",\"z\":1}");
    const jval_t *access =
        object(pool, "{\"name\":\"M\",\"realm_access\":{\"roles\":[\"r\"]},\"sid\":\"x\"}");
    const claims_source usual[] = {
        {CLAIMS_FROM_IDTOKEN, idtoken}, {CLAIMS_FROM_USERINFO, userinfo}, {CLAIMS_FROM_ACCESS, access}};
    assert_string_equal(merged(pool, usual, 3), /* UI-03 */
                        "email=s:id@x iss=s:i name=s:N o/p=n:1 realm_access/roles=l:r sub=s:a z=n:1");
    const claims_source swapped[] = {{CLAIMS_FROM_USERINFO, userinfo}, {CLAIMS_FROM_IDTOKEN, idtoken}};
    assert_string_equal(merged(pool, swapped, 2), /* UI-03: the ID token vouches wherever it stands */
                        "email=s:ui@x iss=s:i name=s:N o/q=n:2 sub=s:a z=n:1");
    const claims_source oauth[] = {{CLAIMS_FROM_IDTOKEN, NULL}, {CLAIMS_FROM_USERINFO, userinfo}};
    assert_string_equal(
        merged(pool, oauth, 2),
        "acr=s:evil amr=l:1 aud=s:evil email=s:ui@x iss=s:evil name=s:N o/q=n:2 sub=s:b z=n:1");
    assert_string_equal(merged(pool, usual, 0), "");
    assert_string_equal(merged(pool, (const claims_source[]){{CLAIMS_FROM_ACCESS, NULL}}, 1), "");
}

static void hostile_names(void **state)
{
    static const char *const cases[] = {
        "{\"a\\u001fb\":1}",
        "{\"a\\r\\nX-H\":1}",
        "{\"a\":{\"\\u007f\":1}}",
        "{\"exp\\t\":null}",
        "{\"a\":{\"b\":{\"\\u001f\":{}}}}",
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) { /* HD-19 */
        claim_list claims = {NULL, 0};
        claims_source source = {CLAIMS_FROM_USERINFO, object(pool, cases[i])};
        const fault_t *fault = claims_collect(pool, &source, 1, &claims);
        assert_case(fault != NULL && fault->code == FAULT_IDTOKEN_CLAIMS, cases[i]);
        assert_case(strstr(fault->detail, "userinfo") != NULL, cases[i]);
        assert_case(!text_has_control(text_of(fault->detail)), cases[i]);
    }
}

static const fault_t *collect_many(apr_pool_t *pool, int count)
{
    claim_list claims;
    text_t text = TEXT("{\"c\":{\"k\":0");
    for (int i = 1; i < count; i++)
        text = text_format(pool, "%s,\"k%d\":%d", text.at, i, i);
    claims_source source = {CLAIMS_FROM_IDTOKEN, object(pool, text_format(pool, "%s}}", text.at).at)};
    return claims_collect(pool, &source, 1, &claims);
}

static void ceiling(void **state)
{
    assert_no_fault(collect_many(unit_pool(state), CLAIMS_MAX));
    assert_fault(collect_many(unit_pool(state), CLAIMS_MAX + 1), FAULT_IDTOKEN_CLAIMS);
}

static void deepest(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t text = TEXT("1");
    for (int i = 0; i < JVAL_DEPTH_MAX; i++)
        text = text_format(pool, "{\"a\":%s}", text.at);
    claim_list claims = collect(pool, text.at);
    assert_int_equal(claims.count, 1);
    text_t inner = {text.at + 5, text.len - 6};
    assert_texts(claim_as_json(pool, &claims, TEXT("a")), inner, "printed as it came");
}

static void pointers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *overage =
        object(pool, "{\"_claim_names\":{\"groups\":\"src1\",\"x.y\":\"src1\",\"roles\":\"s\"},"
                     "\"_claim_sources\":{\"src1\":{\"endpoint\":\"https://graph\"}},\"roles\":[]}");
    assert_true(claims_points_elsewhere(overage, TEXT("groups")));
    assert_true(claims_points_elsewhere(overage, TEXT("groups.admin")));
    assert_true(claims_points_elsewhere(overage, TEXT("x.y")));
    assert_false(claims_points_elsewhere(overage, TEXT("x")));
    assert_false(claims_points_elsewhere(overage, TEXT("groupsx")));
    assert_false(claims_points_elsewhere(overage, TEXT("group")));
    assert_false(claims_points_elsewhere(overage, TEXT("roles"))); /* it is here */
    assert_false(claims_points_elsewhere(overage, TEXT("email")));
    assert_false(claims_points_elsewhere(object(pool, "{\"_claim_names\":[\"groups\"]}"), TEXT("groups")));
    assert_false(claims_points_elsewhere(object(pool, "{}"), TEXT("groups")));
    assert_false(claims_points_elsewhere(NULL, TEXT("groups")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(flattening),    UNIT_TEST(list_items), UNIT_TEST(round_trip), UNIT_TEST(merging),
        UNIT_TEST(hostile_names), UNIT_TEST(ceiling),    UNIT_TEST(deepest),    UNIT_TEST(pointers),
    };
    return UNIT_MAIN(tests);
}
