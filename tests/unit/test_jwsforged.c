/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Signed tokens as they are verified: true signatures pass, forged, bent and borrowed ones do not. */

#include "jwscase.h"

#include <openssl/hmac.h>

static const char *const algs[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                   "PS512", "ES256", "ES384", "ES512", "EdDSA"};

static void test_every_algorithm_verifies(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        jws_t jws;
        text_t payload;
        signer_t signer = jwscase_signer(pool, algs[i]);
        text_t token = unit_flush(pool, jwscase_token(pool, &signer));
        assert_no_fault(jws_read(pool, token, signer.alg->bit, &jws));
        assert_ptr_equal(jws.alg, signer.alg);
        assert_text(jws.kid, "k");
        assert_int_equal(jws.typ.len, 0);
        assert_no_fault(jws_verify(pool, &jws, signer.keys, &payload));
        assert_texts(payload, CLAIMS, algs[i]);
    }
}

static void test_ed448_verifies(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    EVP_PKEY *key = signer_curve(pool, "ED448");
    signer_t signer = {key, jwscase_set(pool, key, ",\"kid\":\"k\""), alg_find(TEXT("EdDSA"))};
    assert_int_equal(jwscase_outcome(pool, jwscase_token(pool, &signer), alg_all(), signer.keys), FAULT_NONE);
}

/* Each byte of the decoded signature, and each character of what is signed. */
static void test_every_change_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        jws_t jws;
        text_t payload;
        signer_t signer = jwscase_signer(pool, algs[i]);
        assert_no_fault(jws_read(pool, jwscase_token(pool, &signer), alg_all(), &jws));
        char *signature = apr_pstrmemdup(pool, jws.signature.at, jws.signature.len);
        jws.signature.at = signature;
        for (size_t k = 0; k < jws.signature.len; k++) {
            signature[k] = (char)(signature[k] ^ 1 << k % 8);
            assert_fault(jws_verify(pool, &jws, signer.keys, &payload), FAULT_IDTOKEN_SIGNATURE);
            signature[k] = (char)(signature[k] ^ 1 << k % 8);
        }
        char *covered = apr_pstrmemdup(pool, jws.covered.at, jws.covered.len);
        jws.covered.at = covered;
        for (size_t k = 0; k < jws.covered.len; k++) {
            covered[k] ^= 1;
            assert_fault(jws_verify(pool, &jws, signer.keys, &payload), FAULT_IDTOKEN_SIGNATURE);
            covered[k] ^= 1;
        }
        assert_no_fault(jws_verify(pool, &jws, signer.keys, &payload));
    }
}

static void test_signature_of_another_length_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        jws_t jws;
        text_t payload;
        signer_t signer = jwscase_signer(pool, algs[i]);
        assert_no_fault(jws_read(pool, jwscase_token(pool, &signer), alg_all(), &jws));
        size_t len = jws.signature.len;
        char *longer = apr_pcalloc(pool, len + 2);
        memcpy(longer + 1, jws.signature.at, len);
        const text_t variants[] = {
            {jws.signature.at, len - 1},
            {jws.signature.at + 1, len - 1},
            {longer, len + 1},
            {longer + 1, len + 1},
            {longer, len + 2},
            {longer, 1},
            {longer, 0},
        };
        for (size_t k = 0; k < COUNT(variants); k++) {
            jws.signature = variants[k];
            assert_fault(jws_verify(pool, &jws, signer.keys, &payload), FAULT_IDTOKEN_SIGNATURE);
        }
    }
}

/* The algorithm is the caller's choice, and what the header says must be what was signed. */
static void test_algorithms_do_not_stand_for_each_other(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        signer_t signer = jwscase_signer(pool, algs[i]);
        text_t token = jwscase_token(pool, &signer);
        assert_int_equal(jwscase_outcome(pool, token, alg_all() & ~signer.alg->bit, signer.keys),
                         FAULT_IDTOKEN_ALGORITHM);
        for (size_t k = 0; k < COUNT(algs); k++) {
            if (i == k)
                continue;
            const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", algs[k]);
            text_t lying = signer_token(pool, signer.key, algs[i], header, CLAIMS);
            bool same_keys =
                strcmp(alg_find(text_of(algs[k]))->kty, "RSA") == 0 && strcmp(signer.alg->kty, "RSA") == 0;
            assert_int_equal(jwscase_outcome(pool, lying, alg_all(), signer.keys),
                             same_keys ? FAULT_IDTOKEN_SIGNATURE : FAULT_IDTOKEN_KEY);
        }
    }
}

