/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The browser comes back. Cheap checks come first, then the state is used up, and only then is the code sent:
 * once, whatever the browser repeats. Nothing that a token says is believed before it is verified, and no
 * token is used before that. */

#include "flow/endpoints.h"

#include <string.h>

#include <apr_strings.h>

#include "base/cookie.h"
#include "base/secret.h"
#include "base/url.h"
#include "flow/gather.h"
#include "flow/loopguard.h"
#include "flow/reply.h"
#include "flow/revoke.h"
#include "flow/scopes.h"
#include "oidc/authzresp.h"
#include "oidc/tokenreq.h"
#include "session/sessionpack.h"

/* Seconds that a used state is remembered: as long as a ticket from a host whose clock is ahead may still
 * open. */
#define MARK_LIFE (2 * TICKET_LIFE + 60)

/* What is known of this login so far. */
typedef struct arrival {
    authzresp_t response;
    ticket_t ticket;
    const provider_t *provider;
    tokens_t tokens;
    idtoken_t idtoken;
    bool used; /* the state: there is no way back to the same ticket */
} arrival_t;

/* The ticket cookie of a state, if it came along. */
static const char *ticket_cookie(walk_t *walk, text_t state, text_t *value)
{
    const char *name = ticket_name(walk->pool, rp_ticket_prefix(walk->rp, walk->visit->https), state);
    if (name == NULL || cookie_find(walk->visit->cookies, text_of(name), value) != COOKIE_FOUND)
        return NULL;
    return name;
}

/* Refuses. The ticket goes, unless the fault is a passing one and the code was not sent: then a reload may
 * succeed. */
static verdict_t *refuse(walk_t *walk, const arrival_t *arrival, const fault_t *fault)
{
    text_t value;
    const char *name =
        arrival->response.state.len > 0 ? ticket_cookie(walk, arrival->response.state, &value) : NULL;
    if (name != NULL && (arrival->used || fault_status(fault->code) != 503))
        reply_expire(walk, name);
    if (arrival->provider != NULL)
        revoke_tokens(walk, arrival->provider, &arrival->tokens);
    return reply_fault(walk, fault);
}

static const fault_t *find_ticket(walk_t *walk, arrival_t *arrival)
{
    const ticket_desk desk = walk_desk(walk);
    text_t value;
    if (ticket_cookie(walk, arrival->response.state, &value) == NULL)
        return fault_make(walk->pool, FAULT_STATE_UNKNOWN,
                          "no ticket cookie for this state; redirect URI is %s",
                          walk_endpoint(walk, "callback"));
    const fault_t *fault = ticket_open(walk->pool, &desk, value, walk->now, &arrival->ticket);
    if (fault != NULL)
        return fault;
    if (!text_equal_secret(arrival->ticket.state, arrival->response.state))
        return fault_make(walk->pool, FAULT_STATE_UNKNOWN, "the ticket cookie belongs to another state");
    if (!text_equal(arrival->ticket.redirect_uri, text_of(walk_endpoint(walk, "callback"))))
        return fault_make(walk->pool, FAULT_CALLBACK_ORIGIN, "the login began with the redirect URI %s",
                          text_loggable(walk->pool, arrival->ticket.redirect_uri, 300));
    return NULL;
}

/* Everything that can be said before the code is sent. */
static const fault_t *check_response(walk_t *walk, arrival_t *arrival)
{
    const fault_t *fault = find_ticket(walk, arrival);
    if (fault == NULL)
        fault = issuer_provider(walk, &arrival->provider);
    if (fault == NULL)
        fault = authzresp_check_issuer(walk->pool, &arrival->response, arrival->provider);
    if (fault == NULL)
        fault = authzresp_error(walk->pool, &arrival->response);
    return fault;
}

static const fault_t *use_state(walk_t *walk, arrival_t *arrival)
{
    switch (vault_use_once(&walk->vault, "state", arrival->ticket.state, MARK_LIFE)) {
    case VAULT_OK:
        arrival->used = true;
        return NULL;
    case VAULT_CLASH:
        arrival->used = true;
        return fault_make(walk->pool, FAULT_STATE_USED, NULL);
    case VAULT_FULL:
        return fault_make(walk->pool, FAULT_STORE_FULL, NULL);
    case VAULT_DOWN:
    case VAULT_MISS:
    case VAULT_FOREIGN:
    case VAULT_LARGE:
        return fault_make(walk->pool, FAULT_STORE_DOWN, "the state could not be marked as used");
    case VAULT_BROKEN:
        break;
    }
    return fault_make(walk->pool, FAULT_INTERNAL, "the state could not be hashed");
}

