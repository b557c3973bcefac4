/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The rows of faultcodes.h as a table. FAULT_NONE and numbers outside of it answer as `internal`: whoever
 * asks for the status of "nothing went wrong" has made a mistake, and a mistake must not look like success.
 */

#include "base/fault.h"

#include <stdarg.h>

typedef struct fault_row {
    const char *word;
    int status;
    const char *sentence;
    const char *cause;
    const char *cure;
} fault_row;

#define FAULT_ROW(code, word, status, sentence, cause, cure)                                                 \
    [FAULT_##code] = {word, status, sentence, cause, cure},
static const fault_row fault_rows[FAULT_COUNT] = {FAULT_ROWS(FAULT_ROW)};
#undef FAULT_ROW

static fault_code known(fault_code code)
{
    return code > FAULT_NONE && code < FAULT_COUNT ? code : FAULT_INTERNAL;
}

static const fault_t *fault_of(apr_pool_t *pool, fault_code code, const char *detail)
{
    fault_t *fault = apr_palloc(pool, sizeof(*fault));
    *fault = (fault_t){.code = known(code), .detail = detail};
    return fault;
}

const fault_t *fault_make(apr_pool_t *pool, fault_code code, const char *format, ...)
{
    text_t detail = {NULL, 0};
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        detail = text_vformat(pool, format, arguments);
        va_end(arguments);
    }
    return fault_of(pool, code, detail.len > 0 ? detail.at : NULL);
}

const fault_t *fault_as(apr_pool_t *pool, fault_code code, const fault_t *fault)
{
    return fault == NULL ? NULL : fault_of(pool, code, fault->detail);
}

const char *fault_word(fault_code code)
{
    return fault_rows[known(code)].word;
}

int fault_status(fault_code code)
{
    return fault_rows[known(code)].status;
}

const char *fault_sentence(fault_code code)
{
    return fault_rows[known(code)].sentence;
}

const char *fault_cause(fault_code code)
{
    return fault_rows[known(code)].cause;
}

const char *fault_cure(fault_code code)
{
    return fault_rows[known(code)].cure;
}
