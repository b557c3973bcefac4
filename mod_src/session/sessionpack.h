/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef SESSION_SESSIONPACK_H
#define SESSION_SESSIONPACK_H

/* The record as bytes and back. Version 1: fixed numbers, then tokens, then claims, all big endian with
 * lengths before them. A later version is read as foreign, an older one must stay readable for one release.
 */

#include <apr_pools.h>

#include "base/fault.h"
#include "session/session.h"

/* The record as bytes, in the pool and wiped with it. */
text_t sessionpack_write(apr_pool_t *pool, const session_t *session);

/* The record from bytes. Its slices point into them. FAULT_STORE_FOREIGN for another version, a length that
 * lies, or bytes left over. */
const fault_t *sessionpack_read(apr_pool_t *pool, text_t bytes, session_t *session) MUST_USE;

/* Names the biggest part of a record for "session_too_large": "access_token (81234 bytes)" or "claim groups
 * (...)". In the pool. */
const char *sessionpack_biggest(apr_pool_t *pool, const session_t *session);

#endif
