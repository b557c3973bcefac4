/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Secret bytes and their end. A pool cleanup does the wiping, because an early return cannot forget it;
 * allocators of our own that wipe everything were rejected, since they would make every request pay for a few
 * hundred secret bytes. */

#include "base/secret.h"

#include <string.h>

typedef struct secret_grave {
    unsigned char *at;
    size_t len;
} secret_grave;

static apr_status_t wipe_grave(void *data)
{
    const secret_grave *grave = data;
    secret_wipe(grave->at, grave->len);
    return APR_SUCCESS;
}

unsigned char *secret_room(apr_pool_t *pool, size_t len)
{
    secret_grave *grave = apr_palloc(pool, sizeof(*grave));
    grave->len = len + 1;
    grave->at = apr_pcalloc(pool, grave->len);
    apr_pool_cleanup_register(pool, grave, wipe_grave, apr_pool_cleanup_null);
    return grave->at;
}

text_t secret_copy(apr_pool_t *pool, text_t bytes)
{
    unsigned char *room = secret_room(pool, bytes.len);
    if (bytes.len > 0)
        memcpy(room, bytes.at, bytes.len);
    return (text_t){(const char *)room, bytes.len};
}

void secret_wipe(void *at, size_t len)
{
    if (len > 0)
        explicit_bzero(at, len);
}
