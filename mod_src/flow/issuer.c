/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Metadata and keys of the provider. A snapshot is immutable and replaced whole; one thread of the process
 * fetches while others go on with the old one or, where there is none, wait for it. What was fetched last is
 * kept sealed in the store, so that a restart during an outage of the provider does not hurt. A fetch at
 * start was rejected: httpd must start without the provider. */

#include "flow/issuer.h"

#include <string.h>

#include <apr_strings.h>

#define FRESH_SECONDS 3600            /* metadata and keys are fetched anew after this */
#define STALE_SECONDS (24 * 3600)     /* and not used any more after this */
#define KEEP_SECONDS  (7 * 24 * 3600) /* in the store */
#define RETRY_MS      1000            /* between fetches that fail */
#define RENEW_MS      60000           /* between fetches because of an unknown key */

/* A document as it was fetched, with what was read from it. */
typedef struct snapshot {
    int64_t fetched; /* steady milliseconds */
    bool from_store;
    text_t document;
    provider_t provider;
    const jwks_t *keys;
} snapshot_t;

/* Which document, where from, and how to read it into a snapshot. */
typedef struct subject {
    const char *name; /* in the shared port and the store */
    const char *url;
    const fault_t *(*read)(walk_t *walk, apr_pool_t *pool, text_t document, snapshot_t *into);
} subject_t;

const fault_t *issuer_call(walk_t *walk, const http_request *request, http_answer *answer)
{
    const char *problem = "";
    switch (walk->env->http->call(walk->env->http, request, walk->pool, answer, &problem)) {
    case HTTP_ANSWERED:
        return NULL;
    case HTTP_UNTRUSTED:
        return fault_make(walk->pool, FAULT_PROVIDER_TLS, "%s: %s", request->url, problem);
    case HTTP_BUSY:
        return fault_make(walk->pool, FAULT_PROVIDER_BUSY, "%s: %s", request->url, problem);
    case HTTP_TOO_LARGE:
        return fault_make(walk->pool, FAULT_TOKEN_ANSWER, "%s: %s", request->url, problem);
    case HTTP_UNREACHABLE:
    case HTTP_RESTING:
    case HTTP_BROKEN:
    case HTTP_REFUSED:
        break;
    }
    return fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s: %s", request->url, problem);
}

static const fault_t *read_metadata(walk_t *walk, apr_pool_t *pool, text_t document, snapshot_t *into)
{
    return provider_read(pool, document, walk->rp->settings->issuer, &into->provider);
}

static const fault_t *read_keys(walk_t *walk, apr_pool_t *pool, text_t document, snapshot_t *into)
{
    jwks_t *keys = NULL;
    const fault_t *fault = jwks_read(pool, document, &keys);
    /* No warning: keys for encryption, which many providers publish, are passed over as well. */
    if (fault == NULL && keys->skipped > 0)
        walk_note(walk, NOTE_NOTICE,
                  "key set: %" APR_SIZE_T_FMT " keys passed over, the last one because: %s", keys->skipped,
                  keys->reason);
    into->keys = keys;
    return fault;
}

/* The document over HTTP, in the walk's pool. */
static const fault_t *fetch(walk_t *walk, const subject_t *subject, text_t *document)
{
    const http_request request = {
        .url = subject->url, .body_max = PROVIDER_DOCUMENT_MAX, .deadline_ms = walk->rp->http_ms};
    http_answer answer;
    const fault_t *fault = issuer_call(walk, &request, &answer);
    if (fault != NULL)
        return fault->code == FAULT_TOKEN_ANSWER ? fault_as(walk->pool, FAULT_METADATA_INVALID, fault)
                                                 : fault;
    if (answer.status >= 500 || answer.status == 429)
        return fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s answered %d", subject->url, answer.status);
    if (answer.status != 200)
        return fault_make(walk->pool, FAULT_METADATA_INVALID, "%s answered %d", subject->url, answer.status);
    *document = answer.body;
    return NULL;
}

