/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Each encoded piece is moved into memory that is wiped, and its first place is overwritten at once. url_form
 * was not enough: it leaves encoded copies of its values in the pool, where a later request of the same
 * connection could find them. */

#include "oidc/secretform.h"

#include <apr_tables.h>

#include "base/codec.h"
#include "base/secret.h"

text_t secretform_take(apr_pool_t *pool, text_t made)
{
    text_t kept = secret_copy(pool, made);
    secret_wipe((void *)(uintptr_t)made.at, made.len);
    return kept;
}

text_t secretform_make(apr_pool_t *pool, const url_pair *pairs, size_t count)
{
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(text_t));
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].value.at == NULL)
            continue;
        if (parts->nelts > 0)
            APR_ARRAY_PUSH(parts, text_t) = TEXT("&");
        APR_ARRAY_PUSH(parts, text_t) = codec_form(pool, pairs[i].name);
        APR_ARRAY_PUSH(parts, text_t) = TEXT("=");
        APR_ARRAY_PUSH(parts, text_t) = secretform_take(pool, codec_form(pool, pairs[i].value));
    }
    APR_ARRAY_PUSH(parts, text_t) = (text_t){NULL, 0};
    return secretform_take(pool, text_join(pool, (const text_t *)(const void *)parts->elts));
}
