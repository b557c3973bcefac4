/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_PATTERN_H
#define HTTPD_PATTERN_H

/* The pattern port made real by httpd's own PCRE. */

#include "port/pattern.h"

/* The one port of the process: immutable, without state; any thread may use it. Never NULL. */
const pattern_port *pattern_port_get(void);

#endif
