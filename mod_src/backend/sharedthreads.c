/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Independent things behind one port, each with a lock of its own so that none waits for another:
 * snapshots, turns, throttles and marks. This file only joins them. */

#include "backend/sharedthreads.h"

#include "backend/snapshots.h"
#include "backend/timetable.h"
#include "backend/turns.h"

#define SLOW_MS 10000

typedef struct sharedthreads {
    shared_port port; /* first: the port's address is ours */
    snapshots_t *snapshots;
    turns_t *turns;
    timetable_t *throttles;      /* of intervals below SLOW_MS */
    timetable_t *slow_throttles; /* few names, which the many quick ones of sessions must not push out */
    timetable_t *marks;
} sharedthreads;

static sharedthreads *self(shared_port *shared)
{
    return (sharedthreads *)shared;
}

static const void *snapshot(shared_port *shared, const char *name, apr_pool_t *pool)
{
    return snapshots_read(self(shared)->snapshots, name, pool);
}

static apr_pool_t *draft(shared_port *shared)
{
    return snapshots_draft(self(shared)->snapshots);
}

static void publish(shared_port *shared, const char *name, const void *value, apr_pool_t *pool)
{
    snapshots_publish(self(shared)->snapshots, name, value, pool);
}

static void discard(shared_port *shared, apr_pool_t *pool)
{
    (void)shared;
    apr_pool_destroy(pool);
}

static shared_turn take_turn(shared_port *shared, const char *name, int64_t wait_ms)
{
    return turns_take(self(shared)->turns, name, wait_ms);
}

static void give_turn(shared_port *shared, const char *name)
{
    turns_give(self(shared)->turns, name);
}

static bool allow(shared_port *shared, const char *name, int64_t now_ms, int64_t interval_ms)
{
    sharedthreads *all = self(shared);
    timetable_t *table = interval_ms >= SLOW_MS ? all->slow_throttles : all->throttles;
    return timetable_allow(table, name, now_ms, interval_ms);
}

static int64_t unchanged_since(shared_port *shared, const char *name, uint64_t mark, int64_t now_ms)
{
    return timetable_unchanged_since(self(shared)->marks, name, mark, now_ms);
}

static const shared_port verbs = {snapshot,  draft,     publish, discard,
                                  take_turn, give_turn, allow,   unchanged_since};

shared_port *sharedthreads_new(apr_pool_t *pool)
{
    sharedthreads *shared = apr_palloc(pool, sizeof *shared);
    shared->port = verbs;
    shared->snapshots = snapshots_new(pool);
    shared->turns = turns_new(pool);
    shared->throttles = timetable_new(pool);
    shared->slow_throttles = timetable_new(pool);
    shared->marks = timetable_new(pool);
    return &shared->port;
}
