/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A small stack of handles that were used: each keeps its connections, DNS cache and parsed CA file for the
 * next call. A share object was rejected, since its connection cache is not safe across threads. Permits are
 * counted under the same lock. A call that finds none waits for a moment, which is enough behind a provider
 * that works; a long queue of threads in front of one that does not would stop the whole server. */

#include "backend/curlhandles.h"

#include <errno.h>
#include <pthread.h>

#include "backend/monotonic.h"

#define IDLE_HANDLES_MAX 8

struct curlhandles {
    pthread_mutex_t lock;
    pthread_cond_t given;
    int max_calls;
    int under_way;
    int waiting;
    int64_t given_at; /* when a permit came back last */
    size_t idle_count;
    CURL *idle[IDLE_HANDLES_MAX]; /* the one used last on top: its connection is the freshest */
};

static pthread_once_t libcurl_once = PTHREAD_ONCE_INIT;
static bool libcurl_ready;

static void init_libcurl(void)
{
    libcurl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Under the lock: is it worth waiting? Behind providers that answer, always; otherwise for a few. */
static bool moves(const curlhandles_t *handles)
{
    return handles->waiting < handles->max_calls ||
           monotonic_now() - handles->given_at < CURLHANDLES_MOVES_MS;
}

/* Under the lock. */
static bool await_permit(curlhandles_t *handles, bool probe)
{
    const struct timespec end = monotonic_after(CURLHANDLES_WAIT_MS);
    int most = handles->max_calls + (probe ? 1 : 0);
    int failed = handles->under_way < most || moves(handles) ? 0 : ETIMEDOUT;
    handles->waiting++;
    while (handles->under_way >= most && failed == 0) {
        failed = pthread_cond_timedwait(&handles->given, &handles->lock, &end);
    }
    handles->waiting--;
    return handles->under_way < most;
}

http_rc curlhandles_take(curlhandles_t *handles, bool probe, CURL **handle, const char **problem)
{
    pthread_mutex_lock(&handles->lock);
    bool permitted = await_permit(handles, probe);
    *handle = NULL;
    if (permitted) {
        handles->under_way++;
        if (handles->idle_count > 0) {
            *handle = handles->idle[--handles->idle_count];
        }
    }
    pthread_mutex_unlock(&handles->lock);
    if (!permitted) {
        *problem = "too many calls to providers are under way in this process";
        return HTTP_BUSY;
    }
    if (*handle == NULL && libcurl_ready) {
        *handle = curl_easy_init();
    }
    if (*handle == NULL) {
        pthread_mutex_lock(&handles->lock);
        handles->under_way--;
        pthread_cond_broadcast(&handles->given);
        pthread_mutex_unlock(&handles->lock);
        *problem = "libcurl cannot be initialised";
        return HTTP_UNREACHABLE;
    }
    return HTTP_ANSWERED;
}

/* The reset drops every pointer to the caller's memory but keeps connections. QUICK_EXIT must hold for the
 * cleanup too. */
void curlhandles_give(curlhandles_t *handles, CURL *handle)
{
    curl_easy_reset(handle);
    (void)curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
    pthread_mutex_lock(&handles->lock);
    handles->under_way--;
    handles->given_at = monotonic_now();
    pthread_cond_broadcast(&handles->given);
    bool kept = handles->idle_count < IDLE_HANDLES_MAX;
    if (kept) {
        handles->idle[handles->idle_count++] = handle;
    }
    pthread_mutex_unlock(&handles->lock);
    if (!kept) {
        curl_easy_cleanup(handle);
    }
}

static apr_status_t release(void *data)
{
    curlhandles_t *handles = data;
    while (handles->idle_count > 0) {
        curl_easy_cleanup(handles->idle[--handles->idle_count]);
    }
    pthread_cond_destroy(&handles->given);
    pthread_mutex_destroy(&handles->lock);
    return APR_SUCCESS;
}

curlhandles_t *curlhandles_new(apr_pool_t *pool, int max_calls)
{
    curlhandles_t *handles = apr_pcalloc(pool, sizeof *handles);
    (void)pthread_once(&libcurl_once, init_libcurl);
    handles->max_calls = max_calls;
    pthread_mutex_init(&handles->lock, NULL);
    monotonic_cond(&handles->given);
    apr_pool_cleanup_register(pool, handles, release, apr_pool_cleanup_null);
    return handles;
}
