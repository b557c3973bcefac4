/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* ST-25: a browser that never brings the session cookie back does not go round for ever. */

#include "unit.h"

#include "flow/loopguard.h"
#include "journey.h"

#include <apr_strings.h>

#include "base/cookie.h"

#define COUNTER "__Host-sso-login-count"

static walk_t walk_with(world_t *world, const char *cookies)
{
    visit_t *visit = apr_palloc(world->pool, sizeof *visit);
    *visit = world_nav(world, "/", cookies);
    return walk_begin(world->rp, &world->env, visit);
}

static void test_closed(void **state)
{
    static const struct {
        const char *cookies;
        bool closed;
        const char *why;
    } cases[] = {
        {NULL, false, "nothing counted"},
        {COUNTER "=1.1700000000", false, "one"},
        {COUNTER "=2.1700000000", false, "two"},
        {COUNTER "=3.1700000000", true, "three within a minute"},
        {COUNTER "=1000.1699999990", true, "many"},
        {COUNTER "=3.1699999940", true, "the last second of the minute"},
        {COUNTER "=3.1699999939", false, "the minute is over"},
        {COUNTER "=3.1700000001", false, "from the future: not ours"},
        {COUNTER "=1001.1700000000", false, "not ours"},
        {COUNTER "=-3.1700000000", false, "not ours"},
        {COUNTER "=3", false, "not ours"},
        {COUNTER "=3.", false, "not ours"},
        {COUNTER "=.1700000000", false, "not ours"},
        {COUNTER "=3.99999999999999999999", false, "no overflow"},
        {COUNTER "=3.1700000000; " COUNTER "=3.1700000000", false, "twice: none is trusted"},
        {"x" COUNTER "=3.1700000000", false, "another name"},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const walk_t walk = walk_with(world, cases[i].cookies);
        assert_case(loopguard_is_closed(&walk) == cases[i].closed, cases[i].why);
    }
}

static void test_count(void **state)
{
    static const struct {
        const char *cookies, *line, *why;
    } cases[] = {
        {NULL, "1.1700000000", "the first"},
        {COUNTER "=1.1699999990", "2.1699999990", "the window stays where it began"},
        {COUNTER "=2.1699990000", "1.1700000000", "a new window"},
        {COUNTER "=rubbish", "1.1700000000", "what is not ours counts nothing"},
        {WORLD_COOKIE "=x", NULL, "a session cookie came along: no loop"},
        {WORLD_COOKIE "=x; " WORLD_COOKIE "=y", NULL, "even twice"},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        walk_t walk = walk_with(world, cases[i].cookies);
        loopguard_count(&walk);
        const char *line = world_set_cookie(walk.verdict, COUNTER "=");
        assert_case((line != NULL) == (cases[i].line != NULL), cases[i].why);
        if (line != NULL)
            assert_string_equal(line,
                                apr_pstrcat(world->pool, COUNTER "=", cases[i].line,
                                            "; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax", NULL));
    }
}

static void test_forget(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    walk_t walk = walk_with(world, COUNTER "=2.1700000000");
    loopguard_forget(&walk);
    assert_non_null(strstr(world_set_cookie(walk.verdict, COUNTER "="), "Max-Age=0"));
    walk = walk_with(world, "other=1");
    loopguard_forget(&walk);
    assert_null(walk.verdict->cookies);
}

/* The whole round: three logins are completed, the fourth is explained instead; a minute later it goes on. */
static void test_round(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *jar = NULL;
    for (int i = 0; i < 3; i++) {
        journey_t journey = journey_begin(world, "/app", jar);
        verdict_t *verdict = journey_return(&journey, journey_consent(&journey));
        journey_welcomed(&journey, verdict, "/app");
        jar = world_cookies_after(world->pool, journey.cookies, verdict);
        jar = cookie_without(world->pool, text_of(jar), TEXT(WORLD_COOKIE), (text_t){NULL, 0}).at;
        fakes_clock_pass(&world->clock, 5);
    }
    visit_t visit = world_nav(world, "/app", jar);
    verdict_t *verdict =
        gate_stranger(world->rp, &world->env, &visit, gate_admit(world->rp, &world->env, &visit));
    assert_fault(verdict->fault, FAULT_LOGIN_LOOP);
    assert_int_equal(verdict->status, 400);
    assert_null(verdict->location);
    assert_non_null(strstr(verdict->body.at, "allow cookies"));
    assert_int_equal(world->op.codes, 3);
    fakes_clock_pass(&world->clock, 60);
    journey_begin(world, "/app", jar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(test_closed), UNIT_TEST(test_count), UNIT_TEST(test_forget),
                                       UNIT_TEST(test_round)};
    return UNIT_MAIN(tests);
}
