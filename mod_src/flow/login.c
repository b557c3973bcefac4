/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The way to the provider. Nothing is written into the store: all that the callback needs travels in a sealed
 * cookie. */

#include "flow/endpoints.h"

#include <string.h>

#include <apr_strings.h>

#include "base/cookie.h"
#include "base/url.h"
#include "flow/issuer.h"
#include "flow/loopguard.h"
#include "flow/reply.h"
#include "flow/returnurl.h"
#include "oidc/authzreq.h"

/* A ticket cookie that came along. */
typedef struct carried {
    const char *name;
    size_t size;
    int64_t born; /* 0: does not open any more */
} carried_t;

static size_t collect_tickets(walk_t *walk, carried_t *tickets, size_t room)
{
    text_t rest = walk->visit->cookies, name, value;
    text_t prefix = text_of(rp_ticket_prefix(walk->rp, walk->visit->https));
    const ticket_desk desk = walk_desk(walk);
    size_t count = 0;
    while (count < room && cookie_next(&rest, &name, &value)) {
        ticket_t ticket;
        if (!text_starts(name, prefix) || text_equal(name, text_of(loopguard_cookie(walk))))
            continue;
        bool opens = ticket_open(walk->pool, &desk, value, walk->now, &ticket) == NULL;
        tickets[count++] =
            (carried_t){text_string(walk->pool, name), name.len + value.len, opens ? ticket.born : 0};
    }
    return count;
}

/* Expires the oldest tickets until the new one fits, those that do not open first: too many cookies make
 * every later request fail. Otherwise what does not open is left alone; it may be another site's on the same
 * host. */
static void make_room(walk_t *walk, size_t size)
{
    carried_t tickets[COOKIE_PAIRS_MAX];
    size_t count = collect_tickets(walk, tickets, COOKIE_PAIRS_MAX);
    size_t bytes = size, kept = 1;
    for (size_t i = 0; i < count; i++) {
        bytes += tickets[i].size;
        kept++;
    }
    while (count > 0) {
        size_t oldest = 0;
        for (size_t i = 1; i < count; i++) {
            if (tickets[i].born < tickets[oldest].born)
                oldest = i;
        }
        if (kept <= TICKET_COUNT_MAX && bytes <= TICKET_BYTES_MAX)
            return;
        if (tickets[oldest].name != NULL)
            reply_expire(walk, tickets[oldest].name);
        bytes -= tickets[oldest].size;
        kept--;
        tickets[oldest] = tickets[--count];
    }
}

static const fault_t *hand_out_ticket(walk_t *walk, const ticket_t *ticket)
{
    const ticket_desk desk = walk_desk(walk);
    text_t value;
    const fault_t *fault = ticket_seal(walk->pool, &desk, ticket, &value);
    if (fault != NULL)
        return fault;
    const char *name = ticket_name(walk->pool, rp_ticket_prefix(walk->rp, walk->visit->https), ticket->state);
    if (name == NULL)
        return fault_make(walk->pool, FAULT_INTERNAL, "the hash failed");
    make_room(walk, strlen(name) + value.len);
    reply_cookie(walk, name, value, TICKET_LIFE);
    return NULL;
}

/* The administrator's parameters, and login_hint when there is one; his own login_hint wins, since a
 * parameter may stand only once (RFC 6749 section 3.1). */
static const url_pair *extra_pairs(walk_t *walk, text_t hint, size_t *count)
{
    const apr_array_header_t *given = walk->rp->settings->auth_params;
    size_t some = given != NULL ? (size_t)given->nelts : 0;
    url_pair *pairs = apr_pcalloc(walk->pool, (some + 1) * sizeof *pairs);
    bool hinted = false;
    if (some > 0)
        memcpy(pairs, given->elts, some * sizeof *pairs);
    for (size_t i = 0; i < some; i++)
        hinted = hinted || text_equal(pairs[i].name, TEXT("login_hint"));
    if (hint.len > 0 && !hinted)
        pairs[some++] = (url_pair){TEXT("login_hint"), hint};
    *count = some;
    return pairs;
}

