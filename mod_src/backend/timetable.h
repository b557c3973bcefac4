/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_TIMETABLE_H
#define BACKEND_TIMETABLE_H

/* Names with a point in time, for the threads of one process: when an interval began, since when a mark has
 * stood. All times are steady milliseconds. One table serves one of the two verbs. */

#include <stdbool.h>
#include <stdint.h>

#include <apr_pools.h>

#define TIMETABLE_NAMES_MAX 1024 /* names that are remembered; the one that was used longest ago goes */

typedef struct timetable timetable_t;

/* A table that remembers nothing yet and ends with the pool, when no thread uses it any more. Never NULL. */
timetable_t *timetable_new(apr_pool_t *pool);

/* See `allow` of port/shared.h. A name that was never seen, or was forgotten for newer ones, is let through.
 */
bool timetable_allow(timetable_t *table, const char *name, int64_t now_ms, int64_t interval_ms);

/* See `unchanged_since` of port/shared.h. A name that was forgotten for newer ones starts anew: whoever waits
 * for a lease to run out then waits longer, never shorter. */
int64_t timetable_unchanged_since(timetable_t *table, const char *name, uint64_t mark, int64_t now_ms);

#endif
