/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What may happen to a session while its refresh token is under way, and stores that fail right then. */

#include "unit.h"

#include "world.h"

#define DUE  250
#define OVER 300

typedef struct scene {
    world_t *world;
    const char *cookies;
} scene_t;

static scene_t *scene_new(apr_pool_t *pool, void (*meanwhile)(void *scene))
{
    scene_t *scene = apr_pcalloc(pool, sizeof *scene);
    scene->world = world_new(pool, NULL);
    scene->cookies = world_sign_in(scene->world);
    fakes_route *route = fakes_http_route(&scene->world->http, "/token");
    route->before = meanwhile;
    route->before_data = scene;
    return scene;
}

static verdict_t *ask_after(scene_t *scene, int64_t seconds)
{
    const visit_t visit = world_nav(scene->world, "/app", scene->cookies);
    fakes_clock_pass(&scene->world->clock, seconds);
    return gate_admit(scene->world->rp, &scene->world->env, &visit);
}

static session_t stored(scene_t *scene)
{
    vault_record record;
    assert_int_equal(world_load(scene->world, scene->cookies, &record), VAULT_OK);
    return record.session;
}

static void evict(void *data)
{
    scene_t *scene = data;
    fakestore_wipe(&scene->world->store);
}

/* RF-16, RF-20: evicted or logged out meanwhile: it stays dead, and the new tokens are given back. */
static void test_gone_meanwhile(void **state)
{
    static const int64_t moments[] = {DUE, OVER};
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(moments); i++) {
        scene_t *scene = scene_new(pool, evict);
        const verdict_t *verdict = ask_after(scene, moments[i]);
        assert_int_equal(verdict->kind, VERDICT_STRANGER);
        assert_int_equal(verdict->fault->code, FAULT_SESSION_ENDED);
        assert_int_equal(fakestore_size(&scene->world->store), 0);
        assert_int_equal(scene->world->op.revocations, 1);
        assert_int_equal(scene->world->op.refreshes, 1);
    }
}

static void bury(void *data)
{
    scene_t *scene = data;
    const session_t tombstone = {.ended = true, .created = WORLD_START, .ends = WORLD_START + 3600};
    world_change(scene->world, scene->cookies, &tombstone);
}

static void test_buried_meanwhile(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), bury);
    assert_int_equal(ask_after(scene, DUE)->kind, VERDICT_STRANGER);
    assert_true(stored(scene).ended);
    assert_int_equal(scene->world->op.revocations, 1);
}

static void slide(void *data)
{
    scene_t *scene = data;
    session_t session = stored(scene);
    session.seen += 33;
    world_change(scene->world, scene->cookies, &session);
}

/* RF-21: another request writes its activity meanwhile: both survive. */
static void test_updated_meanwhile(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), slide);
    int64_t before = stored(scene).seen;
    scene->world->place->slide = false;
    assert_int_equal(ask_after(scene, DUE)->kind, VERDICT_KNOWN);
    const session_t session = stored(scene);
    assert_text(session.access_token, "at.1");
    assert_int_equal(session.seen, before + 33);
    assert_false(session_is_leased(&session));
}

static void take_over(void *data)
{
    scene_t *scene = data;
    session_t session = stored(scene);
    session_take_lease(&session, (const unsigned char *)"another", 15);
    session.access_token = TEXT("at.thief");
    session.token_obtained = scene->world->clock.wall_ms / 1000;
    session.token_expires = session.token_obtained + 300;
    session_free_lease(&session);
    world_change(scene->world, scene->cookies, &session);
}

/* MC-24: taken over by another process: what that one stored stays. */
static void test_taken_over(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), take_over);
    const verdict_t *verdict = ask_after(scene, DUE);
    assert_int_equal(verdict->kind, VERDICT_KNOWN);
    assert_texts(verdict->identity->access_token, TEXT("at.thief"), "the other one's");
    assert_text(stored(scene).access_token, "at.thief");
    assert_true(world_noted(verdict, "taken over"));
}

/* invalid_grant, but the epoch has moved: whoever moved it has the right tokens. */
static void test_refused_and_taken_over(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), take_over);
    fakes_http_answer(&scene->world->http, "/token", 1, 400, NULL, "{\"error\":\"invalid_grant\"}");
    const verdict_t *verdict = ask_after(scene, OVER);
    assert_int_equal(verdict->kind, VERDICT_KNOWN);
    assert_null(verdict->fault);
    assert_texts(verdict->identity->access_token, TEXT("at.thief"), "the other one's");
    assert_false(stored(scene).ended);
}

/* The write of the result answers this; what happens then. */
static void test_result_write(void **state)
{
    static const struct {
        const char *why;
        unsigned times;
        store_rc rc;
        bool happens;
    } cases[] = {
        {"DOWN, but written: found by reading back", 1, STORE_DOWN, true},
        {"DOWN, and not: written again", 1, STORE_DOWN, false},
        {"DOWN for a while", 20, STORE_DOWN, false},
        {"FULL for a while", 3, STORE_FULL, false},
        {"a CLASH that was none", 1, STORE_CLASH, false},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        scene_t *scene = scene_new(pool, NULL);
        scene->world->store.faults[FAKESTORE_CAS] =
            (fakestore_fault){1, cases[i].times, cases[i].rc, cases[i].happens};
        const verdict_t *verdict = ask_after(scene, OVER);
        assert_case(verdict->kind == VERDICT_KNOWN, cases[i].why);
        assert_case(!world_noted(verdict, "taken over"), cases[i].why);
        assert_case(text_equal(stored(scene).access_token, TEXT("at.1")), cases[i].why);
        assert_case(scene->world->op.refreshes == 1, cases[i].why);
    }
}

