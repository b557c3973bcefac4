/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef HTTPD_DOWNSTORE_H
#define HTTPD_DOWNSTORE_H

/* The store of a child that could not open its own. */

#include "port/store.h"

/* A store whose verbs all answer DOWN. Immutable, never NULL. */
store_port *downstore_port(void);

#endif
