/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef JOURNEY_H
#define JOURNEY_H

/* One login on its way through a world, and what every refusal has in common. Include it after unit.h. */

#include "world.h"

#define JOURNEY_TICKETS  "__Host-sso-login-"
#define JOURNEY_CALLBACK WORLD_BASE "/sso/callback"
#define JOURNEY_ACCESS   "canary.access.Zk3xQ9" /* tokens of journey_answer */
#define JOURNEY_REFRESH  "canary.refresh.Wm7Lp2"

typedef struct journey {
    world_t *world;
    const char *url;     /* of the authorization request */
    const char *cookies; /* what the browser has */
    const char *ticket;  /* name of the ticket cookie */
    text_t state, nonce, verifier;
    const char *code; /* of journey_consent; NULL before */
} journey_t;

/* A navigation to the target, as far as the provider's door. `cookies`: what the browser has already, or
 * NULL. */
journey_t journey_begin(world_t *world, const char *target, const char *cookies);

/* The user consents: the query of the callback. */
const char *journey_consent(journey_t *journey);

/* The browser comes back with a query. */
verdict_t *journey_return(const journey_t *journey, const char *query);

/* journey_begin to "/app", consent and return. */
verdict_t *journey_whole(journey_t *journey, world_t *world);

/* A parameter of the authorization request; fails when it is not there exactly once. */
text_t journey_asked(const journey_t *journey, const char *name);

/* The claims of an ID token with the right nonce and one member bent (NULL: none). */
const fakeop_claim *journey_claims(const journey_t *journey, const char *name, const char *json);

/* The token endpoint's next answer: canary tokens, an ID token (`at` NULL: none), and more members
 * (",\"x\":1"). */
void journey_answer(const journey_t *journey, text_t idtoken, const char *more);

/* The callback was refused with this code: REJ, NOSESS and CLEAN of the attacks. `why` is the reason of the
 * case. */
void journey_refused(const journey_t *journey, const verdict_t *verdict, fault_code code, const char *why);

/* The callback succeeded: a new session, the ticket gone, on to the target; CLEAN. */
void journey_welcomed(const journey_t *journey, const verdict_t *verdict, const char *target);

/* CLEAN: no eight bytes of the secret stand in body, headers, notes or fault. */
void journey_clean(const verdict_t *verdict, text_t secret, const char *why);

/* How often the path of the provider was called so far. */
unsigned journey_calls(const world_t *world, const char *suffix);

#endif
