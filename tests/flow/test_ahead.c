/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A token that is due is renewed behind the response: nobody waits for it, and the work finds what is true
 * when it runs. */

#include "unit.h"

#include "world.h"

#define DUE  250
#define OVER 300

typedef struct scene {
    world_t *world;
    const char *cookies;
    unsigned lines; /* told to the journal */
} scene_t;

static void write_line(const void *place, const note_t *note)
{
    union {
        const void *given;
        scene_t *own;
    } both = {place};
    both.own->lines += strstr(note->line, "refresh: session=") != NULL;
}

static scene_t *scene_new(void **state)
{
    scene_t *scene = apr_pcalloc(unit_pool(state), sizeof *scene);
    scene->world = world_new(unit_pool(state), NULL);
    scene->world->env.later = &scene->world->later.port;
    scene->world->env.journal = write_line;
    scene->world->env.journal_place = scene;
    scene->cookies = world_sign_in(scene->world);
    return scene;
}

static verdict_t *ask_after(scene_t *scene, int64_t seconds)
{
    const visit_t visit = world_nav(scene->world, "/app", scene->cookies);
    fakes_clock_pass(&scene->world->clock, seconds);
    return gate_admit(scene->world->rp, &scene->world->env, &visit);
}

static void assert_known(const verdict_t *verdict, const char *token)
{
    assert_int_equal(verdict->kind, VERDICT_KNOWN);
    assert_texts(verdict->identity->access_token, text_of(token), "access token");
}

static void test_behind(void **state)
{
    scene_t *scene = scene_new(state);
    assert_known(ask_after(scene, DUE - 20), "at.first");
    assert_int_equal(scene->world->later.submitted, 0);
    assert_known(ask_after(scene, 20), "at.first");
    assert_int_equal(scene->world->http.calls, 0); /* nothing in the request itself */
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(scene->world->op.refreshes, 1);
    assert_int_equal(scene->lines, 1);
    assert_known(ask_after(scene, 0), "at.1");
    assert_int_equal(scene->world->later.submitted, 1);
}

/* Many requests meet the same token: one task a second. */
static void test_throttle(void **state)
{
    scene_t *scene = scene_new(state);
    assert_known(ask_after(scene, DUE), "at.first");
    for (int i = 0; i < 20; i++)
        assert_known(ask_after(scene, 0), "at.first");
    assert_int_equal(scene->world->later.submitted, 1);
    assert_known(ask_after(scene, 1), "at.first");
    assert_int_equal(scene->world->later.submitted, 2);
    assert_int_equal(fakes_later_run(&scene->world->later), 2);
    assert_int_equal(scene->world->op.refreshes, 1);
    assert_int_equal(scene->world->op.reuses, 0);
}

/* No room behind the response: the request does it itself. */
static void test_full(void **state)
{
    scene_t *scene = scene_new(state);
    scene->world->later.full = true;
    assert_known(ask_after(scene, DUE), "at.1");
    assert_int_equal(scene->world->op.refreshes, 1);
}

/* A token that is over is worth waiting for. */
static void test_over(void **state)
{
    scene_t *scene = scene_new(state);
    assert_known(ask_after(scene, OVER), "at.1");
    assert_int_equal(scene->world->later.submitted, 0);
}

/* Activity is written down also when the refresh goes behind. */
static void test_slides(void **state)
{
    scene_t *scene = scene_new(state);
    vault_record record;
    assert_known(ask_after(scene, DUE), "at.first");
    assert_int_equal(world_load(scene->world, scene->cookies, &record), VAULT_OK);
    assert_int_equal(record.session.seen, WORLD_START + DUE);
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(world_load(scene->world, scene->cookies, &record), VAULT_OK);
    assert_int_equal(record.session.seen, WORLD_START + DUE);
    assert_text(record.session.access_token, "at.1");
}

/* RF-20: what happened before the work could run counts: logged out, idle for too long, or store down. */
static void test_late(void **state)
{
    scene_t *scene = scene_new(state);
    assert_known(ask_after(scene, DUE), "at.first");
    fakestore_wipe(&scene->world->store);
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(fakestore_size(&scene->world->store), 0);
    scene = scene_new(state);
    assert_known(ask_after(scene, DUE), "at.first");
    fakes_clock_set(&scene->world->clock, WORLD_START + 3 * 3600);
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(scene->world->op.refreshes, 0);
    scene = scene_new(state);
    assert_known(ask_after(scene, DUE), "at.first");
    fakestore_down(&scene->world->store, true);
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(scene->world->op.refreshes, 0);
}

/* RF-06: it failed: the token serves on, and requests do not bring tasks while the session rests. */
static void test_failure(void **state)
{
    scene_t *scene = scene_new(state);
    fakes_http_answer(&scene->world->http, "/token", 1, 500, NULL, "");
    assert_known(ask_after(scene, DUE), "at.first");
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_int_equal(scene->lines, 1);
    assert_known(ask_after(scene, 4), "at.first");
    assert_int_equal(scene->world->later.submitted, 1);
    assert_known(ask_after(scene, 1), "at.first");
    assert_int_equal(fakes_later_run(&scene->world->later), 1);
    assert_known(ask_after(scene, 0), "at.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_behind), UNIT_TEST(test_throttle), UNIT_TEST(test_full),    UNIT_TEST(test_over),
        UNIT_TEST(test_slides), UNIT_TEST(test_late),     UNIT_TEST(test_failure),
    };
    return UNIT_MAIN(tests);
}
