/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_SHAREDTHREADS_H
#define BACKEND_SHAREDTHREADS_H

/* The shared port made real for the threads of one process. */

#include <apr_pools.h>

#include "port/shared.h"

/* Makes the port in the httpd child, after the fork; it ends with the pool. Any thread may use it. Never
 * NULL. */
shared_port *sharedthreads_new(apr_pool_t *pool);

#endif
