/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_CLOCK_H
#define PORT_CLOCK_H

/* The only way to know what time it is. Rules take `now` as a value; flows ask this port once a step. */

#include <stdint.h>

typedef struct clock_port clock_port;

struct clock_port {
    /* Seconds since 1970, of this host's wall clock. Other hosts may differ by minutes. */
    int64_t (*wall)(const clock_port *clock);
    /* Milliseconds of a clock that never jumps; comparable within one host only. */
    int64_t (*steady)(const clock_port *clock);
    /* Lets the calling thread rest for so many milliseconds. */
    void (*rest)(const clock_port *clock, int64_t milliseconds);
};

#endif
