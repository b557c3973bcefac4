/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Examples that others have published: what we verify and hash is what everybody else does. */

#include "unit.h"

#include <apr_strings.h>

#include "base/text.h"
#include "jose/digest.h"
#include "jose/jwks.h"
#include "jose/jws.h"

#include "../vectors/jose.h"

static jwks_t *key_set(apr_pool_t *pool, const char *jwk, const char *why)
{
    jwks_t *keys = NULL;
    const fault_t *fault = jwks_read(pool, text_format(pool, "{\"keys\":[%s]}", jwk), &keys);
    assert_case(fault == NULL, why);
    return keys;
}

static void test_published_tokens_verify(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(vectors_jws); i++) {
        const vector_jws *vector = &vectors_jws[i];
        jws_t jws;
        text_t payload;
        jwks_t *keys = key_set(pool, vector->jwk, vector->source);
        const alg_t *alg = alg_find(text_of(vector->alg));
        assert_case(jws_read(pool, text_of(vector->token), alg->bit, &jws) == NULL, vector->source);
        assert_case(jws_verify(pool, &jws, keys, &payload) == NULL, vector->source);
        assert_texts(payload, text_of(vector->payload), vector->source);
    }
}

/* A vector that also verifies with something changed would prove nothing. */
static void test_published_tokens_are_bound_to_their_keys(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(vectors_jws); i++) {
        const vector_jws *vector = &vectors_jws[i];
        jws_t jws;
        text_t payload;
        text_t token = text_copy(pool, text_of(vector->token));
        size_t dot = text_find(token, '.');
        char *changed = apr_pstrmemdup(pool, token.at, token.len);
        changed[dot + 1] = changed[dot + 1] == 'A' ? 'B' : 'A';
        assert_no_fault(jws_read(pool, (text_t){changed, token.len}, alg_all(), &jws));
        assert_fault(jws_verify(pool, &jws, key_set(pool, vector->jwk, vector->source), &payload),
                     FAULT_IDTOKEN_SIGNATURE);
    }
}

static void test_pkce_challenge(void **state)
{
    assert_text(digest_s256(unit_pool(state), TEXT(VECTOR_PKCE_VERIFIER)), VECTOR_PKCE_CHALLENGE);
}

static void test_at_hash(void **state)
{
    assert_text(digest_half(unit_pool(state), alg_find(TEXT("RS256")), TEXT(VECTOR_ACCESS_TOKEN)),
                VECTOR_AT_HASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_published_tokens_verify),
        UNIT_TEST(test_published_tokens_are_bound_to_their_keys),
        UNIT_TEST(test_pkce_challenge),
        UNIT_TEST(test_at_hash),
    };
    return UNIT_MAIN(tests);
}
