/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_REPLY_H
#define FLOW_REPLY_H

/* Answers of the module itself. Each function finishes the walk's verdict and returns it. */

#include "flow/page.h"
#include "flow/walk.h"

/* 303, or 302 for the way to the provider: a redirect that no cache keeps. */
verdict_t *reply_redirect(walk_t *walk, int status, text_t location);

/* A refusal: status, page or JSON by the kind of request, reason code and incident id. Retry-After with every
 * 503. */
verdict_t *reply_fault(walk_t *walk, const fault_t *fault);

/* 200 with a page. */
verdict_t *reply_page(walk_t *walk, const page_t *page);

/* 200 with JSON that is already written. */
verdict_t *reply_json(walk_t *walk, int status, text_t json);

/* Sets a cookie by the rules of SSOCookie: `max_age` as cookie_line. The session cookie's SameSite is the
 * configured one, that of other cookies Lax. */
void reply_cookie(walk_t *walk, const char *name, text_t value, int64_t max_age);

/* Expires a cookie of ours. */
void reply_expire(walk_t *walk, const char *name);

/* A header for the answer. */
void reply_header(walk_t *walk, const char *name, const char *value);

#endif
