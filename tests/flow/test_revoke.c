/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Revocation (RFC 7009): which token, how the client names itself, and that no failure matters. */

#include "unit.h"

#include "flow/revoke.h"
#include "journey.h"

#include <apr_strings.h>

static walk_t walk_of(world_t *world)
{
    visit_t *visit = apr_palloc(world->pool, sizeof *visit);
    *visit = world_nav(world, "/", NULL);
    return walk_begin(world->rp, &world->env, visit);
}

static const provider_t with = {.revocation = FAKEOP_ISSUER "/revoke", .allows_basic = true};

static void test_requests(void **state)
{
    static const char *const posting[] = {"SSOClientAuth post", NULL};
    static const struct {
        const char *const *lines;
        const char *access, *refresh, *form; /* NULL: nothing is sent */
        bool basic;
        const char *why;
    } cases[] = {
        {NULL, "A", "R", "token=R&token_type_hint=refresh_token", true,
         "the refresh token, with which all goes"},
        {NULL, "A", "", "token=A&token_type_hint=access_token", true, "else the access token"},
        {NULL, "", "", NULL, false, "else nothing"},
        {NULL, "A", "a b&c", "token=a+b%26c&token_type_hint=refresh_token", true, "encoded"},
        {posting, "A", "R", "token=R&token_type_hint=refresh_token&client_id=rp&client_secret=", false,
         "RFC 6749 2.3.1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), cases[i].lines);
        walk_t walk = walk_of(world);
        const tokens_t tokens = {.access_token = text_of(cases[i].access),
                                 .refresh_token = text_of(cases[i].refresh)};
        revoke_tokens(&walk, &with, &tokens);
        const fakes_sent *sent = fakes_http_last(&world->http, "/revoke");
        assert_case((sent != NULL) == (cases[i].form != NULL), cases[i].why);
        if (sent == NULL)
            continue;
        assert_case(text_starts(text_of(sent->form), text_of(cases[i].form)), cases[i].why);
        assert_case((sent->authorization != NULL) == cases[i].basic, cases[i].why);
        assert_int_equal(sent->deadline_ms, 2000); /* LO-02 */
        assert_null(walk.verdict->notes);
    }
}

static void test_failures(void **state)
{
    static const http_rc rcs[] = {HTTP_UNREACHABLE, HTTP_BROKEN, HTTP_UNTRUSTED,
                                  HTTP_TOO_LARGE,   HTTP_BUSY,   HTTP_REFUSED};
    const tokens_t tokens = {.access_token = TEXT(JOURNEY_ACCESS), .refresh_token = TEXT(JOURNEY_REFRESH)};
    for (size_t i = 0; i < COUNT(rcs); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        walk_t walk = walk_of(world);
        fakes_http_fail(&world->http, "/revoke", 1, rcs[i]);
        revoke_tokens(&walk, &with, &tokens);
        assert_true(world_noted(walk.verdict, "tokens could not be revoked"));
        assert_null(walk.verdict->fault);
        assert_int_equal(walk.verdict->kind, VERDICT_STRANGER);
        assert_int_equal(journey_calls(world, "/revoke"), 1); /* once */
        journey_clean(walk.verdict, tokens.access_token, "CLEAN");
        journey_clean(walk.verdict, tokens.refresh_token, "CLEAN");
    }
}

/* Nowhere to send it to, or no way to say who we are. */
static void test_not_sent(void **state)
{
    const provider_t without = {.revocation = NULL, .allows_basic = true};
    const provider_t odd = {.revocation = FAKEOP_ISSUER "/revoke"};
    const tokens_t tokens = {.access_token = TEXT("A"), .refresh_token = TEXT("R")};
    world_t *world = world_new(unit_pool(state), NULL);
    walk_t walk = walk_of(world);
    revoke_tokens(&walk, &without, &tokens);
    revoke_tokens(&walk, &odd, &tokens);
    assert_int_equal(world->http.calls, 0);
    assert_null(walk.verdict->notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(test_requests), UNIT_TEST(test_failures),
                                       UNIT_TEST(test_not_sent)};
    return UNIT_MAIN(tests);
}
