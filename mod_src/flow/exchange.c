/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The holder's part of a refresh. From the moment the request is sent the old refresh token may be void, so
 * the answer is stored before anything else happens, over whatever else was written meanwhile, as long as the
 * lease is still ours. */

#include "flow/exchange.h"

#include "base/secret.h"
#include "flow/gather.h"
#include "flow/revoke.h"
#include "jose/jws.h"
#include "oidc/tokenreq.h"

#define REPEAT_MS      100 /* between attempts to store while the store is down */
#define TOMBSTONE_LIFE 300 /* seconds */

/* One exchange: what came of it, and what is to be written. */
typedef struct exchange {
    walk_t *walk;
    const provider_t *provider;
    vault_record *record;
    session_lease lease; /* ours */
    int64_t lease_ends;  /* steady milliseconds */
    int64_t retry_after; /* seconds, when the provider asked to wait; otherwise -1 */
    bool sent;           /* the refresh token may have been read */
    tokens_t tokens;
    bool has_idtoken; /* the new ID token is verified */
    bool has_claims;
    bool wants_userinfo; /* the tokens alone do not say all */
    claim_list claims;
} exchange_t;

static int64_t steady(const walk_t *walk)
{
    return walk->env->clock->steady(walk->env->clock);
}

static int64_t wall(const walk_t *walk)
{
    return walk->env->clock->wall(walk->env->clock);
}

static int64_t ttl_of(const exchange_t *exchange)
{
    return session_ttl(&exchange->record->session, wall(exchange->walk),
                       exchange->walk->rp->settings->session_idle);
}

static const fault_t *send_request(exchange_t *exchange)
{
    walk_t *walk = exchange->walk;
    client_t client = walk->rp->client;
    if (steady(walk) + walk->rp->http_ms > exchange->lease_ends)
        return fault_make(walk->pool, FAULT_REFRESH_PENDING, "the lease is nearly over, nothing was sent");
    const fault_t *fault = clientauth_choose(walk->pool, &client, exchange->provider, &client.method);
    if (fault != NULL)
        return fault;
    tokenreq_t form = tokenreq_refresh(walk->pool, &client, exchange->record->session.refresh_token);
    const http_request request = {.url = exchange->provider->token,
                                  .form = form.form,
                                  .authorization = form.authorization,
                                  .body_max = HTTP_BODY_MAX,
                                  .deadline_ms = walk->rp->http_ms};
    http_answer answer;
    fault = issuer_call(walk, &request, &answer);
    exchange->sent = answer.sent;
    if (fault != NULL)
        return fault;
    exchange->retry_after = answer.retry_after;
    const answer_t read = {answer.status, answer.content_type, answer.body};
    return tokenresp_read(walk->pool, &read, &exchange->tokens);
}

/* The ID token that the session has, as it was checked when it came. */
static const fault_t *recall_idtoken(exchange_t *exchange, idtoken_t *idtoken)
{
    apr_pool_t *pool = exchange->walk->pool;
    text_t payload;
    const fault_t *fault = jws_payload_of_our_own(pool, exchange->record->session.id_token, &payload);
    return fault != NULL ? fault : idtoken_recall(pool, payload, idtoken);
}

/* Verifies what came with the new tokens (Core 12.2). A provider that is out of reach for its keys is no
 * reason to lose the tokens: then the former ID token and claims stay. */
static const fault_t *verify(exchange_t *exchange)
{
    walk_t *walk = exchange->walk;
    idtoken_t before, after;
    exchange->wants_userinfo = walk->rp->plain_oauth;
    if (walk->rp->plain_oauth)
        return NULL;
    const fault_t *fault = recall_idtoken(exchange, &before);
    if (fault == NULL && exchange->tokens.id_token.len > 0) {
        fault = verify_idtoken(walk, exchange->provider, &exchange->tokens, (text_t){NULL, 0}, &after);
        if (fault == NULL)
            fault = idtoken_check_refreshed(walk->pool, &before, &after);
        exchange->has_idtoken = fault == NULL;
    }
    if (fault == NULL) {
        const gather_t from = {exchange->provider, &exchange->tokens,
                               exchange->has_idtoken ? &after : &before, true};
        fault = gather_claims(walk, &from, &exchange->claims);
        exchange->wants_userinfo = fault == NULL && gather_wants_userinfo(walk->rp, &exchange->claims);
        exchange->has_claims = fault == NULL && !exchange->wants_userinfo;
    }
    if (fault != NULL && fault_status(fault->code) == 503) {
        walk_note_fault(walk, NOTE_WARNING, "refresh: new claims could not be verified, the former ones stay",
                        fault);
        return NULL;
    }
    return fault;
}

