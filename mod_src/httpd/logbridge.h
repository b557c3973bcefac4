/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_LOGBRIDGE_H
#define HTTPD_LOGBRIDGE_H

/* The only way to the error log. Everything below flow is silent; what a verdict says is written here, once a
 * request. */

#include <httpd.h>

#include "flow/verdict.h"

/* The verdict's notes. */
void logbridge_notes(request_rec *r, const verdict_t *verdict);

/* A note of work behind the response; `place` is the server_rec. */
void logbridge_journal(const void *place, const note_t *note);

/* One line when it refused: `reason=WORD incident=ID: detail`. */
void logbridge_refusal(request_rec *r, const verdict_t *verdict);

/* Something is wrong with the configuration of a server (logged at emerg, also to the console), or will work
 * but is not what one wants. */
void logbridge_config(const server_rec *server, const char *line);

/* A part of the world could not be opened; the server goes on without it. */
void logbridge_trouble(const server_rec *server, const char *line);

/* A request meets a configuration that does not protect it: an error. */
void logbridge_unready(request_rec *r, const char *line);

#endif
