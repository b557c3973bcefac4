/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The host's clocks. Steady time is CLOCK_MONOTONIC, which ntp may bend but nobody can set; CLOCK_BOOTTIME
 * was not taken because leases and waits should stand still while the host is suspended, as their holders do.
 * A rest waits for a point in time, so that signals cannot stretch it. */

#include "backend/hostclock.h"

#include <errno.h>
#include <time.h>

#include "backend/monotonic.h"

#define REST_MAX_MS ((int64_t)3600 * 1000) /* longer rests are a mistake of the caller */

static int64_t wall(const clock_port *clock)
{
    struct timespec now = {0, 0};
    (void)clock;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

static int64_t steady(const clock_port *clock)
{
    (void)clock;
    return monotonic_now();
}

static void rest(const clock_port *clock, int64_t milliseconds)
{
    struct timespec until;
    (void)clock;
    if (milliseconds <= 0) {
        return;
    }
    if (milliseconds > REST_MAX_MS) {
        milliseconds = REST_MAX_MS;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(milliseconds / 1000);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

static const clock_port host = {wall, steady, rest};

const clock_port *hostclock_port(void)
{
    return &host;
}
