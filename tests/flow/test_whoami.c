/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* GET session: what scripts may know, and that asking changes nothing (OE-06, CK-11). */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

#include "base/jval.h"

static verdict_t *who(world_t *world, const char *cookies)
{
    visit_t visit = world_xhr(world, "/sso/session", cookies);
    return gate_endpoint(world->rp, &world->env, &visit);
}

static int64_t number(const jval_t *object, const char *name)
{
    int64_t value = -1;
    assert_int_equal(jval_seconds(object, name, &value), JVAL_FOUND);
    return value;
}

static void test_known(void **state)
{
    static const struct {
        int64_t passed, left;
        const char *why;
    } cases[] = {
        {0, 1800, "just signed in"}, {600, 1200, "asking is no activity"}, {1800, 0, "the last second"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        const char *cookies = world_sign_in(world);
        fakes_clock_pass(&world->clock, cases[i].passed);
        fakestore_recount(&world->store);
        verdict_t *verdict = who(world, cookies);
        const jval_t *object = NULL;
        text_t user;
        assert_case(verdict->status == 200 && verdict->fault == NULL, cases[i].why);
        assert_string_equal(verdict->content_type, "application/json");
        assert_no_fault(jval_read(world->pool, (text_t){verdict->body.at, verdict->body.len - 1}, 2000,
                                  FAULT_INTERNAL, &object));
        assert_int_equal(jval_text(object, "user", &user), JVAL_FOUND);
        assert_text(user, "alice");
        assert_case(number(object, "seconds_left") == cases[i].left, cases[i].why);
        assert_int_equal(number(object, "session_ends"), WORLD_START + 12 * 3600);
        assert_int_equal(number(object, "token_expires"), WORLD_START + 300);
        assert_int_equal(fakestore_calls(&world->store), 1); /* one get, no write */
        assert_null(verdict->cookies);
        assert_int_equal(world->http.calls, 0);
        vault_record record;
        assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
        journey_clean(verdict, record.session.id_token, "tokens are not told");
        assert_null(strstr(verdict->body.at, "at.first"));
        assert_null(strstr(verdict->body.at, "rt."));
    }
}

/* OE-01: a name of somebody is data. */
static void test_escaped(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    session_t session = world_session(world);
    const claim_t sub = {TEXT("sub"), CLAIM_TEXT, TEXT("\"},</script><svg>%s\\")};
    session.claims = (claim_list){&sub, 1};
    verdict_t *verdict = who(world, world_store(world, &session));
    const jval_t *object = NULL;
    text_t user;
    assert_no_fault(jval_read(world->pool, (text_t){verdict->body.at, verdict->body.len - 1}, 2000,
                              FAULT_INTERNAL, &object));
    assert_int_equal(jval_text(object, "user", &user), JVAL_FOUND);
    assert_texts(user, sub.text, "exactly");
    assert_null(strstr(verdict->body.at, "<"));
}

static void test_unknown(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    session_t session = world_session(world);
    session.ended = true;
    const char *const jars[] = {
        NULL, WORLD_COOKIE "=x", WORLD_COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        apr_pstrcat(world->pool, cookies, "; ", cookies, NULL), world_store(world, &session)};
    for (size_t i = 0; i < COUNT(jars); i++) {
        verdict_t *verdict = who(world, jars[i]);
        assert_fault(verdict->fault, FAULT_LOGIN_REQUIRED);
        assert_int_equal(verdict->status, 401);
        assert_string_equal(verdict->content_type, "application/json");
        assert_null(verdict->location);
    }
    fakes_clock_pass(&world->clock, 1860);
    assert_fault(who(world, cookies)->fault, FAULT_LOGIN_REQUIRED);
    session = world_session(world);
    session.claims.count = 0; /* nobody to name */
    assert_fault(who(world, world_store(world, &session))->fault, FAULT_LOGIN_REQUIRED);
}

/* DOWN is not MISS. */
static void test_down(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    const char *cookies = world_sign_in(world);
    fakestore_down(&world->store, true);
    verdict_t *verdict = who(world, cookies);
    assert_fault(verdict->fault, FAULT_STORE_DOWN);
    assert_true(verdict->status == 503 && verdict->retry_after > 0 && verdict->cookies == NULL);
    visit_t visit = world_xhr(world, "/sso/session", cookies);
    visit.base_url = NULL;
    assert_fault(gate_endpoint(world->rp, &world->env, &visit)->fault, FAULT_HOST_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(test_known), UNIT_TEST(test_escaped),
                                       UNIT_TEST(test_unknown), UNIT_TEST(test_down)};
    return UNIT_MAIN(tests);
}
