/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_ENDPOINTS_H
#define FLOW_ENDPOINTS_H

/* The functions behind the module's endpoints; the table is in flow/gate.c. Each finishes the walk. */

#include "flow/walk.h"

/* Sends the browser to the provider (OpenID Connect Core 3.1.2.1). `return_to` is path and query on this
 * origin; `hint` goes into login_hint when it is not empty. */
verdict_t *login_start(walk_t *walk, text_t return_to, text_t hint);

/* GET login?return=PATH: login_start for a page that asks for it, or for a third party (Core section 4). */
verdict_t *login_endpoint(walk_t *walk);

/* GET callback: the browser comes back. */
verdict_t *callback_endpoint(walk_t *walk);

/* GET or POST logout: the way out, and the page that says it is done. */
verdict_t *logout_endpoint(walk_t *walk);

/* GET session: who is it, and for how long? */
verdict_t *whoami_endpoint(walk_t *walk);

#endif
