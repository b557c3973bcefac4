/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_ENV_H
#define FLOW_ENV_H

/* The ports that the flows reach the world through; made in each child after the fork. */

#include "flow/verdict.h"
#include "port/clock.h"
#include "port/http.h"
#include "port/later.h"
#include "port/pattern.h"
#include "port/random.h"
#include "port/shared.h"
#include "port/store.h"

typedef struct env {
    const clock_port *clock;
    const random_port *random;
    const pattern_port *pattern;
    store_port *store; /* the truth */
    store_port *near;  /* may answer a get with a copy that is a moment old; NULL: there is none */
    http_port *http;
    shared_port *shared;
    later_port *later; /* NULL: everything is done in the request */
    /* Where lines of work behind the response go, which has no verdict to carry them. NULL: nowhere. */
    void (*journal)(const void *place, const note_t *note);
    const void *journal_place;
} env_t;

#endif
