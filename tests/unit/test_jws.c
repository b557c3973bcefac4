/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"
#include "signer.h"

#include <openssl/err.h>
#include <openssl/hmac.h>

#include "jose/jws.h"

#define CLAIMS TEXT("{\"iss\":\"https://op.example\",\"sub\":\"x\"}")

static const char *const algs[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                   "PS512", "ES256", "ES384", "ES512", "EdDSA"};

/* A key, the set with its public half under kid "k", and its algorithm. */
typedef struct signer {
    EVP_PKEY *key;
    jwks_t *keys;
    const alg_t *alg;
} signer_t;

static jwks_t *set_of(apr_pool_t *pool, EVP_PKEY *key, const char *extra)
{
    jwks_t *keys = NULL;
    assert_no_fault(
        jwks_read(pool, text_format(pool, "{\"keys\":[%s]}", signer_jwk(pool, key, extra)), &keys));
    return keys;
}

static signer_t signer_for(apr_pool_t *pool, const char *alg)
{
    EVP_PKEY *key = signer_key_for(pool, alg);
    return (signer_t){key, set_of(pool, key, ",\"kid\":\"k\""), alg_find(text_of(alg))};
}

static text_t token_of(apr_pool_t *pool, const signer_t *signer)
{
    const char *header = apr_psprintf(pool, "{\"alg\":\"%s\",\"kid\":\"k\"}", signer->alg->name);
    return signer_token(pool, signer->key, signer->alg->name, header, CLAIMS);
}

/* FAULT_NONE when the token is read and verifies. */
static fault_code outcome(apr_pool_t *pool, text_t token, alg_set allowed, const jwks_t *keys)
{
    jws_t jws;
    text_t payload;
    ERR_clear_error();
    const fault_t *fault = jws_read(pool, token, allowed, &jws);
    if (fault == NULL)
        fault = jws_verify(pool, &jws, keys, &payload);
    assert_int_equal(ERR_peek_error(), 0);
    return fault == NULL ? FAULT_NONE : fault->code;
}

static void test_every_algorithm_verifies(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        jws_t jws;
        text_t payload;
        signer_t signer = signer_for(pool, algs[i]);
        text_t token = unit_flush(pool, token_of(pool, &signer));
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
    signer_t signer = {key, set_of(pool, key, ",\"kid\":\"k\""), alg_find(TEXT("EdDSA"))};
    assert_int_equal(outcome(pool, token_of(pool, &signer), alg_all(), signer.keys), FAULT_NONE);
}

/* Each byte of the decoded signature, and each character of what is signed. */
static void test_every_change_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        jws_t jws;
        text_t payload;
        signer_t signer = signer_for(pool, algs[i]);
        assert_no_fault(jws_read(pool, token_of(pool, &signer), alg_all(), &jws));
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
        signer_t signer = signer_for(pool, algs[i]);
        assert_no_fault(jws_read(pool, token_of(pool, &signer), alg_all(), &jws));
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
        signer_t signer = signer_for(pool, algs[i]);
        text_t token = token_of(pool, &signer);
        assert_int_equal(outcome(pool, token, alg_all() & ~signer.alg->bit, signer.keys),
                         FAULT_IDTOKEN_ALGORITHM);
        for (size_t k = 0; k < COUNT(algs); k++) {
            if (i == k)
                continue;
            const char *header = apr_psprintf(pool, "{\"alg\":\"%s\"}", algs[k]);
            text_t lying = signer_token(pool, signer.key, algs[i], header, CLAIMS);
            bool same_keys =
                strcmp(alg_find(text_of(algs[k]))->kty, "RSA") == 0 && strcmp(signer.alg->kty, "RSA") == 0;
            assert_int_equal(outcome(pool, lying, alg_all(), signer.keys),
                             same_keys ? FAULT_IDTOKEN_SIGNATURE : FAULT_IDTOKEN_KEY);
        }
    }
}

