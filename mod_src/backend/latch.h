/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_LATCH_H
#define BACKEND_LATCH_H

/* A lock that is waited for only so long. For the threads of one process. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct latch {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    bool taken;
} latch;

/* To be called once before the others, and the release once when nobody is inside or waiting. */
void latch_init(latch *door);
void latch_release(latch *door);

/* False: somebody else was inside for all of these milliseconds. Not for a thread that is inside already. */
bool latch_enter(latch *door, int64_t wait_ms) __attribute__((warn_unused_result));
void latch_leave(latch *door);

#endif
