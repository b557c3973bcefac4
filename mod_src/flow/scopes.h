/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_SCOPES_H
#define FLOW_SCOPES_H

/* SSORequireScope: at the login, and again when a refresh has brought fewer scopes. */

#include "base/fault.h"
#include "flow/rpinside.h"

/* Were all required scopes granted? A provider that does not name the scopes (`at` NULL) has granted what was
 * asked for (RFC 6749 section 5.1). FAULT_SCOPE_MISSING names the first that is missing. */
const fault_t *scopes_check(const rp_t *rp, apr_pool_t *pool, text_t granted) MUST_USE;

#endif
