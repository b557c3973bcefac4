/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Key sets: the input as a whole document, and as what stands between the brackets of one. What is read is
 * usable, and what is picked fits. */

#include "fuzz.h"

#include "jose/jwks.h"

static void check_picks(const jwks_t *keys, const alg_t *alg, text_t kid)
{
    const jwk_t *picked[JWKS_TRIES];
    size_t count = jwks_pick(keys, alg, kid, picked);
    FUZZ_HOLDS(count <= JWKS_TRIES && count <= keys->count);
    for (size_t i = 0; i < count; i++)
        FUZZ_HOLDS(jwk_fits(picked[i], alg) && (kid.len == 0 || text_equal(kid, picked[i]->kid)));
}

static void check(apr_pool_t *pool, text_t document)
{
    static const char *const algs[] = {"RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
    jwks_t *keys = NULL;
    const fault_t *fault = jwks_read(pool, document, &keys);
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    if (fault != NULL)
        return;
    FUZZ_HOLDS(keys->count > 0 && keys->count <= JWKS_KEYS_MAX);
    FUZZ_HOLDS((keys->skipped > 0) == (keys->reason != NULL));
    for (size_t i = 0; i < keys->count; i++)
        FUZZ_HOLDS(keys->keys[i].key != NULL && keys->keys[i].kty != NULL);
    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        check_picks(keys, alg_find(text_of(algs[i])), (text_t){NULL, 0});
        check_picks(keys, alg_find(text_of(algs[i])), keys->keys[0].kid);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t input = fuzz_input(pool, data, size);
    check(pool, input);
    const text_t parts[] = {TEXT("{\"keys\":["), input, TEXT("]}"), {NULL, 0}};
    check(pool, text_join(pool, parts));
    return fuzz_done(pool);
}
