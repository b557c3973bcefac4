/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_PATTERN_H
#define PORT_PATTERN_H

/* Regular expressions of the host (httpd brings PCRE2), bounded in subject and effort so that no user can
 * stall a thread with a claim. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"

#define PATTERN_SUBJECT_MAX 4096 /* bytes; a longer subject does not match */

typedef struct pattern pattern_t; /* compiled, immutable */

typedef struct pattern_port pattern_port;

struct pattern_port {
    /* Compiles in the pool. NULL, or a short text that says what is wrong with the expression. */
    const char *(*compile)(const pattern_port *port, apr_pool_t *pool, const char *expression,
                           const pattern_t **pattern);
    /* Does it match somewhere in the subject? Beyond the bounds: no. */
    bool (*matches)(const pattern_port *port, const pattern_t *pattern, text_t subject);
    /* The substitution with $0 to $9 filled in from a match, in the pool; `at` NULL where it does not match.
     */
    text_t (*replace)(const pattern_port *port, const pattern_t *pattern, text_t subject,
                      const char *substitution, apr_pool_t *pool);
};

#endif
