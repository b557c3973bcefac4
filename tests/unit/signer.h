/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef SIGNER_H
#define SIGNER_H

/* A provider's side of JOSE for tests: keys made on the spot, their public JWKs, and signed tokens. Include
 * it after unit.h. */

#include <apr_strings.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "jose/alg.h"

static inline apr_status_t signer_free(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static inline EVP_PKEY *signer_own(apr_pool_t *pool, EVP_PKEY *key)
{
    assert_non_null(key);
    apr_pool_cleanup_register(pool, key, signer_free, apr_pool_cleanup_null);
    return key;
}

/* New private keys, owned by the pool. A curve is "P-256", ..., or "ED25519", "ED448". */
static inline EVP_PKEY *signer_rsa(apr_pool_t *pool, size_t bits)
{
    return signer_own(pool, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits));
}

static inline EVP_PKEY *signer_curve(apr_pool_t *pool, const char *curve)
{
    if (strncmp(curve, "ED", 2) == 0)
        return signer_own(pool, EVP_PKEY_Q_keygen(NULL, NULL, curve));
    return signer_own(pool, EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve));
}

/* The key that an algorithm takes. */
static inline EVP_PKEY *signer_key_for(apr_pool_t *pool, const char *alg)
{
    if (alg[0] == 'R' || alg[0] == 'P')
        return signer_rsa(pool, 2048);
    if (strcmp(alg, "EdDSA") == 0)
        return signer_curve(pool, "ED25519");
    return signer_curve(pool, strcmp(alg, "ES256") == 0   ? "P-256"
                              : strcmp(alg, "ES384") == 0 ? "P-384"
                                                          : "P-521");
}

/* A number of the key as base64url; `len` bytes, or as many as it has when 0. */
static inline const char *signer_number(apr_pool_t *pool, EVP_PKEY *key, const char *name, size_t len)
{
    BIGNUM *number = NULL;
    unsigned char bytes[2048];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int wanted = len > 0 ? (int)len : BN_num_bytes(number);
    assert_int_equal(BN_bn2binpad(number, bytes, wanted), wanted);
    BN_free(number);
    return codec_base64url(pool, (text_t){(const char *)bytes, (size_t)wanted}).at;
}

/* The members of the public JWK, without braces: "kty":... */
static inline const char *signer_members(apr_pool_t *pool, EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA"))
        return apr_psprintf(pool, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"",
                            signer_number(pool, key, OSSL_PKEY_PARAM_RSA_N, 0),
                            signer_number(pool, key, OSSL_PKEY_PARAM_RSA_E, 0));
    if (EVP_PKEY_is_a(key, "EC")) {
        int bits = EVP_PKEY_get_bits(key);
        size_t len = ((size_t)bits + 7) / 8;
        return apr_psprintf(pool, "\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"", bits,
                            signer_number(pool, key, OSSL_PKEY_PARAM_EC_PUB_X, len),
                            signer_number(pool, key, OSSL_PKEY_PARAM_EC_PUB_Y, len));
    }
    unsigned char raw[64];
    size_t len = sizeof(raw);
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
    return apr_psprintf(pool, "\"kty\":\"OKP\",\"crv\":\"%s\",\"x\":\"%s\"", len == 32 ? "Ed25519" : "Ed448",
                        codec_base64url(pool, (text_t){(const char *)raw, len}).at);
}

/* A JWK; `extra` is put behind: ",\"kid\":\"a\"". */
static inline const char *signer_jwk(apr_pool_t *pool, EVP_PKEY *key, const char *extra)
{
    return apr_psprintf(pool, "{%s%s}", signer_members(pool, key), extra);
}

/* r and s side by side, from DER. */
static inline text_t signer_flatten(apr_pool_t *pool, EVP_PKEY *key, const unsigned char *der, size_t len)
{
    size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    unsigned char *raw = apr_pcalloc(pool, 2 * half);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    assert_non_null(signature);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, (int)half) > 0);
    assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + half, (int)half) > 0);
    ECDSA_SIG_free(signature);
    return (text_t){(const char *)raw, 2 * half};
}

/* Options of PSS: the length of the salt, and the hash in MGF1 (NULL: the algorithm's). */
typedef struct signer_pss {
    int salt;
    const char *mgf1;
} signer_pss;

/* RFC 7518 section 3.5. */
static const signer_pss signer_pss_right = {RSA_PSS_SALTLEN_DIGEST, NULL};

/* What OpenSSL signs: DER for ECDSA. `pss` is read for PSS alone. */
static inline text_t signer_raw(apr_pool_t *pool, EVP_PKEY *key, const alg_t *alg, text_t covered,
                                signer_pss pss)
{
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(context, &options, alg->digest, NULL, NULL, key, NULL), 1);
    if (alg->family == ALG_RSA_PSS) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, pss.salt) > 0);
        assert_true(
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, pss.mgf1 != NULL ? pss.mgf1 : alg->digest, NULL) > 0);
    }
    size_t len = 2048;
    unsigned char *signature = apr_pcalloc(pool, len);
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const unsigned char *)covered.at, covered.len),
                     1);
    EVP_MD_CTX_free(context);
    return (text_t){(const char *)signature, len};
}

/* The signature as JOSE has it (RFC 7518 section 3). */
static inline text_t signer_sign(apr_pool_t *pool, EVP_PKEY *key, const alg_t *alg, text_t covered)
{
    text_t raw = signer_raw(pool, key, alg, covered, signer_pss_right);
    return alg->family == ALG_ECDSA ? signer_flatten(pool, key, (const unsigned char *)raw.at, raw.len) : raw;
}

/* header.payload of two texts. */
static inline text_t signer_cover(apr_pool_t *pool, text_t header, text_t payload)
{
    return text_format(pool, "%s.%s", codec_base64url(pool, header).at, codec_base64url(pool, payload).at);
}

/* covered.signature */
static inline text_t signer_compact(apr_pool_t *pool, text_t covered, text_t signature)
{
    return text_format(pool, "%s.%s", text_copy(pool, covered).at, codec_base64url(pool, signature).at);
}

/* A whole token under a header of ours, signed with `alg` whatever the header says. */
static inline text_t signer_token(apr_pool_t *pool, EVP_PKEY *key, const char *alg, const char *header,
                                  text_t payload)
{
    text_t covered = signer_cover(pool, text_of(header), payload);
    return signer_compact(pool, covered, signer_sign(pool, key, alg_find(text_of(alg)), covered));
}

#endif
