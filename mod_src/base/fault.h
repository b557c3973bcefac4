/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* Why something was refused. A pure function answers `const fault_t *`: NULL is success, otherwise a reason
 * with a stable code that stands in the page, the log and docs/faults.md alike. */

#include <apr_pools.h>

#include "base/faultcodes.h"
#include "base/text.h"

#define FAULT_CODE(code, word, status, sentence, cause, cure) FAULT_##code,
typedef enum { FAULT_NONE, FAULT_ROWS(FAULT_CODE) FAULT_COUNT } fault_code;
#undef FAULT_CODE

typedef struct fault {
    fault_code code;
    const char *detail; /* for the administrator's log; never a secret, never unescaped outside text; NULL
                           when there is none */
} fault_t;

/* A fault in the pool. The detail is formatted, NULL for none; text from outside must go through
 * text_loggable first. Never NULL. */
const fault_t *fault_make(apr_pool_t *pool, fault_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4), returns_nonnull)) MUST_USE;

/* The same reason under another code, for a caller that knows better what was refused. NULL stays NULL. */
const fault_t *fault_as(apr_pool_t *pool, fault_code code, const fault_t *fault) MUST_USE;

/* The stable word, such as "state_unknown". */
const char *fault_word(fault_code code);

/* The HTTP status that a user agent gets for it. */
int fault_status(fault_code code);

/* One sentence that a user understands. */
const char *fault_sentence(fault_code code);

/* What usually causes it, and what helps: for administrators, as in docs/faults.md. */
const char *fault_cause(fault_code code);
const char *fault_cure(fault_code code);

#endif
