/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_EXCHANGE_H
#define FLOW_EXCHANGE_H

/* What the holder of a lease does: one request to the token endpoint, and the result into the record. */

#include "flow/issuer.h"
#include "flow/refresh.h"

/* Sends the refresh token once and stores what came of it, whatever it is; the lease is given back. `record`
 * is as read after the lease was written; `began` (steady milliseconds) is a moment before that. The record
 * is left as stored. */
refresh_outcome exchange_run(walk_t *walk, const provider_t *provider, vault_record *record, int64_t began,
                             const fault_t **fault);

/* Asks userinfo for claims that no token carries, after a refresh; what it says replaces the claims of the
 * record. Best effort, but for another subject, which ends the session. */
void exchange_renew_claims(walk_t *walk, vault_record *record);

#endif
