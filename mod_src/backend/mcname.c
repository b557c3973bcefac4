/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* libmemcached calls getaddrinfo itself, and a resolver that does not answer would hold the request for many
 * seconds, whatever timeouts are set. So it only ever gets numeric addresses, and names are resolved here:
 * waiting for the resolver has a deadline, the look-up goes on behind it and its result serves a later call.
 * What was known before stays in use until a new answer has come. */

#include <stdbool.h>
#include <string.h>

#include <arpa/inet.h>

#include <apr_strings.h>

#include "backend/latch.h"
#include "backend/mclookup.h"
#include "backend/mcname.h"

#define ADDRESSES_MAX 8

struct mcname {
    latch door; /* of all that follows */
    const char *host;
    bool numeric;
    bool stale; /* every address has failed since the last look-up */
    char known[ADDRESSES_MAX][MCNAME_ROOM];
    int count;
    int at;           /* the address in use */
    mclookup *asking; /* under way, or NULL */
};

static bool is_numeric(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static apr_status_t name_release(void *data)
{
    mcname *name = data;
    if (name->asking)
        mclookup_end(name->asking);
    latch_release(&name->door);
    return APR_SUCCESS;
}

mcname *mcname_new(apr_pool_t *pool, const char *host)
{
    mcname *name = apr_pcalloc(pool, sizeof(*name));
    latch_init(&name->door);
    name->host = host;
    name->numeric = is_numeric(host);
    if (name->numeric) {
        apr_cpystrn(name->known[0], host, MCNAME_ROOM);
        name->count = 1;
    }
    apr_pool_cleanup_register(pool, name, name_release, apr_pool_cleanup_null);
    return name;
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

/* Takes the result of the look-up, good or bad, if it ends within so long. */
static void harvest(mcname *name, int64_t wait_ms)
{
    if (name->asking == NULL || !mclookup_wait(name->asking, wait_ms))
        return;
    adopt(name, mclookup_found(name->asking));
    mclookup_end(name->asking);
    name->asking = NULL;
}

/* The door stays shut while waiting, which is all right: whoever else comes has no address either, and waits
 * no longer than it may. */
int mcname_address(mcname *name, int64_t wait_ms, char room[MCNAME_ROOM])
{
    int count = -1;
    if (!latch_enter(&name->door, wait_ms))
        return -1;
    harvest(name, 0);
    if (!name->numeric && name->asking == NULL && (name->count == 0 || name->stale)) {
        name->stale = false;
        name->asking = mclookup_start(name->host);
    }
    if (name->count == 0)
        harvest(name, wait_ms);
    if (name->count > 0) {
        memcpy(room, name->known[name->at], MCNAME_ROOM);
        count = name->count;
    }
    latch_leave(&name->door);
    return count;
}

/* Several threads may report the same address; only the first of them moves on. Nobody waits for that: who
 * finds the door shut leaves it to the next failure. */
void mcname_failed(mcname *name, const char *address)
{
    if (!latch_enter(&name->door, 1))
        return;
    if (name->count > 0 && strcmp(name->known[name->at], address) == 0) {
        name->at = (name->at + 1) % name->count;
        name->stale = name->stale || name->at == 0;
    }
    latch_leave(&name->door);
}
