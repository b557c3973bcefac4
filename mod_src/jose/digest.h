/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOSE_DIGEST_H
#define JOSE_DIGEST_H

/* Hashes, with algorithms that are fetched once a process. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"
#include "jose/alg.h"

#define DIGEST_LEN 32 /* bytes of SHA-256 */

/* SHA-256 over parts, each preceded by its length (8 bytes, big endian), so that no two lists of parts
 * collide. The list ends with a part whose `at` is NULL. False: the library failed. */
bool digest_parts(const text_t *parts, unsigned char digest[DIGEST_LEN]) __attribute__((warn_unused_result));

/* HMAC-SHA-256 under a key, over parts as above. */
bool digest_keyed(text_t key, const text_t *parts, unsigned char digest[DIGEST_LEN])
    __attribute__((warn_unused_result));

/* base64url of plain SHA-256 of the text: PKCE's S256 (RFC 7636 section 4.2). `at` NULL when the library
 * failed. In the pool. */
text_t digest_s256(apr_pool_t *pool, text_t text);

/* at_hash of an access token under the ID token's algorithm (OpenID Connect Core 3.1.3.6): base64url of the
 * left half of the hash; EdDSA takes SHA-512, as providers with Ed25519 do (for Ed448 there is no agreement).
 * `at` NULL when the library failed. In the pool. */
text_t digest_half(apr_pool_t *pool, const alg_t *alg, text_t token);

#endif
