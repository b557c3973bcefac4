/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The verbs: find the key's server, borrow a connection, ask, give it back with a judgement.
 *
 * Several servers share the keys by consistent hashing (the ketama ring that other clients have, too), so
 * that adding one moves few sessions. Nobody takes over for a server that is away: its keys are DOWN. Had
 * another server answered for it, a logout written there would be undone by the stale record when the first
 * one comes back.
 *
 * libmemcached keeps the ring; a memcached_st that only computes hashes has no state that threads could
 * disturb. */

#include <libmemcached/memcached.h>

#include <apr_strings.h>

#include "backend/mcpool.h"
#include "backend/mcstore.h"

#define CONNECTIONS_MAX 1024

typedef struct mcstore {
    store_port port; /* first, so that the one is the other */
    memcached_st *ring;
    mcpool **servers; /* in the order of the ring */
    const clock_port *clock;
} mcstore;

typedef enum { VERB_GET, VERB_PUT, VERB_ADD, VERB_CAS, VERB_TOUCH, VERB_DROP } verb;

typedef struct call {
    verb verb;
    const char *key;
    mcconn_record record;
    apr_pool_t *pool; /* of a get */
    store_item *item; /* of a get */
} call;

int mcstore_server_of(const store_port *store, const char *key)
{
    return (int)memcached_generate_hash(((const mcstore *)store)->ring, key, STORE_KEY_LEN);
}

static store_rc ask(mcconn *conn, const call *what)
{
    switch (what->verb) {
    case VERB_GET:
        return mcconn_get(conn, what->key, what->pool, what->item);
    case VERB_PUT:
        return mcconn_put(conn, what->key, &what->record);
    case VERB_ADD:
        return mcconn_add(conn, what->key, &what->record);
    case VERB_CAS:
        return mcconn_cas(conn, what->key, &what->record);
    case VERB_TOUCH:
        return mcconn_touch(conn, what->key, what->record.ttl);
    case VERB_DROP:
        return mcconn_drop(conn, what->key);
    }
    return STORE_DOWN;
}

static bool is_write(verb asked)
{
    return asked == VERB_PUT || asked == VERB_ADD || asked == VERB_CAS;
}

/* A connection that slept while memcached was restarted fails at once; that says nothing about the memcached
 * of now. One that ran into its deadline does, unless others were answered meanwhile. An answer that came too
 * late is still an answer, but the next call should not wait as long. */
static mcpool_end judge(mcpool *server, const call *what, const mcpool_loan *loan, store_rc answer)
{
    if (mcconn_is_late(loan->conn))
        return answer == STORE_DOWN && mcpool_answers(server) ? MCPOOL_LOST : MCPOOL_FAILED;
    if (answer == STORE_FULL)
        return MCPOOL_SPENT;
    if (answer != STORE_DOWN)
        return MCPOOL_FINE;
    return loan->reused && !is_write(what->verb) ? MCPOOL_STALE : MCPOOL_FAILED;
}

static bool is_repeatable(verb asked, mcpool_end end)
{
    return end == MCPOOL_STALE || (end == MCPOOL_LOST && !is_write(asked));
}

/* What may be repeated is repeated once. A write may not, as it may have happened; its connection is proven
 * before instead. */
static store_rc run(store_port *port, const call *what)
{
    const mcstore *store = (mcstore *)port;
    mcpool *server = store->servers[mcstore_server_of(port, what->key)];
    store_rc answer = STORE_DOWN;
    mcpool_end end = MCPOOL_STALE;
    for (int attempt = 0; attempt < 2 && is_repeatable(what->verb, end); attempt++) {
        mcpool_loan loan;
        if (!mcpool_take(server, is_write(what->verb), &loan))
            return STORE_DOWN;
        answer = ask(loan.conn, what);
        end = judge(server, what, &loan, answer);
        if (end == MCPOOL_STALE && attempt > 0)
            end = MCPOOL_FAILED;
        mcpool_give(server, &loan, end);
    }
    return answer;
}

