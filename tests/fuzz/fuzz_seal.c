/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Sealed messages and key files. What opens is exactly what closing would have made; what was closed opens,
 * and with one byte changed does not. */

#include "fuzz.h"

#include <apr_strings.h>

#include "jose/seal.h"

#define KEY    TEXT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
#define SALTED ((seal_scope){"ticket", TEXT("namespace"), {NULL, 0}, NULL})
#define KEYED  ((seal_scope){"session", TEXT("namespace"), TEXT("0123456789abcdef0123456789abcdef"), NULL})
#define NONCE  5 /* where the fresh bytes of a message begin */

static const unsigned char fresh[SEAL_FRESH_LEN] = {1, 2, 3};

static void check_opening(apr_pool_t *pool, const seal_ring *ring, seal_scope scope, text_t message)
{
    text_t plain;
    text_t again;
    const fault_t *fault = seal_open(pool, ring, &scope, message, &plain);
    FUZZ_HOLDS(fault == NULL || fault->code == FAULT_STORE_FOREIGN);
    if (fault != NULL)
        return;
    scope.fresh = (const unsigned char *)message.at + NONCE;
    FUZZ_HOLDS(seal_close(pool, ring, &scope, plain, &again) == NULL && text_equal(again, message));
}

static void check_closing(apr_pool_t *pool, const seal_ring *ring, seal_scope scope, text_t content)
{
    text_t sealed;
    text_t plain;
    scope.fresh = fresh;
    FUZZ_HOLDS(seal_close(pool, ring, &scope, content, &sealed) == NULL);
    FUZZ_HOLDS(sealed.len <= content.len + SEAL_OVERHEAD);
    FUZZ_HOLDS(seal_open(pool, ring, &scope, sealed, &plain) == NULL && text_equal(plain, content));
    char *changed = apr_pmemdup(pool, sealed.at, sealed.len);
    changed[content.len * 31 % sealed.len] ^= 0x10;
    FUZZ_HOLDS(seal_open(pool, ring, &scope, (text_t){changed, sealed.len}, &plain) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t input = fuzz_input(pool, data, size);
    seal_ring *ring = NULL;
    FUZZ_HOLDS(seal_ring_read(pool, KEY, &ring) == NULL);
    check_opening(pool, ring, SALTED, input);
    check_opening(pool, ring, KEYED, input);
    check_closing(pool, ring, SALTED, input);
    check_closing(pool, ring, KEYED, input);
    const char *wrong = seal_ring_read(pool, input, &ring);
    FUZZ_HOLDS(wrong == NULL || text_is_printable(text_of(wrong)));
    check_closing(pool, ring, KEYED, input);
    return fuzz_done(pool);
}
