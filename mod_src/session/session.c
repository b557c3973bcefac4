/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The rules of a session, each a pure function of the record and the moment. They are kept apart from the
 * flows so that a table of moments can test them; a session object with methods that look at the clock
 * themselves was rejected for that reason. */

#include "session/session.h"

#include <string.h>

#define SLIDE_MAX       60  /* seconds that `seen` may lag behind */
#define TTL_MARGIN      120 /* seconds on top, for `seen` that lags and clocks that differ */
#define LIFETIME_MIN    2   /* seconds: a token that lives shorter is treated as if it lived this long */
#define REST_FIRST      5   /* seconds after the first failure */
#define REST_MAX        30
#define RETRY_AFTER_MAX 300

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* How far `seen` may lag behind the true last activity. */
static int64_t slide_step(int64_t idle)
{
    int64_t step = least(idle / 10, SLIDE_MAX);
    return step > 0 ? step : 1;
}

session_life session_life_at(const session_t *session, int64_t now, int64_t idle)
{
    if (session->ended)
        return SESSION_ENDED;
    if (now >= session->ends)
        return SESSION_MAX_OVER;
    if (session->seen > now) /* the clock was set back: the absolute end alone holds */
        return SESSION_LIVE;
    return now - session->seen >= idle + slide_step(idle) ? SESSION_IDLE_OVER : SESSION_LIVE;
}

bool session_slide_due(const session_t *session, int64_t now, int64_t idle)
{
    return now - session->seen >= slide_step(idle);
}

int64_t session_left(const session_t *session, int64_t now, int64_t idle)
{
    int64_t seen = session->seen > now ? now : session->seen;
    int64_t left = least(session->ends - now, seen + idle - now);
    return left > 0 ? left : 0;
}

int64_t session_ttl(const session_t *session, int64_t now, int64_t idle)
{
    return session_left(session, now, idle) + TTL_MARGIN;
}

/* Seconds before its end in which a token of this lifetime is renewed. */
static int64_t window(int64_t lifetime, const refresh_rules *rules)
{
    int64_t ahead = rules->ahead_seconds >= 0 ? rules->ahead_seconds : lifetime * rules->ahead_percent / 100;
    return least(ahead, lifetime / 2);
}

/* The moment from which a refresh is due; 0 when never. */
static int64_t due_at(const session_t *session, const refresh_rules *rules)
{
    int64_t due = 0;
    if (session->token_expires > 0)
        due = session->token_expires - window(session->token_expires - session->token_obtained, rules);
    if (session->refresh_expires > 0) {
        int64_t lifetime = session->refresh_expires - session->token_obtained;
        int64_t last = session->refresh_expires - window(lifetime, rules);
        due = due > 0 ? least(due, last) : last;
    }
    if (due > 0 && due - session->token_obtained < LIFETIME_MIN)
        due = session->token_obtained + LIFETIME_MIN;
    return due;
}

session_refresh session_refresh_at(const session_t *session, int64_t now, const refresh_rules *rules)
{
    if (!rules->on || session->refresh_token.len == 0 || now >= session->ends)
        return REFRESH_NONE;
    int64_t due = due_at(session, rules);
    if (due == 0 || now < due)
        return REFRESH_NONE;
    bool over = session->token_expires > 0 && now >= session->token_expires;
    bool resting = now < session->retry_at;
    if (over)
        return resting ? REFRESH_BLOCKED : REFRESH_OVERDUE;
    return resting ? REFRESH_RESTING : REFRESH_DUE;
}

void session_refresh_failed(session_t *session, int64_t now, int64_t retry_after)
{
    int64_t rest = REST_FIRST;
    for (uint32_t i = 0; i < session->failures && rest < REST_MAX; i++)
        rest *= 2;
    rest = least(rest, REST_MAX);
    if (retry_after > rest)
        rest = least(retry_after, RETRY_AFTER_MAX);
    session->retry_at = now + rest;
    session->failed_at = retry_after >= 0 ? session->retry_at : now;
    if (session->failures < UINT32_MAX)
        session->failures++;
}

void session_forgive(session_t *session, int64_t answered)
{
    if (session->failed_at > 0 && answered > session->failed_at)
        session->retry_at = 0;
}

bool session_is_leased(const session_t *session)
{
    return session->lease.seconds > 0;
}

void session_take_lease(session_t *session, const unsigned char owner[SESSION_OWNER_LEN], uint32_t seconds)
{
    memcpy(session->lease.owner, owner, SESSION_OWNER_LEN);
    session->lease.epoch++;
    session->lease.seconds = seconds;
}

void session_free_lease(session_t *session)
{
    memset(session->lease.owner, 0, SESSION_OWNER_LEN);
    session->lease.seconds = 0;
}

bool session_same_lease(const session_lease *one, const session_lease *other)
{
    return one->epoch == other->epoch && memcmp(one->owner, other->owner, SESSION_OWNER_LEN) == 0;
}