/* Lays the new tokens over a record; `seen` stays as it is. */
static void apply(const exchange_t *exchange, session_t *session)
{
    const tokens_t *tokens = &exchange->tokens;
    int64_t now = wall(exchange->walk);
    int64_t lifetime =
        tokens->expires_in >= 0 ? tokens->expires_in : exchange->walk->rp->settings->token_lifetime;
    session->access_token = tokens->access_token;
    session->token_obtained = now;
    session->token_expires = now + lifetime;
    if (tokens->refresh_token.len > 0) {
        session->refresh_token = tokens->refresh_token;
        session->refresh_expires = 0;
    }
    if (tokens->refresh_expires_in > 0)
        session->refresh_expires = now + tokens->refresh_expires_in;
    if (exchange->has_idtoken)
        session->id_token = tokens->id_token;
    if (tokens->scope.at != NULL)
        session->scope = tokens->scope;
    if (exchange->has_claims)
        session->claims = exchange->claims;
    session->failures = 0;
    session->failed_at = 0;
    session->retry_at = 0;
    session_free_lease(session);
}

/* Reads the record anew for another attempt. OK: the lease is still ours. CLASH: somebody else has moved on.
 * MISS, DOWN. */
static vault_rc read_back(exchange_t *exchange)
{
    vault_record newer;
    vault_rc rc = vault_load(&exchange->walk->vault, exchange->walk->pool, exchange->record->cookie, &newer);
    if (rc != VAULT_OK)
        return rc == VAULT_MISS ? VAULT_MISS : VAULT_DOWN;
    *exchange->record = newer;
    if (newer.session.ended)
        return VAULT_MISS;
    return session_is_leased(&newer.session) && session_same_lease(&newer.session.lease, &exchange->lease)
               ? VAULT_OK
               : VAULT_CLASH;
}

/* A change of the record under our lease, repeated until it is stored or the lease is over. */
typedef void (*change_t)(const exchange_t *exchange, session_t *session);

static vault_rc store(exchange_t *exchange, change_t change)
{
    walk_t *walk = exchange->walk;
    for (;;) {
        vault_record changed = *exchange->record;
        change(exchange, &changed.session);
        int64_t ttl = changed.session.ended ? TOMBSTONE_LIFE : ttl_of(exchange);
        vault_rc rc = vault_swap(&walk->vault, walk->pool, &changed, ttl);
        if (rc == VAULT_OK) {
            *exchange->record = changed;
            return VAULT_OK;
        }
        if (rc == VAULT_LARGE || rc == VAULT_BROKEN || rc == VAULT_MISS)
            return rc;
        while ((rc = read_back(exchange)) == VAULT_DOWN && steady(walk) < exchange->lease_ends)
            walk->env->clock->rest(walk->env->clock, REPEAT_MS);
        if (rc == VAULT_CLASH &&
            text_equal(exchange->record->session.access_token, changed.session.access_token))
            return VAULT_OK; /* the write that answered DOWN had happened */
        if (rc != VAULT_OK || steady(walk) >= exchange->lease_ends)
            return rc == VAULT_OK ? VAULT_DOWN : rc;
    }
}

static void bury(const exchange_t *exchange, session_t *session)
{
    *session = (session_t){.ended = true,
                           .created = session->created,
                           .seen = session->seen,
                           .ends = session->ends,
                           .lease = session->lease};
    (void)exchange;
    session_free_lease(session);
}

/* The provider has ended the session, or sent somebody else's tokens. Not so when the record has moved on
 * meanwhile. */
static refresh_outcome end(exchange_t *exchange, const fault_t *why, const fault_t **fault)
{
    walk_t *walk = exchange->walk;
    *fault = fault_as(walk->pool, FAULT_SESSION_REVOKED, why);
    walk_note(walk, NOTE_NOTICE, "refresh: session=%s ended: reason=%s %s", exchange->record->tag,
              fault_word(why->code), why->detail != NULL ? why->detail : "");
    revoke_tokens(walk, exchange->provider, &exchange->tokens);
    vault_rc rc = read_back(exchange);
    if (rc == VAULT_OK)
        rc = store(exchange, bury);
    if (rc == VAULT_CLASH && session_life_at(&exchange->record->session, wall(walk),
                                             walk->rp->settings->session_idle) == SESSION_LIVE)
        return REFRESH_DONE;
    return REFRESH_ENDED;
}

/* A session rests when its own request was answered badly or got lost. Where nothing was sent, the http port
 * alone says when the provider may be asked again, so that nobody rests longer than the provider is away. */
static void give_up(const exchange_t *exchange, session_t *session)
{
    if (exchange->sent)
        session_refresh_failed(session, wall(exchange->walk), exchange->retry_after);
    session_free_lease(session);
}

/* A passing failure: the session stays, and the next try waits a while. */
static refresh_outcome fail(exchange_t *exchange, const fault_t *why, const fault_t **fault)
{
    walk_t *walk = exchange->walk;
    bool is_ours = why->code == FAULT_CLIENT_REFUSED;
    walk_note(walk, is_ours ? NOTE_ERROR : NOTE_WARNING, "refresh: session=%s failed for now: reason=%s %s",
              exchange->record->tag, fault_word(why->code), why->detail != NULL ? why->detail : "");
    (void)store(exchange, give_up);
    *fault = fault_as(walk->pool, FAULT_REFRESH_PENDING, why);
    if (exchange->retry_after > 0)
        walk->verdict->retry_after = exchange->retry_after;
    return REFRESH_FAILED;
}

