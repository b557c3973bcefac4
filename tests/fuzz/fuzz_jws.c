/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Signed tokens: the input as a whole token, and as the JSON of a header. Nothing but the published examples
 * verifies under the published keys, and whatever is read lies within the token. */

#include "fuzz.h"

#include <apr_strings.h>

#include "base/codec.h"
#include "jose/jws.h"

#include "../vectors/jose.h"

#define VECTORS (sizeof(vectors_jws) / sizeof(vectors_jws[0]))

/* LeakSanitizer does not look into pools, so these are held here too. */
static const struct evp_pkey_st *held[VECTORS];

static const jwks_t *published_keys(void)
{
    static jwks_t *keys;
    if (keys == NULL) {
        apr_pool_t *pool = fuzz_pool(); /* kept for the whole run */
        const char *list = "";
        for (size_t i = 0; i < VECTORS; i++)
            list = apr_psprintf(pool, "%s%s%s", list, i > 0 ? "," : "", vectors_jws[i].jwk);
        FUZZ_HOLDS(jwks_read(pool, text_format(pool, "{\"keys\":[%s]}", list), &keys) == NULL);
        for (size_t i = 0; i < keys->count; i++)
            held[i] = keys->keys[i].key;
    }
    return keys;
}

static bool is_published(const jws_t *jws)
{
    for (size_t i = 0; i < VECTORS; i++)
        if (text_starts(text_of(vectors_jws[i].token), jws->covered))
            return true;
    return false;
}

static void check(apr_pool_t *pool, text_t token, const jwks_t *keys)
{
    jws_t jws;
    text_t payload;
    const fault_t *fault = jws_read(pool, token, alg_all(), &jws);
    FUZZ_HOLDS(fault == NULL || fault->detail == NULL || text_is_printable(text_of(fault->detail)));
    if (fault != NULL)
        return;
    FUZZ_HOLDS(jws.alg != NULL && jws.signature.len > 0);
    FUZZ_HOLDS(jws.covered.at == token.at && jws.covered.len < token.len && token.at[jws.covered.len] == '.');
    FUZZ_HOLDS(jws_payload_of_our_own(pool, token, &payload) == NULL);
    fault = jws_verify(pool, &jws, keys, &payload);
    FUZZ_HOLDS(fault != NULL || is_published(&jws));
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    (void)jws_typ_is(&jws, "JWT");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const jwks_t *keys = published_keys();
    apr_pool_t *pool = fuzz_pool();
    text_t input = fuzz_input(pool, data, size);
    check(pool, input, keys);
    check(pool, text_format(pool, "%s.e30.AAAA", codec_base64url(pool, input).at), keys);
    return fuzz_done(pool);
}
