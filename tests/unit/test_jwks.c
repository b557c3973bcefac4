/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"
#include "signer.h"

#include "jose/jwks.h"

#define EC                                                                                                   \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void test_documents(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *json;
        size_t count; /* 0: refused */
        size_t skipped;
        const char *why;
    } cases[] = {
        {"{\"keys\":[{" EC "}]}", 1, 0, "one key"},
        {"{\"keys\":[{" EC "},{" OKP "}],\"other\":1}", 2, 0, "two keys and a foreign member"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{" EC "}]}", 1, 1, "JW-24: oct is skipped"},
        {"{\"keys\":[{" EC "},{" EC ",\"use\":\"enc\"}]}", 1, 1, "an encryption key is skipped"},
        {"{\"keys\":[{" EC "},{\"kty\":\"NEW\"}]}", 1, 1, "RFC 7517 section 5: unknown kinds are ignored"},
        {"{\"keys\":[7,null,\"x\",[],{" EC "}]}", 1, 4, "values that are no keys"},
        {"{\"keys\":[]}", 0, 0, "an empty set"},
        {"{\"keys\":[{\"kty\":\"oct\"}]}", 0, 0, "nothing usable"},
        {"{\"keys\":{" EC "}}", 0, 0, "keys is no list"},
        {"{\"keys\":null}", 0, 0, "keys is null"},
        {"{" EC "}", 0, 0, "a bare key is no set"},
        {"[{" EC "}]", 0, 0, "JS-06: a list"},
        {"{\"keys\":[{" EC "}],\"keys\":[{" OKP "}]}", 0, 0, "JS-02: a member twice"},
        {"{\"keys\":[{" EC ",\"kid\":\"a\\u0000b\"}]}", 0, 0, "JS-04: NUL"},
        {"{\"keys\":[{" EC "}]} ", 1, 0, "white space behind"},
        {"{\"keys\":[{" EC "}]}x", 0, 0, "JS-05: garbage behind"},
        {"", 0, 0, "nothing"},
        {"null", 0, 0, "JS-06: null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jwks_t *keys = NULL;
        const fault_t *fault = jwks_read(pool, text_of(cases[i].json), &keys);
        assert_case((fault == NULL) == (cases[i].count > 0), cases[i].why);
        if (fault != NULL) {
            assert_fault(fault, FAULT_METADATA_INVALID);
            assert_non_null(fault->detail);
            continue;
        }
        assert_case(keys->count == cases[i].count && keys->skipped == cases[i].skipped, cases[i].why);
        assert_case((keys->reason != NULL) == (keys->skipped > 0), "a reason where something was skipped");
    }
}

static text_t many(apr_pool_t *pool, size_t count, const char *kid)
{
    const char *list = "";
    for (size_t i = 0; i < count; i++)
        list =
            apr_psprintf(pool, "%s%s{%s,\"kid\":\"%s\"}", list, i > 0 ? "," : "", i % 2 == 0 ? EC : OKP, kid);
    return text_format(pool, "{\"keys\":[%s]}", list);
}

static void test_ceilings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jwks_t *keys = NULL;
    assert_no_fault(jwks_read(pool, many(pool, JWKS_KEYS_MAX, "a"), &keys));
    assert_int_equal(keys->count, JWKS_KEYS_MAX);
    assert_int_equal(keys->skipped, 0);
    assert_no_fault(jwks_read(pool, many(pool, JWKS_KEYS_MAX + 3, "a"), &keys));
    assert_int_equal(keys->count, JWKS_KEYS_MAX);
    assert_int_equal(keys->skipped, 3);

    text_t document = text_format(pool, "{\"keys\":[{%s}]%*s}", EC, (int)JWKS_DOCUMENT_MAX, "");
    assert_fault(jwks_read(pool, document, &keys), FAULT_METADATA_INVALID);
    for (size_t depth = 2; depth < 100; depth++) {
        char opened[100] = "";
        char closed[100] = "";
        memset(opened, '[', depth);
        memset(closed, ']', depth);
        text_t nested = text_format(pool, "{\"keys\":[{%s}],\"x\":%s%s}", EC, opened, closed);
        assert_true((jwks_read(pool, nested, &keys) == NULL) == (depth + 1 <= JVAL_DEPTH_MAX));
    }
}

