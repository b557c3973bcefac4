/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Idle connections are a stack: the one used last is the one least likely to have been closed, and a burst's
 * surplus sinks.
 *
 * The breaker trips on the first failure. Counting failures first was rejected: each one costs a request its
 * whole deadline, while a breaker that opened in vain costs a tenth of a second of quick 503s. A probe is a
 * real call over a new connection (a used memcached_st keeps its server disabled for about two seconds,
 * whatever RETRY_TIMEOUT says).
 *
 * `generation` tells the connections of before a failure from those behind it: when ten calls time out
 * together, the first opens the breaker and the other nine neither open it again nor put their broken
 * connections back.
 *
 * Waiting for a free connection, proving it, and using it have a deadline each. With one for all, a call that
 * got its connection late would have a few milliseconds left, miss them, and blame a healthy server. */

#include <pthread.h>

#include "backend/mcpool.h"
#include "backend/monotonic.h"

struct mcpool {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a connection came free, or the breaker moved */
    const mcpool_place *place;
    mcname *name; /* NULL for a unix socket */
    const clock_port *clock;
    mcpool_terms terms;
    mcconn **idle; /* room for terms.connections */
    int idle_count;
    int lent;
    uint64_t generation;
    int64_t heard_at; /* an answer came in time; 0: not yet */
    breaker_t breaker;
};

static const breaker_terms first_failure = {
    .failures = 1, .first_ms = MCPOOL_PROBE_FIRST_MS, .last_ms = MCPOOL_PROBE_LAST_MS};

static int64_t steady(const mcpool *server)
{
    return server->clock->steady(server->clock);
}

/* Saying goodbye takes a few microseconds each and never waits, so it may happen under the lock. */
static void close_idle(mcpool *server)
{
    while (server->idle_count > 0)
        mcconn_close(server->idle[--server->idle_count]);
}

static apr_status_t pool_release(void *data)
{
    mcpool *server = data;
    close_idle(server);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    return APR_SUCCESS;
}

mcpool *mcpool_new(apr_pool_t *pool, const mcpool_place *place, const mcpool_terms *terms,
                   const clock_port *clock)
{
    mcpool *server = apr_pcalloc(pool, sizeof(*server));
    server->place = place;
    server->clock = clock;
    server->terms = *terms;
    server->breaker.terms = &first_failure;
    server->idle = apr_pcalloc(pool, (apr_size_t)terms->connections * sizeof(*server->idle));
    server->name = place->path ? NULL : mcname_new(pool, place->host);
    pthread_mutex_init(&server->mutex, NULL);
    monotonic_cond(&server->changed);
    apr_pool_cleanup_register(pool, server, pool_release, apr_pool_cleanup_null);
    return server;
}

/* Each address of the name in turn, but only as long as there is time; the next call goes on where this one
 * stopped. */
static mcconn *connect_fresh(mcpool *server, int64_t deadline)
{
    char address[MCNAME_ROOM];
    mcconn_place place = {NULL, server->place->port, server->place->path};
    int64_t left = deadline - steady(server);
    int tries = 1;
    if (server->name == NULL)
        return mcconn_open(&place, server->clock, deadline);
    for (int i = 0; i < tries && left > 0; i++) {
        mcconn *conn;
        tries = mcname_address(server->name, left, address);
        if (tries < 1)
            return NULL;
        place.address = address;
        conn = mcconn_open(&place, server->clock, deadline);
        if (conn)
            return conn;
        mcname_failed(server->name, address);
        left = deadline - steady(server);
    }
    return NULL;
}

/* Under the lock. False: the time is over. */
static bool wait_for_change(mcpool *server, int64_t deadline)
{
    int64_t left = deadline - steady(server);
    struct timespec until;
    if (left < 1)
        return false;
    until = monotonic_after(left);
    pthread_cond_timedwait(&server->changed, &server->mutex, &until);
    return true;
}

/* Under the lock: may this thread have a connection? `conn` of the loan stays NULL where it has to be opened.
 * A probe may exceed the ceiling by one, as the others may all hang. */
