/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Metadata and keys: fetched when needed, once, kept over failures, never from elsewhere. */

#include "unit.h"

#include <apr_strings.h>

#include "backend/sharedthreads.h"
#include "flow/issuer.h"
#include "world.h"

#define METADATA "/.well-known/openid-configuration"
#define HOUR     3600

static walk_t walk_of(world_t *world)
{
    static visit_t visit;
    visit = world_nav(world, "/", NULL);
    return walk_begin(world->rp, &world->env, &visit);
}

static const fault_t *look(world_t *world, const provider_t **provider)
{
    walk_t walk = walk_of(world);
    return issuer_provider(&walk, provider);
}

static const fault_t *look_keys(world_t *world, bool renew, const jwks_t **keys)
{
    walk_t walk = walk_of(world);
    const provider_t *provider = NULL;
    const fault_t *fault = issuer_provider(&walk, &provider);
    return fault != NULL ? fault : issuer_keys(&walk, provider, renew, keys);
}

static void remember(world_t *world)
{
    walk_t walk = walk_of(world);
    issuer_remember(&walk);
}

static unsigned fetches(world_t *world, const char *suffix)
{
    return fakes_http_route(&world->http, suffix)->calls;
}

static void test_lazy(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const provider_t *provider = NULL;
    assert_int_equal(world->http.calls, 0); /* DS-02: httpd starts without the provider */
    for (int i = 0; i < 3; i++)
        assert_no_fault(look(world, &provider));
    assert_int_equal(world->http.calls, 1);
    assert_string_equal(provider->token, FAKEOP_ISSUER "/token");
    assert_string_equal(fakes_http_last(&world->http, METADATA)->url, FAKEOP_ISSUER METADATA);
    assert_int_equal(fakes_http_last(&world->http, METADATA)->deadline_ms, 10000);
}

static void test_faults(void **state)
{
    static const struct {
        const char *why;
        http_rc rc;
        int status;
        const char *body;
        fault_code code;
    } cases[] = {
        {"nobody there", HTTP_UNREACHABLE, 0, "", FAULT_PROVIDER_DOWN},
        {"too slow", HTTP_BROKEN, 0, "", FAULT_PROVIDER_DOWN},
        {"TE-24: TLS", HTTP_UNTRUSTED, 0, "", FAULT_PROVIDER_TLS},
        {"too many calls", HTTP_BUSY, 0, "", FAULT_PROVIDER_BUSY},
        {"too large", HTTP_TOO_LARGE, 0, "", FAULT_METADATA_INVALID},
        {"refused by the port", HTTP_REFUSED, 0, "", FAULT_PROVIDER_DOWN},
        {"DS-02: 500", HTTP_ANSWERED, 500, "{}", FAULT_PROVIDER_DOWN},
        {"429", HTTP_ANSWERED, 429, "{}", FAULT_PROVIDER_DOWN},
        {"404", HTTP_ANSWERED, 404, "{}", FAULT_METADATA_INVALID},
        {"DS-03: a redirect leads nowhere", HTTP_ANSWERED, 302, "{}", FAULT_METADATA_INVALID},
        {"HTML", HTTP_ANSWERED, 200, "<html>", FAULT_METADATA_INVALID},
        {"DS-01: another issuer", HTTP_ANSWERED, 200, "{\"issuer\":\"" FAKEOP_ISSUER "/\"}",
         FAULT_METADATA_INVALID},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(pool, NULL);
        const provider_t *provider = NULL;
        fakes_http_answer(&world->http, METADATA, 1, cases[i].status, NULL, cases[i].body);
        fakes_http_route(&world->http, METADATA)->odd_rc = cases[i].rc;
        const fault_t *fault = look(world, &provider);
        assert_case(fault != NULL && fault->code == cases[i].code, cases[i].why);
        assert_case(fakestore_size(&world->store) == 0, "what is no good is not kept");
        assert_case(look(world, &provider) != NULL && fetches(world, METADATA) == 1,
                    "not again within a second");
        fakes_clock_pass(&world->clock, 1);
        assert_case(look(world, &provider) == NULL && fetches(world, METADATA) == 2, "but then");
    }
}

static void test_age(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const provider_t *provider = NULL;
    assert_no_fault(look(world, &provider));
    fakes_clock_pass(&world->clock, HOUR);
    assert_no_fault(look(world, &provider));
    assert_int_equal(fetches(world, METADATA), 1);
    world->op.metadata = ",\"authorization_response_iss_parameter_supported\":true";
    fakes_clock_pass(&world->clock, 1);
    assert_no_fault(look(world, &provider));
    assert_int_equal(fetches(world, METADATA), 2);
    assert_true(provider->iss_promised);
    fakes_clock_set(&world->clock, WORLD_START + 400 * HOUR); /* the wall clock has no say */
    assert_no_fault(look(world, &provider));
    assert_int_equal(fetches(world, METADATA), 2);
}