static const fault_t *redeem_code(walk_t *walk, arrival_t *arrival)
{
    client_t client = walk->rp->client;
    const char *redirect_uri = text_string(walk->pool, arrival->ticket.redirect_uri);
    const fault_t *fault = clientauth_choose(walk->pool, &client, arrival->provider, &client.method);
    if (fault != NULL)
        return fault;
    tokenreq_t form =
        tokenreq_code(walk->pool, &client, arrival->response.code, redirect_uri, arrival->ticket.verifier);
    const http_request request = {.url = arrival->provider->token,
                                  .form = form.form,
                                  .authorization = form.authorization,
                                  .body_max = HTTP_BODY_MAX,
                                  .deadline_ms = walk->rp->http_ms};
    http_answer answer;
    fault = issuer_call(walk, &request, &answer);
    if (fault != NULL)
        return fault;
    if (answer.status == 429)
        walk->verdict->retry_after = answer.retry_after;
    const answer_t read = {answer.status, answer.content_type, answer.body};
    fault = tokenresp_read(walk->pool, &read, &arrival->tokens);
    if (fault == NULL && !walk->rp->plain_oauth && arrival->tokens.id_token.len == 0)
        fault = fault_make(walk->pool, FAULT_TOKEN_ANSWER, "id_token is missing");
    return fault;
}

static const fault_t *verify(walk_t *walk, arrival_t *arrival, claim_list *claims)
{
    const gather_t from = {arrival->provider, &arrival->tokens,
                           walk->rp->plain_oauth ? NULL : &arrival->idtoken, false};
    const fault_t *fault = NULL;
    if (!walk->rp->plain_oauth)
        fault = verify_idtoken(walk, arrival->provider, &arrival->tokens, arrival->ticket.nonce,
                               &arrival->idtoken);
    if (fault == NULL)
        fault = scopes_check(walk->rp, walk->pool, arrival->tokens.scope);
    if (fault == NULL)
        fault = gather_claims(walk, &from, claims);
    if (fault == NULL && gather_user(walk->rp, walk->env, walk->pool, claims) == NULL)
        fault = fault_make(walk->pool, FAULT_CLAIM_UNUSABLE, "SSOUser: the claim %s is missing or unusable",
                           walk->rp->settings->user.claim);
    return fault;
}

static const fault_t *create_failed(walk_t *walk, vault_rc rc, const session_t *session)
{
    switch (rc) {
    case VAULT_LARGE:
        return fault_make(walk->pool, FAULT_SESSION_TOO_LARGE, "biggest part: %s",
                          sessionpack_biggest(walk->pool, session));
    case VAULT_FULL:
        return fault_make(walk->pool, FAULT_STORE_FULL, "biggest part: %s",
                          sessionpack_biggest(walk->pool, session));
    case VAULT_BROKEN:
        return fault_make(walk->pool, FAULT_INTERNAL, "the session could not be sealed");
    case VAULT_OK:
        return NULL;
    case VAULT_MISS:
    case VAULT_FOREIGN:
    case VAULT_CLASH:
    case VAULT_DOWN:
        break;
    }
    return fault_make(walk->pool, FAULT_STORE_DOWN, "the session could not be stored");
}

static session_t new_session(const walk_t *walk, const arrival_t *arrival, const claim_list *claims)
{
    const server_settings *settings = walk->rp->settings;
    const tokens_t *tokens = &arrival->tokens;
    int64_t now = walk->env->clock->wall(walk->env->clock);
    int64_t lifetime = tokens->expires_in >= 0 ? tokens->expires_in : settings->token_lifetime;
    return (session_t){.created = now,
                       .seen = now,
                       .ends = now + settings->session_max,
                       .token_obtained = now,
                       .token_expires = now + lifetime,
                       .refresh_expires =
                           tokens->refresh_expires_in > 0 ? now + tokens->refresh_expires_in : 0,
                       .access_token = tokens->access_token,
                       .refresh_token = tokens->refresh_token,
                       .id_token = tokens->id_token,
                       .scope = tokens->scope,
                       .claims = *claims};
}