/* r and s as numbers, written side by side. */
static text_t halves(apr_pool_t *pool, const BIGNUM *r, const BIGNUM *s)
{
    unsigned char *raw = apr_pcalloc(pool, 64);
    assert_int_equal(BN_bn2binpad(r, raw, 32), 32);
    assert_int_equal(BN_bn2binpad(s, raw + 32, 32), 32);
    return (text_t){(const char *)raw, 64};
}

static void test_ecdsa_out_of_range(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    BIGNUM *order = NULL;
    BIGNUM *zero = BN_new();
    BIGNUM *one = BN_new();
    BIGNUM *above = BN_new();
    BIGNUM *most = BN_new();
    assert_int_equal(EVP_PKEY_get_bn_param(signer.key, OSSL_PKEY_PARAM_EC_ORDER, &order), 1);
    BN_zero(zero);
    assert_true(BN_one(one) && BN_add(above, order, one) && BN_sub(most, order, one));
    const BIGNUM *numbers[] = {zero, one, order, above, most};
    text_t covered = signer_cover(pool, TEXT("{\"alg\":\"ES256\"}"), CLAIMS);
    for (size_t i = 0; i < COUNT(numbers); i++)
        for (size_t k = 0; k < COUNT(numbers); k++) {
            text_t token = signer_compact(pool, covered, halves(pool, numbers[i], numbers[k]));
            assert_int_equal(jwscase_outcome(pool, token, alg_all(), signer.keys), FAULT_IDTOKEN_SIGNATURE);
        }
    BN_free(order);
    BN_free(zero);
    BN_free(one);
    BN_free(above);
    BN_free(most);
}

/* JW-08: a true signature whose s got the order added is the same number to a verifier that forgets to look.
 */
static void test_ecdsa_second_spelling(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES512");
    BIGNUM *order = NULL;
    text_t covered = signer_cover(pool, TEXT("{\"alg\":\"ES512\"}"), CLAIMS);
    text_t good = signer_sign(pool, signer.key, signer.alg, covered);
    assert_int_equal(EVP_PKEY_get_bn_param(signer.key, OSSL_PKEY_PARAM_EC_ORDER, &order), 1);
    unsigned char *raw = apr_palloc(pool, 132);
    memcpy(raw, good.at, 132);
    BIGNUM *s = BN_bin2bn(raw + 66, 66, NULL);
    assert_int_equal(BN_add(s, s, order), 1);
    assert_int_equal(BN_bn2binpad(s, raw + 66, 66), 66);
    BN_free(s);
    BN_free(order);
    assert_int_equal(jwscase_outcome(pool, signer_compact(pool, covered, good), alg_all(), signer.keys),
                     FAULT_NONE);
    text_t other = signer_compact(pool, covered, (text_t){(const char *)raw, 132});
    assert_int_equal(jwscase_outcome(pool, other, alg_all(), signer.keys), FAULT_IDTOKEN_SIGNATURE);
}

static void test_ecdsa_der_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    text_t covered = signer_cover(pool, TEXT("{\"alg\":\"ES256\"}"), CLAIMS);
    text_t der = signer_raw(pool, signer.key, signer.alg, covered, signer_pss_right);
    assert_int_equal(jwscase_outcome(pool, signer_compact(pool, covered, der), alg_all(), signer.keys),
                     FAULT_IDTOKEN_SIGNATURE);
}

static void test_pss_parameters(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "PS256");
    static const struct {
        int salt;
        const char *mgf1;
        fault_code code;
        const char *why;
    } cases[] = {
        {RSA_PSS_SALTLEN_DIGEST, NULL, FAULT_NONE, "as RFC 7518 section 3.5 says"},
        {32, "SHA256", FAULT_NONE, "the same in numbers"},
        {0, NULL, FAULT_IDTOKEN_SIGNATURE, "no salt"},
        {31, NULL, FAULT_IDTOKEN_SIGNATURE, "a byte short"},
        {33, NULL, FAULT_IDTOKEN_SIGNATURE, "a byte long"},
        {RSA_PSS_SALTLEN_MAX, NULL, FAULT_IDTOKEN_SIGNATURE, "as long as fits"},
        {32, "SHA1", FAULT_IDTOKEN_SIGNATURE, "another hash in MGF1"},
    };
    text_t covered = signer_cover(pool, TEXT("{\"alg\":\"PS256\"}"), CLAIMS);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t raw =
            signer_raw(pool, signer.key, signer.alg, covered, (signer_pss){cases[i].salt, cases[i].mgf1});
        assert_case(jwscase_outcome(pool, signer_compact(pool, covered, raw), alg_all(), signer.keys) ==
                        cases[i].code,
                    cases[i].why);
    }
}

