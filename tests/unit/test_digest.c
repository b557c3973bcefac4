/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/codec.h"
#include "jose/digest.h"

/* The parts as they are hashed: a length of 8 bytes before each. */
static text_t framed(apr_pool_t *pool, const text_t *parts)
{
    text_t all = TEXT("");
    for (; parts->at != NULL; parts++) {
        char length[8];
        for (size_t i = 0; i < 8; i++)
            length[i] = (char)(parts->len >> (8 * (7 - i)) & 0xff);
        const text_t pieces[] = {all, {length, 8}, *parts, {NULL, 0}};
        all = text_join(pool, pieces);
    }
    return all;
}

static const text_t lists[][4] = {
    {TEXT(""), {NULL, 0}},
    {{NULL, 0}},
    {TEXT("a"), {NULL, 0}},
    {TEXT("ab"), TEXT("c"), {NULL, 0}},
    {TEXT("a"), TEXT("bc"), {NULL, 0}},
    {TEXT("abc"), {NULL, 0}},
    {TEXT("abc"), TEXT(""), {NULL, 0}},
    {TEXT(""), TEXT("abc"), {NULL, 0}},
    {TEXT("a\0c"), {NULL, 0}},
    {TEXT("session"),
     TEXT("https://op.example|client|host"),
     TEXT("0123456789abcdef0123456789abcdef0123456789"),
     {NULL, 0}},
};

static void test_parts_equal_plain_sha256(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(lists); i++) {
        unsigned char got[DIGEST_LEN];
        unsigned char wanted[EVP_MAX_MD_SIZE];
        text_t all = framed(pool, lists[i]);
        assert_true(digest_parts(lists[i], got));
        assert_int_equal(EVP_Digest(all.at, all.len, wanted, NULL, EVP_sha256(), NULL), 1);
        assert_memory_equal(got, wanted, DIGEST_LEN);
    }
}

static void test_no_two_lists_collide(void **state)
{
    (void)state;
    unsigned char digests[COUNT(lists)][DIGEST_LEN];
    for (size_t i = 0; i < COUNT(lists); i++) {
        assert_true(digest_parts(lists[i], digests[i]));
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], DIGEST_LEN);
    }
}

/* Our HMAC is two hashes by hand: OpenSSL's own must agree for keys around the block's length. */
static void test_keyed_equals_hmac(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    char key[200];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (char)(i * 37 + 200);
    static const size_t lengths[] = {0, 1, 31, 32, 63, 64, 65, 128, 200};
    for (size_t n = 0; n < COUNT(lengths); n++) {
        text_t flush = unit_flush(pool, (text_t){key, lengths[n]});
        for (size_t i = 0; i < COUNT(lists); i++) {
            unsigned char got[DIGEST_LEN];
            unsigned char wanted[EVP_MAX_MD_SIZE];
            text_t all = framed(pool, lists[i]);
            assert_true(digest_keyed(flush, lists[i], got));
            assert_non_null(HMAC(EVP_sha256(), key, (int)lengths[n], (const unsigned char *)all.at, all.len,
                                 wanted, NULL));
            assert_memory_equal(got, wanted, DIGEST_LEN);
        }
    }
    unsigned char got[DIGEST_LEN];
    assert_true(digest_keyed((text_t){NULL, 0}, lists[2], got));
}

static void test_s256(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    /* FIPS 180-4's examples, in base64url. */
    assert_text(digest_s256(pool, TEXT("")), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    assert_text(digest_s256(pool, TEXT("abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    assert_text(digest_s256(pool, unit_flush(pool, TEXT("abc"))),
                "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

static void test_half_takes_the_hash_of_the_algorithm(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *alg;
        const char *digest;
        size_t half;
    } cases[] = {
        {"RS256", "SHA256", 16}, {"PS256", "SHA256", 16}, {"ES256", "SHA256", 16}, {"RS384", "SHA384", 24},
        {"PS384", "SHA384", 24}, {"ES384", "SHA384", 24}, {"RS512", "SHA512", 32}, {"PS512", "SHA512", 32},
        {"ES512", "SHA512", 32}, {"EdDSA", "SHA512", 32},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        assert_int_equal(EVP_Q_digest(NULL, cases[i].digest, NULL, "token", 5, digest, NULL), 1);
        text_t half = digest_half(pool, alg_find(text_of(cases[i].alg)), TEXT("token"));
        assert_texts(half, codec_base64url(pool, (text_t){(const char *)digest, cases[i].half}),
                     cases[i].alg);
    }
}

static void test_error_queue_stays_as_it_is(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const alg_t unknown = {.name = "X", .digest = "NO-SUCH-HASH"};
    unsigned char digest[DIGEST_LEN];
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    assert_null(digest_half(pool, &unknown, TEXT("token")).at);
    assert_true(digest_parts(lists[0], digest) && digest_keyed(TEXT("key"), lists[0], digest));
    assert_non_null(digest_s256(pool, TEXT("")).at);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42); /* somebody else's, as it was before */
    assert_int_equal(ERR_get_error(), 0);
}

static void *hash_often(void *good)
{
    unsigned char first[DIGEST_LEN];
    unsigned char next[DIGEST_LEN];
    bool same = digest_keyed(TEXT("key"), lists[9], first);
    for (int i = 0; i < 2000 && same; i++)
        same = digest_keyed(TEXT("key"), lists[9], next) && memcmp(first, next, DIGEST_LEN) == 0;
    *(bool *)good = same;
    return NULL;
}

static void test_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool good[4] = {false};
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &good[i]), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(good[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_threads_do_not_disturb_each_other), /* first: the once must hold against a race */
        UNIT_TEST(test_parts_equal_plain_sha256),
        UNIT_TEST(test_no_two_lists_collide),
        UNIT_TEST(test_keyed_equals_hmac),
        UNIT_TEST(test_s256),
        UNIT_TEST(test_half_takes_the_hash_of_the_algorithm),
        UNIT_TEST(test_error_queue_stays_as_it_is),
    };
    return UNIT_MAIN(tests);
}
