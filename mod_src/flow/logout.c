/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The way out: first the session is gone, then the browser is told, then the provider. Another site may link
 * here, but only a person who sees our page can be signed out by it. The way back from the provider leads
 * here too, without a session, and on to the target. */

#include "flow/endpoints.h"

#include <apr_strings.h>

#include "base/cookie.h"
#include "base/url.h"
#include "flow/loopguard.h"
#include "flow/reply.h"
#include "flow/returnurl.h"
#include "flow/revoke.h"
#include "oidc/endsession.h"

/* Did the user ask for it on a page of this site, or by himself? */
static bool is_own_wish(const walk_t *walk)
{
    const visit_t *visit = walk->visit;
    url_t own, from;
    if (visit->fetch_site.len > 0)
        return text_equal(visit->fetch_site, TEXT("same-origin")) ||
               text_equal(visit->fetch_site, TEXT("none")) ||
               text_equal(visit->fetch_site, TEXT("same-site"));
    text_t source = visit->origin.len > 0 ? visit->origin : visit->referer;
    if (source.len == 0)
        return visit->method == METHOD_POST || walk_is_navigation(walk);
    return url_read(walk->pool, text_of(visit->base_url), &own) && url_read(walk->pool, source, &from) &&
           url_same_origin(&own, &from);
}

static const char *wish_cookie(const walk_t *walk)
{
    return apr_pstrcat(walk->pool, rp_ticket_prefix(walk->rp, walk->visit->https), "after-logout", NULL);
}

static verdict_t *land(walk_t *walk, text_t url)
{
    const page_t page = {.title = "Signed out",
                         .sentence = "You are signed out.",
                         .link = text_of(walk->visit->base_url),
                         .link_text = "Back to the start"};
    return url.len > 0 ? reply_redirect(walk, 303, url) : reply_page(walk, &page);
}

/* The target of SSOLogoutURL as an absolute URL; empty: our page. */
static text_t usual_target(const walk_t *walk)
{
    const char *target = walk->rp->settings->logout_url;
    if (target == NULL)
        return (text_t){NULL, 0};
    return text_of(target[0] == '/' ? apr_pstrcat(walk->pool, walk->visit->base_url, target, NULL) : target);
}

/* Nobody is signed in: the way back from the provider, or a bookmark. */
static verdict_t *arrive(walk_t *walk, text_t asked)
{
    const ticket_desk desk = walk_desk(walk);
    text_t value, state, target = asked.len > 0 ? asked : usual_target(walk);
    ticket_t ticket;
    if (cookie_find(walk->visit->cookies, text_of(wish_cookie(walk)), &value) == COOKIE_FOUND) {
        reply_expire(walk, wish_cookie(walk));
        if (url_parameter(walk->pool, walk->visit->query, "state", &state) == URL_FOUND &&
            ticket_open(walk->pool, &desk, value, walk->now, &ticket) == NULL &&
            text_equal_secret(state, ticket.state))
            target = ticket.return_to;
    }
    return land(walk, target);
}

/* A session cookie that came twice, or cannot be ours, does not stay in a browser that is told "signed out".
 */
static void drop_unusable(walk_t *walk)
{
    text_t value;
    const char *name = rp_cookie_name(walk->rp, walk->visit->https);
    if (cookie_find(walk->visit->cookies, text_of(name), &value) != COOKIE_ABSENT)
        reply_expire(walk, name);
}

/* Remembers the wished target while the browser is at the provider. */
static const fault_t *remember_wish(walk_t *walk, text_t asked, ticket_t *ticket)
{
    const ticket_desk desk = walk_desk(walk);
    text_t value;
    *ticket = (ticket_t){.born = walk->now, .redirect_uri = TEXT("-"), .return_to = asked};
    const fault_t *fault = ticket_draw(walk->pool, walk->env->random, ticket);
    if (fault == NULL && asked.len > 0) {
        fault = ticket_seal(walk->pool, &desk, ticket, &value);
        if (fault == NULL)
            reply_cookie(walk, wish_cookie(walk), value, TICKET_LIFE);
    }
    return fault;
}

