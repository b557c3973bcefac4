/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDCOOKIE_H
#define FLOW_KINDCOOKIE_H

/* The reader of the session cookie's line. */

#include "flow/kind.h"

/* Words in any order: a name, Lax, Strict or None (also as SameSite=...), Domain=..., Path=..., persistent.
 * Each at most once; contradictions within the line (__Host- with a domain or another path than /, RFC
 * 6265bis section 4.1.3) are refused. A kind_reader, the field is a kind_cookie. */
const char *kindcookie_cookie(const kind_input *input, void *field);

#endif
