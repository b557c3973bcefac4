/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_REFRESH_H
#define FLOW_REFRESH_H

/* Token refresh: once for all threads, processes and hosts. */

#include "flow/walk.h"

typedef enum {
    REFRESH_DONE,    /* the record is new, or was renewed by somebody else */
    REFRESH_GOES_ON, /* not renewed, but the token still works */
    REFRESH_FAILED,  /* the token has run out and could not be renewed: *fault says why */
    REFRESH_ENDED    /* the session is over: *fault says why */
} refresh_outcome;

/* What session_refresh_at says, where a session that rests after a failure may try again as soon as the
 * provider has answered somebody. */
session_refresh refresh_due(walk_t *walk, session_t *session);

/* Sees to it that the record's token is fresh, or as fresh as it can be. The record may be replaced by a
 * newer one. `due` is what session_refresh_at said: DUE never waits, OVERDUE waits at most as long as a call
 * to the provider may take. */
refresh_outcome refresh_run(walk_t *walk, session_refresh due, vault_record *record, const fault_t **fault);

#endif
