/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_GATEHOOKS_H
#define HTTPD_GATEHOOKS_H

/* The gate in httpd's phases, one hook each. All answer as httpd's hooks do. */

#include <httpd.h>

/* pre_translate_name, translate_name, map_to_storage: paths of our own are neither rewritten nor proxied nor
 * looked for on disk. */
int gatehooks_translate(request_rec *r);

/* check_access_ex, before everybody: our own paths need no permission; elsewhere under AuthType SSO it
 * becomes known who the user is. */
int gatehooks_admit(request_rec *r);

/* check_access_ex, right before httpd's own: is somebody known let in? */
int gatehooks_authorize(request_rec *r);

/* check_authn: what strangers get where a user is needed. */
int gatehooks_authenticate(request_rec *r);

/* fixups, before everybody: our own endpoints answer; elsewhere applications get to see the user, or nobody.
 */
int gatehooks_fixups(request_rec *r);

#endif
