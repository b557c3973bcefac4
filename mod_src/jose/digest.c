/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Hashes of the hot path. SHA-256 is fetched once a process, since the lookup by name costs more than the
 * hash itself; that one pointer is the only state here, and a graceful restart that loads the module anew
 * gets the same object from OpenSSL's cache.
 *
 * A context is made for each call. Measured on 120 bytes (OpenSSL 3.0, microseconds): SHA-256 0.19, with a
 * context kept a thread 0.16. That difference does not buy a thread's context, which leaks when the thread
 * ends, or crashes when its destructor outlives the unloaded module. HMAC is RFC 2104's two hashes over one
 * context (0.35): EVP_MAC with a context a call costs 0.9, with a copy of a keyed one 0.54, and HMAC over
 * kept contexts 0.27. The unit test compares it with OpenSSL's own. */

#include "jose/digest.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/codec.h"
#include "base/secret.h"

#define BLOCK_LEN  64  /* bytes that SHA-256 takes at a time */
#define LENGTH_LEN 8   /* bytes of a part's length */
#define GATHER_LEN 320 /* bytes that are gathered for one call */

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *sha256;

static void fetch(void)
{
    ERR_set_mark();
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    ERR_pop_to_mark();
}

static bool is_ready(void)
{
    return CRYPTO_THREAD_run_once(&once, fetch) == 1 && sha256 != NULL;
}

/* Short parts are gathered before they are hashed: a call of the library costs more than the bytes. */
static bool absorb(EVP_MD_CTX *hash, const text_t *parts)
{
    unsigned char room[GATHER_LEN];
    size_t used = 0;
    bool done = true;
    for (; parts->at != NULL && done; parts++) {
        bool is_short = parts->len <= sizeof(room) - LENGTH_LEN;
        if (used + LENGTH_LEN + (is_short ? parts->len : 0) > sizeof(room)) {
            done = EVP_DigestUpdate(hash, room, used) == 1;
            used = 0;
        }
        for (int shift = 56; shift >= 0; shift -= 8)
            room[used++] = (unsigned char)((uint64_t)parts->len >> shift & 0xff);
        if (is_short) {
            memcpy(room + used, parts->at, parts->len);
            used += parts->len;
        } else {
            done = done && EVP_DigestUpdate(hash, room, used) == 1 &&
                   EVP_DigestUpdate(hash, parts->at, parts->len) == 1;
            used = 0;
        }
    }
    done = done && EVP_DigestUpdate(hash, room, used) == 1;
    secret_wipe(room, sizeof(room));
    return done;
}

static bool hash_parts(EVP_MD_CTX *hash, const text_t *parts, unsigned char digest[DIGEST_LEN])
{
    return EVP_DigestInit_ex2(hash, sha256, NULL) == 1 && absorb(hash, parts) &&
           EVP_DigestFinal_ex(hash, digest, NULL) == 1;
}

static bool hash_text(EVP_MD_CTX *hash, text_t text, unsigned char digest[DIGEST_LEN])
{
    return EVP_DigestInit_ex2(hash, sha256, NULL) == 1 && EVP_DigestUpdate(hash, text.at, text.len) == 1 &&
           EVP_DigestFinal_ex(hash, digest, NULL) == 1;
}

bool digest_parts(const text_t *parts, unsigned char digest[DIGEST_LEN])
{
    if (!is_ready())
        return false;
    ERR_set_mark();
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool done = hash != NULL && hash_parts(hash, parts, digest);
    EVP_MD_CTX_free(hash);
    ERR_pop_to_mark();
    return done;
}

/* RFC 2104: the padded key is in `block` and is turned from the inner into the outer one. */
static bool hmac(EVP_MD_CTX *hash, unsigned char block[BLOCK_LEN], const text_t *parts,
                 unsigned char digest[DIGEST_LEN])
{
    for (size_t i = 0; i < BLOCK_LEN; i++)
        block[i] ^= 0x36;
    if (EVP_DigestInit_ex2(hash, sha256, NULL) != 1 || EVP_DigestUpdate(hash, block, BLOCK_LEN) != 1 ||
        !absorb(hash, parts) || EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        return false;
    for (size_t i = 0; i < BLOCK_LEN; i++)
        block[i] ^= 0x36 ^ 0x5c;
    return EVP_DigestInit_ex2(hash, sha256, NULL) == 1 && EVP_DigestUpdate(hash, block, BLOCK_LEN) == 1 &&
           EVP_DigestUpdate(hash, digest, DIGEST_LEN) == 1 && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
}

bool digest_keyed(text_t key, const text_t *parts, unsigned char digest[DIGEST_LEN])
{
    if (!is_ready())
        return false;
    ERR_set_mark();
    unsigned char block[BLOCK_LEN] = {0};
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool done = hash != NULL;
    if (key.len > BLOCK_LEN)
        done = done && hash_text(hash, key, block);
    else if (key.len > 0)
        memcpy(block, key.at, key.len);
    done = done && hmac(hash, block, parts, digest);
    EVP_MD_CTX_free(hash);
    secret_wipe(block, sizeof(block));
    ERR_pop_to_mark();
    return done;
}

text_t digest_s256(apr_pool_t *pool, text_t text)
{
    if (!is_ready())
        return (text_t){NULL, 0};
    ERR_set_mark();
    unsigned char digest[DIGEST_LEN];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool done = hash != NULL && hash_text(hash, text, digest);
    EVP_MD_CTX_free(hash);
    ERR_pop_to_mark();
    return done ? codec_base64url(pool, (text_t){(const char *)digest, sizeof(digest)}) : (text_t){NULL, 0};
}

text_t digest_half(apr_pool_t *pool, const alg_t *alg, text_t token)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t len = 0;
    const char *name = alg->digest != NULL ? alg->digest : "SHA512";
    ERR_set_mark();
    bool done = EVP_Q_digest(NULL, name, NULL, token.at, token.len, digest, &len) == 1;
    ERR_pop_to_mark();
    return done ? codec_base64url(pool, (text_t){(const char *)digest, len / 2}) : (text_t){NULL, 0};
}
