/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A login step by step, so that a test can bend one of them. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/cookie.h"
#include "base/url.h"

#define WINDOW 8 /* bytes of a secret that nobody may see */

text_t journey_asked(const journey_t *journey, const char *name)
{
    text_t url = text_of(journey->url), value;
    assert_int_equal(
        url_parameter(journey->world->pool, text_from(url, text_find(url, '?') + 1), name, &value),
        URL_FOUND);
    return value;
}

/* The cookie of a verdict's line whose name begins like this: name and value. */
static const char *ticket_of(world_t *world, const verdict_t *verdict, text_t *value)
{
    const char *line = world_set_cookie(verdict, JOURNEY_TICKETS);
    for (int i = 0; line == NULL || strstr(line, "Max-Age=0") != NULL; i++) {
        assert_true(i < verdict->cookies->nelts);
        line = APR_ARRAY_IDX(verdict->cookies, i, const char *);
    }
    text_t rest = text_of(apr_pstrndup(world->pool, line, strcspn(line, ";"))), name;
    assert_true(text_cut(&rest, '=', &name));
    *value = rest;
    return text_string(world->pool, name);
}

journey_t journey_begin(world_t *world, const char *target, const char *cookies)
{
    visit_t visit = world_nav(world, target, cookies);
    verdict_t *verdict =
        gate_stranger(world->rp, &world->env, &visit, gate_admit(world->rp, &world->env, &visit));
    if (verdict->status != 302)
        fail_msg("no login: %d %s", verdict->status, verdict->fault ? fault_word(verdict->fault->code) : "-");
    journey_t journey = {.world = world,
                         .url = verdict->location,
                         .cookies = world_cookies_after(world->pool, cookies, verdict)};
    text_t value;
    ticket_t ticket;
    journey.ticket = ticket_of(world, verdict, &value);
    const walk_t walk = walk_begin(world->rp, &world->env, &visit);
    const ticket_desk desk = walk_desk(&walk);
    assert_no_fault(ticket_open(world->pool, &desk, value, walk.now, &ticket));
    journey.state = ticket.state;
    journey.nonce = ticket.nonce;
    journey.verifier = ticket.verifier;
    assert_texts(journey_asked(&journey, "state"), ticket.state, "the state of the ticket is asked for");
    fakestore_recount(&world->store);
    return journey;
}

const char *journey_consent(journey_t *journey)
{
    world_t *world = journey->world;
    const char *query = fakeop_authorize(&world->op, world->pool, journey->url).at;
    journey->code = apr_pstrndup(world->pool, query + 5, strcspn(query + 5, "&"));
    return query;
}

verdict_t *journey_return(const journey_t *journey, const char *query)
{
    world_t *world = journey->world;
    visit_t visit =
        world_nav(world, apr_pstrcat(world->pool, "/sso/callback?", query, NULL), journey->cookies);
    visit.fetch_site = TEXT("cross-site");
    return gate_endpoint(world->rp, &world->env, &visit);
}

verdict_t *journey_whole(journey_t *journey, world_t *world)
{
    *journey = journey_begin(world, "/app", NULL);
    return journey_return(journey, journey_consent(journey));
}

const fakeop_claim *journey_claims(const journey_t *journey, const char *name, const char *json)
{
    apr_pool_t *pool = journey->world->pool;
    fakeop_claim *claims = apr_pcalloc(pool, 3 * sizeof *claims);
    size_t count = 0;
    if (name == NULL || strcmp(name, "nonce") != 0)
        claims[count++] = (fakeop_claim){"nonce", apr_psprintf(pool, "\"%s\"", journey->nonce.at)};
    if (name != NULL)
        claims[count] = (fakeop_claim){name, json};
    return claims;
}

void journey_answer(const journey_t *journey, text_t idtoken, const char *more)
{
    const char *body =
        apr_psprintf(journey->world->pool,
                     "{\"access_token\":\"" JOURNEY_ACCESS "\",\"refresh_token\":\"" JOURNEY_REFRESH
                     "\",\"token_type\":\"Bearer\"%s%s%s%s}",
                     idtoken.at != NULL ? ",\"id_token\":\"" : "", idtoken.at != NULL ? idtoken.at : "",
                     idtoken.at != NULL ? "\"" : "", more);
    fakes_http_answer(&journey->world->http, "/token", 1, 200, NULL, body);
}

static bool shows(const char *where, size_t len, text_t part)
{
    return where != NULL && memmem(where, len, part.at, part.len) != NULL;
}