/* The session is gone; tells the provider, which the browser visits when it offers that. */
static verdict_t *leave(walk_t *walk, const session_t *session, text_t asked)
{
    const provider_t *provider = NULL;
    ticket_t ticket;
    const fault_t *fault = issuer_provider(walk, &provider);
    if (fault != NULL) {
        walk_note_fault(walk, NOTE_WARNING, "logout: the provider could not be told", fault);
        return land(walk, asked.len > 0 ? asked : usual_target(walk));
    }
    const tokens_t tokens = {.access_token = session->access_token, .refresh_token = session->refresh_token};
    revoke_tokens(walk, provider, &tokens);
    if (provider->end_session == NULL || remember_wish(walk, asked, &ticket) != NULL)
        return land(walk, asked.len > 0 ? asked : usual_target(walk));
    const endsession_t request = {.endpoint = provider->end_session,
                                  .client_id = walk->rp->settings->client_id,
                                  .id_token = session->id_token,
                                  .post_logout_redirect_uri = walk_endpoint(walk, "logout"),
                                  .state = ticket.state};
    return reply_redirect(walk, 303, endsession_make(walk->pool, &request));
}

static verdict_t *end_session(walk_t *walk, text_t cookie, text_t asked)
{
    vault_record record;
    const char *name = rp_cookie_name(walk->rp, walk->visit->https);
    vault_rc loaded = vault_load(&walk->vault, walk->pool, cookie, &record);
    vault_rc ended = loaded == VAULT_OK || loaded == VAULT_FOREIGN ? vault_end(&walk->vault, cookie) : loaded;
    reply_expire(walk, name);
    loopguard_forget(walk);
    if (ended == VAULT_DOWN || ended == VAULT_BROKEN)
        return reply_fault(walk, fault_make(walk->pool, FAULT_LOGOUT_INCOMPLETE, "session=%s", record.tag));
    if (loaded != VAULT_OK || record.session.ended)
        return arrive(walk, asked);
    walk_note(walk, NOTE_INFO, "logout: session=%s", record.tag);
    return leave(walk, &record.session, asked);
}

/* Somebody else sent the browser here: the person decides. A link is enough, since our page cannot be framed.
 */
static verdict_t *ask(walk_t *walk)
{
    const text_t query[] = {TEXT("?"), walk->visit->query, {NULL, 0}};
    const text_t parts[] = {text_of(walk_endpoint(walk, "logout")),
                            walk->visit->query.len > 0 ? text_join(walk->pool, query) : TEXT(""),
                            {NULL, 0}};
    const page_t page = {.title = "Sign out?",
                         .sentence = "Do you want to sign out?",
                         .link = text_join(walk->pool, parts),
                         .link_text = "Sign out"};
    if (!walk_is_navigation(walk))
        return reply_fault(walk, fault_make(walk->pool, FAULT_CROSS_SITE, NULL));
    return reply_page(walk, &page);
}

verdict_t *logout_endpoint(walk_t *walk)
{
    text_t cookie, asked = {NULL, 0}, url = {NULL, 0};
    if (walk->visit->base_url == NULL)
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_HOST_UNKNOWN, "neither Host nor ServerName can be used"));
    url_rc found = url_parameter(walk->pool, walk->visit->query, "return", &asked);
    if (found == URL_REFUSED ||
        (found == URL_FOUND &&
         (asked.len > TICKET_RETURN_MAX || !returnurl_after_logout(walk->rp, walk->visit, asked, &url))))
        return reply_fault(walk, fault_make(walk->pool, FAULT_TARGET_REFUSED, "return=%s",
                                            text_loggable(walk->pool, asked, 200)));
    if (!walk_cookie(walk, &cookie)) {
        drop_unusable(walk);
        return arrive(walk, url);
    }
    return is_own_wish(walk) ? end_session(walk, cookie, url) : ask(walk);
}