/* Makes a snapshot of a document and publishes it. */
static const fault_t *publish(walk_t *walk, const subject_t *subject, text_t document, bool from_store)
{
    shared_port *shared = walk->env->shared;
    apr_pool_t *draft = shared->draft(shared);
    snapshot_t *made = apr_pcalloc(draft, sizeof *made);
    made->document = text_copy(draft, document);
    const fault_t *fault = subject->read(walk, draft, made->document, made);
    if (fault != NULL) { /* the reason must outlive the draft */
        fault =
            fault_make(walk->pool, fault->code, "%s: %s", subject->url, fault->detail ? fault->detail : "");
        shared->discard(shared, draft);
        return fault;
    }
    made->fetched = walk->env->clock->steady(walk->env->clock);
    made->from_store = from_store;
    shared->publish(shared, subject->name, made, draft);
    return NULL;
}

/* Fetches and publishes; falls back on what the store has kept when this process has nothing yet. */
static const fault_t *renew(walk_t *walk, const subject_t *subject, bool have_one)
{
    text_t document = {NULL, 0};
    const fault_t *fault = fetch(walk, subject, &document);
    if (fault == NULL)
        fault = publish(walk, subject, document, false);
    if (fault == NULL || have_one)
        return fault;
    if (vault_recall(&walk->vault, walk->pool, text_of(subject->name), &document) == VAULT_OK &&
        publish(walk, subject, document, true) == NULL) {
        walk_note_fault(walk, NOTE_WARNING, "provider not usable, going on with what was kept", fault);
        return NULL;
    }
    return fault;
}

static const snapshot_t *current(walk_t *walk, const subject_t *subject)
{
    shared_port *shared = walk->env->shared;
    return shared->snapshot(shared, subject->name, walk->pool);
}

static bool may_try(walk_t *walk, const subject_t *subject, const char *why, int64_t interval_ms)
{
    shared_port *shared = walk->env->shared;
    const char *name = apr_pstrcat(walk->pool, why, subject->name, NULL);
    return shared->allow(shared, name, walk->env->clock->steady(walk->env->clock), interval_ms);
}

/* First look: fetch under the turn, or wait for whoever does. */
static const fault_t *first(walk_t *walk, const subject_t *subject)
{
    shared_port *shared = walk->env->shared;
    const fault_t *fault = NULL;
    switch (shared->take_turn(shared, subject->name, walk->rp->http_ms)) {
    case SHARED_MINE:
        if (current(walk, subject) == NULL) {
            fault = may_try(walk, subject, "try ", RETRY_MS)
                        ? renew(walk, subject, false)
                        : fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s failed a moment ago", subject->url);
        }
        shared->give_turn(shared, subject->name);
        return fault;
    case SHARED_PASSED:
    case SHARED_LATE:
        break;
    }
    if (current(walk, subject) != NULL)
        return NULL;
    return fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s could not be fetched", subject->url);
}

/* A provider may move its endpoints, since it is known by its issuer and TLS; whoever looks into it later
 * should find out when. */
static void note_move(walk_t *walk, const snapshot_t *before, const snapshot_t *after)
{
    const char *from = before != NULL ? before->provider.token : NULL;
    const char *to = after != NULL ? after->provider.token : NULL;
    if (from != NULL && to != NULL && strcmp(from, to) != 0)
        walk_note(walk, NOTE_NOTICE, "the provider's token endpoint has moved from %s to %s", from, to);
}

/* Another look because the snapshot is old or lacks a key; nobody waits for it who has something to go on
 * with. */
static void again(walk_t *walk, const subject_t *subject, int64_t wait_ms)
{
    shared_port *shared = walk->env->shared;
    const snapshot_t *before = current(walk, subject);
    if (shared->take_turn(shared, subject->name, wait_ms) != SHARED_MINE)
        return;
    const fault_t *fault = renew(walk, subject, true);
    if (fault != NULL)
        walk_note_fault(walk, NOTE_WARNING, "provider not usable, going on with what is known", fault);
    else
        note_move(walk, before, current(walk, subject));
    shared->give_turn(shared, subject->name);
}

