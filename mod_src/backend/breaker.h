/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_BREAKER_H
#define BACKEND_BREAKER_H

/* A circuit breaker: after failures in a row nobody waits for a sick peer any more, and one call at a time
 * finds out whether it is back. Pure: whoever shares one between threads locks it, and tells it the time. */

#include <stdbool.h>
#include <stdint.h>

typedef struct breaker_terms {
    int failures;      /* in a row that open it, at least 1 */
    int64_t memory_ms; /* a failure this long after the one before it is no part of its row any more */
    int64_t first_ms;  /* from the opening to the first probe */
    int64_t last_ms;   /* the pause doubles with each probe that fails, up to this */
    int64_t probe_ms;  /* a probe under way for longer holds up nobody; 0: each is waited for */
} breaker_terms;

/* Zero but for its terms: closed. Times are steady milliseconds. While it is open, only the probe has the
 * turn that is running. */
typedef struct breaker {
    const breaker_terms *terms; /* borrowed */
    bool open;
    bool probing;  /* one call is on its way to find out */
    int failed;    /* in a row, probes included */
    uint64_t turn; /* how many times it was opened */
    int64_t failed_at;
    int64_t pause;
    int64_t next_probe;
    int64_t probe_began;
} breaker_t;

/* The leave to make one call. */
typedef struct breaker_pass {
    uint64_t turn;
    bool probe;
} breaker_pass;

/* What a call has told about the peer. */
typedef enum {
    BREAKER_WELL,   /* it works: the breaker closes */
    BREAKER_FAILED, /* it does not: one more in the row, unless the call began before the breaker opened */
    BREAKER_UNKNOWN /* nothing; after a probe the next call is one */
} breaker_end;

/* Would a call be turned away now? */
bool breaker_bars(const breaker_t *breaker, int64_t now);

/* May a call be made now? After true, breaker_leave is to be called exactly once with the pass. */
bool breaker_enter(breaker_t *breaker, int64_t now, breaker_pass *pass);

/* The peer is sick, whatever its calls say in the end: opens, where it is not open. */
void breaker_trip(breaker_t *breaker, int64_t now);

/* The call is over. */
void breaker_leave(breaker_t *breaker, const breaker_pass *pass, breaker_end end, int64_t now);

#endif
