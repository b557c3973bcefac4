/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MONOTONIC_H
#define BACKEND_MONOTONIC_H

/* A moment of the clock that never jumps, in the form that pthread's waiting functions want it. */

#include <stdint.h>
#include <time.h>

/* So many milliseconds from now, on CLOCK_MONOTONIC. */
static inline struct timespec monotonic_after(int64_t milliseconds)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += (time_t)(milliseconds / 1000);
    moment.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_nsec -= 1000000000;
        moment.tv_sec++;
    }
    return moment;
}

#endif
