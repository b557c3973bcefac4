/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_RESPOND_H
#define HTTPD_RESPOND_H

/* Answers of the module itself, sent so that not a byte of anything else follows. */

#include <stdbool.h>

#include <httpd.h>

#include "flow/verdict.h"

/* May an answer be written here? Not in subrequests and not in place of an ErrorDocument: who asked for those
 * gets a plain status. */
bool respond_may_write(const request_rec *r);

/* Sends an ANSWER and logs it. What a hook is to return: DONE, or a status where httpd is to write the answer
 * (ErrorDocument, and where respond_may_write says no). SSO_REASON and SSO_INCIDENT stand in the environment
 * then. */
int respond_with(request_rec *r, const verdict_t *verdict);

/* The Set-Cookie lines of any verdict, onto whatever the browser will get. */
void respond_cookies(request_rec *r, const verdict_t *verdict);

#endif
