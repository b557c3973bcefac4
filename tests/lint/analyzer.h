/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef LINT_ANALYZER_H
#define LINT_ANALYZER_H

/* Included before each file that clang-tidy looks at, and by nothing else. Its analyzer does not believe
 * `returns_nonnull`, takes a fault that was just made for success, and then warns about what is only set on
 * success. This tells it in its own words. */

#include "base/fault.h"

static inline const fault_t *analyzer_believe(const fault_t *fault)
{
    if (fault == NULL)
        __builtin_unreachable();
    return fault;
}

#define fault_make(...) analyzer_believe(fault_make(__VA_ARGS__))

#endif
