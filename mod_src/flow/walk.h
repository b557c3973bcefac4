/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_WALK_H
#define FLOW_WALK_H

/* One walk of a request through the flows: what travels together, made once at the gate, and the verdict that
 * grows on the way. */

#include "flow/env.h"
#include "flow/rpinside.h"
#include "flow/verdict.h"
#include "flow/visit.h"
#include "session/ticket.h"
#include "session/vault.h"

typedef struct walk {
    const rp_t *rp;
    const env_t *env;
    const visit_t *visit;
    apr_pool_t *pool; /* the visit's */
    int64_t now;      /* seconds, the same for every rule of this walk */
    vault_t vault;
    verdict_t *verdict;
    bool wants_userinfo; /* set by a refresh whose tokens do not carry all claims */
} walk_t;

/* A walk for a visit, with a verdict that says STRANGER so far. */
walk_t walk_begin(const rp_t *rp, const env_t *env, const visit_t *visit);

/* What tickets of this walk are sealed with. */
ticket_desk walk_desk(const walk_t *walk);

/* The absolute URL of one of the module's endpoints, such as "callback", in the pool. */
const char *walk_endpoint(const walk_t *walk, const char *name);

/* The session cookie that came along: COOKIE_FOUND only when it could be one of ours. */
bool walk_cookie(const walk_t *walk, text_t *cookie);

/* Is this a navigation, that may be sent to a login page? Everything else gets JSON. */
bool walk_is_navigation(const walk_t *walk);

/* Adds a line for the log. Text from outside must be escaped already; secrets have no business here. */
void walk_note(walk_t *walk, note_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Notes a fault that does not stop the request. */
void walk_note_fault(walk_t *walk, note_level level, const char *what, const fault_t *fault);

#endif
