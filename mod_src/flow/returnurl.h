/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_RETURNURL_H
#define FLOW_RETURNURL_H

/* Where a browser may be sent after a login or logout. */

#include "flow/rp.h"
#include "flow/visit.h"

/* Is the target a path of this site, or an absolute URL of its origin, that is not one of the module's own
 * endpoints? *path gets path and query, at most URL_MAX bytes. */
bool returnurl_is_local(const rp_t *rp, const visit_t *visit, text_t target, text_t *path);

/* Is the target local, or does it equal one of SSOAfterLogout? *url gets an absolute URL, in the visit's
 * pool. */
bool returnurl_after_logout(const rp_t *rp, const visit_t *visit, text_t target, text_t *url);

/* The address of this visit itself as path and query, or "/" where it is too long or unusable as a target. In
 * the visit's pool. */
text_t returnurl_of(const rp_t *rp, const visit_t *visit);

#endif