static void test_every_truncation_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t document = TEXT("{\"keys\":[{" EC ",\"kid\":\"a\"},{" OKP ",\"use\":\"sig\"}]}");
    for (size_t len = 0; len < document.len; len++) {
        apr_pool_t *scratch = NULL;
        jwks_t *keys = NULL;
        assert_int_equal(apr_pool_create(&scratch, pool), APR_SUCCESS);
        assert_fault(jwks_read(scratch, unit_flush(scratch, (text_t){document.at, len}), &keys),
                     FAULT_METADATA_INVALID);
        apr_pool_destroy(scratch);
    }
}

static void test_pick(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jwks_t *keys = NULL;
    const jwk_t *picked[JWKS_TRIES];
    const char *rsa = signer_members(pool, signer_rsa(pool, 2048));
    text_t document =
        text_format(pool,
                    "{\"keys\":[{%s,\"kid\":\"a\"},{%s,\"kid\":\"a\"},{%s,\"kid\":\"bold\"},{%s},{"
                    "%s,\"kid\":\"p\",\"alg\":\"PS256\"}]}",
                    rsa, EC, EC, OKP, rsa);
    assert_no_fault(jwks_read(pool, document, &keys));
    static const struct {
        const char *alg;
        const char *kid;
        size_t count;
        const char *why;
    } cases[] = {
        {"RS256", "a", 1, "JW-17: RSA and EC under one kid"},
        {"ES256", "a", 1, "JW-17: RSA and EC under one kid"},
        {"ES256", "", 2, "JW-19: no kid, all that fit"},
        {"ES256", "bold", 1, "exactly this kid"},
        {"ES256", "BOLD", 0, "kids are case-sensitive"},
        {"ES256", "bo", 0, "no prefixes"},
        {"ES256", "bolder", 0, "no prefixes"},
        {"ES384", "a", 0, "JW-09: wrong curve"},
        {"EdDSA", "", 1, "a key without kid fits a token without"},
        {"EdDSA", "a", 0, "a key without kid does not fit a token with one"},
        {"PS256", "p", 1, "its own alg"},
        {"RS256", "p", 0, "JW-16: not its own alg"},
        {"RS256", "", 1, "the PS256 key is left out"},
        {"PS256", "", 2, "a key without alg is for all of its kty"},
        {"RS256", "'; DROP", 0, "JW-15"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t count = jwks_pick(keys, alg_find(text_of(cases[i].alg)), text_of(cases[i].kid), picked);
        assert_case(count == cases[i].count, cases[i].why);
        for (size_t k = 0; k < count; k++)
            assert_case(jwk_fits(picked[k], alg_find(text_of(cases[i].alg))), cases[i].why);
    }
}

static void test_pick_is_capped(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jwks_t *keys = NULL;
    const jwk_t *picked[JWKS_TRIES];
    assert_no_fault(jwks_read(pool, many(pool, 40, "same"), &keys));
    assert_int_equal(jwks_pick(keys, alg_find(TEXT("ES256")), TEXT("same"), picked), JWKS_TRIES);
    assert_int_equal(jwks_pick(keys, alg_find(TEXT("ES256")), TEXT(""), picked), JWKS_TRIES);
}

/* What was read must not point into the document, which goes away at once. */
static void test_set_outlives_its_document(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    apr_pool_t *scratch = NULL;
    jwks_t *keys = NULL;
    assert_int_equal(apr_pool_create(&scratch, pool), APR_SUCCESS);
    text_t document = text_copy(scratch, TEXT("{\"keys\":[{" EC ",\"kid\":\"first\"},{\"kty\":\"oct\"}]}"));
    assert_no_fault(jwks_read(pool, document, &keys));
    apr_pool_destroy(scratch);
    assert_text(keys->keys[0].kid, "first");
    assert_true(strlen(keys->reason) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_documents),
        UNIT_TEST(test_ceilings),
        UNIT_TEST(test_every_truncation_is_refused),
        UNIT_TEST(test_pick),
        UNIT_TEST(test_pick_is_capped),
        UNIT_TEST(test_set_outlives_its_document),
    };
    return UNIT_MAIN(tests);
}
