/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDLIST_H
#define FLOW_KINDLIST_H

/* Readers of kinds that hold several values. Each is a kind_reader; the field has the type of its name
 * (flow/kind.h). */

#include "flow/kind.h"

/* idtoken, userinfo, access. */
const char *kindlist_sources(const kind_input *input, void *field);

/* access, id; or off alone. */
const char *kindlist_tokens(const kind_input *input, void *field);

/* Names of signature algorithms that jose/alg.h knows. */
const char *kindlist_algs(const kind_input *input, void *field);

/* Paths and absolute URLs, compared exactly later. */
const char *kindlist_targets(const kind_input *input, void *field);

/* name=value words whose names authzreq_owns does not claim. */
const char *kindlist_pairs(const kind_input *input, void *field);

/* IP addresses and networks in CIDR notation, whole ones only. */
const char *kindlist_addresses(const kind_input *input, void *field);

/* name=URL words; a query is allowed (RFC 6749 section 3.1), http only on loopback. */
const char *kindlist_endpoints(const kind_input *input, void *field);

#endif
