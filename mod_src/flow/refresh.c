/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Token refresh, once for all threads, processes and hosts.
 *
 * In a process one thread has the turn; the others use the token that still works, or wait for the turn to
 * pass. Between processes and hosts the right to refresh is a lease in the session record, won by
 * compare-and-set. Its holder sends one request, and stores the result over the version that it read after
 * taking the lease. Whoever finds a lease waits for the record to change; he takes it over only after he has
 * seen it unchanged for its whole length on his own steady clock, since hosts' clocks differ.
 *
 * A lock under a key of its own was rejected: it can expire while its holder is still working, and nothing
 * then tells the holder. */

#include "flow/refresh.h"

#include <string.h>

#include <apr_strings.h>

#include "flow/exchange.h"

#define LOOK_MS   40  /* between looks at a record that somebody else is refreshing */
#define WAIT_MS   250 /* for the turn, before looking whether waiting is in vain */
#define TAKES_MAX 8   /* attempts to take the lease, each of which somebody else has won */

static int64_t steady(const walk_t *walk)
{
    return walk->env->clock->steady(walk->env->clock);
}

static int64_t wall(const walk_t *walk)
{
    return walk->env->clock->wall(walk->env->clock);
}

session_refresh refresh_due(walk_t *walk, session_t *session)
{
    int64_t now = wall(walk);
    if (now < session->retry_at)
        session_forgive(session, issuer_answered(walk));
    return session_refresh_at(session, now, &walk->rp->refresh);
}

/* Somebody else's work has to be looked at, or ours is done. *settled is false while a refresh is still
 * needed. */
static refresh_outcome judge(walk_t *walk, vault_record *record, const fault_t **fault, bool *settled)
{
    const server_settings *settings = walk->rp->settings;
    *settled = true;
    if (session_life_at(&record->session, wall(walk), settings->session_idle) != SESSION_LIVE) {
        *fault =
            fault_make(walk->pool, record->session.ended ? FAULT_SESSION_REVOKED : FAULT_SESSION_ENDED, NULL);
        return REFRESH_ENDED;
    }
    switch (refresh_due(walk, &record->session)) {
    case REFRESH_NONE:
        return REFRESH_DONE;
    case REFRESH_RESTING:
        return REFRESH_GOES_ON;
    case REFRESH_BLOCKED:
        *fault = fault_make(walk->pool, FAULT_REFRESH_PENDING, "the last try failed a moment ago");
        return REFRESH_FAILED;
    case REFRESH_DUE:
    case REFRESH_OVERDUE:
        break;
    }
    *settled = false;
    return REFRESH_GOES_ON;
}

/* Reads the record again and judges it. */
static refresh_outcome look_again(walk_t *walk, vault_record *record, const fault_t **fault, bool *settled)
{
    vault_record newer;
    *settled = true;
    switch (vault_load(&walk->vault, walk->pool, record->cookie, &newer)) {
    case VAULT_OK:
        *record = newer;
        return judge(walk, record, fault, settled);
    case VAULT_MISS:
        *fault = fault_make(walk->pool, FAULT_SESSION_ENDED, "ended during a refresh");
        return REFRESH_ENDED;
    case VAULT_FOREIGN:
    case VAULT_CLASH:
    case VAULT_LARGE:
    case VAULT_FULL:
    case VAULT_DOWN:
    case VAULT_BROKEN:
        break;
    }
    *fault = fault_make(walk->pool, FAULT_STORE_DOWN, "the store does not answer during a refresh");
    return REFRESH_FAILED;
}

/* A token that still works is no reason to refuse anything. */
static refresh_outcome soften(session_refresh due, refresh_outcome outcome)
{
    return due == REFRESH_DUE && outcome == REFRESH_FAILED ? REFRESH_GOES_ON : outcome;
}

static refresh_outcome too_late(walk_t *walk, const fault_t **fault)
{
    *fault = fault_make(walk->pool, FAULT_REFRESH_PENDING, "somebody else's refresh takes too long");
    return REFRESH_FAILED;
}

/* Has its holder had his time, as far as this process has watched? */
static bool is_abandoned(walk_t *walk, const vault_record *record)
{
    const session_lease *lease = &record->session.lease;
    shared_port *shared = walk->env->shared;
    uint64_t mark = 0;
    memcpy(&mark, lease->owner, sizeof mark);
    mark ^= lease->epoch;
    int64_t now = steady(walk);
    int64_t since = shared->unchanged_since(shared, record->key, mark, now);
    return now - since >= (int64_t)lease->seconds * 1000;
}