static int64_t age_of(const walk_t *walk, const snapshot_t *snapshot)
{
    return (walk->env->clock->steady(walk->env->clock) - snapshot->fetched) / 1000;
}

/* The snapshot to work with, renewed when it is time. */
static const fault_t *look(walk_t *walk, const subject_t *subject, const snapshot_t **found)
{
    *found = current(walk, subject);
    if (*found == NULL) {
        const fault_t *fault = first(walk, subject);
        *found = current(walk, subject);
        return fault;
    }
    bool old = (*found)->from_store || age_of(walk, *found) > FRESH_SECONDS;
    if (old && may_try(walk, subject, "again ", RENEW_MS)) {
        again(walk, subject, 0);
        *found = current(walk, subject);
    }
    if (age_of(walk, *found) > STALE_SECONDS)
        return fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s could not be fetched for too long",
                          subject->url);
    return NULL;
}

/* Where token requests go, as far as that is known without asking. */
static const char *token_endpoint(walk_t *walk)
{
    const rp_t *rp = walk->rp;
    if (rp->endpoints.token != NULL || !rp->discovers)
        return rp->endpoints.token;
    const subject_t subject = {.name = rp->issuer_name};
    const snapshot_t *known = current(walk, &subject);
    return known != NULL ? known->provider.token : NULL;
}

const fault_t *issuer_rests(walk_t *walk)
{
    http_port *http = walk->env->http;
    const char *token = token_endpoint(walk);
    if (token == NULL || !http->rests(http, token, walk->pool))
        return NULL;
    return fault_make(walk->pool, FAULT_PROVIDER_DOWN, "%s does not answer at the moment", token);
}

int64_t issuer_answered(walk_t *walk)
{
    http_port *http = walk->env->http;
    const char *token = token_endpoint(walk);
    int64_t ago = token != NULL ? http->served_ago(http, token, walk->pool) : -1;
    return ago < 0 ? 0 : walk->env->clock->wall(walk->env->clock) - ago / 1000;
}

const fault_t *issuer_provider(walk_t *walk, const provider_t **provider)
{
    const rp_t *rp = walk->rp;
    const subject_t subject = {rp->issuer_name, provider_discovery_url(walk->pool, rp->settings->issuer),
                               read_metadata};
    const snapshot_t *found = NULL;
    provider_t *own = apr_pcalloc(walk->pool, sizeof *own);
    if (rp->discovers) {
        const fault_t *fault = look(walk, &subject, &found);
        if (fault != NULL)
            return fault;
        *own = found->provider;
    } else {
        provider_without_document(rp->settings->issuer, own);
    }
    provider_override(own, &rp->endpoints);
    *provider = own;
    return NULL;
}

const fault_t *issuer_keys(walk_t *walk, const provider_t *provider, bool renewed, const jwks_t **keys)
{
    const subject_t subject = {walk->rp->keys_name, provider->jwks, read_keys};
    const snapshot_t *found = NULL;
    if (provider->jwks == NULL)
        return fault_make(walk->pool, FAULT_PROVIDER_UNSUITABLE,
                          "the provider has no jwks_uri; see SSOEndpoint jwks=");
    if (renewed && current(walk, &subject) != NULL && may_try(walk, &subject, "unknown key ", RENEW_MS))
        again(walk, &subject, walk->rp->http_ms);
    const fault_t *fault = look(walk, &subject, &found);
    if (fault == NULL)
        *keys = found->keys;
    return fault;
}

static void remember(walk_t *walk, const char *name)
{
    const subject_t subject = {.name = name};
    const snapshot_t *found = current(walk, &subject);
    if (found != NULL && !found->from_store && may_try(walk, &subject, "keep ", FRESH_SECONDS * 1000))
        (void)vault_keep(&walk->vault, walk->pool, text_of(name), found->document, KEEP_SECONDS);
}

void issuer_remember(walk_t *walk)
{
    if (walk->rp->discovers)
        remember(walk, walk->rp->issuer_name);
    remember(walk, walk->rp->keys_name);
}
