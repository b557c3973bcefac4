/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A JSON Web Key becomes an EVP_PKEY, or a sentence that says why not. Everything that OpenSSL would accept
 * but a provider has no business to publish (private members, tiny or giant RSA keys, an exponent of 3) is
 * refused here, before OpenSSL sees a number. EVP_PKEY_public_check is left out for RSA: it tests the modulus
 * of a trusted provider for small factors, which takes long. */

#include "jose/jwk.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/codec.h"

#define RSA_BITS_MIN       2048
#define RSA_BITS_MAX       8192
#define RSA_EXPONENT_MIN   65537
#define RSA_EXPONENT_MAX   8    /* bytes; a verification takes time in proportion to it */
#define POINT_MAX          133  /* bytes of an uncompressed point on P-521 */
#define POINT_UNCOMPRESSED 0x04 /* SEC 1 section 2.3.3 */

/* A curve: its name in JOSE, what OpenSSL calls it, and the length of a coordinate or key in bytes. */
typedef struct curve {
    const char *kty;
    const char *name;
    const char *openssl;
    size_t len;
} curve_t;

static const curve_t curves[] = {
    {"EC", "P-256", "P-256", 32},      {"EC", "P-384", "P-384", 48},  {"EC", "P-521", "P-521", 66},
    {"OKP", "Ed25519", "ED25519", 32}, {"OKP", "Ed448", "ED448", 57},
};

static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

static const fault_t *refuse(apr_pool_t *pool, const char *why)
{
    return fault_make(pool, FAULT_METADATA_INVALID, "%s", why);
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

/* A key that the pool owns, made from parameters; NULL where they are no public key. Takes over the builder.
 */
static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *parameters = builder == NULL ? NULL : OSSL_PARAM_BLD_to_param(builder);
    if (context == NULL || parameters == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *make_rsa(const BIGNUM *modulus, const BIGNUM *exponent)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder == NULL || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1) {
        OSSL_PARAM_BLD_free(builder);
        return NULL;
    }
    return make_key("RSA", builder);
}

static EVP_PKEY *make_ec(const curve_t *curve, const unsigned char *point)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder == NULL ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 2 * curve->len + 1) != 1) {
        OSSL_PARAM_BLD_free(builder);
        return NULL;
    }
    return make_key("EC", builder);
}

/* Is the point on its curve, and not at infinity? */
static bool is_valid_point(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool valid = context != NULL && EVP_PKEY_public_check_quick(context) == 1;
    EVP_PKEY_CTX_free(context);
    return valid;
}

/* A base64url member; false where it is missing, no string, or not strict. */
static bool read_bytes(apr_pool_t *pool, const jval_t *object, const char *name, text_t *bytes)
{
    text_t encoded;
    return jval_text(object, name, &encoded) == JVAL_FOUND && codec_unbase64url(pool, encoded, bytes);
}

static const char *rsa_objection(const BIGNUM *modulus, const BIGNUM *exponent)
{
    if (BN_num_bits(modulus) < RSA_BITS_MIN)
        return "RSA modulus below 2048 bits";
    if (BN_num_bits(modulus) > RSA_BITS_MAX)
        return "RSA modulus above 8192 bits";
    if (!BN_is_odd(modulus))
        return "RSA modulus is even";
    if (!BN_is_odd(exponent))
        return "RSA exponent is even";
    if (BN_num_bits(exponent) < 64 && BN_get_word(exponent) < RSA_EXPONENT_MIN)
        return "RSA exponent below 65537";
    return NULL;
}

static const fault_t *read_rsa(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    text_t n;
    text_t e;
    if (!read_bytes(pool, object, "n", &n) || !read_bytes(pool, object, "e", &e))
        return refuse(pool, "RSA key without n and e in base64url");
    if (n.len > RSA_BITS_MAX / 8 + 1 || e.len > RSA_EXPONENT_MAX)
        return refuse(pool, "RSA modulus above 8192 bits, or exponent above 64");
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.at, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.at, (int)e.len, NULL);
    const char *objection = "out of memory";
    if (modulus != NULL && exponent != NULL) {
        objection = rsa_objection(modulus, exponent);
        if (objection == NULL)
            jwk->key = make_rsa(modulus, exponent);
    }
    BN_free(modulus);
    BN_free(exponent);
    if (objection == NULL && jwk->key == NULL)
        objection = "RSA key that OpenSSL does not take";
    return objection == NULL ? NULL : refuse(pool, objection);
}

static const curve_t *find_curve(const jval_t *object, const char *kty)
{
    text_t name;
    if (jval_text(object, "crv", &name) != JVAL_FOUND)
        return NULL;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strcmp(curves[i].kty, kty) == 0 && text_equal(name, text_of(curves[i].name)))
            return &curves[i];
    return NULL;
}

