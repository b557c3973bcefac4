/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A bounded queue and a few threads. apr_thread_pool was rejected: its end drops the queue instead of
 * draining it and waits without a limit for what runs, its queue has no ceiling that holds between count and
 * push, and its threads take part in the process's signals (under prefork SIGTERM would then end the child
 * from inside our work). The state lives outside all pools, because work that does not end in time may still
 * look at it. */

#include "backend/laterthreads.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backend/monotonic.h"
#include "base/secret.h"

#define THREADS_DEFAULT  4
#define WAITING_DEFAULT  64
#define DRAIN_DEFAULT_MS 15000

typedef struct piece {
    struct piece *next;
    later_work work;
    void *task;
    apr_pool_t *pool; /* the piece lies in it, and nobody else uses it */
} piece;

typedef struct crew {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is work, or stopping began */
    pthread_cond_t ended;   /* a thread ended */
    piece *first;
    piece **last;
    size_t waiting;
    size_t waiting_max;
    size_t idle;
    size_t alive;
    size_t started;
    size_t threads_max;
    int64_t drain_ms;
    bool stopping;
    bool abandoned; /* the pool is gone: whoever ends last frees */
    pthread_t threads[LATERTHREADS_THREADS_MAX];
} crew;

typedef struct laterthreads {
    later_port port; /* first: the port's address is ours */
    crew *crew;
    apr_abortfunc_t abort;
} laterthreads;

static piece *next_piece(crew *all)
{
    piece *one = all->first;
    if (one != NULL) {
        all->first = one->next;
        if (all->first == NULL) {
            all->last = &all->first;
        }
        all->waiting--;
    }
    return one;
}

static void free_crew(crew *all)
{
    pthread_cond_destroy(&all->changed);
    pthread_cond_destroy(&all->ended);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static void *serve(void *data)
{
    crew *all = data;
    pthread_mutex_lock(&all->lock);
    for (;;) {
        piece *one = next_piece(all);
        if (one != NULL) {
            pthread_mutex_unlock(&all->lock);
            one->work(one->task, one->pool);
            apr_pool_destroy(one->pool);
            pthread_mutex_lock(&all->lock);
        } else if (all->stopping) {
            break;
        } else {
            all->idle++;
            pthread_cond_wait(&all->changed, &all->lock);
            all->idle--;
        }
    }
    bool last = --all->alive == 0 && all->abandoned;
    pthread_cond_signal(&all->ended);
    pthread_mutex_unlock(&all->lock);
    if (last) {
        free_crew(all);
    }
    return NULL;
}

/* Under the lock. The new thread blocks all signals: they belong to httpd's own threads. */
static bool start_thread(crew *all)
{
    sigset_t everything;
    sigset_t before;
    sigfillset(&everything);
    pthread_sigmask(SIG_SETMASK, &everything, &before);
    bool started = pthread_create(&all->threads[all->started], NULL, serve, all) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started) {
        all->started++;
        all->alive++;
    }
    return started;
}

/* Under the lock: is there, or can there be, a thread for one more piece? An idle thread counts for one
 * waiting piece only. */
static bool find_hands(crew *all)
{
    if (all->waiting < all->idle) {
        return true;
    }
    if (all->started < all->threads_max && start_thread(all)) {
        return true;
    }
    return all->alive > 0 && all->waiting < all->waiting_max;
}

static piece *make_piece(const laterthreads *later, later_work work, const void *task, size_t room)
{
    apr_pool_t *pool = NULL;
    if (apr_pool_create_unmanaged_ex(&pool, later->abort, NULL) != APR_SUCCESS) {
        return NULL;
    }
    piece *one = apr_pcalloc(pool, sizeof *one);
    one->pool = pool;
    one->work = work;
    one->task = secret_room(pool, room);
    if (room > 0) {
        memcpy(one->task, task, room);
    }
    return one;
}

static bool submit(later_port *port, later_work work, const void *task, size_t room)
{
    const laterthreads *later = (laterthreads *)port;
    crew *all = later->crew;
    piece *one = make_piece(later, work, task, room);
    if (one == NULL) {
        return false;
    }
    pthread_mutex_lock(&all->lock);
    bool taken = !all->stopping && find_hands(all);
    if (taken) {
        *all->last = one;
        all->last = &one->next;
        all->waiting++;
        pthread_cond_signal(&all->changed);
    }
    pthread_mutex_unlock(&all->lock);
    if (!taken) {
        apr_pool_destroy(one->pool);
    }
    return taken;
}

/* Runs before anything else in the pool is touched, so that work under way still finds the other ports. */
static apr_status_t drain(void *data)
{
    crew *all = data;
    const struct timespec end = monotonic_after(all->drain_ms);
    int failed = 0;
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_broadcast(&all->changed);
    while (all->alive > 0 && failed == 0) {
        failed = pthread_cond_timedwait(&all->ended, &all->lock, &end);
    }
    bool done = all->alive == 0;
    piece *dropped = NULL;
    while ((dropped = next_piece(all)) != NULL) {
        apr_pool_destroy(dropped->pool);
    }
    pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < all->started; i++) {
        if (done) {
            pthread_join(all->threads[i], NULL);
        } else {
            pthread_detach(all->threads[i]);
        }
    }
    return APR_SUCCESS;
}

/* A thread that did not end in time still needs the crew, and frees it then. */
static apr_status_t release(void *data)
{
    crew *all = data;
    pthread_mutex_lock(&all->lock);
    all->abandoned = true;
    bool last = all->alive == 0;
    pthread_mutex_unlock(&all->lock);
    if (last) {
        free_crew(all);
    }
    return APR_SUCCESS;
}

static crew *make_crew(const laterthreads_settings *settings)
{
    crew *all = calloc(1, sizeof *all);
    if (all == NULL) {
        abort();
    }
    all->last = &all->first;
    all->threads_max = settings->threads > 0 ? settings->threads : THREADS_DEFAULT;
    if (all->threads_max > LATERTHREADS_THREADS_MAX) {
        all->threads_max = LATERTHREADS_THREADS_MAX;
    }
    all->waiting_max = settings->waiting > 0 ? settings->waiting : WAITING_DEFAULT;
    all->drain_ms = settings->drain_ms > 0 ? settings->drain_ms : DRAIN_DEFAULT_MS;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
    monotonic_cond(&all->ended);
    return all;
}

later_port *laterthreads_new(apr_pool_t *pool, const laterthreads_settings *settings)
{
    laterthreads *later = apr_palloc(pool, sizeof *later);
    later->port.submit = submit;
    later->abort = apr_pool_abort_get(pool);
    later->crew = make_crew(settings);
    apr_pool_cleanup_register(pool, later->crew, release, apr_pool_cleanup_null);
    apr_pool_pre_cleanup_register(pool, later->crew, drain);
    return &later->port;
}