/* DS-06, DS-07, DS-09: what is known serves on while fetches fail, for a day; one try a minute. */
static void test_stale(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const jwks_t *keys = NULL;
    assert_no_fault(look_keys(world, false, &keys));
    fakes_clock_pass(&world->clock, HOUR + 1);
    fakes_http_fail(&world->http, METADATA, 1000000, HTTP_UNREACHABLE);
    fakes_http_answer(&world->http, "/jwks", 1000000, 200, NULL, "{\"keys\":[]}");
    for (int i = 0; i < 60; i++) {
        assert_no_fault(look_keys(world, false, &keys));
        assert_int_equal(keys->count, 1);
        fakes_clock_pass(&world->clock, 1);
    }
    assert_int_equal(fetches(world, METADATA), 2);
    assert_int_equal(fetches(world, "/jwks"), 2);
    walk_t walk = walk_of(world);
    const provider_t *provider = NULL;
    assert_no_fault(issuer_provider(&walk, &provider));
    assert_true(world_noted(walk.verdict, "going on with what is known"));
    fakes_clock_pass(&world->clock, 23 * HOUR);
    assert_fault(look(world, &provider), FAULT_PROVIDER_DOWN);
    fakes_http_fail(&world->http, METADATA, 0, HTTP_ANSWERED);
    fakes_clock_pass(&world->clock, 60);
    assert_no_fault(look(world, &provider));
}

/* A process that starts while the provider is away goes on with what another one has kept. */
static void test_last_known_good(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const jwks_t *keys = NULL;
    const provider_t *provider = NULL;
    assert_no_fault(look_keys(world, false, &keys));
    assert_int_equal(fakestore_size(&world->store), 0); /* DO-01: looking writes nothing */
    for (int i = 0; i < 3; i++)
        remember(world);
    assert_int_equal(fakestore_writes(&world->store), 2);
    assert_int_equal(fakestore_size(&world->store), 2);
    fakes_shared_restart(&world->shared);
    fakes_http_fail(&world->http, METADATA, 1000, HTTP_UNREACHABLE);
    fakes_http_fail(&world->http, "/jwks", 1000, HTTP_UNREACHABLE);
    walk_t walk = walk_of(world);
    assert_no_fault(issuer_provider(&walk, &provider));
    assert_true(world_noted(walk.verdict, "going on with what was kept"));
    assert_no_fault(issuer_keys(&walk, provider, false, &keys));
    assert_int_equal(keys->count, 1);
    fakes_http_fail(&world->http, METADATA, 0, HTTP_ANSWERED);
    fakes_clock_pass(&world->clock, 61);
    unsigned before = fetches(world, METADATA);
    assert_no_fault(look(world, &provider)); /* and looks for the real thing soon */
    assert_no_fault(look(world, &provider));
    assert_int_equal(fetches(world, METADATA), before + 1);
}

/* DS-08: the provider may move its endpoints; the log says so, once. */
static void test_moved_endpoint(void **state)
{
    static const char elsewhere[] =
        "{\"issuer\":\"" FAKEOP_ISSUER "\",\"authorization_endpoint\":\"" FAKEOP_ISSUER
        "/auth\",\"token_endpoint\":\"https://other.example/token\",\"jwks_uri\":\"" FAKEOP_ISSUER "/jwks\"}";
    world_t *world = world_new(unit_pool(state), NULL);
    const provider_t *provider = NULL;
    assert_no_fault(look(world, &provider));
    fakes_http_answer(&world->http, METADATA, 2, 200, NULL, elsewhere);
    for (int i = 0; i < 2; i++) {
        fakes_clock_pass(&world->clock, HOUR + 1);
        walk_t walk = walk_of(world);
        assert_no_fault(issuer_provider(&walk, &provider));
        assert_string_equal(provider->token, "https://other.example/token");
        assert_int_equal(world_noted(walk.verdict, "has moved from " FAKEOP_ISSUER "/token to https://other"),
                         i == 0);
    }
}

/* What lies in the store counts only when this site has sealed it. */
static void test_planted_document(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const provider_t *provider = NULL;
    assert_no_fault(look(world, &provider));
    remember(world);
    assert_int_equal(fakestore_size(&world->store), 1);
    fakestore_poke(&world->store, fakestore_key(&world->store, 0),
                   TEXT("{\"issuer\":\"" FAKEOP_ISSUER "\"}"));
    fakes_shared_restart(&world->shared);
    fakes_http_fail(&world->http, METADATA, 1, HTTP_UNREACHABLE);
    assert_fault(look(world, &provider), FAULT_PROVIDER_DOWN);
    fakes_clock_pass(&world->clock, 2);
    fakestore_down(&world->store, true); /* a store that is down is no reason to refuse what was fetched */
    assert_no_fault(look(world, &provider));
}

