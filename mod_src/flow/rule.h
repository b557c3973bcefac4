/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_RULE_H
#define FLOW_RULE_H

/* Require sso-claim: a name (dotted for nested claims) and values of which one must fit, exactly and typed,
 * or NAME~REGEX. */

#include <apr_pools.h>

#include "base/claim.h"
#include "port/pattern.h"

typedef struct rule rule_t;

/* Compiles the words behind `Require sso-claim`. NULL, or a sentence that says what is wrong and what would
 * be right. In the pool. */
const char *rule_read(apr_pool_t *pool, const pattern_port *pattern, const char *words, const rule_t **rule);

/* Do the claims fulfil the rule? A list fulfils it when one item does. */
bool rule_holds(const rule_t *rule, const pattern_port *pattern, const claim_list *claims);

#endif
