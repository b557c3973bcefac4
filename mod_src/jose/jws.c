/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Signed JWTs. The header chooses among what the caller allows and nothing else: no key, URL or certificate
 * in it is looked at. The payload stays text until a signature was good. ECDSA signatures come as r and s
 * side by side and are written as DER for OpenSSL here, so that the other spellings of DER are never
 * accepted. */

#include "jose/jws.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "base/jval.h"

#define HEADER_MAX ((size_t)8 * 1024) /* bytes of a decoded header */
#define DER_MAX    160                /* bytes of an ECDSA signature on P-521 in DER, and some more */
#define LOGGED_MAX ((size_t)64)       /* bytes of a header's text that a log line gets */

typedef struct shape {
    text_t header;
    text_t body;
    text_t signature;
} shape_t;

static const fault_t *malformed(apr_pool_t *pool, const char *why)
{
    return fault_make(pool, FAULT_IDTOKEN_MALFORMED, "%s", why);
}

static const fault_t *split(apr_pool_t *pool, text_t token, shape_t *shape)
{
    if (token.len > JWS_TOKEN_MAX)
        return malformed(pool, "larger than a token may be");
    size_t first = text_find(token, '.');
    text_t rest = text_from(token, first + 1);
    size_t second = text_find(rest, '.');
    text_t last = text_from(rest, second + 1);
    size_t dots = 0;
    for (size_t i = 0; i < token.len; i++)
        dots += token.at[i] == '.';
    if (dots == 4)
        return malformed(pool, "encrypted (five parts), which is not configured");
    if (dots != 2)
        return malformed(pool, "not three parts");
    *shape = (shape_t){{token.at, first}, {rest.at, second}, last};
    if (shape->header.len == 0 || shape->signature.len == 0)
        return malformed(pool, "empty header or signature");
    return NULL;
}

static bool is_base64url(apr_pool_t *pool, text_t text)
{
    apr_pool_t *scratch;
    text_t bytes;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS)
        return false;
    bool strict = codec_unbase64url(scratch, text, &bytes);
    apr_pool_destroy(scratch);
    return strict;
}

/* A string of the header that may be absent. */
static bool read_optional(const jval_t *header, const char *name, text_t *text)
{
    jval_rc rc = jval_text(header, name, text);
    if (rc == JVAL_ABSENT)
        *text = TEXT("");
    return rc != JVAL_WRONG;
}

/* Extensions that change what is signed or must be understood; also where their value is null. */
static bool has_extension(const jval_t *header)
{
    jval_cursor cursor = {.position = NULL};
    while (jval_next(header, &cursor))
        if (text_equal(cursor.name, TEXT("crit")) || text_equal(cursor.name, TEXT("b64")))
            return true;
    return false;
}

static const fault_t *read_header(apr_pool_t *pool, text_t encoded, alg_set allowed, jws_t *jws)
{
    text_t source;
    text_t name;
    const jval_t *header;
    if (!codec_unbase64url(pool, encoded, &source))
        return malformed(pool, "header is not base64url");
    const fault_t *fault = jval_read(pool, source, HEADER_MAX, FAULT_IDTOKEN_MALFORMED, &header);
    if (fault != NULL)
        return fault_make(pool, fault->code, "header: %s",
                          fault->detail != NULL ? fault->detail : "not JSON");
    if (has_extension(header))
        return malformed(pool, "header has crit or b64");
    if (jval_text(header, "alg", &name) != JVAL_FOUND)
        return malformed(pool, "alg is missing or no string");
    if (!read_optional(header, "kid", &jws->kid) || !read_optional(header, "typ", &jws->typ))
        return malformed(pool, "kid or typ is no string");
    jws->alg = alg_find(name);
    if (jws->alg == NULL || (jws->alg->bit & allowed) == 0)
        return fault_make(pool, FAULT_IDTOKEN_ALGORITHM, "alg is \"%s\"",
                          text_loggable(pool, name, LOGGED_MAX));
    return NULL;
}

const fault_t *jws_read(apr_pool_t *pool, text_t token, alg_set allowed, jws_t *jws)
{
    shape_t shape;
    jws_t made = {.alg = NULL};
    const fault_t *fault = split(pool, token, &shape);
    if (fault == NULL)
        fault = read_header(pool, shape.header, allowed, &made);
    if (fault != NULL)
        return fault;
    if (!codec_unbase64url(pool, shape.signature, &made.signature))
        return malformed(pool, "signature is not base64url");
    if (!is_base64url(pool, shape.body))
        return malformed(pool, "payload is not base64url");
    made.body = shape.body;
    made.covered = (text_t){token.at, shape.header.len + 1 + shape.body.len};
    *jws = made;
    return NULL;
}