static void test_headers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    static const struct {
        const char *header;
        fault_code code;
        const char *why;
    } cases[] = {
        {"{\"alg\":\"ES256\"}", FAULT_NONE, "JW-19: no kid"},
        {"{\"alg\":\"ES256\",\"kid\":\"\"}", FAULT_NONE, "an empty kid is none"},
        {"{\"alg\":\"ES256\",\"kid\":null,\"typ\":null}", FAULT_NONE, "null is absent"},
        {" {\"alg\" : \"ES256\"}\r\n", FAULT_NONE, "white space"},
        {"{\"alg\":\"ES256\",\"jku\":\"https://evil/\",\"x5u\":\"https://evil/"
         "\",\"x5c\":[\"AAAA\"],\"jwk\":{\"kty\":\"oct\"}}",
         FAULT_NONE, "JW-14: never followed"},
        {"{\"alg\":\"ES256\",\"zip\":\"DEF\",\"cty\":\"JWT\"}", FAULT_NONE, "means nothing in a JWS"},
        {"{\"alg\":\"none\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"None\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"nOnE\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"\"}", FAULT_IDTOKEN_ALGORITHM, "JW-02: empty"},
        {"{\"alg\":\"HS256\"}", FAULT_IDTOKEN_ALGORITHM, "JW-03"},
        {"{\"alg\":\"es256\"}", FAULT_IDTOKEN_ALGORITHM, "case"},
        {"{\"alg\":\"\xc3\xa4\\n\"}", FAULT_IDTOKEN_ALGORITHM, "not printable"},
        {"{}", FAULT_IDTOKEN_MALFORMED, "JW-02: absent"},
        {"{\"alg\":null}", FAULT_IDTOKEN_MALFORMED, "JW-02: null"},
        {"{\"alg\":256}", FAULT_IDTOKEN_MALFORMED, "JW-02: number"},
        {"{\"alg\":[\"ES256\"]}", FAULT_IDTOKEN_MALFORMED, "JW-02: list"},
        {"{\"ALG\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "names are case-sensitive"},
        {"{\"alg\":\"ES256\",\"kid\":7}", FAULT_IDTOKEN_MALFORMED, "JW-15: number"},
        {"{\"alg\":\"ES256\",\"kid\":[\"k\"]}", FAULT_IDTOKEN_MALFORMED, "JW-15: list"},
        {"{\"alg\":\"ES256\",\"kid\":\"k\\u0000\"}", FAULT_IDTOKEN_MALFORMED, "JW-15: NUL"},
        {"{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}", FAULT_IDTOKEN_KEY, "JW-15: a path"},
        {"{\"alg\":\"ES256\",\"kid\":\"'; DROP TABLE\"}", FAULT_IDTOKEN_KEY, "JW-15: SQL"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\\r\\nget x\"}", FAULT_IDTOKEN_KEY, "JW-15: memcached"},
        {"{\"alg\":\"ES256\",\"kid\":\"K\"}", FAULT_IDTOKEN_KEY, "kids are case-sensitive"},
        {"{\"alg\":\"ES256\",\"typ\":1}", FAULT_IDTOKEN_MALFORMED, "typ is no string"},
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", FAULT_IDTOKEN_MALFORMED, "JW-20: unknown name"},
        {"{\"alg\":\"ES256\",\"crit\":[]}", FAULT_IDTOKEN_MALFORMED, "JW-20: empty"},
        {"{\"alg\":\"ES256\",\"crit\":null}", FAULT_IDTOKEN_MALFORMED, "JW-20: null"},
        {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", FAULT_IDTOKEN_MALFORMED, "JW-20: RFC 7797"},
        {"{\"alg\":\"ES256\",\"b64\":false}", FAULT_IDTOKEN_MALFORMED, "JW-20: RFC 7797 without crit"},
        {"{\"alg\":\"ES256\",\"b64\":true}", FAULT_IDTOKEN_MALFORMED, "JW-20: also true"},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}", FAULT_IDTOKEN_MALFORMED, "JW-21"},
        {"{\"alg\":\"none\",\"alg\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "JW-21"},
        {"{\"alg\":\"ES256\",\"kid\":\"k\",\"\\u006bid\":\"k\"}", FAULT_IDTOKEN_MALFORMED,
         "JW-21: spelt differently"},
        {"{\"alg\":\"ES256\"}{}", FAULT_IDTOKEN_MALFORMED, "JS-05: two documents"},
        {"{\"alg\":\"ES256\"", FAULT_IDTOKEN_MALFORMED, "JS-09: cut off"},
        {"\xef\xbb\xbf{\"alg\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "JS-05: BOM"},
        {"{\"alg\":\"ES256\",\"x\":\"\xff\"}", FAULT_IDTOKEN_MALFORMED, "JS-03: UTF-8"},
        {"[\"ES256\"]", FAULT_IDTOKEN_MALFORMED, "JS-06: list"},
        {"null", FAULT_IDTOKEN_MALFORMED, "JS-06: null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t token = signer_token(pool, signer.key, "ES256", cases[i].header, CLAIMS);
        assert_case(outcome(pool, token, alg_all(), signer.keys) == cases[i].code, cases[i].why);
    }
}

static void test_header_ceiling(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    for (int filler = 8000; filler < 9000; filler += 500) {
        const char *header = apr_psprintf(pool, "{\"alg\":\"ES256\"%*s}", filler, "");
        text_t token = signer_token(pool, signer.key, "ES256", header, CLAIMS);
        assert_int_equal(outcome(pool, token, alg_all(), signer.keys),
                         filler == 8000 ? FAULT_NONE : FAULT_IDTOKEN_MALFORMED);
    }
    const char *deep =
        apr_psprintf(pool, "{\"alg\":\"ES256\",\"x\":%s%s}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    text_t token = signer_token(pool, signer.key, "ES256", deep, CLAIMS);
    assert_int_equal(outcome(pool, token, alg_all(), signer.keys), FAULT_IDTOKEN_MALFORMED);
}

#define HEADER "eyJhbGciOiJFUzI1NiJ9" /* {"alg":"ES256"} */

static void test_shapes(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        text_t token;
        bool good;
        const char *why;
    } cases[] = {
        {TEXT(HEADER ".e30.AAAA"), true, "three parts"},
        {TEXT(HEADER "..AAAA"), true, "an empty payload is one (RFC 7515 section 5.2)"},
        {TEXT(""), false, "nothing"},
        {{NULL, 0}, false, "nothing at all"},
        {TEXT("."), false, "IT-23: dots only"},
        {TEXT(".."), false, "IT-23: dots only"},
        {TEXT("..."), false, "IT-23: dots only"},
        {TEXT(HEADER), false, "IT-23: one part"},
        {TEXT(HEADER ".e30"), false, "IT-23: two parts"},
        {TEXT(HEADER ".e30."), false, "JW-01: empty signature"},
        {TEXT(".e30.AAAA"), false, "empty header"},
        {TEXT(HEADER ".e30.AAAA."), false, "IT-23: four parts"},
        {TEXT(HEADER ".e30.AAAA.AAAA"), false, "IT-23: four parts"},
        {TEXT(HEADER ".AAAA.AAAA.AAAA.AAAA"), false, "JE-00: a JWE"},
        {TEXT(HEADER "....AAAA"), false, "JE-00: a JWE with empty parts"},
        {TEXT(HEADER ".AAAA.AAAA.AAAA.AAAA.AAAA"), false, "IT-23: six parts"},
        {TEXT(HEADER "=.e30.AAAA"), false, "IT-24: padding"},
        {TEXT(HEADER ".e30=.AAAA"), false, "IT-24: padding"},
        {TEXT(HEADER ".e30.AAA="), false, "IT-24: padding"},
        {TEXT(HEADER ".e30.AA+A"), false, "IT-24: foreign alphabet"},
        {TEXT(HEADER ".e/0.AAAA"), false, "IT-24: foreign alphabet"},
        {TEXT(HEADER ".e3 0.AAAA"), false, "IT-24: a blank"},
        {TEXT(HEADER ".e30.AAAA\n"), false, "IT-24: a newline"},
        {TEXT(" " HEADER ".e30.AAAA"), false, "IT-24: a blank before"},
        {TEXT(HEADER ".e30.AAAAA"), false, "IT-24: length 1 mod 4"},
        {TEXT(HEADER ".e3000.AAAA"), false, "IT-24: length 1 mod 4"},
        {TEXT(HEADER ".e31.AAAA"), false, "IT-24: unused bits in the payload"},
        {TEXT(HEADER ".e30.AAB"), false, "IT-24: unused bits in the signature"},
        {TEXT(HEADER "\0.e30.AAAA"), false, "NUL in the header"},
        {TEXT(HEADER ".e30.AAAA\0"), false, "NUL behind"},
        {TEXT("{\"payload\":\"e30\",\"protected\":\"" HEADER "\",\"signature\":\"AAAA\"}"), false,
         "IT-25: flattened JSON"},
        {TEXT("{\"payload\":\"e30\",\"signatures\":[{\"protected\":\"" HEADER "\",\"signature\":\"AAAA\"}]}"),
         false, "IT-25: general JSON"},
        {TEXT("{\"a\":\"" HEADER ".e30.AAAA\"}"), false, "IT-25: a polyglot"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jws_t jws;
        const fault_t *fault = jws_read(pool, unit_flush(pool, cases[i].token), alg_all(), &jws);
        assert_case((fault == NULL) == cases[i].good, cases[i].why);
        assert_case(fault == NULL || fault->code == FAULT_IDTOKEN_MALFORMED, cases[i].why);
    }
}

static void test_giants_are_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jws_t jws;
    size_t len = 1000000;
    char *dots = apr_palloc(pool, len);
    memset(dots, '.', len);
    assert_fault(jws_read(pool, (text_t){dots, len}, alg_all(), &jws), FAULT_IDTOKEN_MALFORMED);
    assert_fault(jws_read(pool, (text_t){dots, JWS_TOKEN_MAX}, alg_all(), &jws), FAULT_IDTOKEN_MALFORMED);
    memset(dots, 'A', len);
    memcpy(dots, HEADER ".", sizeof(HEADER));
    dots[JWS_TOKEN_MAX - 5] = '.';
    /* As long as may be: read, whatever else it is. */
    const fault_t *fault = jws_read(pool, (text_t){dots, JWS_TOKEN_MAX}, alg_all(), &jws);
    assert_true(fault == NULL || strstr(fault->detail, "larger") == NULL);
    fault = jws_read(pool, (text_t){dots, JWS_TOKEN_MAX + 1}, alg_all(), &jws);
    assert_fault(fault, FAULT_IDTOKEN_MALFORMED);
    assert_non_null(strstr(fault->detail, "larger"));
}

static void test_every_truncation_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    text_t token = token_of(pool, &signer);
    for (size_t len = 0; len < token.len; len++)
        assert_int_not_equal(outcome(pool, unit_flush(pool, (text_t){token.at, len}), alg_all(), signer.keys),
                             FAULT_NONE);
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
    signer_t signer = signer_for(pool, "ES256");
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
            assert_int_equal(outcome(pool, token, alg_all(), signer.keys), FAULT_IDTOKEN_SIGNATURE);
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
    signer_t signer = signer_for(pool, "ES512");
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
    assert_int_equal(outcome(pool, signer_compact(pool, covered, good), alg_all(), signer.keys), FAULT_NONE);
    text_t other = signer_compact(pool, covered, (text_t){(const char *)raw, 132});
    assert_int_equal(outcome(pool, other, alg_all(), signer.keys), FAULT_IDTOKEN_SIGNATURE);
}

static void test_ecdsa_der_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    text_t covered = signer_cover(pool, TEXT("{\"alg\":\"ES256\"}"), CLAIMS);
    text_t der = signer_raw(pool, signer.key, signer.alg, covered, 0, NULL);
    assert_int_equal(outcome(pool, signer_compact(pool, covered, der), alg_all(), signer.keys),
                     FAULT_IDTOKEN_SIGNATURE);
}

static void test_pss_parameters(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "PS256");
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
        text_t raw = signer_raw(pool, signer.key, signer.alg, covered, cases[i].salt, cases[i].mgf1);
        assert_case(outcome(pool, signer_compact(pool, covered, raw), alg_all(), signer.keys) ==
                        cases[i].code,
                    cases[i].why);
    }
}