static const fault_t *make_request(walk_t *walk, const ticket_t *ticket, text_t hint, text_t *url)
{
    const rp_t *rp = walk->rp;
    const provider_t *provider = NULL;
    const fault_t *fault = issuer_provider(walk, &provider);
    if (fault != NULL)
        return fault;
    if (provider->authorization == NULL || provider->token == NULL)
        return fault_make(walk->pool, FAULT_PROVIDER_UNSUITABLE, "no %s endpoint; see SSOEndpoint",
                          provider->token == NULL ? "token" : "authorization");
    if (provider->refuses_s256)
        return fault_make(walk->pool, FAULT_PROVIDER_UNSUITABLE,
                          "the provider does not offer PKCE with S256");
    authzreq_t request = {.endpoint = provider->authorization,
                          .client_id = rp->settings->client_id,
                          .redirect_uri = text_string(walk->pool, ticket->redirect_uri),
                          .scopes = rp->settings->scopes,
                          .state = ticket->state,
                          .verifier = ticket->verifier};
    if (!rp->plain_oauth)
        request.nonce = ticket->nonce;
    request.extra = extra_pairs(walk, hint, &request.extra_count);
    return authzreq_make(walk->pool, &request, url);
}

verdict_t *login_start(walk_t *walk, text_t return_to, text_t hint)
{
    ticket_t ticket = {.born = walk->now, .return_to = return_to};
    text_t url;
    const fault_t *fault = NULL;
    if (walk->visit->base_url == NULL)
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_HOST_UNKNOWN, "neither Host nor ServerName can be used"));
    if (loopguard_is_closed(walk))
        return reply_fault(walk,
                           fault_make(walk->pool, FAULT_LOGIN_LOOP, "the session cookie did not come back"));
    ticket.redirect_uri = text_of(walk_endpoint(walk, "callback"));
    fault = ticket_draw(walk->pool, walk->env->random, &ticket);
    if (fault == NULL)
        fault = make_request(walk, &ticket, hint, &url);
    if (fault == NULL)
        fault = hand_out_ticket(walk, &ticket);
    return fault != NULL ? reply_fault(walk, fault) : reply_redirect(walk, 302, url);
}

verdict_t *login_endpoint(walk_t *walk)
{
    text_t query = walk->visit->query, target = {NULL, 0}, iss, hint = {NULL, 0}, path = TEXT("/");
    url_rc asked = url_parameter(walk->pool, query, "return", &target);
    url_rc linked =
        asked == URL_ABSENT ? url_parameter(walk->pool, query, "target_link_uri", &target) : URL_ABSENT;
    url_rc named = url_parameter(walk->pool, query, "iss", &iss);
    if (!walk_is_navigation(walk))
        return reply_fault(walk, fault_make(walk->pool, FAULT_LOGIN_REQUIRED, NULL));
    if (walk->visit->base_url == NULL)
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_HOST_UNKNOWN, "neither Host nor ServerName can be used"));
    if (named == URL_REFUSED || (named == URL_FOUND && !text_equal(iss, text_of(walk->rp->settings->issuer))))
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_ISSUER_MISMATCH, "login for another issuer was asked for"));
    bool refused = asked == URL_REFUSED || linked == URL_REFUSED;
    bool there = asked == URL_FOUND || linked == URL_FOUND;
    if (refused || (there && !returnurl_is_local(walk->rp, walk->visit, target, &path)) ||
        path.len > TICKET_RETURN_MAX)
        return reply_fault(walk, fault_make(walk->pool, FAULT_TARGET_REFUSED, "return=%s",
                                            text_loggable(walk->pool, target, 200)));
    if (url_parameter(walk->pool, query, "login_hint", &hint) != URL_FOUND || hint.len > 255)
        hint = (text_t){NULL, 0};
    return login_start(walk, path, hint);
}