static refresh_outcome keep(exchange_t *exchange, const fault_t **fault)
{
    walk_t *walk = exchange->walk;
    switch (store(exchange, apply)) {
    case VAULT_OK:
        walk_note(walk, NOTE_INFO, "refresh: session=%s token expires in %" APR_INT64_T_FMT " s",
                  exchange->record->tag, (apr_int64_t)(exchange->record->session.token_expires - wall(walk)));
        return REFRESH_DONE;
    case VAULT_CLASH:
        walk_note(walk, NOTE_WARNING,
                  "refresh: session=%s was taken over by another process, its tokens stay",
                  exchange->record->tag);
        return REFRESH_DONE;
    case VAULT_MISS:
        revoke_tokens(walk, exchange->provider, &exchange->tokens);
        *fault = fault_make(walk->pool, FAULT_SESSION_ENDED, "ended during a refresh");
        return REFRESH_ENDED;
    case VAULT_LARGE:
        return end(exchange, fault_make(walk->pool, FAULT_SESSION_TOO_LARGE, "after a refresh"), fault);
    case VAULT_FOREIGN:
    case VAULT_FULL:
    case VAULT_DOWN:
    case VAULT_BROKEN:
        break;
    }
    walk_note(walk, NOTE_ERROR, "refresh: session=%s new tokens could not be stored before the lease ended",
              exchange->record->tag);
    *fault = fault_make(walk->pool, FAULT_STORE_DOWN, "new tokens could not be stored");
    return REFRESH_FAILED;
}

/* Does the answer say that the session is over, rather than that something does not work for the time being?
 */
static bool is_final(fault_code code)
{
    static const fault_code final[] = {
        FAULT_GRANT_REFUSED,      FAULT_IDTOKEN_MALFORMED, FAULT_IDTOKEN_ALGORITHM, FAULT_IDTOKEN_KEY,
        FAULT_IDTOKEN_SIGNATURE,  FAULT_IDTOKEN_ISSUER,    FAULT_IDTOKEN_AUDIENCE,  FAULT_IDTOKEN_SUBJECT,
        FAULT_IDTOKEN_EXPIRED,    FAULT_IDTOKEN_NONCE,     FAULT_IDTOKEN_HASH,      FAULT_IDTOKEN_CLAIMS,
        FAULT_ACCESSTOKEN_REFUSED};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
        if (final[i] == code)
            return true;
    }
    return false;
}

refresh_outcome exchange_run(walk_t *walk, const provider_t *provider, vault_record *record, int64_t began,
                             const fault_t **fault)
{
    exchange_t exchange = {.walk = walk,
                           .provider = provider,
                           .record = record,
                           .lease = record->session.lease,
                           .lease_ends = began + (int64_t)walk->rp->lease_seconds * 1000,
                           .retry_after = -1};
    const fault_t *why = send_request(&exchange);
    if (why == NULL)
        why = verify(&exchange);
    if (why != NULL)
        return is_final(why->code) ? end(&exchange, why, fault) : fail(&exchange, why, fault);
    walk->wants_userinfo = exchange.wants_userinfo;
    return keep(&exchange, fault);
}

/* Stores claims over the record, unless somebody else has changed it: then the next refresh brings them. */
static void replace_claims(walk_t *walk, vault_record *record, const claim_list *claims)
{
    vault_record newer;
    if (vault_load(&walk->vault, walk->pool, record->cookie, &newer) != VAULT_OK ||
        !text_equal(newer.session.access_token, record->session.access_token))
        return;
    newer.session.claims = *claims;
    int64_t ttl = session_ttl(&newer.session, wall(walk), walk->rp->settings->session_idle);
    if (vault_swap(&walk->vault, walk->pool, &newer, ttl) == VAULT_OK)
        record->session.claims = *claims;
}

void exchange_renew_claims(walk_t *walk, vault_record *record)
{
    const tokens_t tokens = {.access_token = record->session.access_token};
    exchange_t exchange = {.walk = walk, .record = record};
    idtoken_t idtoken = {.claims = NULL};
    claim_list claims;
    gather_t from = {.tokens = &tokens, .idtoken = walk->rp->plain_oauth ? NULL : &idtoken};
    const fault_t *fault = issuer_provider(walk, &from.provider);
    if (fault == NULL && from.idtoken != NULL)
        fault = recall_idtoken(&exchange, &idtoken);
    if (fault == NULL)
        fault = gather_claims(walk, &from, &claims);
    if (fault == NULL) {
        replace_claims(walk, record, &claims);
        return;
    }
    walk_note_fault(walk, NOTE_WARNING, "refresh: userinfo was not usable, the former claims stay", fault);
    if (fault->code == FAULT_USERINFO_SUBJECT && vault_end(&walk->vault, record->cookie) != VAULT_DOWN)
        record->session.ended = true;
}
