/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_HOSTCLOCK_H
#define BACKEND_HOSTCLOCK_H

/* The clock port made real by the host's own clocks. */

#include "port/clock.h"

/* The one clock of the process: immutable, without state, never NULL; any thread may use it, before and after
 * a fork. */
const clock_port *hostclock_port(void);

#endif
