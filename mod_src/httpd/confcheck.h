/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_CONFCHECK_H
#define HTTPD_CONFCHECK_H

/* The configuration as a whole, checked and resolved; also by `httpd -t`, which stops before post_config. */

#include <httpd.h>

/* Hook check_config: makes the relying party of each server that has one. OK, or !OK after every error was
 * logged with its host. */
int confcheck_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server);

#endif