/* Stores the session and ends the one that this browser had before: a new identity always has a new cookie.
 */
static const fault_t *open_session(walk_t *walk, const arrival_t *arrival, const claim_list *claims,
                                   vault_record *record)
{
    text_t before;
    record->session = new_session(walk, arrival, claims);
    int64_t ttl = session_ttl(&record->session, record->session.created, walk->rp->settings->session_idle);
    const fault_t *fault =
        create_failed(walk, vault_create(&walk->vault, walk->pool, record, ttl), &record->session);
    if (fault == NULL && walk_cookie(walk, &before) && vault_end(&walk->vault, before) == VAULT_DOWN)
        walk_note(walk, NOTE_WARNING, "the browser's former session could not be ended");
    return fault;
}

/* SameSite=Strict cookies are not sent on a redirect that began on another site, so the browser goes on from
 * a page of ours. */
static verdict_t *land(walk_t *walk, text_t return_to)
{
    const page_t page = {.title = "Signed in",
                         .sentence = "You are signed in and will be taken to the application.",
                         .link = return_to,
                         .link_text = "Continue",
                         .at_once = true};
    const text_t parts[] = {text_of(walk->visit->base_url), return_to, {NULL, 0}};
    if (strcmp(walk->rp->settings->cookie.same_site, "Strict") == 0)
        return reply_page(walk, &page);
    return reply_redirect(walk, 303, text_join(walk->pool, parts));
}

static verdict_t *welcome(walk_t *walk, const arrival_t *arrival, const vault_record *record)
{
    const server_settings *settings = walk->rp->settings;
    text_t value;
    const char *name = ticket_cookie(walk, arrival->response.state, &value);
    if (name != NULL)
        reply_expire(walk, name);
    issuer_remember(walk);
    loopguard_count(walk);
    reply_cookie(walk, rp_cookie_name(walk->rp, walk->visit->https), record->cookie,
                 settings->cookie.persistent ? settings->session_max : -1);
    walk_note(walk, NOTE_INFO, "login: session=%s user=%s", record->tag,
              text_loggable(walk->pool,
                            text_of(gather_user(walk->rp, walk->env, walk->pool, &record->session.claims)),
                            200));
    return land(walk, arrival->ticket.return_to);
}

/* A second arrival with the same state: whoever has the session by now simply goes on. */
static verdict_t *arrive_again(walk_t *walk, const arrival_t *arrival, const fault_t *fault)
{
    vault_record record;
    text_t cookie, value;
    if (walk_cookie(walk, &cookie) && vault_load(&walk->vault, walk->pool, cookie, &record) == VAULT_OK &&
        session_life_at(&record.session, walk->now, walk->rp->settings->session_idle) == SESSION_LIVE) {
        const char *name = ticket_cookie(walk, arrival->response.state, &value);
        if (name != NULL)
            reply_expire(walk, name);
        return land(walk, arrival->ticket.return_to);
    }
    return refuse(walk, arrival, fault);
}

verdict_t *callback_endpoint(walk_t *walk)
{
    arrival_t arrival = {.used = false};
    vault_record record = {.version = 0};
    claim_list claims = {NULL, 0};
    reply_header(walk, "Referrer-Policy", "no-referrer");
    if (walk->visit->base_url == NULL)
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_HOST_UNKNOWN, "neither Host nor ServerName can be used"));
    if (url_parameter(walk->pool, walk->visit->query, "state", &arrival.response.state) != URL_FOUND)
        arrival.response.state = (text_t){NULL, 0};
    text_t state = arrival.response.state;
    const fault_t *fault = authzresp_read(walk->pool, walk->visit->query, &arrival.response);
    arrival.response.state = state;
    if (fault == NULL)
        fault = check_response(walk, &arrival);
    if (fault == NULL)
        fault = issuer_rests(walk); /* before the state is used up: a reload may succeed */
    if (fault == NULL)
        fault = use_state(walk, &arrival);
    if (fault != NULL && fault->code == FAULT_STATE_USED)
        return arrive_again(walk, &arrival, fault);
    if (fault == NULL)
        fault = redeem_code(walk, &arrival);
    if (fault == NULL)
        fault = verify(walk, &arrival, &claims);
    if (fault == NULL)
        fault = open_session(walk, &arrival, &claims, &record);
    return fault != NULL ? refuse(walk, &arrival, fault) : welcome(walk, &arrival, &record);
}
