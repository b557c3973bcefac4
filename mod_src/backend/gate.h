/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_GATE_H
#define BACKEND_GATE_H

/* A lock that is waited for only so long. For the threads of one process. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    bool taken;
} gate;

/* To be called once before the others, and the release once when nobody is inside or waiting. */
void gate_init(gate *door);
void gate_release(gate *door);

/* False: somebody else was inside for all of these milliseconds. Not for a thread that is inside already. */
bool gate_enter(gate *door, int64_t wait_ms) __attribute__((warn_unused_result));
void gate_leave(gate *door);

#endif
