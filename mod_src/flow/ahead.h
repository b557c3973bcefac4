/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_AHEAD_H
#define FLOW_AHEAD_H

/* Refresh behind the response: a token that still works is no reason to let anybody wait. */

#include "flow/walk.h"

/* Hands the refresh of a record whose token is due over to the port `later`. False: there is no such port, or
 * it is full; the request does it itself. True also when somebody is at it already. */
bool ahead_submit(walk_t *walk, const vault_record *record);

#endif
