/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_LOOPGUARD_H
#define FLOW_LOOPGUARD_H

/* A browser that completes logins but never brings the session cookie back would go round for ever. The count
 * lies in a cookie of its own; who forges it harms only himself. */

#include "flow/walk.h"

/* The name of the counting cookie. */
const char *loopguard_cookie(const walk_t *walk);

/* Has this browser completed so many logins within a minute, none of which it kept, that another one makes no
 * sense? */
bool loopguard_is_closed(const walk_t *walk);

/* Counts a completed login, when no session cookie came along with it. */
void loopguard_count(walk_t *walk);

/* Forgets the count. */
void loopguard_forget(walk_t *walk);

#endif
