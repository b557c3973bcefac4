/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"
#include "signer.h"

#include <openssl/err.h>

#include "jose/jwk.h"

/* RFC 7515 appendix A.3, and RFC 8037 appendix A.2. */
#define EC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP   "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\""

static const fault_t *read_json(apr_pool_t *pool, const char *json, jwk_t *jwk)
{
    const jval_t *object = NULL;
    assert_case(jval_read(pool, text_of(json), 1 << 20, FAULT_METADATA_INVALID, &object) == NULL, json);
    return jwk_read(pool, object, jwk);
}

static void test_every_kind_is_read(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *alg;
        const char *kty;
        const char *curve;
    } cases[] = {
        {"RS256", "RSA", NULL},   {"PS512", "RSA", NULL},   {"ES256", "EC", "P-256"},
        {"ES384", "EC", "P-384"}, {"ES512", "EC", "P-521"}, {"EdDSA", "OKP", "Ed25519"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jwk_t jwk;
        EVP_PKEY *key = signer_key_for(pool, cases[i].alg);
        const char *extra = apr_psprintf(pool, ",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"%s\"", cases[i].alg);
        assert_no_fault(read_json(pool, signer_jwk(pool, key, extra), &jwk));
        assert_text(jwk.kid, "k");
        assert_string_equal(jwk.kty, cases[i].kty);
        if (cases[i].curve == NULL)
            assert_null(jwk.curve);
        else
            assert_string_equal(jwk.curve, cases[i].curve);
        assert_ptr_equal(jwk.alg, alg_find(text_of(cases[i].alg)));
        assert_int_equal(EVP_PKEY_eq(jwk.key, key), 1);
    }
}

static void test_members_accepted(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *json;
        const char *why;
    } cases[] = {
        {"{" EC "}", "kid, use, alg and key_ops may be absent"},
        {"{" EC ",\"kid\":null,\"use\":null,\"alg\":null,\"key_ops\":null,\"d\":null}", "null is absent"},
        {"{" EC ",\"key_ops\":[\"verify\"]}", "key_ops with verify"},
        {"{" EC ",\"key_ops\":[\"sign\",\"verify\"]}", "key_ops with verify among others"},
        {"{" EC ",\"x5c\":[\"AAAA\"],\"x5u\":\"http://evil\",\"x5t\":\"A\"}",
         "JW-14: certificates are not looked at"},
        {"{" EC ",\"kid\":\"\"}", "an empty kid is none"},
        {"{" EC ",\"kid\":\"../../dev/null\\r\\nget x\"}", "JW-15: a kid is only compared"},
        {"{" OKP "}", "RFC 8037"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jwk_t jwk;
        assert_case(read_json(pool, cases[i].json, &jwk) == NULL, cases[i].why);
    }
}

typedef struct refusal {
    const char *json;
    const char *why;
} refusal_t;

static void assert_refused(apr_pool_t *pool, const refusal_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        jwk_t jwk;
        ERR_clear_error();
        const fault_t *fault = read_json(pool, cases[i].json, &jwk);
        assert_case(fault != NULL, cases[i].why);
        assert_case(fault->code == FAULT_METADATA_INVALID && fault->detail != NULL, cases[i].why);
        assert_case(ERR_peek_error() == 0, "the thread's error queue belongs to others too");
    }
}

static void test_purposes_refused(void **state)
{
    static const refusal_t cases[] = {
        {"{}", "nothing"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "JW-24: symmetric"},
        {"{\"kty\":\"oct\"}", "JW-24: symmetric, without material"},
        {"{" EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}", "JW-24: private"},
        {"{" EC ",\"d\":\"\"}", "JW-24: even an empty one"},
        {"{" EC ",\"d\":7}", "JW-24: of any type"},
        {"{" EC ",\"k\":\"AAAA\"}", "JW-24: k"},
        {"{" EC ",\"p\":\"AAAA\"}", "JW-24: p"},
        {"{" EC ",\"oth\":[]}", "JW-24: oth"},
        {"{" EC ",\"use\":\"enc\"}", "JW-16: for encryption"},
        {"{" EC ",\"use\":\"SIG\"}", "use is case-sensitive"},
        {"{" EC ",\"use\":[\"sig\"]}", "use of the wrong type"},
        {"{" EC ",\"key_ops\":[\"sign\"]}", "key_ops without verify"},
        {"{" EC ",\"key_ops\":[]}", "key_ops is empty"},
        {"{" EC ",\"key_ops\":\"verify\"}", "key_ops is no list"},
        {"{" EC ",\"key_ops\":[\"verify\",1]}", "key_ops of other things"},
        {"{" EC ",\"kid\":7}", "kid is no string"},
        {"{" EC ",\"kid\":[\"a\"]}", "kid is no string"},
        {"{" EC ",\"alg\":\"ES384\"}", "JW-16: alg of another curve"},
        {"{" EC ",\"alg\":\"RS256\"}", "JW-16: alg of another kty"},
        {"{" EC ",\"alg\":\"ECDH-ES\"}", "JW-16: alg for encryption"},
        {"{" EC ",\"alg\":\"none\"}", "alg none"},
        {"{" EC ",\"alg\":\"\"}", "alg is empty"},
        {"{" EC ",\"alg\":1}", "alg is no string"},
    };
    assert_refused(unit_pool(state), cases, COUNT(cases));
}

