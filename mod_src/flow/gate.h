/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_GATE_H
#define FLOW_GATE_H

/* The way in: what happens to a request. Three questions in the order in which httpd asks them. All may block
 * as long as store and provider deadlines allow. Verdicts lie in the visit's pool. */

#include "flow/env.h"
#include "flow/rp.h"
#include "flow/verdict.h"
#include "flow/visit.h"

/* Who is it? KNOWN, STRANGER, or an ANSWER when the store is down or a token that ran out cannot be renewed.
 * An end of a session that was noticed here is a fault on the STRANGER verdict. For all paths but the
 * module's own. */
verdict_t *gate_admit(const rp_t *rp, const env_t *env, const visit_t *visit);

/* What does somebody get whom nobody knows, at a place that needs a user? An ANSWER by SSOUnauth: login, 401
 * or 403; or STRANGER again, for pass. `admitted` is the verdict of gate_admit. */
verdict_t *gate_stranger(const rp_t *rp, const env_t *env, const visit_t *visit, const verdict_t *admitted);

/* The module's own endpoints (rp_owns). Always an ANSWER. */
verdict_t *gate_endpoint(const rp_t *rp, const env_t *env, const visit_t *visit);

/* The answer for somebody known who is not let in: page or JSON. A NULL fault: no Require rule was fulfilled
 * (403). */
verdict_t *gate_refuse(const rp_t *rp, const env_t *env, const visit_t *visit, const fault_t *fault);

#endif