/* JW-18, DO-04: unknown keys lead to one fetch a minute. */
static void test_renewed_keys(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const jwks_t *keys = NULL;
    assert_no_fault(look_keys(world, true, &keys)); /* the first look is a fetch as it is */
    assert_int_equal(fetches(world, "/jwks"), 1);
    for (int i = 0; i < 60; i++) {
        assert_no_fault(look_keys(world, true, &keys));
        fakes_clock_pass(&world->clock, 1);
    }
    assert_int_equal(fetches(world, "/jwks"), 2);
    fakestore_down(&world->store, true);
    fakes_http_fail(&world->http, "/jwks", 1, HTTP_BROKEN);
    assert_no_fault(look_keys(world, true, &keys)); /* a fetch that fails leaves the old ones */
    assert_int_equal(fetches(world, "/jwks"), 3);
    assert_int_equal(keys->count, 1);
}

static void test_without_discovery(void **state)
{
    static const char *const lines[] = {"SSOEndpoint authorization=" FAKEOP_ISSUER "/a token=" FAKEOP_ISSUER
                                        "/token jwks=" FAKEOP_ISSUER "/jwks",
                                        NULL};
    static const char *const blind[] = {"SSOScopes email",
                                        "SSOEndpoint authorization=" FAKEOP_ISSUER "/a token=" FAKEOP_ISSUER
                                        "/token userinfo=" FAKEOP_ISSUER "/userinfo",
                                        NULL};
    world_t *world = world_new(unit_pool(state), lines);
    const provider_t *provider = NULL;
    const jwks_t *keys = NULL;
    assert_no_fault(look(world, &provider));
    assert_int_equal(world->http.calls, 0);
    assert_string_equal(provider->authorization, FAKEOP_ISSUER "/a");
    assert_no_fault(look_keys(world, false, &keys));
    assert_int_equal(world->http.calls, 1);
    world = world_new(unit_pool(state), blind);
    assert_fault(look_keys(world, false, &keys), FAULT_PROVIDER_UNSUITABLE);
    assert_int_equal(world->http.calls, 0);
}

/* Endpoints of the configuration lie over those of the metadata. */
static void test_override(void **state)
{
    static const char *const lines[] = {"SSOEndpoint token=https://inside.test/token", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    const provider_t *provider = NULL;
    assert_no_fault(look(world, &provider));
    assert_string_equal(provider->token, "https://inside.test/token");
    assert_string_equal(provider->userinfo, FAKEOP_ISSUER "/userinfo");
}

#define THREADS 40

typedef struct runner {
    pthread_t thread;
    world_t *world;
    pthread_barrier_t *start;
    const fault_t *fault;
    apr_pool_t *pool;
} runner_t;

static void *run(void *data)
{
    runner_t *runner = data;
    const provider_t *provider = NULL;
    const visit_t visit = {
        .pool = runner->pool, .base_url = WORLD_BASE, .https = true, .place = runner->world->place};
    walk_t walk = walk_begin(runner->world->rp, &runner->world->env, &visit);
    pthread_barrier_wait(runner->start);
    runner->fault = issuer_provider(&walk, &provider);
    if (runner->fault == NULL && strcmp(provider->token, FAKEOP_ISSUER "/token") != 0)
        runner->fault = fault_make(runner->pool, FAULT_INTERNAL, "half a provider");
    return NULL;
}

/* DS-12: many first requests at once, one fetch. */
static void test_stampede(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    runner_t runners[THREADS];
    pthread_barrier_t start;
    world->clock.real_steady = true;
    world->env.shared = sharedthreads_new(world->pool);
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (runner_t){.world = world, .start = &start};
        assert_int_equal(apr_pool_create(&runners[i].pool, NULL), APR_SUCCESS);
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(runners[i].thread, NULL);
        assert_no_fault(runners[i].fault);
        apr_pool_destroy(runners[i].pool);
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(fetches(world, METADATA), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_lazy),
        UNIT_TEST(test_faults),
        UNIT_TEST(test_age),
        UNIT_TEST(test_stale),
        UNIT_TEST(test_last_known_good),
        UNIT_TEST(test_moved_endpoint),
        UNIT_TEST(test_planted_document),
        UNIT_TEST(test_renewed_keys),
        UNIT_TEST(test_without_discovery),
        UNIT_TEST(test_override),
        UNIT_TEST(test_stampede),
    };
    return UNIT_MAIN(tests);
}
