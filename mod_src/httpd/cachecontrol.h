/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_CACHECONTROL_H
#define HTTPD_CACHECONTROL_H

/* SSOCacheControl: what a user sees must not be shown to another one by a cache in between. */

#include <httpd.h>

/* Declares the filter; to be called while hooks are registered. */
void cachecontrol_register(void);

/* Hooks insert_filter and insert_error_filter: responses to somebody known get a Cache-Control where they
 * have none. */
void cachecontrol_insert(request_rec *r);

#endif
