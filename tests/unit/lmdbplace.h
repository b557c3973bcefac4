/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef LMDBPLACE_H
#define LMDBPLACE_H

/* LMDB stores for the tests of the embedded store. Include unit.h first. */

#include "backend/lmdbstore.h"
#include "storeserver.h"

static inline store_url *url_of(apr_pool_t *pool, const char *path, int64_t megabytes)
{
    store_url *url = apr_pcalloc(pool, sizeof(*url));
    url->scheme = STOREURL_LMDB;
    url->path = path;
    url->size = megabytes * 1024 * 1024;
    return url;
}

static inline store_port *store_at(apr_pool_t *pool, const char *path, int64_t megabytes,
                                   const clock_port *clock)
{
    store_port *store = NULL;
    const char *problem = lmdbstore_open(pool, url_of(pool, path, megabytes), clock, &store);
    if (problem)
        print_error("%s\n", problem);
    assert_null(problem);
    return store;
}

static inline const char *path_in(apr_pool_t *pool, const char *directory)
{
    return apr_pstrcat(pool, directory, "/store", NULL);
}

#endif