/* The lease is ours if the store says so, whatever the write had answered: DOWN may have written. */
static bool holds(const vault_record *record, const session_lease *lease)
{
    return session_is_leased(&record->session) && session_same_lease(&record->session.lease, lease);
}

/* Writes the lease and reads the record back, for its version and because only that tells who has won. */
static refresh_outcome take_lease(walk_t *walk, vault_record *record, const fault_t **fault, bool *settled,
                                  bool *held)
{
    unsigned char owner[SESSION_OWNER_LEN];
    *settled = true;
    *held = false;
    if (!walk->env->random->fill(walk->env->random, owner, sizeof owner)) {
        *fault = fault_make(walk->pool, FAULT_INTERNAL, "no random numbers");
        return REFRESH_FAILED;
    }
    session_take_lease(&record->session, owner, walk->rp->lease_seconds);
    const session_lease mine = record->session.lease;
    int64_t ttl = session_ttl(&record->session, wall(walk), walk->rp->settings->session_idle);
    (void)vault_swap(&walk->vault, walk->pool, record, ttl);
    refresh_outcome outcome = look_again(walk, record, fault, settled);
    *held = !*settled && holds(record, &mine);
    return outcome;
}

/* The provider is sick: no reason to take the lease, or to wait for anybody who tries. */
static bool is_vain(walk_t *walk, const fault_t **fault)
{
    const fault_t *why = issuer_rests(walk);
    if (why != NULL)
        *fault = fault_as(walk->pool, FAULT_REFRESH_PENDING, why);
    return why != NULL;
}

/* Somebody has the lease: looks at the record after a while, as long as there is patience. */
static refresh_outcome wait_for_holder(walk_t *walk, vault_record *record, int64_t patience,
                                       const fault_t **fault, bool *settled)
{
    *settled = true;
    if (is_vain(walk, fault))
        return REFRESH_FAILED;
    if (steady(walk) >= patience)
        return too_late(walk, fault);
    walk->env->clock->rest(walk->env->clock, LOOK_MS);
    return look_again(walk, record, fault, settled);
}

/* What the one thread of the process does that has the turn. Waits only when `patience` lies in the future.
 */
static refresh_outcome with_turn(walk_t *walk, int64_t patience, vault_record *record, const fault_t **fault)
{
    const provider_t *provider = NULL;
    bool settled = false, held = false;
    refresh_outcome outcome = REFRESH_GOES_ON;
    if (walk->vault.near != NULL) /* the record at hand may be a copy that is a moment old */
        outcome = look_again(walk, record, fault, &settled);
    for (int takes = 0; takes < TAKES_MAX && !settled;) {
        if (session_is_leased(&record->session) && !is_abandoned(walk, record)) {
            outcome = wait_for_holder(walk, record, patience, fault, &settled);
            continue;
        }
        int64_t began = steady(walk);
        *fault = issuer_provider(walk, &provider);
        if (*fault != NULL || is_vain(walk, fault))
            return REFRESH_FAILED;
        outcome = take_lease(walk, record, fault, &settled, &held);
        if (held)
            return exchange_run(walk, provider, record, began, fault);
        takes++;
    }
    return settled ? outcome : too_late(walk, fault);
}

/* `left`, but from 0 to `most`. */
static int64_t within(int64_t left, int64_t most)
{
    if (left < 0)
        return 0;
    return left < most ? left : most;
}

refresh_outcome refresh_run(walk_t *walk, session_refresh due, vault_record *record, const fault_t **fault)
{
    shared_port *shared = walk->env->shared;
    const char *turn = apr_pstrcat(walk->pool, "refresh ", record->key, NULL);
    int64_t waits = due == REFRESH_OVERDUE ? walk->rp->http_ms / WAIT_MS : 0;
    int64_t patience = steady(walk) + waits * WAIT_MS;
    for (;;) {
        bool settled;
        refresh_outcome outcome;
        int64_t left = patience - steady(walk);
        switch (shared->take_turn(shared, turn, within(left, WAIT_MS))) {
        case SHARED_MINE:
            outcome = with_turn(walk, patience, record, fault);
            shared->give_turn(shared, turn);
            if (outcome == REFRESH_DONE && walk->wants_userinfo)
                exchange_renew_claims(walk, record);
            return soften(due, outcome);
        case SHARED_PASSED:
            outcome = look_again(walk, record, fault, &settled);
            if (settled || due == REFRESH_DUE)
                return soften(due, outcome);
            break;
        case SHARED_LATE:
            if (is_vain(walk, fault))
                return soften(due, REFRESH_FAILED);
            if (left <= WAIT_MS || --waits <= 0) /* the port may also say so without having waited */
                return soften(due, too_late(walk, fault));
            break;
        }
    }
}