static void test_material_refused(void **state)
{
    static const refusal_t cases[] = {
        {"{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "kty is case-sensitive"},
        {"{\"kty\":[\"EC\"],\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "kty is no string"},
        {"{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "no crv"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
         "JW-09: foreign curve"},
        {"{\"kty\":\"EC\",\"crv\":\"P-224\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
         "a curve that is no row"},
        {"{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
         "a curve of another kty"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "short for its curve"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "JW-23: off the curve"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
         "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         "JW-23: zeros are no point"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________________________8\",\"y\":"
         "\"" EC_Y "\"}",
         "a coordinate above the field"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"zc4ncPbEXUGDy-5v20t7WAczNXvp7xO6z248e9FURQ\",\"y\":"
         "\"" EC_Y "\"}",
         "JW-23: 31 bytes"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF\",\"y\":"
         "\"" EC_Y "\"}",
         "33 bytes with a zero before"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH\",\"y\":"
         "\"8UTNG72bfocs3-257rn0s2ldbqkLJK2KRiMohYjlrQ\"}",
         "33 and 31 bytes that are the right point when glued together"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV_"
         "zc4ncPbEXUGDy-5v20t7WAczNXvp7xO6z248e9FURX_Nzidw9sRdQYPL7m_bS3tYBzM1e-"
         "nvE7rPbjx70VRFf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV_zc4ncPbEXUGDy-"
         "5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt-hyzf7bnuufSzaV1u\",\"y\":\"" EC_Y "\"}",
         "180 bytes"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}", "no coordinates"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "no y"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}", "padding"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":5,\"y\":\"" EC_Y "\"}", "x is no string"},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" OKP_X "\"}", "for key agreement"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" OKP_X "\"}", "short for its curve"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "short"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "no x"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "no e"},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "no n"},
        {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}", "JW-23: n is 0"},
        {"{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}", "JW-23: n is 0"},
    };
    assert_refused(unit_pool(state), cases, COUNT(cases));
}

/* An RSA JWK whose modulus has so many bits; `last` is its last byte. */
static const char *rsa_json(apr_pool_t *pool, size_t bits, unsigned char last, const char *e)
{
    size_t len = (bits + 7) / 8;
    unsigned char *n = apr_palloc(pool, len + 1);
    for (size_t i = 0; i < len; i++)
        n[i] = (unsigned char)(i * 151 + 77);
    n[0] = (unsigned char)(1U << (bits - 1) % 8);
    n[len - 1] = last;
    return apr_psprintf(pool, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}",
                        codec_base64url(pool, (text_t){(const char *)n, len}).at, e);
}

static void test_rsa_limits(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        size_t bits;
        unsigned char last;
        const char *e;
        bool good;
        const char *why;
    } cases[] = {
        {2048, 1, "AQAB", true, "the least"},
        {3072, 1, "AQAB", true, "usual"},
        {8192, 1, "AQAB", true, "the most"},
        {2048, 1, "AAEAAQ", true, "a zero before the exponent"},
        {2048, 1, "AQAAAAAAAQE", true, "an exponent of 57 bits"},
        {512, 1, "AQAB", false, "JW-23: 512 bits"},
        {1024, 1, "AQAB", false, "JW-23: 1024 bits"},
        {2047, 1, "AQAB", false, "one bit short"},
        {8193, 1, "AQAB", false, "one bit too many"},
        {16384, 1, "AQAB", false, "verification would take long"},
        {65537, 1, "AQAB", false, "JW-23: absurd"},
        {2048, 2, "AQAB", false, "an even modulus"},
        {2048, 1, "AQ", false, "JW-23: e is 1"},
        {2048, 1, "Aw", false, "JW-10: e is 3"},
        {2048, 1, "EQ", false, "e is 17"},
        {2048, 1, "__8", false, "e is 65535"},
        {2048, 1, "AQAC", false, "JW-23: e is even"},
        {2048, 1, "AA", false, "e is 0"},
        {2048, 1, "", false, "e is empty"},
        {2048, 1, "AQAB=", false, "e has padding"},
        {2048, 1, "AQAAAAAAAAAB", false, "e has 65 bits: verification would take long"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jwk_t jwk;
        const fault_t *fault =
            read_json(pool, rsa_json(pool, cases[i].bits, cases[i].last, cases[i].e), &jwk);
        assert_case((fault == NULL) == cases[i].good, cases[i].why);
    }
}

static void test_fits(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const char *const algs[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                       "PS512", "ES256", "ES384", "ES512", "EdDSA"};
    static const struct {
        const char *made_for;
        const char *extra;
        const char *fitting;
    } cases[] = {
        {"RS256", "", "RS256 RS384 RS512 PS256 PS384 PS512"},
        {"RS256", ",\"alg\":\"PS256\"", "PS256"},
        {"ES256", "", "ES256"},
        {"ES384", "", "ES384"},
        {"ES512", ",\"alg\":\"ES512\"", "ES512"},
        {"EdDSA", "", "EdDSA"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jwk_t jwk;
        EVP_PKEY *key = signer_key_for(pool, cases[i].made_for);
        assert_no_fault(read_json(pool, signer_jwk(pool, key, cases[i].extra), &jwk));
        for (size_t k = 0; k < COUNT(algs); k++)
            assert_case(jwk_fits(&jwk, alg_find(text_of(algs[k]))) ==
                            (strstr(cases[i].fitting, algs[k]) != NULL),
                        algs[k]);
    }
}

static void test_refused_key_leaves_the_place_alone(void **state)
{
    jwk_t jwk = {.kty = "before"};
    assert_fault(read_json(unit_pool(state), "{" EC ",\"use\":\"enc\"}", &jwk), FAULT_METADATA_INVALID);
    assert_string_equal(jwk.kty, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_every_kind_is_read),
        UNIT_TEST(test_members_accepted),
        UNIT_TEST(test_purposes_refused),
        UNIT_TEST(test_material_refused),
        UNIT_TEST(test_rsa_limits),
        UNIT_TEST(test_fits),
        UNIT_TEST(test_refused_key_leaves_the_place_alone),
    };
    return UNIT_MAIN(tests);
}
