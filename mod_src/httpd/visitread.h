/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_VISITREAD_H
#define HTTPD_VISITREAD_H

/* A request read into a visit. */

#include <httpd.h>

#include "flow/visit.h"
#include "httpd/reqstate.h"

#define VISITREAD_FORM_MAX ((size_t)64 * 1024) /* bytes of a body to our own endpoints */

/* Notes path, query and cookies of the first record of a request, as the client sent them. */
void visitread_note(request_rec *r, reqstate_origin *origin);

/* The visit of the request that everything began with, as it looks from the place of `r`: return addresses
 * lead to what the browser asked for. Without a form. In the pool of the first record. */
visit_t *visitread_visit(request_rec *r);

/* Reads the body of a POST with application/x-www-form-urlencoded into the visit; other bodies stay unread.
 * OK, or the status to refuse with: 413 above VISITREAD_FORM_MAX, 400 where the body breaks off. */
int visitread_form(request_rec *r, visit_t *visit);

#endif
