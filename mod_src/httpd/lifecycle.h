/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_LIFECYCLE_H
#define HTTPD_LIFECYCLE_H

/* Ports made when httpd starts, and wired to the servers. */

#include <httpd.h>

/* Hook post_config, in the parent: makes the LMDB files ready for children that may be somebody else. Opens
 * nothing, starts nothing. */
int lifecycle_parent(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server);

/* Hook child_init: one set of ports a child, shared by the servers that say the same. A store that cannot be
 * opened answers DOWN. */
void lifecycle_child(apr_pool_t *pchild, server_rec *main_server);

#endif