static store_rc store_get(store_port *store, const char *key, apr_pool_t *pool, store_item *item)
{
    call what = {.verb = VERB_GET, .key = key, .pool = pool, .item = item};
    return run(store, &what);
}

/* Above the ceiling no get would bring it back. */
static store_rc write_value(store_port *store, const call *what)
{
    return what->record.value.len > STORE_VALUE_MAX ? STORE_FULL : run(store, what);
}

static store_rc store_put(store_port *store, const char *key, text_t value, int64_t ttl)
{
    call what = {.verb = VERB_PUT, .key = key, .record = {value, ttl, 0}};
    return write_value(store, &what);
}

static store_rc store_add(store_port *store, const char *key, text_t value, int64_t ttl)
{
    call what = {.verb = VERB_ADD, .key = key, .record = {value, ttl, 0}};
    return write_value(store, &what);
}

static store_rc store_cas(store_port *store, const char *key, text_t value, int64_t ttl, uint64_t version)
{
    call what = {.verb = VERB_CAS, .key = key, .record = {value, ttl, version}};
    return write_value(store, &what);
}

static store_rc store_touch(store_port *store, const char *key, int64_t ttl)
{
    call what = {.verb = VERB_TOUCH, .key = key, .record = {{NULL, 0}, ttl, 0}};
    return run(store, &what);
}

static store_rc store_drop(store_port *store, const char *key)
{
    call what = {.verb = VERB_DROP, .key = key};
    return run(store, &what);
}

static apr_status_t ring_release(void *ring)
{
    memcached_free(ring);
    return APR_SUCCESS;
}

/* Weighted ketama is the ring of libketama with MD5, which spreads a few servers evenly. */
static memcached_st *ring_make(apr_pool_t *pool, const store_url *url)
{
    memcached_st *ring = memcached_create(NULL);
    memcached_return_t rc;
    if (ring == NULL)
        return NULL;
    apr_pool_cleanup_register(pool, ring, ring_release, apr_pool_cleanup_null);
    rc = memcached_behavior_set(ring, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    if (url->scheme == STOREURL_SOCKET)
        rc = memcached_server_add_unix_socket(ring, url->path);
    for (int i = 0; i < url->server_count && rc == MEMCACHED_SUCCESS; i++)
        rc = memcached_server_add(ring, url->servers[i].host, (in_port_t)url->servers[i].port);
    return rc == MEMCACHED_SUCCESS ? ring : NULL;
}

static void pools_make(apr_pool_t *pool, const store_url *url, int connections, mcstore *store)
{
    int count = url->scheme == STOREURL_SOCKET ? 1 : url->server_count;
    mcpool_terms terms = {url->timeout_ms, connections};
    store->servers = apr_pcalloc(pool, (apr_size_t)count * sizeof(*store->servers));
    for (int i = 0; i < count; i++) {
        mcpool_place *place = apr_pcalloc(pool, sizeof(*place));
        if (url->scheme == STOREURL_SOCKET) {
            place->path = url->path;
        } else {
            place->host = url->servers[i].host;
            place->port = url->servers[i].port;
        }
        store->servers[i] = mcpool_new(pool, place, &terms, store->clock);
    }
}

static const store_port verbs = {"memcached", store_get,   store_put, store_add,
                                 store_cas,   store_touch, store_drop};

const char *mcstore_open(apr_pool_t *pool, const store_url *url, const clock_port *clock, int connections,
                         store_port **store)
{
    mcstore *made = apr_pcalloc(pool, sizeof(*made));
    if (url->scheme == STOREURL_LMDB || (url->scheme == STOREURL_SERVERS && url->server_count < 1))
        return "the store's address does not name a memcached server";
    if (connections < 1 || connections > CONNECTIONS_MAX)
        return apr_psprintf(pool, "%d connections to memcached are not between 1 and %d", connections,
                            CONNECTIONS_MAX);
    made->port = verbs;
    made->clock = clock;
    made->ring = ring_make(pool, url);
    if (made->ring == NULL)
        return "libmemcached does not accept the store's servers";
    pools_make(pool, url, connections, made);
    *store = &made->port;
    return NULL;
}
