/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_REQUIRE_H
#define HTTPD_REQUIRE_H

/* `Require sso-claim ...`, and sso_claim('name') in expressions. */

#include <apr_pools.h>

/* Registers both; to be called while hooks are registered. */
void require_register(apr_pool_t *pool);

#endif
