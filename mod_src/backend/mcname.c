/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* libmemcached calls getaddrinfo itself, and a resolver that does not answer would hold the request for many
 * seconds, whatever timeouts are set. So it only ever gets numeric addresses, and names are resolved here
 * with glibc's getaddrinfo_a: the waiting has a deadline, the look-up goes on behind it and its result serves
 * a later call. What was known before stays in use until a new answer has come. A thread of our own for it
 * was rejected: glibc's belongs to libc and survives the module being unloaded. */

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>

#include <apr_strings.h>

#include "backend/mcname.h"
#include "backend/monotonic.h"

#define ADDRESSES_MAX 8

/* Not in the pool: glibc may still be writing into it when the pool goes. */
typedef struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[256];
} lookup;

struct mcname {
    pthread_mutex_t mutex;
    const char *host;
    bool numeric;
    bool stale; /* every address has failed since the last look-up */
    char known[ADDRESSES_MAX][MCNAME_ROOM];
    int count;
    int at;         /* the address in use */
    lookup *asking; /* under way, or NULL */
};

static bool is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void lookup_free(lookup *asked)
{
    if (asked->request.ar_result)
        freeaddrinfo(asked->request.ar_result);
    free(asked);
}

/* A look-up that cannot be called back is left to the process: freeing it would let glibc write into foreign
 * memory. */
static apr_status_t name_release(void *data)
{
    mcname *name = data;
    if (name->asking && gai_cancel(&name->asking->request) != EAI_NOTCANCELED)
        lookup_free(name->asking);
    name->asking = NULL;
    pthread_mutex_destroy(&name->mutex);
    return APR_SUCCESS;
}

mcname *mcname_new(apr_pool_t *pool, const char *host)
{
    mcname *name = apr_pcalloc(pool, sizeof(*name));
    pthread_mutex_init(&name->mutex, NULL);
    name->host = host;
    name->numeric = is_numeric(host);
    if (name->numeric) {
        apr_cpystrn(name->known[0], host, MCNAME_ROOM);
        name->count = 1;
    }
    apr_pool_cleanup_register(pool, name, name_release, apr_pool_cleanup_null);
    return name;
}

static void ask(mcname *name)
{
    struct gaicb *requests[1];
    lookup *asked = calloc(1, sizeof(*asked));
    if (asked == NULL)
        return;
    apr_cpystrn(asked->host, name->host, sizeof(asked->host));
    asked->hints.ai_socktype = SOCK_STREAM;
    asked->request.ar_name = asked->host;
    asked->request.ar_request = &asked->hints;
    requests[0] = &asked->request;
    if (getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL) == 0)
        name->asking = asked;
    else
        free(asked);
}

static void adopt(mcname *name, const struct addrinfo *found)
{
    int count = 0;
    for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
        if (getnameinfo(found->ai_addr, found->ai_addrlen, name->known[count], MCNAME_ROOM, NULL, 0,
                        NI_NUMERICHOST) == 0)
            count++;
    }
    if (count > 0) {
        name->count = count;
        name->at = 0;
    }
}

/* Takes the result of a look-up that has ended, good or bad. */
static void harvest(mcname *name)
{
    int state = name->asking ? gai_error(&name->asking->request) : EAI_INPROGRESS;
    if (state == EAI_INPROGRESS)
        return;
    if (state == 0)
        adopt(name, name->asking->request.ar_result);
    lookup_free(name->asking);
    name->asking = NULL;
}

static void wait_for_it(const lookup *asked, int64_t wait_ms)
{
    const struct gaicb *const requests[1] = {&asked->request};
    const struct timespec time = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
    if (wait_ms > 0)
        (void)gai_suspend(requests, 1, &time);
}

static bool lock_within(mcname *name, int64_t wait_ms)
{
    const struct timespec until = monotonic_after(wait_ms);
    return pthread_mutex_clocklock(&name->mutex, CLOCK_MONOTONIC, &until) == 0;
}

/* The lock is held while waiting, which is all right: whoever else comes has no address either and waits no
 * longer than it may. */
int mcname_address(mcname *name, int64_t wait_ms, char room[MCNAME_ROOM])
{
    int count = -1;
    if (!lock_within(name, wait_ms))
        return -1;
    harvest(name);
    if (!name->numeric && name->asking == NULL && (name->count == 0 || name->stale)) {
        name->stale = false;
        ask(name);
    }
    if (name->count == 0 && name->asking) {
        wait_for_it(name->asking, wait_ms);
        harvest(name);
    }
    if (name->count > 0) {
        memcpy(room, name->known[name->at], MCNAME_ROOM);
        count = name->count;
    }
    pthread_mutex_unlock(&name->mutex);
    return count;
}

/* Several threads may report the same address; only the first of them moves on. */
void mcname_failed(mcname *name, const char *address)
{
    pthread_mutex_lock(&name->mutex);
    if (name->count > 0 && strcmp(name->known[name->at], address) == 0) {
        name->at = (name->at + 1) % name->count;
        name->stale = name->stale || name->at == 0;
    }
    pthread_mutex_unlock(&name->mutex);
}
