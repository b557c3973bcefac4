/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The hot path: cookie, one look into the store, is it live, is a refresh due, who is it. No JSON, no
 * signatures, no call to the provider unless a token is due. Everything that cannot be answered for certain
 * is refused, never guessed. */

#include "flow/admit.h"

#include <apr_strings.h>

#include "base/cookie.h"
#include "flow/ahead.h"
#include "flow/gather.h"
#include "flow/refresh.h"
#include "flow/reply.h"
#include "flow/scopes.h"

/* Nobody, and why, where there is something to say. */
static verdict_t *stranger(walk_t *walk, const fault_t *fault)
{
    walk->verdict->kind = VERDICT_STRANGER;
    walk->verdict->fault = fault;
    return walk->verdict;
}

static verdict_t *known(walk_t *walk, const vault_record *record)
{
    const session_t *session = &record->session;
    const fault_t *fault = session->scope.len > 0 ? scopes_check(walk->rp, walk->pool, session->scope) : NULL;
    if (fault != NULL)
        return reply_fault(walk, fault);
    identity_t *identity = apr_palloc(walk->pool, sizeof *identity);
    bool over = session->token_expires > 0 && walk->now >= session->token_expires;
    *identity = (identity_t){.user = gather_user(walk->rp, walk->env, walk->pool, &session->claims),
                             .claims = session->claims,
                             .access_token = over ? (text_t){NULL, 0} : session->access_token,
                             .id_token = session->id_token,
                             .tag = apr_pstrdup(walk->pool, record->tag)};
    if (identity->user == NULL)
        return reply_fault(walk, fault_make(walk->pool, FAULT_CLAIM_UNUSABLE,
                                            "SSOUser: the claim %s is missing or unusable",
                                            walk->rp->settings->user.claim));
    walk->verdict->kind = VERDICT_KNOWN;
    walk->verdict->identity = identity;
    return walk->verdict;
}

/* Writes the activity down. Losing a race for it does not matter: whoever won has written a newer record. */
static bool slide(walk_t *walk, vault_record *record)
{
    int64_t ttl = session_ttl(&record->session, walk->now, walk->rp->settings->session_idle);
    vault_rc rc = vault_swap(&walk->vault, walk->pool, record, ttl);
    if (rc == VAULT_DOWN || rc == VAULT_FULL || rc == VAULT_BROKEN)
        walk_note(walk, NOTE_WARNING, "session=%s activity could not be noted", record->tag);
    return rc != VAULT_MISS;
}

/* It is over: by time, or because somebody has ended it. */
static verdict_t *over(walk_t *walk, const vault_record *record)
{
    if (record->session.ended)
        return stranger(walk, fault_make(walk->pool, FAULT_SESSION_REVOKED, NULL));
    (void)vault_end(&walk->vault, record->cookie);
    return stranger(walk, fault_make(walk->pool, FAULT_SESSION_ENDED, NULL));
}

/* Renews the token in this request. NULL: go on, with a record that may be newer. */
static verdict_t *renew(walk_t *walk, session_refresh due, vault_record *record)
{
    const fault_t *fault = NULL;
    refresh_outcome outcome = refresh_run(walk, due, record, &fault);
    if (outcome == REFRESH_FAILED)
        return reply_fault(walk, fault);
    if (outcome == REFRESH_ENDED || record->session.ended)
        return stranger(walk, fault);
    walk->now = walk->env->clock->wall(walk->env->clock);
    return NULL;
}

/* The record is there; *record may be replaced by a newer one. */
static verdict_t *admit_record(walk_t *walk, vault_record *record)
{
    int64_t idle = walk->rp->settings->session_idle;
    verdict_t *verdict = NULL;
    if (session_life_at(&record->session, walk->now, idle) != SESSION_LIVE)
        return over(walk, record);
    bool slides = walk->visit->place->slide && session_slide_due(&record->session, walk->now, idle);
    if (slides)
        record->session.seen = walk->now;
    session_refresh due = refresh_due(walk, &record->session);
    if (due == REFRESH_BLOCKED)
        return reply_fault(walk, fault_make(walk->pool, FAULT_REFRESH_PENDING, "session=%s", record->tag));
    if (due == REFRESH_OVERDUE || (due == REFRESH_DUE && !ahead_submit(walk, record)))
        verdict = renew(walk, due, record);
    else if (slides && !slide(walk, record))
        verdict = stranger(walk, fault_make(walk->pool, FAULT_SESSION_ENDED, NULL));
    return verdict != NULL ? verdict : known(walk, record);
}

/* Looks the session up. What a copy says against a session is asked again of the store before it counts. */
static vault_rc look_up(const walk_t *walk, text_t cookie, vault_record *record)
{
    vault_rc rc = vault_glance(&walk->vault, walk->pool, cookie, record);
    bool fine = rc == VAULT_OK && session_life_at(&record->session, walk->now,
                                                  walk->rp->settings->session_idle) == SESSION_LIVE;
    bool certain = walk->vault.near == NULL || (rc != VAULT_OK && rc != VAULT_FOREIGN);
    return fine || certain ? rc : vault_load(&walk->vault, walk->pool, cookie, record);
}

verdict_t *admit_visitor(walk_t *walk)
{
    const char *name = rp_cookie_name(walk->rp, walk->visit->https);
    vault_record *record = apr_palloc(walk->pool, sizeof *record);
    text_t cookie;
    cookie_rc found = cookie_find(walk->visit->cookies, text_of(name), &cookie);
    if (found == COOKIE_TWICE) {
        walk_note(walk, NOTE_WARNING, "the session cookie came twice, neither is trusted");
        reply_expire(walk, name);
    }
    if (found != COOKIE_FOUND || !vault_is_cookie(cookie))
        return stranger(walk, NULL);
    switch (look_up(walk, cookie, record)) {
    case VAULT_OK:
        return admit_record(walk, record);
    case VAULT_MISS:
        return stranger(walk, fault_make(walk->pool, FAULT_SESSION_ENDED, NULL));
    case VAULT_FOREIGN:
        walk_note(walk, NOTE_ERROR,
                  "reason=store_foreign session=%s the stored record does not open and is dropped",
                  record->tag);
        (void)vault_end(&walk->vault, cookie);
        return stranger(walk, fault_make(walk->pool, FAULT_STORE_FOREIGN, NULL));
    case VAULT_BROKEN:
        return reply_fault(walk,
                           fault_make(walk->pool, FAULT_INTERNAL, "the session could not be looked up"));
    case VAULT_CLASH:
    case VAULT_LARGE:
    case VAULT_FULL:
    case VAULT_DOWN:
        break;
    }
    return reply_fault(walk, fault_make(walk->pool, FAULT_STORE_DOWN, "session=%s", record->tag));
}
