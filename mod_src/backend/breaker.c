/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A row of failures is counted, not a rate: a rate needs a window and enough calls to fill it, which a quiet
 * site does not have.
 *
 * `turn` tells the calls of before an opening from those behind it: when thirty calls hang and time out one
 * after the other, the first few open the breaker and the others neither lengthen its pause nor open it again
 * once a probe has closed it. A success among them counts: however old the question, the answer is new. */

#include "backend/breaker.h"

bool breaker_enter(breaker_t *breaker, int64_t now, breaker_pass *pass)
{
    *pass = (breaker_pass){.turn = breaker->turn, .probe = breaker->open};
    if (!breaker->open) {
        return true;
    }
    if (breaker->probing || now < breaker->next_probe) {
        return false;
    }
    breaker->probing = true;
    return true;
}

static void count_failure(breaker_t *breaker, int64_t now)
{
    const breaker_terms *terms = breaker->terms;
    bool in_row = breaker->open || now - breaker->failed_at < terms->memory_ms;
    breaker->failed = in_row ? breaker->failed + 1 : 1;
    breaker->failed_at = now;
    if (breaker->open) {
        breaker->pause = breaker->pause * 2 < terms->last_ms ? breaker->pause * 2 : terms->last_ms;
    } else if (breaker->failed >= terms->failures) {
        breaker->open = true;
        breaker->turn++;
        breaker->pause = terms->first_ms;
    }
    breaker->next_probe = now + breaker->pause;
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
