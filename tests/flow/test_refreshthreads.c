/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* RF-01, RF-02: two processes of forty threads each meet one session whose token is due or over, again and
 * again: the provider sees one refresh each time and no token twice. */

#include "unit.h"

#include <stdatomic.h>
#include <time.h>

#include "backend/sharedthreads.h"
#include "world.h"

#define NODES    2
#define THREADS  40
#define EXPIRIES 20

typedef struct crowd {
    world_t *world;
    env_t nodes[NODES];
    const char *cookies;
    pthread_barrier_t gate; /* everybody, and the test itself */
    _Atomic unsigned known, strangers, failures;
    _Atomic bool stops;
} crowd_t;

typedef struct visitor {
    pthread_t thread;
    crowd_t *crowd;
    int node;
} visitor_t;

static void visit_once(crowd_t *crowd, const env_t *env)
{
    apr_pool_t *pool = NULL;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return;
    const visit_t visit = {.pool = pool,
                           .method = METHOD_GET,
                           .base_url = WORLD_BASE,
                           .https = true,
                           .path = TEXT("/app"),
                           .cookies = text_of(crowd->cookies),
                           .place = crowd->world->place};
    const verdict_t *verdict = gate_admit(crowd->world->rp, env, &visit);
    if (verdict->kind == VERDICT_KNOWN && verdict->identity->access_token.len > 0)
        crowd->known++;
    else if (verdict->kind == VERDICT_STRANGER)
        crowd->strangers++;
    else
        crowd->failures++;
    apr_pool_destroy(pool);
}

static void *visit_often(void *data)
{
    const visitor_t *visitor = data;
    crowd_t *crowd = visitor->crowd;
    for (;;) {
        pthread_barrier_wait(&crowd->gate);
        if (crowd->stops)
            return NULL;
        visit_once(crowd, &crowd->nodes[visitor->node]);
        pthread_barrier_wait(&crowd->gate);
    }
}

/* A provider that takes its time, so that the others really meet a refresh under way. */
static void take_time(void *data)
{
    const struct timespec pause = {0, 20 * 1000000};
    (void)data;
    (void)nanosleep(&pause, NULL);
}

static void crowd_init(crowd_t *crowd, apr_pool_t *pool)
{
    world_t *world = world_new(pool, NULL);
    memset(crowd, 0, sizeof *crowd);
    crowd->world = world;
    world->clock.real_steady = true;
    crowd->cookies = world_sign_in(world);
    for (int node = 0; node < NODES; node++) {
        crowd->nodes[node] = world->env;
        crowd->nodes[node].shared = sharedthreads_new(pool);
    }
    fakes_http_route(&world->http, "/token")->before = take_time;
    assert_int_equal(pthread_barrier_init(&crowd->gate, NULL, NODES * THREADS + 1), 0);
}

static void run_expiries(crowd_t *crowd)
{
    world_t *world = crowd->world;
    for (unsigned i = 1; i <= EXPIRIES; i++) {
        int64_t age = i % 2 ? 300 : 250; /* over, and due */
        fakes_clock_set(&world->clock, world->clock.wall_ms / 1000 + age);
        pthread_barrier_wait(&crowd->gate);
        pthread_barrier_wait(&crowd->gate);
        assert_int_equal(crowd->strangers, 0);
        assert_int_equal(crowd->failures, 0);
        assert_int_equal(crowd->known, i * NODES * THREADS);
        assert_int_equal(world->op.refreshes, i);
        assert_int_equal(world->op.reuses, 0);
    }
}

static void test_one_refresh_per_expiry(void **state)
{
    static visitor_t visitors[NODES * THREADS];
    static crowd_t crowd;
    crowd_init(&crowd, unit_pool(state));
    for (int i = 0; i < NODES * THREADS; i++) {
        visitors[i] = (visitor_t){.crowd = &crowd, .node = i % NODES};
        assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit_often, &visitors[i]), 0);
    }
    run_expiries(&crowd);
    crowd.stops = true;
    pthread_barrier_wait(&crowd.gate);
    for (int i = 0; i < NODES * THREADS; i++)
        pthread_join(visitors[i].thread, NULL);
    pthread_barrier_destroy(&crowd.gate);
    vault_record record;
    assert_int_equal(world_load(crowd.world, crowd.cookies, &record), VAULT_OK);
    assert_int_equal(record.session.lease.epoch, EXPIRIES);
    assert_false(session_is_leased(&record.session));
    assert_int_equal(fakes_http_route(&crowd.world->http, "/.well-known/openid-configuration")->calls, NODES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_one_refresh_per_expiry),
    };
    return UNIT_MAIN(tests);
}