static void store_goes(void *data)
{
    scene_t *scene = data;
    fakestore_down(&scene->world->store, true);
}

static void store_comes_back(void *data)
{
    scene_t *scene = data;
    if (scene->world->clock.rests == 50)
        fakestore_down(&scene->world->store, false);
}

/* The store is away while the answer comes: it is kept until it can be written, or until the lease ends. */
static void test_store_down_meanwhile(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), store_goes);
    scene->world->clock.on_rest = store_comes_back;
    scene->world->clock.on_rest_data = scene;
    assert_int_equal(ask_after(scene, OVER)->kind, VERDICT_KNOWN);
    assert_text(stored(scene).access_token, "at.1");
    scene = scene_new(unit_pool(state), store_goes);
    int64_t began = scene->world->clock.steady_ms;
    const verdict_t *verdict = ask_after(scene, OVER);
    assert_int_equal(verdict->kind, VERDICT_ANSWER);
    assert_int_equal(verdict->fault->code, FAULT_STORE_DOWN);
    assert_true(world_noted(verdict, "could not be stored"));
    assert_in_range(scene->world->clock.steady_ms - began, OVER * 1000 + 14900, OVER * 1000 + 15200);
    assert_int_equal(scene->world->op.refreshes, 1);
}

static void stall(void *data, fakestore_verb verb, const char *key)
{
    scene_t *scene = data;
    (void)key;
    if (verb == FAKESTORE_CAS) /* the lease is being written, and the process is stopped for a while */
        fakes_clock_pass_ms(&scene->world->clock, 5001);
}

/* A holder who could not finish before his lease ends sends nothing, and gives it back. */
static void test_late_holder(void **state)
{
    scene_t *scene = scene_new(unit_pool(state), NULL);
    scene->world->store.before = stall;
    scene->world->store.before_data = scene;
    const verdict_t *verdict = ask_after(scene, OVER);
    assert_int_equal(verdict->status, 503);
    assert_int_equal(verdict->fault->code, FAULT_REFRESH_PENDING);
    assert_int_equal(fakes_http_route(&scene->world->http, "/token")->calls, 0);
    scene->world->store.before = NULL;
    const session_t session = stored(scene);
    assert_false(session_is_leased(&session));
    assert_int_equal(ask_after(scene, 5)->kind, VERDICT_KNOWN);
    assert_int_equal(scene->world->op.refreshes, 1);
}

/* Tokens that grow beyond SSOMaxSession end the session, with the reason in the log. */
static void test_too_large(void **state)
{
    static const char *const lines[] = {"SSOMaxSession 4k", NULL};
    scene_t *scene = scene_new(unit_pool(state), NULL);
    char *huge = apr_pcalloc(scene->world->pool, 5001);
    memset(huge, 'x', 5000);
    scene->world->rp = world_rp(scene->world, lines);
    scene->world->op.refresh_token = (text_t){huge, 5000};
    const verdict_t *verdict = ask_after(scene, DUE);
    assert_int_equal(verdict->kind, VERDICT_STRANGER);
    assert_true(world_noted(verdict, "session_too_large"));
    assert_true(stored(scene).ended);
}

/* Claims that only userinfo has are asked for anew after a refresh; another subject ends the session. */
static void test_userinfo_after_refresh(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    scene_t *scene = scene_new(unit_pool(state), NULL);
    world_t *world = scene->world;
    world->rp = world_rp(world, lines);
    world->op.userinfo = ",\"role\":\"b\"";
    const verdict_t *verdict = ask_after(scene, DUE);
    assert_int_equal(verdict->kind, VERDICT_KNOWN);
    assert_true(claim_has(claim_find(&verdict->identity->claims, TEXT("role")), TEXT("b")));
    session_t session = stored(scene);
    assert_true(claim_has(claim_find(&session.claims, TEXT("role")), TEXT("b")));
    assert_string_equal(fakes_http_last(&world->http, "/userinfo")->authorization, "Bearer at.1");
    fakes_http_answer(&world->http, "/userinfo", 1, 500, NULL, "");
    verdict = ask_after(scene, DUE);
    assert_int_equal(verdict->kind, VERDICT_KNOWN);
    assert_true(claim_has(claim_find(&verdict->identity->claims, TEXT("role")), TEXT("b")));
    world->op.userinfo_sub = "bob"; /* UI-01 */
    assert_int_equal(ask_after(scene, DUE)->kind, VERDICT_STRANGER);
    assert_int_equal(ask_after(scene, 1)->kind, VERDICT_STRANGER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_gone_meanwhile),
        UNIT_TEST(test_buried_meanwhile),
        UNIT_TEST(test_updated_meanwhile),
        UNIT_TEST(test_taken_over),
        UNIT_TEST(test_refused_and_taken_over),
        UNIT_TEST(test_result_write),
        UNIT_TEST(test_store_down_meanwhile),
        UNIT_TEST(test_late_holder),
        UNIT_TEST(test_too_large),
        UNIT_TEST(test_userinfo_after_refresh),
    };
    return UNIT_MAIN(tests);
}
