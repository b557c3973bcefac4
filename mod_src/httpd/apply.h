/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_APPLY_H
#define HTTPD_APPLY_H

/* What applications get to see of a user. */

#include <httpd.h>

#include "flow/verdict.h"

/* REMOTE_USER and AUTH_TYPE. */
void apply_user(request_rec *r, const identity_t *identity);

/* For fixups, of main, redirected and sub requests alike: undoes what was set for the records that this one
 * came from, then sets headers and variables of this one's place; takes the module's cookies away. `identity`
 * NULL: nobody. DECLINED, or what the hook is to return where a claim cannot be passed on. */
int apply_request(request_rec *r, const identity_t *identity);

/* Sets the headers of apply_request once more, after something removed them. */
void apply_headers_again(request_rec *r);

#endif
