/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BREAKERCASE_H
#define BREAKERCASE_H

/* What tests of backend/curlbreaker.c have in common: one origin, calls with a deadline of ten seconds. */

#include "backend/curlbreaker.h"

#define A           TEXT("https://op.example")
#define DEADLINE_MS 10000

static inline const char *ask(curlbreaker_t *breakers, text_t origin, int64_t now, apr_pool_t *pool,
                              curlbreaker_pass *pass)
{
    const curlbreaker_call call = {.origin = origin, .deadline_ms = DEADLINE_MS};
    return curlbreaker_enter(breakers, &call, now, pool, pass);
}

static inline bool rests(curlbreaker_t *breakers, text_t origin, int64_t now)
{
    const curlbreaker_call call = {.origin = origin};
    return curlbreaker_rests(breakers, &call, now);
}

static inline void tell(curlbreaker_t *breakers, const curlbreaker_pass *pass, breaker_end sign,
                        const char *why, int64_t now)
{
    const curlbreaker_end end = {.sign = sign, .served = sign == BREAKER_WELL, .why = why};
    curlbreaker_leave(breakers, pass, &end, now);
}

static inline void break_down(curlbreaker_t *breakers, apr_pool_t *pool, text_t origin, int times,
                              const char *why)
{
    for (int i = 0; i < times; i++) {
        curlbreaker_pass pass;
        if (ask(breakers, origin, 0, pool, &pass) == NULL)
            tell(breakers, &pass, BREAKER_FAILED, why, 0);
    }
}

static inline curlbreaker_pass begin(curlbreaker_t *breakers, apr_pool_t *pool, int64_t now)
{
    curlbreaker_pass pass;
    assert_null(ask(breakers, A, now, pool, &pass));
    return pass;
}

/* So many answers, each after so many milliseconds; the time behind the last. */
static inline int64_t answers(curlbreaker_t *breakers, apr_pool_t *pool, int times, int64_t took, int64_t now)
{
    for (int i = 0; i < times; i++) {
        const curlbreaker_pass pass = begin(breakers, pool, now);
        now += took;
        tell(breakers, &pass, BREAKER_WELL, NULL, now);
    }
    return now;
}

#endif
