/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* backend/curlbreaker.c alone, with a time of our own; behind the port that uses it: test_curlresting;
 * threads and processes: test_curlshared. */

#include "unit.h"

#include "breakercase.h"

static bool enter(curlbreaker_t *breakers, apr_pool_t *pool, text_t origin, int64_t now)
{
    curlbreaker_pass pass;
    const char *problem = ask(breakers, origin, now, pool, &pass);
    if (problem == NULL)
        tell(breakers, &pass, BREAKER_UNKNOWN, NULL, now);
    return problem == NULL;
}

static text_t numbered(apr_pool_t *pool, int number)
{
    return text_format(pool, "https://op%d.example", number);
}

static void outcomes_have_a_meaning(void **state)
{
    static const struct {
        http_rc rc;
        int status;
        breaker_end end;
        bool served;
        const char *why;
    } cases[] = {
        {HTTP_ANSWERED, 200, BREAKER_WELL, true, "the ordinary case"},
        {HTTP_ANSWERED, 400, BREAKER_WELL, true, "invalid_grant is our matter"},
        {HTTP_ANSWERED, 429, BREAKER_WELL, false, "too many: who calls waits as long as he is told"},
        {HTTP_ANSWERED, 499, BREAKER_WELL, true, "below"},
        {HTTP_ANSWERED, 500, BREAKER_FAILED, false, "the provider is sick"},
        {HTTP_ANSWERED, 503, BREAKER_FAILED, false, "likewise"},
        {HTTP_UNREACHABLE, 0, BREAKER_FAILED, false, "nobody there"},
        {HTTP_BROKEN, 0, BREAKER_FAILED, false, "no answer in time"},
        {HTTP_UNTRUSTED, 0, BREAKER_FAILED, false, "somebody else is there"},
        {HTTP_TOO_LARGE, 0, BREAKER_WELL, false, "one user's claims must not shut out the others"},
        {HTTP_BUSY, 0, BREAKER_UNKNOWN, false, "nothing was sent"},
        {HTTP_RESTING, 0, BREAKER_UNKNOWN, false, "nothing was sent"},
        {HTTP_REFUSED, 0, BREAKER_UNKNOWN, false, "nothing was sent"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const curlbreaker_end end = curlbreaker_sign(cases[i].rc, cases[i].status);
        assert_case(end.sign == cases[i].end && end.served == cases[i].served, cases[i].why);
    }
}

static void origins_are_apart(void **state)
{
    static const struct {
        text_t origin;
        bool open;
        const char *why;
    } cases[] = {
        {A, true, "the sick one"},
        {TEXT("http://op.example"), false, "another scheme"},
        {TEXT("https://op.example:8443"), false, "another port"},
        {TEXT("https://op.example."), false, "another host"},
        {TEXT("https://op.exampl"), false, "the beginning of it"},
    };
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(enter(breakers, pool, cases[i].origin, 1) == !cases[i].open, cases[i].why);
    assert_true(enter(breakers, pool, A, CURLBREAKER_PROBE_FIRST_MS));
}

static void says_why(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    curlbreaker_pass pass;
    char endless[5000];
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    break_down(breakers, pool, A, CURLBREAKER_FAILURES - 1, "the first words");
    break_down(breakers, pool, A, 1, "it answered 503");
    assert_text(text_of(ask(breakers, A, 1, pool, &pass)),
                "gave up on https://op.example for a moment after 3 failures, last: it answered 503");
    break_down(breakers, pool, TEXT("https://b"), CURLBREAKER_FAILURES, endless);
    const char *cut = ask(breakers, TEXT("https://b"), 1, pool, &pass);
    assert_true(strlen(cut) > 100 && strlen(cut) < 600 && text_is_printable(text_of(cut)));
}

static void the_table_is_bounded(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    curlbreaker_pass pass;
    for (int i = 0; i < CURLBREAKER_ORIGINS; i++)
        break_down(breakers, pool, numbered(pool, i), CURLBREAKER_FAILURES, "x");
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    assert_true(enter(breakers, pool, A, 1)); /* nobody gave way: it goes without a breaker */
    for (int i = 0; i < CURLBREAKER_ORIGINS; i++)
        assert_false(enter(breakers, pool, numbered(pool, i), 1));
    assert_null(ask(breakers, numbered(pool, 7), 500, pool, &pass));
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    assert_true(enter(breakers, pool, A, 1)); /* a line that is in use stays */
    tell(breakers, &pass, BREAKER_WELL, NULL, 500);
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    assert_false(enter(breakers, pool, A, 1)); /* a healthy one gave way */
}

static void the_oldest_gives_way(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    for (int i = 0; i < CURLBREAKER_ORIGINS; i++) {
        assert_true(enter(breakers, pool, numbered(pool, i), i == 5 ? 1 : 10 + i));
        if (i != 5)
            continue;
        for (int row = 1; row < CURLBREAKER_FAILURES; row++) {
            curlbreaker_pass pass;
            assert_null(ask(breakers, numbered(pool, i), 1, pool, &pass));
            tell(breakers, &pass, BREAKER_FAILED, "x", 1);
        }
    }
    assert_true(enter(breakers, pool, A, 100));
    break_down(breakers, pool, numbered(pool, 5), 1, "x"); /* its row was forgotten with it */
    assert_true(enter(breakers, pool, numbered(pool, 5), 100));
}

static void odd_origins_are_not_watched(void **state)
{
    static char huge[400];
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    memset(huge, 'h', sizeof(huge));
    break_down(breakers, pool, (text_t){huge, sizeof(huge)}, 9, "x");
    assert_true(enter(breakers, pool, (text_t){huge, sizeof(huge)}, 1));
    break_down(breakers, pool, TEXT(""), 9, "x");
    assert_true(enter(breakers, pool, TEXT(""), 1));
    break_down(breakers, pool, unit_flush(pool, (text_t){huge, 280}), 9, "x");
    assert_false(enter(breakers, pool, (text_t){huge, 280}, 1));
}

/* F-19: nobody waits for the deadline of ten seconds to learn that nothing is answered. */
static void a_pile_opens_it(void **state)
{
    static const struct {
        const char *why;
        int answers; /* before */
        int64_t took;
        int under_way;
        int64_t quiet; /* ms in which nothing is answered */
        bool opens;
    } cases[] = {
        {"three, a second of silence", 40, 5, 3, 1000, true},
        {"not yet a second", 40, 5, 3, 999, false},
        {"two may be two slow users", 40, 5, 2, 9000, false},
        {"answers that usually take two seconds", 40, 2000, 3, 3999, false},
        {"even there it is too long in the end", 40, 2000, 3, 4000, true},
        {"a slow one long ago is forgotten", 1, 3000, 3, 2000, false},
        {"nothing is known yet of a new provider", 0, 0, 3, 1999, false},
        {"but two seconds are too long", 0, 0, 3, 2000, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        apr_pool_t *pool = unit_pool(state);
        curlbreaker_t *breakers = curlbreaker_new(pool);
        curlbreaker_pass pass, under_way[3];
        int64_t now = answers(breakers, pool, cases[i].answers, cases[i].took, 0);
        for (int call = 0; call < cases[i].under_way; call++)
            under_way[call] = begin(breakers, pool, now);
        now += cases[i].quiet;
        assert_case(rests(breakers, A, now) == cases[i].opens, cases[i].why);
        assert_case((ask(breakers, A, now, pool, &pass) != NULL) == cases[i].opens, cases[i].why);
        if (!cases[i].opens)
            continue;
        tell(breakers, &under_way[0], BREAKER_WELL, NULL, now); /* late, but an answer */
        assert_case(!rests(breakers, A, now), cases[i].why);
        assert_case(ask(breakers, A, now, pool, &pass) == NULL, cases[i].why);
    }
}

/* Silence counts from the last answer, and not while nobody asks. */
static void silence_has_a_beginning(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    int64_t now = answers(breakers, pool, 40, 5, 0) + 60000;
    curlbreaker_pass calls[4];
    for (int i = 0; i < 4; i++)
        calls[i] = begin(breakers, pool, now);
    assert_false(rests(breakers, A, now + 900));
    tell(breakers, &calls[3], BREAKER_WELL, NULL, now + 900);
    assert_false(rests(breakers, A, now + 1800));
    assert_true(rests(breakers, A, now + 900 + 2000));
    assert_false(rests(breakers, TEXT("https://other"), now + 900 + 2000));
    const char *problem = ask(breakers, A, now + 3000, pool, &calls[3]);
    assert_text(text_of(problem), "https://op.example has left several calls unanswered for a while");
    assert_true(rests(breakers, A, now + 3000 + CURLBREAKER_PROBE_FIRST_MS - 1));
    assert_false(rests(breakers, A, now + 3000 + CURLBREAKER_PROBE_FIRST_MS));
}

/* Whoever goes another way finds out for himself. */
static void scopes_are_apart(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    const curlbreaker_call other = {.scope = 1, .origin = A, .deadline_ms = DEADLINE_MS};
    curlbreaker_pass pass;
    break_down(breakers, pool, A, CURLBREAKER_FAILURES, "x");
    assert_true(rests(breakers, A, 1));
    assert_false(curlbreaker_rests(breakers, &other, 1));
    assert_null(curlbreaker_enter(breakers, &other, 1, pool, &pass));
    tell(breakers, &pass, BREAKER_WELL, NULL, 2);
    assert_true(rests(breakers, A, 2));
    assert_int_equal(curlbreaker_served(breakers, &other), 2);
    assert_int_equal(curlbreaker_served(breakers, &(curlbreaker_call){.origin = A}), -1);
}

/* Calls whose processes were killed are over some time; they do not pile up. */
static void the_dead_are_forgotten(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    curlbreaker_t *breakers = curlbreaker_new(pool);
    int64_t now = answers(breakers, pool, 40, 5, 0);
    for (int i = 0; i < CURLBREAKER_PILE; i++)
        (void)begin(breakers, pool, now);
    assert_true(rests(breakers, A, now + DEADLINE_MS));
    now += DEADLINE_MS + 1000;
    assert_false(rests(breakers, A, now));
    const curlbreaker_pass alive = begin(breakers, pool, now);
    assert_false(rests(breakers, A, now + DEADLINE_MS - 1)); /* one alone is no pile */
    tell(breakers, &alive, BREAKER_WELL, NULL, now + DEADLINE_MS - 1);
    for (int i = 0; i < 3 * CURLBREAKER_CALLS; i++) { /* more than can be counted are made all the same */
        const curlbreaker_pass one = begin(breakers, pool, now);
        if (i % 2 == 0)
            tell(breakers, &one, BREAKER_WELL, NULL, now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(outcomes_have_a_meaning),
        UNIT_TEST(origins_are_apart),
        UNIT_TEST(says_why),
        UNIT_TEST(the_table_is_bounded),
        UNIT_TEST(the_oldest_gives_way),
        UNIT_TEST(odd_origins_are_not_watched),
        UNIT_TEST(a_pile_opens_it),
        UNIT_TEST(silence_has_a_beginning),
        UNIT_TEST(scopes_are_apart),
        UNIT_TEST(the_dead_are_forgotten),
    };
    return UNIT_MAIN(tests);
}