/* JW-03: the public key as an HMAC secret, under every name for it. */
static void test_symmetric_confusion(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "RS256");
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
            assert_int_equal(outcome(pool, token, alg_all(), signer.keys),
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

/* JW-15: what a log line gets of a header is harmless and short. */
static void test_details_are_loggable(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    const char *kid = apr_psprintf(pool, "a\\r\\n\\\"\xc3\xa4%*s", 4000, "");
    const char *headers[] = {apr_psprintf(pool, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
                             apr_psprintf(pool, "{\"alg\":\"%s\"}", kid)};
    for (size_t i = 0; i < COUNT(headers); i++) {
        jws_t jws;
        text_t payload;
        text_t token = signer_token(pool, signer.key, "ES256", headers[i], CLAIMS);
        const fault_t *fault = jws_read(pool, token, alg_all(), &jws);
        if (fault == NULL)
            fault = jws_verify(pool, &jws, signer.keys, &payload);
        assert_non_null(fault);
        assert_true(text_is_printable(text_of(fault->detail)));
        assert_true(strlen(fault->detail) < 200);
    }
}

static void test_typ(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = signer_for(pool, "ES256");
    static const struct {
        const char *typ;
        const char *name;
        bool is;
        const char *why;
    } cases[] = {
        {"JWT", "JWT", true, "as usual"},
        {"jwt", "JWT", true, "in any case"},
        {"application/jwt", "JWT", true, "the whole media type"},
        {"Application/AT+JWT", "at+jwt", true, "the whole media type in any case"},
        {"at+jwt", "at+jwt", true, "RFC 9068"},
        {"at+jwt", "JWT", false, "JW-22: an access token is no ID token"},
        {"logout+jwt", "JWT", false, "JW-22: a logout token is no ID token"},
        {"", "JWT", false, "none"},
        {"", "", true, "none is none"},
        {"application/", "JWT", false, "half a media type"},
        {"application/application/jwt", "JWT", false, "only one prefix"},
        {"text/jwt", "JWT", false, "another tree"},
        {"JWT ", "JWT", false, "a blank"},
        {"JW", "JWT", false, "cut off"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jws_t jws;
        const char *header = apr_psprintf(pool, "{\"alg\":\"ES256\",\"typ\":\"%s\"}", cases[i].typ);
        assert_no_fault(
            jws_read(pool, signer_token(pool, signer.key, "ES256", header, CLAIMS), alg_all(), &jws));
        assert_texts(jws.typ, text_of(cases[i].typ), cases[i].why);
        assert_case(jws_typ_is(&jws, cases[i].name) == cases[i].is, cases[i].why);
    }
}

static void test_payload_of_our_own(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t payload;
    assert_no_fault(jws_payload_of_our_own(pool, TEXT(HEADER ".e30.AAAA"), &payload));
    assert_text(payload, "{}");
    static const char *const refused[] = {"",
                                          "e30",
                                          HEADER ".e30",
                                          HEADER ".e30.",
                                          ".e30.AAAA",
                                          HEADER ".e31.AAAA",
                                          HEADER ".e30.AAAA.AAAA",
                                          HEADER ".e30.AAAA.AAAA.AAAA",
                                          HEADER ".e3=.AAAA"};
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_fault(jws_payload_of_our_own(pool, text_of(refused[i]), &payload), FAULT_IDTOKEN_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_every_algorithm_verifies),
        UNIT_TEST(test_ed448_verifies),
        UNIT_TEST(test_every_change_is_refused),
        UNIT_TEST(test_signature_of_another_length_is_refused),
        UNIT_TEST(test_algorithms_do_not_stand_for_each_other),
        UNIT_TEST(test_headers),
        UNIT_TEST(test_header_ceiling),
        UNIT_TEST(test_shapes),
        UNIT_TEST(test_giants_are_refused),
        UNIT_TEST(test_every_truncation_is_refused),
        UNIT_TEST(test_ecdsa_out_of_range),
        UNIT_TEST(test_ecdsa_second_spelling),
        UNIT_TEST(test_ecdsa_der_is_refused),
        UNIT_TEST(test_pss_parameters),
        UNIT_TEST(test_symmetric_confusion),
        UNIT_TEST(test_keys_under_one_kid_are_all_tried),
        UNIT_TEST(test_details_are_loggable),
        UNIT_TEST(test_typ),
        UNIT_TEST(test_payload_of_our_own),
    };
    return UNIT_MAIN(tests);
}
