/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef WORLD_H
#define WORLD_H

/* A site, its store, its provider and its visitors, all fake but the flows. Include it after unit.h. */

#include "fakeop.h"
#include "fakes.h"
#include "fakestore.h"
#include "flow/gate.h"
#include "flow/walk.h"

#define WORLD_START  1700000000 /* wall clock at the beginning */
#define WORLD_BASE   "https://rp.test"
#define WORLD_COOKIE "__Host-sso"
#define WORLD_SECRET "a client secret of more than 32 characters"

typedef struct world {
    apr_pool_t *pool; /* the test's */
    fakes_clock clock;
    fakes_random random;
    fakestore store;
    fakes_http http;
    fakes_shared shared;
    fakes_later later; /* not in env unless a test puts it there */
    fakeop_t op;
    env_t env;
    const rp_t *rp;
    place_settings *place;
} world_t;

/* A world. `lines` are directive lines of server and place, such as "SSOScopes openid email" (words in double
 * quotes are one); the list ends with NULL. What they do not say: SSOIssuer FAKEOP_ISSUER, SSOClientID rp,
 * SSOClientSecret WORLD_SECRET; with SSOEndpoint lines as they come. Fails the test when they do not fit. */
world_t *world_new(apr_pool_t *pool, const char *const *lines);

/* What rp_make says to the lines on https://rp.test, or what a line's reader says; NULL when all is well. */
const char *world_refusal(apr_pool_t *pool, const char *const *lines);

/* A relying party of other lines in the same world. */
const rp_t *world_rp(world_t *world, const char *const *lines);

/* A second process on a host of its own: other ports for shared and clock, the same store, http and wall
 * time. */
env_t world_other_process(world_t *world, fakes_shared *shared);

/* Visits: a navigation, a script's request, a post. `target` is path and query; `cookies` a Cookie header or
 * NULL. They lie in the world's pool; what differs is set by the test. */
visit_t world_nav(world_t *world, const char *target, const char *cookies);
visit_t world_xhr(world_t *world, const char *target, const char *cookies);
visit_t world_post(world_t *world, const char *target, const char *cookies, const char *form);

/* A session as a login just now would have made it: alice, tokens for expires_in of the provider. */
session_t world_session(world_t *world);
/* Stores it; the Cookie header of it. */
const char *world_store(world_t *world, const session_t *session);
/* world_store of world_session. */
const char *world_sign_in(world_t *world);
/* The session of a Cookie header as it stands in the store. */
vault_rc world_load(world_t *world, const char *cookies, vault_record *record);
/* Changes it there behind everybody's back. */
void world_change(world_t *world, const char *cookies, const session_t *session);

/* A whole login by gate_endpoint and the provider, from a navigation to `target`: the Cookie header that the
 * browser has then. Fails the test when it does not succeed. */
const char *world_log_in(world_t *world, const char *target);

/* The Cookie header after an answer: `cookies` (or NULL) with what the verdict sets and expires. */
const char *world_cookies_after(apr_pool_t *pool, const char *cookies, const verdict_t *verdict);
/* The whole Set-Cookie line whose name begins like this, or NULL. */
const char *world_set_cookie(const verdict_t *verdict, const char *prefix);
/* Is there a note with this text in it? */
bool world_noted(const verdict_t *verdict, const char *text);

#endif
