/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* DOWN for ever, so that a store which cannot be opened means 503 by the same rules as one that went away. */

#include "httpd/downstore.h"

static store_rc no_get(store_port *store, const char *key, apr_pool_t *pool, store_item *item)
{
    (void)store;
    (void)key;
    (void)pool;
    (void)item;
    return STORE_DOWN;
}

static store_rc no_write(store_port *store, const char *key, text_t value, int64_t ttl)
{
    (void)store;
    (void)key;
    (void)value;
    (void)ttl;
    return STORE_DOWN;
}

static store_rc no_cas(store_port *store, const char *key, text_t value, int64_t ttl, uint64_t version)
{
    (void)version;
    return no_write(store, key, value, ttl);
}

static store_rc no_touch(store_port *store, const char *key, int64_t ttl)
{
    return no_write(store, key, (text_t){NULL, 0}, ttl);
}

static store_rc no_drop(store_port *store, const char *key)
{
    return no_touch(store, key, 0);
}

store_port *downstore_port(void)
{
    static store_port port = {"none", no_get, no_write, no_write, no_cas, no_touch, no_drop};
    return &port;
}
