/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_ADMIT_H
#define FLOW_ADMIT_H

/* Who is it? The hot path of every request with a session cookie. */

#include "flow/walk.h"

/* Finishes the walk's verdict as gate_admit says. One store get; a write only when activity has to be noted
 * or a token is due. */
verdict_t *admit_visitor(walk_t *walk);

#endif