static bool admit(mcpool *server, mcpool_loan *loan)
{
    int64_t deadline = steady(server) + server->terms.timeout_ms;
    while (!server->breaker.open && server->idle_count == 0 && server->lent >= server->terms.connections) {
        if (!wait_for_change(server, deadline))
            return false;
    }
    if (!breaker_enter(&server->breaker, steady(server), &loan->pass))
        return false;
    if (!loan->pass.probe && server->idle_count > 0) {
        loan->conn = server->idle[--server->idle_count];
        loan->reused = true;
    }
    loan->generation = server->generation;
    server->lent++;
    return true;
}

static bool admitted(mcpool *server, mcpool_loan *loan)
{
    bool may;
    *loan = (mcpool_loan){0};
    pthread_mutex_lock(&server->mutex);
    may = admit(server, loan);
    pthread_mutex_unlock(&server->mutex);
    loan->deadline = steady(server) + server->terms.timeout_ms;
    return may;
}

/* From now on the call that the connection was lent for is timed. */
static void start_deadline(const mcpool *server, mcpool_loan *loan)
{
    loan->deadline = steady(server) + server->terms.timeout_ms;
    mcconn_until(loan->conn, loan->deadline);
}

static bool open_loan(mcpool *server, mcpool_loan *loan)
{
    int64_t until = loan->deadline;
    if (loan->pass.probe && server->terms.timeout_ms > MCPOOL_PROBE_WAIT_MS)
        until += MCPOOL_PROBE_WAIT_MS - server->terms.timeout_ms;
    loan->conn = connect_fresh(server, until);
    if (loan->conn == NULL) {
        mcpool_give(server, loan, MCPOOL_FAILED);
        return false;
    }
    start_deadline(server, loan);
    return true;
}

bool mcpool_take(mcpool *server, bool proven, mcpool_loan *loan)
{
    while (admitted(server, loan)) {
        if (loan->conn == NULL)
            return open_loan(server, loan);
        mcconn_until(loan->conn, loan->deadline);
        if (!proven)
            return true;
        if (mcconn_greet(loan->conn)) {
            start_deadline(server, loan);
            return true;
        }
        if (steady(server) >= loan->deadline) {
            mcpool_give(server, loan, MCPOOL_FAILED);
            return false;
        }
        mcpool_give(server, loan, MCPOOL_STALE);
    }
    return false;
}

static breaker_end sign_of(mcpool_end end)
{
    switch (end) {
    case MCPOOL_FINE:
    case MCPOOL_SPENT:
    case MCPOOL_STALE:
        return BREAKER_WELL;
    case MCPOOL_FAILED:
        return BREAKER_FAILED;
    case MCPOOL_LOST:
        break;
    }
    return BREAKER_UNKNOWN;
}

/* Under the lock: what the end of a loan means for the others. */
static void settle(mcpool *server, const mcpool_loan *loan, mcpool_end end)
{
    bool current = loan->generation == server->generation;
    breaker_end sign = sign_of(end);
    if (end == MCPOOL_FINE || end == MCPOOL_SPENT)
        server->heard_at = steady(server);
    breaker_leave(&server->breaker, &loan->pass, current ? sign : BREAKER_UNKNOWN, steady(server));
    if (current && (end == MCPOOL_FAILED || end == MCPOOL_STALE)) {
        server->generation++;
        close_idle(server);
    }
}

bool mcpool_answers(mcpool *server)
{
    bool lately;
    pthread_mutex_lock(&server->mutex);
    lately = server->heard_at > 0 && steady(server) - server->heard_at < server->terms.timeout_ms / 2;
    pthread_mutex_unlock(&server->mutex);
    return lately;
}

void mcpool_give(mcpool *server, const mcpool_loan *loan, mcpool_end end)
{
    bool keep;
    pthread_mutex_lock(&server->mutex);
    keep = end == MCPOOL_FINE && loan->generation == server->generation &&
           server->idle_count < server->terms.connections;
    settle(server, loan, end);
    if (keep)
        server->idle[server->idle_count++] = loan->conn;
    server->lent--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    if (!keep)
        mcconn_close(loan->conn);
}
