/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

/* Bytes that must not outlive their use: they lie in a pool and are overwritten when it is cleared. There is
 * no function that prints one. */

#include <apr_pools.h>

#include "base/text.h"

/* Room for `len` secret bytes (and a terminating NUL), zeroed now and wiped with the pool. Never NULL. */
unsigned char *secret_room(apr_pool_t *pool, size_t len);

/* A copy of the bytes, NUL-terminated behind its length, wiped with the pool. */
text_t secret_copy(apr_pool_t *pool, text_t bytes);

/* Overwrites now; the compiler cannot drop it. */
void secret_wipe(void *at, size_t len);

#endif
