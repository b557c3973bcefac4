/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A flag under a mutex and a condition. pthread_mutex_timedlock would be shorter, but it follows the wall
 * clock, which jumps, and its monotonic sister pthread_mutex_clocklock is glibc's alone and unknown to
 * ThreadSanitizer. */

#include <errno.h>

#include "backend/latch.h"
#include "backend/monotonic.h"

void latch_init(latch *door)
{
    pthread_mutex_init(&door->mutex, NULL);
    monotonic_cond(&door->left);
    door->taken = false;
}

void latch_release(latch *door)
{
    pthread_cond_destroy(&door->left);
    pthread_mutex_destroy(&door->mutex);
}

bool latch_enter(latch *door, int64_t wait_ms)
{
    const struct timespec until = monotonic_after(wait_ms);
    bool mine;
    int rc = 0;
    pthread_mutex_lock(&door->mutex);
    while (door->taken && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&door->left, &door->mutex, &until);
    mine = !door->taken;
    door->taken = true;
    pthread_mutex_unlock(&door->mutex);
    return mine;
}

void latch_leave(latch *door)
{
    pthread_mutex_lock(&door->mutex);
    door->taken = false;
    pthread_cond_signal(&door->left);
    pthread_mutex_unlock(&door->mutex);
}