bool jws_typ_is(const jws_t *jws, const char *name)
{
    const text_t prefix = TEXT("application/");
    text_t typ = jws->typ;
    if (typ.len > prefix.len && text_equal_nocase((text_t){typ.at, prefix.len}, prefix))
        typ = text_from(typ, prefix.len);
    return text_equal_nocase(typ, text_of(name));
}

/* One half of an ECDSA signature: 1 to order - 1, or NULL. */
static BIGNUM *read_half(const unsigned char *at, size_t len, const BIGNUM *order)
{
    BIGNUM *number = BN_bin2bn(at, (int)len, NULL);
    if (number != NULL && (BN_is_zero(number) || BN_cmp(number, order) >= 0)) {
        BN_free(number);
        return NULL;
    }
    return number;
}

/* Fills `der` (DER_MAX bytes); answers its length, 0 where r or s is out of range. */
static size_t write_der(EVP_PKEY *key, text_t raw, unsigned char *der)
{
    int len = 0;
    size_t half = raw.len / 2;
    const unsigned char *at = (const unsigned char *)raw.at;
    BIGNUM *order = NULL;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (signature != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1) {
        BIGNUM *r = read_half(at, half, order);
        BIGNUM *s = read_half(at + half, half, order);
        if (r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
            len = i2d_ECDSA_SIG(signature, NULL);
            if (len > 0 && len <= DER_MAX)
                len = i2d_ECDSA_SIG(signature, &der);
            else
                len = 0;
        } else {
            BN_free(r);
            BN_free(s);
        }
    }
    BN_free(order);
    ECDSA_SIG_free(signature);
    return len > 0 ? (size_t)len : 0;
}

/* What the library is told beside the hash: padding, and for PSS a salt of exactly the hash's length (RFC
 * 7518 section 3.5). */
static bool start(EVP_MD_CTX *context, const alg_t *alg, EVP_PKEY *key)
{
    EVP_PKEY_CTX *options = NULL;
    if (EVP_DigestVerifyInit_ex(context, &options, alg->digest, NULL, NULL, key, NULL) != 1)
        return false;
    switch (alg->family) {
    case ALG_RSA_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PADDING) == 1;
    case ALG_RSA_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, alg->digest, NULL) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    case ALG_ECDSA:
    case ALG_EDDSA:
        return true;
    }
    return false;
}

static bool verifies(const jws_t *jws, EVP_PKEY *key)
{
    unsigned char der[DER_MAX];
    const unsigned char *signature = (const unsigned char *)jws->signature.at;
    size_t len = jws->signature.len;
    size_t wanted = jws->alg->signature_len != 0 ? jws->alg->signature_len : (size_t)EVP_PKEY_get_size(key);
    if (len != wanted)
        return false;
    if (jws->alg->family == ALG_ECDSA) {
        len = write_der(key, jws->signature, der);
        signature = der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = len > 0 && context != NULL && start(context, jws->alg, key) &&
                EVP_DigestVerify(context, signature, len, (const unsigned char *)jws->covered.at,
                                 jws->covered.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool verifies_with_one(const jws_t *jws, const jwk_t *const *keys, size_t count)
{
    bool good = false;
    ERR_set_mark();
    for (size_t i = 0; i < count && !good; i++)
        good = verifies(jws, keys[i]->key);
    ERR_pop_to_mark();
    return good;
}

const fault_t *jws_verify(apr_pool_t *pool, const jws_t *jws, const jwks_t *keys, text_t *payload)
{
    const jwk_t *picked[JWKS_TRIES];
    const char *kid = text_loggable(pool, jws->kid, LOGGED_MAX);
    size_t count = jwks_pick(keys, jws->alg, jws->kid, picked);
    if (count == 0)
        return fault_make(pool, FAULT_IDTOKEN_KEY, "no key for alg %s and kid \"%s\"", jws->alg->name, kid);
    if (!verifies_with_one(jws, picked, count))
        return fault_make(pool, FAULT_IDTOKEN_SIGNATURE, "alg %s, kid \"%s\", keys tried: %zu",
                          jws->alg->name, kid, count);
    if (!codec_unbase64url(pool, jws->body, payload))
        return malformed(pool, "payload is not base64url");
    return NULL;
}

const fault_t *jws_payload_of_our_own(apr_pool_t *pool, text_t token, text_t *payload)
{
    shape_t shape;
    const fault_t *fault = split(pool, token, &shape);
    if (fault == NULL && !codec_unbase64url(pool, shape.body, payload))
        fault = malformed(pool, "payload is not base64url");
    return fault;
}
