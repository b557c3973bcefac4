/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_ISSUER_H
#define FLOW_ISSUER_H

/* The provider as this process knows it: metadata and keys as immutable snapshots, fetched when first needed,
 * one at a time, last-known-good kept in the process and, sealed, in the store. */

#include "flow/walk.h"
#include "jose/jwks.h"

/* The provider's metadata. Fetched when there are none or when they are older than an hour; a fetch that
 * fails leaves the old ones in use. The result is valid as long as the walk's pool. Faults: provider_down,
 * provider_tls, provider_busy, metadata_invalid. */
const fault_t *issuer_provider(walk_t *walk, const provider_t **provider) MUST_USE;

/* The provider's keys. `renew`: fetch them even though we have some, because a key was not found; at most
 * once a minute and process, otherwise those at hand are given. */
const fault_t *issuer_keys(walk_t *walk, const provider_t *provider, bool renew,
                           const jwks_t **keys) MUST_USE;

/* Why a token request would not be sent now: the provider is sick, and whoever asks is to be told so without
 * waiting. NULL when it would be sent, as far as is known. Never waits and fetches nothing. */
const fault_t *issuer_rests(walk_t *walk) MUST_USE;

/* When the token endpoint served somebody on this host last, in wall seconds; 0: not yet, or not known. */
int64_t issuer_answered(walk_t *walk);

/* Keeps what is known of the provider in the store, at most once an hour and process, for a start during an
 * outage. Only a login that was completed calls this: strangers write nothing. */
void issuer_remember(walk_t *walk);

/* One call to the provider, with the usual deadline: the answer, or the fault that the failure means. Also
 * 5xx and 429 are answers. */
const fault_t *issuer_call(walk_t *walk, const http_request *request, http_answer *answer) MUST_USE;

#endif
