/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A row of failures is counted, not a rate: a rate needs a window and enough calls to fill it, which a quiet
 * site does not have.
 *
 * `turn` tells the calls of before an opening from those behind it: when thirty calls hang and time out one
 * after the other, the first few open the breaker and the others neither lengthen its pause nor open it again
 * once a probe has closed it. A success among them counts: however old the question, the answer is new. */

#include "backend/breaker.h"

/* Is a probe on its way that is still waited for? */
static bool probe_counts(const breaker_t *breaker, int64_t now)
{
    int64_t patience = breaker->terms->probe_ms;
    return breaker->probing && (patience == 0 || now - breaker->probe_began < patience);
}

bool breaker_bars(const breaker_t *breaker, int64_t now)
{
    return breaker->open && (now < breaker->next_probe || probe_counts(breaker, now));
}

bool breaker_enter(breaker_t *breaker, int64_t now, breaker_pass *pass)
{
    *pass = (breaker_pass){.turn = breaker->turn, .probe = breaker->open};
    if (breaker_bars(breaker, now)) {
        return false;
    }
    if (breaker->open) {
        breaker->probing = true;
        breaker->probe_began = now;
    }
    return true;
}

void breaker_trip(breaker_t *breaker, int64_t now)
{
    if (breaker->open) {
        return;
    }
    breaker->open = true;
    breaker->turn++;
    breaker->pause = breaker->terms->first_ms;
    breaker->next_probe = now + breaker->pause;
}

static void count_failure(breaker_t *breaker, int64_t now)
{
    const breaker_terms *terms = breaker->terms;
    bool in_row = breaker->open || now - breaker->failed_at < terms->memory_ms;
    breaker->failed = in_row ? breaker->failed + 1 : 1;
    breaker->failed_at = now;
    if (breaker->open) {
        breaker->pause = breaker->pause * 2 < terms->last_ms ? breaker->pause * 2 : terms->last_ms;
        breaker->next_probe = now + breaker->pause;
    } else if (breaker->failed >= terms->failures) {
        breaker_trip(breaker, now);
    }
}

void breaker_leave(breaker_t *breaker, const breaker_pass *pass, breaker_end end, int64_t now)
{
    bool current = pass->turn == breaker->turn;
    if (pass->probe && current) {
        breaker->probing = false;
    }
    if (end == BREAKER_WELL) {
        breaker->open = false;
        breaker->probing = false;
        breaker->failed = 0;
    } else if (end == BREAKER_FAILED && current) {
        count_failure(breaker, now);
    }
}
