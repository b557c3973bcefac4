/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_VERDICT_H
#define FLOW_VERDICT_H

/* What is to happen to a request: plain values, applied by httpd/apply.c. A verdict always exists. */

#include <apr_tables.h>

#include "base/claim.h"
#include "base/fault.h"

/* Who the user is, for everything that happens behind the gate. Lives as long as the request. */
typedef struct identity {
    const char *user; /* REMOTE_USER; never NULL or empty */
    claim_list claims;
    text_t access_token; /* empty when there is none, or when it has run out */
    text_t id_token;     /* empty when there is none */
    const char *tag;     /* eight hex digits that name the session in logs */
} identity_t;

typedef enum {
    VERDICT_KNOWN,    /* let it through: `identity` is set */
    VERDICT_STRANGER, /* nobody is signed in: if the place needs somebody, ask gate_stranger */
    VERDICT_ANSWER    /* the module answers itself */
} verdict_kind;

typedef enum { NOTE_INFO, NOTE_NOTICE, NOTE_WARNING, NOTE_ERROR } note_level;

/* A line for the log: stable words, no secrets, already escaped. */
typedef struct note {
    note_level level;
    const char *line;
} note_t;

typedef struct verdict {
    verdict_kind kind;
    const identity_t *identity;
    int status;               /* of an answer */
    const char *location;     /* of a redirect, or NULL */
    const char *content_type; /* of the body, or NULL */
    text_t body;              /* whole, also for HEAD */
    int64_t retry_after;      /* seconds, or -1 */
    apr_array_header_t
        *cookies; /* of const char *: Set-Cookie values, also when the request is let through; NULL: none */
    apr_array_header_t *headers; /* of const char *: names and values in turn, for an answer; NULL: none */
    apr_array_header_t *notes;   /* of note_t; NULL: none */
    const fault_t *fault;        /* why, when something was refused; NULL otherwise */
    const char *incident;        /* the id that page and log share; NULL without a fault */
} verdict_t;

#endif
