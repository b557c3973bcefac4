/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_HOSTRANDOM_H
#define BACKEND_HOSTRANDOM_H

/* The random port made real by the kernel. */

#include "port/random.h"

/* The one source of the process: immutable, without state, never NULL; any thread may use it, before and
 * after a fork. */
const random_port *hostrandom_port(void);

#endif
