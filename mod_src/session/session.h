/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

/* What is remembered of a signed-in browser, and the rules about it. Every rule is a pure function of the
 * record and `now`; times are seconds since 1970, 0 stands for "there is none". */

#include <stdbool.h>
#include <stdint.h>

#include "base/claim.h"
#include "base/text.h"

#define SESSION_OWNER_LEN 8 /* unpredictable bytes that name the holder of a lease */

/* The right to refresh, won by compare-and-set in the record. It is free when `seconds` is 0. */
typedef struct session_lease {
    unsigned char owner[SESSION_OWNER_LEN];
    uint32_t epoch;   /* grows by one with every lease that is taken, and is never reset */
    uint32_t seconds; /* how long the holder may take; others measure it on their own steady clock */
} session_lease;

typedef struct session {
    bool ended;              /* a tombstone: nothing else in the record counts */
    int64_t created;         /* login */
    int64_t seen;            /* last activity that counts, as coarse as session_slide_due makes it */
    int64_t ends;            /* absolute end */
    int64_t token_obtained;  /* when the access token came */
    int64_t token_expires;   /* when it runs out; 0 where there is no access token */
    int64_t refresh_expires; /* when the refresh token runs out; 0: the provider did not say */
    int64_t failed_at; /* when a refresh failed last, unless the provider asked to wait: then retry_at */
    int64_t retry_at;  /* no refresh before this moment, after a failure */
    uint32_t failures; /* refreshes that failed one after the other */
    session_lease lease;
    text_t access_token; /* empty where there is none, as the next three */
    text_t refresh_token;
    text_t id_token;
    text_t scope; /* as granted */
    claim_list claims;
} session_t;

typedef enum { SESSION_LIVE, SESSION_IDLE_OVER, SESSION_MAX_OVER, SESSION_ENDED } session_life;

/* Does it live at this moment? `idle` is the idle time in seconds; since `seen` may lag, a session ends at
 * the earliest that long after the last activity, and at the latest min(idle / 10, 60 s) later. A `seen` or
 * `created` that lies in the future (a clock that was set back) never makes a session live longer than its
 * absolute end. */
session_life session_life_at(const session_t *session, int64_t now, int64_t idle);

/* Must this activity be written down? At most once every min(idle / 10, 60 s). */
bool session_slide_due(const session_t *session, int64_t now, int64_t idle);

/* Seconds until the record is garbage, at least 1: what the store gets as time to live, with a minute on top
 * for clocks that differ. */
int64_t session_ttl(const session_t *session, int64_t now, int64_t idle);

/* Seconds until the session ends when nobody uses it, never negative. */
int64_t session_left(const session_t *session, int64_t now, int64_t idle);

typedef struct refresh_rules {
    bool on;
    int64_t ahead_percent; /* part of a token's lifetime at its end in which it is refreshed; 0 to 90 */
    int64_t ahead_seconds; /* the same in seconds, or -1; never more than half of the lifetime */
} refresh_rules;

typedef enum {
    REFRESH_NONE,    /* nothing to do, or nothing can be done */
    REFRESH_DUE,     /* soon over: renew it, the token still works */
    REFRESH_OVERDUE, /* over: nothing works before it is renewed */
    REFRESH_RESTING, /* due, but the last try failed a moment ago; the token still works */
    REFRESH_BLOCKED  /* over, and the last try failed a moment ago */
} session_refresh;

/* Is a refresh due? At the earlier of the access token's window and the refresh token's own. Never past the
 * absolute end. */
session_refresh session_refresh_at(const session_t *session, int64_t now, const refresh_rules *rules);

/* Notes a refresh that failed for a while: rests 5 s, doubling to 30 s, or `retry_after` seconds (-1: not
 * said) up to 300. */
void session_refresh_failed(session_t *session, int64_t now, int64_t retry_after);

/* The provider has answered somebody at a moment after this session's last failure: it need not rest any
 * longer. */
void session_forgive(session_t *session, int64_t answered);

/* Is somebody refreshing, as far as the record tells? */
bool session_is_leased(const session_t *session);

/* Takes the lease into the record (to be stored by cas): owner's bytes are copied, the epoch grows. */
void session_take_lease(session_t *session, const unsigned char owner[SESSION_OWNER_LEN], uint32_t seconds);

/* Gives it back. The epoch stays. */
void session_free_lease(session_t *session);

/* The same owner and epoch? */
bool session_same_lease(const session_lease *one, const session_lease *other);

#endif
