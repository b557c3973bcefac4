/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What every fuzz target shares: a pool per input, a copy of the input whose end AddressSanitizer watches,
 * and a check that ends the process. */

#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant that every input must keep. */
#define FUZZ_HOLDS(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A pool for one input; fuzz_done destroys it. */
static inline apr_pool_t *fuzz_pool(void)
{
    static bool ready;
    apr_pool_t *pool = NULL;
    ready = ready || apr_initialize() == APR_SUCCESS;
    FUZZ_HOLDS(ready && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

static inline int fuzz_done(apr_pool_t *pool)
{
    apr_pool_destroy(pool);
    return 0;
}

static inline apr_status_t fuzz_free(void *data)
{
    free(data);
    return APR_SUCCESS;
}

/* The bytes in a heap block of exactly their length. */
static inline text_t fuzz_input(apr_pool_t *pool, const uint8_t *data, size_t size)
{
    char *copy = malloc(size);
    FUZZ_HOLDS(copy != NULL || size == 0);
    if (size > 0)
        memcpy(copy, data, size);
    apr_pool_cleanup_register(pool, copy, fuzz_free, apr_pool_cleanup_null);
    return (text_t){copy, size};
}

#endif