static bool verdict_shows(const verdict_t *verdict, text_t part)
{
    bool found = shows(verdict->body.at, verdict->body.len, part);
    if (verdict->fault != NULL && verdict->fault->detail != NULL)
        found = found || shows(verdict->fault->detail, strlen(verdict->fault->detail), part);
    for (int i = 0; verdict->notes != NULL && i < verdict->notes->nelts; i++) {
        const char *line = APR_ARRAY_IDX(verdict->notes, i, note_t).line;
        found = found || shows(line, strlen(line), part);
    }
    for (int i = 0; verdict->headers != NULL && i < verdict->headers->nelts; i++) {
        const char *text = APR_ARRAY_IDX(verdict->headers, i, const char *);
        found = found || shows(text, strlen(text), part);
    }
    return found;
}

void journey_clean(const verdict_t *verdict, text_t secret, const char *why)
{
    size_t window = secret.len < WINDOW ? secret.len : WINDOW;
    for (size_t i = 0; i + window <= secret.len && secret.len > 0; i++)
        assert_case(!verdict_shows(verdict, (text_t){secret.at + i, window}), why);
}

/* All that this login knows. */
static void clean_of_all(const journey_t *journey, const verdict_t *verdict, const char *why)
{
    text_t rest = text_of(journey->cookies), name, value;
    const text_t secrets[] = {journey->state,         journey->nonce,       journey->verifier,
                              text_of(journey->code), TEXT(JOURNEY_ACCESS), TEXT(JOURNEY_REFRESH)};
    for (size_t i = 0; i < COUNT(secrets); i++)
        journey_clean(verdict, secrets[i], why);
    assert_case(!verdict_shows(verdict, TEXT(WORLD_SECRET)),
                why); /* whole, since it is made of plain words */
    while (cookie_next(&rest, &name, &value)) {
        if (text_starts(name, TEXT(WORLD_COOKIE)))
            journey_clean(verdict, value, why);
    }
}

void journey_refused(const journey_t *journey, const verdict_t *verdict, fault_code code, const char *why)
{
    if (verdict->fault == NULL || verdict->fault->code != code)
        fail_msg("%s: got %s (%s), expected %s", why,
                 verdict->fault != NULL ? fault_word(verdict->fault->code) : "no fault",
                 verdict->fault != NULL && verdict->fault->detail != NULL ? verdict->fault->detail : "-",
                 fault_word(code));
    assert_case(verdict->kind == VERDICT_ANSWER && verdict->status == fault_status(code), why);
    assert_case(verdict->location == NULL && verdict->identity == NULL, why);
    assert_case(world_set_cookie(verdict, WORLD_COOKIE "=") == NULL, why);
    assert_case((verdict->retry_after >= 0) == (verdict->status == 503), why);
    assert_case(verdict->incident != NULL && strlen(verdict->incident) == 12, why);
    assert_case(journey->world->store.calls[FAKESTORE_ADD] <= 1,
                why); /* the state at most, never a session */
    clean_of_all(journey, verdict, why);
}

void journey_welcomed(const journey_t *journey, const verdict_t *verdict, const char *target)
{
    vault_record record;
    if (verdict->fault != NULL)
        fail_msg("%s %s", fault_word(verdict->fault->code),
                 verdict->fault->detail ? verdict->fault->detail : "");
    assert_int_equal(verdict->status, 303);
    assert_string_equal(verdict->location, apr_pstrcat(journey->world->pool, WORLD_BASE, target, NULL));
    const char *gone = world_set_cookie(verdict, journey->ticket);
    assert_non_null(gone);
    assert_non_null(strstr(gone, "Max-Age=0"));
    const char *line = world_set_cookie(verdict, WORLD_COOKIE "=");
    assert_non_null(line);
    const char *cookie = apr_pstrndup(journey->world->pool, line, strcspn(line, ";"));
    assert_int_equal(world_load(journey->world, cookie, &record), VAULT_OK);
    journey_clean(verdict, record.cookie, "the new cookie stands in its Set-Cookie line alone");
    clean_of_all(journey, verdict, "success");
}

unsigned journey_calls(const world_t *world, const char *suffix)
{
    unsigned calls = 0;
    for (int i = 0; i < world->http.sent->nelts; i++) {
        text_t url = text_of(APR_ARRAY_IDX(world->http.sent, i, fakes_sent).url);
        calls += text_ends(url, text_of(suffix));
    }
    return calls;
}