static const fault_t *read_ec(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    text_t x;
    text_t y;
    unsigned char point[POINT_MAX] = {POINT_UNCOMPRESSED};
    const curve_t *curve = find_curve(object, "EC");
    if (curve == NULL)
        return refuse(pool, "EC key without a known crv");
    if (!read_bytes(pool, object, "x", &x) || !read_bytes(pool, object, "y", &y))
        return refuse(pool, "EC key without x and y in base64url");
    if (x.len != curve->len || y.len != curve->len)
        return refuse(pool, "EC coordinate of the wrong length");
    memcpy(point + 1, x.at, x.len);
    memcpy(point + 1 + x.len, y.at, y.len);
    jwk->curve = curve->name;
    jwk->key = make_ec(curve, point);
    return jwk->key == NULL ? refuse(pool, "EC point is not on its curve") : NULL;
}

static const fault_t *read_okp(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    text_t x;
    const curve_t *curve = find_curve(object, "OKP");
    if (curve == NULL)
        return refuse(pool, "OKP key without a known crv");
    if (!read_bytes(pool, object, "x", &x) || x.len != curve->len)
        return refuse(pool, "OKP key without x of the right length in base64url");
    jwk->curve = curve->name;
    jwk->key = EVP_PKEY_new_raw_public_key_ex(NULL, curve->openssl, NULL, (const unsigned char *)x.at, x.len);
    return jwk->key == NULL ? refuse(pool, "OKP key that OpenSSL does not take") : NULL;
}

/* What the key says it is for: use, key_ops, and nothing private in it. */
static const fault_t *check_purpose(apr_pool_t *pool, const jval_t *object)
{
    const jval_t *member;
    for (size_t i = 0; i < sizeof(private_members) / sizeof(private_members[0]); i++)
        if (jval_member(object, private_members[i], &member) != JVAL_ABSENT)
            return refuse(pool, "private or symmetric key material");
    text_t use;
    jval_rc rc = jval_text(object, "use", &use);
    if (rc == JVAL_WRONG || (rc == JVAL_FOUND && !text_equal(use, TEXT("sig"))))
        return refuse(pool, "use is not sig");
    bool verifies = false;
    rc = jval_list_has(object, "key_ops", TEXT("verify"), &verifies);
    if (rc == JVAL_WRONG || (rc == JVAL_FOUND && !verifies))
        return refuse(pool, "key_ops without verify");
    return NULL;
}

static const fault_t *read_names(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    text_t text;
    jval_rc rc = jval_text(object, "kid", &text);
    if (rc == JVAL_WRONG)
        return refuse(pool, "kid is no string");
    if (rc == JVAL_FOUND)
        jwk->kid = text_copy(pool, text);
    rc = jval_text(object, "alg", &text);
    if (rc == JVAL_ABSENT)
        return NULL;
    jwk->alg = rc == JVAL_FOUND ? alg_find(text) : NULL;
    return jwk->alg == NULL ? refuse(pool, "alg is not one of the accepted signature algorithms") : NULL;
}

static const fault_t *read_material(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    text_t kty;
    if (jval_text(object, "kty", &kty) != JVAL_FOUND)
        return refuse(pool, "kty is missing or no string");
    if (text_equal(kty, TEXT("RSA"))) {
        jwk->kty = "RSA";
        return read_rsa(pool, object, jwk);
    }
    if (text_equal(kty, TEXT("EC"))) {
        jwk->kty = "EC";
        return read_ec(pool, object, jwk);
    }
    if (text_equal(kty, TEXT("OKP"))) {
        jwk->kty = "OKP";
        return read_okp(pool, object, jwk);
    }
    return refuse(pool, "kty is not RSA, EC or OKP");
}

/* Does the key's own alg fit its material? */
static bool is_consistent(const jwk_t *jwk)
{
    return jwk->alg == NULL || jwk_fits(jwk, jwk->alg);
}

const fault_t *jwk_read(apr_pool_t *pool, const jval_t *object, jwk_t *jwk)
{
    jwk_t made = {.kid = TEXT("")};
    const fault_t *fault = check_purpose(pool, object);
    if (fault == NULL)
        fault = read_names(pool, object, &made);
    if (fault != NULL)
        return fault;
    ERR_set_mark();
    fault = read_material(pool, object, &made);
    if (made.key != NULL)
        apr_pool_cleanup_register(pool, made.key, free_key, apr_pool_cleanup_null);
    if (fault == NULL && strcmp(made.kty, "EC") == 0 && !is_valid_point(made.key))
        fault = refuse(pool, "EC point is not on its curve");
    ERR_pop_to_mark();
    if (fault == NULL && !is_consistent(&made))
        fault = refuse(pool, "alg does not fit kty and crv");
    if (fault == NULL)
        *jwk = made;
    return fault;
}

bool jwk_fits(const jwk_t *jwk, const alg_t *alg)
{
    if (strcmp(jwk->kty, alg->kty) != 0 || (jwk->alg != NULL && jwk->alg != alg))
        return false;
    return alg->curve == NULL || (jwk->curve != NULL && strcmp(jwk->curve, alg->curve) == 0);
}
