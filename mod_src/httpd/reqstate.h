/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_REQSTATE_H
#define HTTPD_REQSTATE_H

/* What is known of a request. httpd makes many records of what a browser sent once: internal redirects,
 * subrequests, ErrorDocuments. They share one origin, so that the store is asked once and everybody means the
 * same user. */

#include <httpd.h>

#include "flow/inject.h"
#include "flow/verdict.h"
#include "flow/visit.h"

/* What the client sent, noted before anything changes it, and what the gate said to it. */
typedef struct reqstate_origin {
    request_rec *first;
    bool own;            /* a path of the module's own endpoints */
    text_t path;         /* as sent, without query */
    text_t query;        /* `at` NULL where there is none */
    text_t cookies;      /* joined by "; " */
    visit_t *visit;      /* NULL until it is needed */
    verdict_t *admitted; /* of gate_admit; NULL until the gate was asked */
    bool told;           /* was what `admitted` wants told to log and browser? */
} reqstate_origin;

/* Of one request record. */
typedef struct reqstate {
    reqstate_origin *origin;
    bool known;           /* is the user applied to it? */
    injection_t injected; /* what was set in its headers and environment; arrays NULL where nothing was */
} reqstate_t;

/* The state of a request record; made where there is none, from what the client sent. Never NULL. */
reqstate_t *reqstate_of(request_rec *r);

/* The state of the record that this one came from, redirect or subrequest; NULL where it is the first. */
reqstate_t *reqstate_parent(request_rec *r);

/* Who the user is; NULL: nobody is signed in, or nobody asked. */
const identity_t *reqstate_identity(request_rec *r);

/* Is it a request for an ErrorDocument, or behind one? */
bool reqstate_is_error_page(const request_rec *r);

#endif