/* JW-03: the public key as an HMAC secret, under every name for it. */
static void test_symmetric_confusion(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "RS256");
    const char *secrets[] = {signer_members(pool, signer.key), "client-secret", "", "\0"};
    static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"kid\":\"k\"}",
                                          "{\"alg\":\"RS256\"}"};
    for (size_t i = 0; i < COUNT(secrets); i++)
        for (size_t k = 0; k < COUNT(headers); k++) {
            unsigned char mac[32];
            text_t covered = signer_cover(pool, text_of(headers[k]), CLAIMS);
            assert_non_null(HMAC(EVP_sha256(), secrets[i], (int)strlen(secrets[i]),
                                 (const unsigned char *)covered.at, covered.len, mac, NULL));
            text_t token = signer_compact(pool, covered, (text_t){(const char *)mac, sizeof(mac)});
            assert_int_equal(jwscase_outcome(pool, token, alg_all(), signer.keys),
                             k < 2 ? FAULT_IDTOKEN_ALGORITHM : FAULT_IDTOKEN_SIGNATURE);
        }
}

static void test_keys_under_one_kid_are_all_tried(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jwks_t *keys = NULL;
    const char *list = "";
    EVP_PKEY *key = NULL;
    for (size_t i = 0; i < JWKS_TRIES + 1; i++) {
        text_t payload;
        jws_t jws;
        key = signer_curve(pool, "P-256");
        list =
            apr_psprintf(pool, "%s%s%s", list, i > 0 ? "," : "", signer_jwk(pool, key, ",\"kid\":\"same\""));
        assert_no_fault(jwks_read(pool, text_format(pool, "{\"keys\":[%s]}", list), &keys));
        text_t token = signer_token(pool, key, "ES256", "{\"alg\":\"ES256\",\"kid\":\"same\"}", CLAIMS);
        assert_no_fault(jws_read(pool, token, alg_all(), &jws));
        const fault_t *fault = jws_verify(pool, &jws, keys, &payload);
        assert_fault(fault, i < JWKS_TRIES ? FAULT_NONE : FAULT_IDTOKEN_SIGNATURE); /* JW-17: capped */
    }
}

/* The thread's error queue is shared with mod_ssl and libcurl: what stands there stays, whether we succeed or
 * fail. */
static void test_errors_of_others_stay(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "RS256");
    text_t good = jwscase_token(pool, &signer);
    char *bad = apr_pstrmemdup(pool, good.at, good.len);
    bad[good.len - 8] = bad[good.len - 8] == 'A' ? 'B' : 'A';
    const struct {
        text_t token;
        fault_code code;
    } cases[] = {{good, FAULT_NONE}, {{bad, good.len}, FAULT_IDTOKEN_SIGNATURE}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        jws_t jws;
        text_t payload;
        ERR_clear_error();
        ERR_raise(ERR_LIB_USER, 42);
        jwks_t *keys = jwscase_set(pool, signer.key, ",\"kid\":\"k\"");
        assert_no_fault(jws_read(pool, cases[i].token, alg_all(), &jws));
        assert_fault(jws_verify(pool, &jws, keys, &payload), cases[i].code);
        assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
        assert_int_equal(ERR_get_error(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_every_algorithm_verifies),
        UNIT_TEST(test_ed448_verifies),
        UNIT_TEST(test_every_change_is_refused),
        UNIT_TEST(test_signature_of_another_length_is_refused),
        UNIT_TEST(test_algorithms_do_not_stand_for_each_other),
        UNIT_TEST(test_ecdsa_out_of_range),
        UNIT_TEST(test_ecdsa_second_spelling),
        UNIT_TEST(test_ecdsa_der_is_refused),
        UNIT_TEST(test_pss_parameters),
        UNIT_TEST(test_symmetric_confusion),
        UNIT_TEST(test_keys_under_one_kid_are_all_tried),
        UNIT_TEST(test_errors_of_others_stay),
    };
    return UNIT_MAIN(tests);
}
