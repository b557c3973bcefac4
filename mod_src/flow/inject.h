/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_INJECT_H
#define FLOW_INJECT_H

/* What an application sees of a user: headers and variables by the rows of its place. And the other side of
 * the same coin: which names must be removed from what clients send. */

#include "base/fault.h"
#include "flow/rp.h"
#include "flow/verdict.h"

#define INJECT_VALUE_MAX 8000 /* bytes of one header value; above it the request is refused, never cut */
#define INJECT_ROWS_MAX  100  /* rows of SSOHeader or SSOEnv in one place */

typedef struct injection {
    apr_array_header_t *headers;   /* of const char *: names and values in turn */
    apr_array_header_t *variables; /* of const char *: names and values in turn */
} injection_t;

/* Headers and variables for the identity, in the pool. FAULT_CLAIM_UNUSABLE, whose detail names the claim: a
 * value with CR, LF or NUL, or one above INJECT_VALUE_MAX. A claim that is missing gives no header. */
const fault_t *inject_make(apr_pool_t *pool, const identity_t *identity, const place_settings *place,
                           injection_t *injection) MUST_USE;

/* A header name as everybody downstream may read it: lower case, everything but letters and digits is '-'. In
 * the pool. */
const char *inject_variant(apr_pool_t *pool, const char *name);

/* The names that clients may never send, as variants, sorted and unique: well-known identity headers (HD-20),
 * SSOStripHeader, and those of the place. Names that begin with a claim prefix are caught by
 * inject_is_forbidden. Called with every place of a host at start; `names` is an array of const char * that
 * grows. */
void inject_collect(apr_array_header_t *names, const server_settings *server, const place_settings *place);

/* Must a client's header of this name be removed? `names` from inject_collect, sorted; `prefixes`: variants
 * of claim prefixes in use. */
bool inject_is_forbidden(const apr_array_header_t *names, const apr_array_header_t *prefixes,
                         const char *header);

#endif
