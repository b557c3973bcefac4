/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A thread that lives as long as one getaddrinfo. glibc's getaddrinfo_a does the same, but is glibc's alone
 * and hides its thread from ThreadSanitizer. The thread cannot be called back, so the question belongs to
 * both sides, and whoever is the last to let go of it frees it. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <apr_strings.h>

#include "backend/mclookup.h"
#include "backend/monotonic.h"

#define HOST_ROOM 256 /* the longest name that DNS has is 253 bytes */

struct mclookup {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool done;
    bool abandoned; /* nobody wants the result any more */
    struct addrinfo *found;
    char host[HOST_ROOM];
};

static mclookup *lookup_new(const char *host)
{
    mclookup *asked = calloc(1, sizeof(*asked));
    if (asked == NULL)
        return NULL;
    apr_cpystrn(asked->host, host, sizeof(asked->host));
    pthread_mutex_init(&asked->mutex, NULL);
    monotonic_cond(&asked->ended);
    return asked;
}

static void lookup_free(mclookup *asked)
{
    if (asked->found)
        freeaddrinfo(asked->found);
    pthread_cond_destroy(&asked->ended);
    pthread_mutex_destroy(&asked->mutex);
    free(asked);
}

static void *lookup_run(void *data)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    mclookup *asked = data;
    struct addrinfo *found = NULL;
    bool abandoned;
    if (getaddrinfo(asked->host, NULL, &hints, &found) != 0)
        found = NULL;
    pthread_mutex_lock(&asked->mutex);
    asked->found = found;
    asked->done = true;
    abandoned = asked->abandoned;
    pthread_cond_signal(&asked->ended);
    pthread_mutex_unlock(&asked->mutex);
    if (abandoned)
        lookup_free(asked);
    return NULL;
}

/* Signals are for the host's threads, so this one has them all blocked. */
static bool thread_start(mclookup *asked)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t detached;
    pthread_t thread;
    int rc;
    sigfillset(&all);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &detached, lookup_run, asked);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return rc == 0;
}

mclookup *mclookup_start(const char *host)
{
    mclookup *asked = lookup_new(host);
    if (asked && !thread_start(asked)) {
        lookup_free(asked);
        return NULL;
    }
    return asked;
}

bool mclookup_wait(mclookup *asked, int64_t wait_ms)
{
    const struct timespec until = monotonic_after(wait_ms);
    int rc = 0;
    bool done;
    pthread_mutex_lock(&asked->mutex);
    while (!asked->done && wait_ms > 0 && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&asked->ended, &asked->mutex, &until);
    done = asked->done;
    pthread_mutex_unlock(&asked->mutex);
    return done;
}

const struct addrinfo *mclookup_found(const mclookup *asked)
{
    return asked->found;
}

void mclookup_end(mclookup *asked)
{
    bool done;
    pthread_mutex_lock(&asked->mutex);
    done = asked->done;
    asked->abandoned = true;
    pthread_mutex_unlock(&asked->mutex);
    if (done)
        lookup_free(asked);
}
