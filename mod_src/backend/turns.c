/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A turn exists only while somebody holds it. Giving it back takes it out of the table at once, so that the
 * next comer starts a new one, while those who waited still see "passed" on the old one; the last of them
 * frees it. Each turn has a condition of its own: a fixed set of conditions shared by hash would wake
 * strangers, and polling would be late. */

#include "backend/turns.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend/monotonic.h"
#include "backend/namehash.h"

#define BUCKETS     64
#define WAIT_MAX_MS ((int64_t)3600 * 1000)

typedef struct turn {
    struct turn *next;
    pthread_cond_t given;
    uint64_t hash;
    size_t waiting; /* threads that look at this turn besides its holder */
    bool passed;    /* given back, and no longer in the table */
    char name[];
} turn;

struct turns {
    pthread_mutex_t lock;
    size_t held;
    turn *buckets[BUCKETS];
};

static void free_turn(turn *one)
{
    pthread_cond_destroy(&one->given);
    free(one);
}

static apr_status_t release(void *data)
{
    turns_t *turns = data;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (turns->buckets[i] != NULL) {
            turn *one = turns->buckets[i];
            turns->buckets[i] = one->next;
            free_turn(one);
        }
    }
    pthread_mutex_destroy(&turns->lock);
    return APR_SUCCESS;
}

turns_t *turns_new(apr_pool_t *pool)
{
    turns_t *turns = apr_pcalloc(pool, sizeof *turns);
    pthread_mutex_init(&turns->lock, NULL);
    apr_pool_cleanup_register(pool, turns, release, apr_pool_cleanup_null);
    return turns;
}

/* Where the turn of the name hangs, or the end of its chain. */
static turn **find_link(turns_t *turns, uint64_t hash, const char *name)
{
    turn **link = &turns->buckets[hash % BUCKETS];
    while (*link != NULL && ((*link)->hash != hash || strcmp((*link)->name, name) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

static shared_turn begin_turn(turns_t *turns, turn **link, uint64_t hash, const char *name)
{
    size_t len = strlen(name) + 1;
    turn *one = turns->held < TURNS_MAX ? calloc(1, sizeof *one + len) : NULL;
    if (one == NULL) {
        return SHARED_LATE;
    }
    memcpy(one->name, name, len);
    one->hash = hash;
    monotonic_cond(&one->given);
    *link = one;
    turns->held++;
    return SHARED_MINE;
}

static shared_turn await_turn(turns_t *turns, turn *one, int64_t wait_ms)
{
    const struct timespec end = monotonic_after(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    int failed = 0;
    one->waiting++;
    while (!one->passed && failed == 0) {
        failed = pthread_cond_timedwait(&one->given, &turns->lock, &end);
    }
    one->waiting--;
    if (!one->passed) {
        return SHARED_LATE;
    }
    if (one->waiting == 0) {
        free_turn(one);
    }
    return SHARED_PASSED;
}

shared_turn turns_take(turns_t *turns, const char *name, int64_t wait_ms)
{
    uint64_t hash = namehash_of(name);
    shared_turn answer = SHARED_LATE;
    pthread_mutex_lock(&turns->lock);
    turn **link = find_link(turns, hash, name);
    if (*link == NULL) {
        answer = begin_turn(turns, link, hash, name);
    } else if (wait_ms > 0) {
        answer = await_turn(turns, *link, wait_ms);
    }
    pthread_mutex_unlock(&turns->lock);
    return answer;
}

void turns_give(turns_t *turns, const char *name)
{
    uint64_t hash = namehash_of(name);
    pthread_mutex_lock(&turns->lock);
    turn **link = find_link(turns, hash, name);
    turn *one = *link;
    if (one != NULL) {
        *link = one->next;
        turns->held--;
        one->passed = true;
        if (one->waiting == 0) {
            free_turn(one);
        } else {
            pthread_cond_broadcast(&one->given);
        }
    }
    pthread_mutex_unlock(&turns->lock);
}
