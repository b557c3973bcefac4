/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_RANDOM_H
#define PORT_RANDOM_H

/* The only source of unpredictable bytes. */

#include <stdbool.h>
#include <stddef.h>

typedef struct random_port random_port;

struct random_port {
    /* Fills the room with cryptographically strong bytes. False: nothing was filled, and the caller must
     * refuse (500). */
    bool (*fill)(const random_port *random, void *room, size_t len) __attribute__((warn_unused_result));
};

#endif
