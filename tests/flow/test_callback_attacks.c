/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Hostile callbacks: sections 1 to 3 of the attacks. Nothing of what a stranger sends reaches the token
 * endpoint, a page or a log line, and the state is used once. */

#include "unit.h"

#include "journey.h"

#include <apr_strings.h>

/* {S} the state, {C} the code. */
static const char *fill(const journey_t *journey, const char *pattern)
{
    apr_pool_t *pool = journey->world->pool;
    const char *made = "";
    for (const char *at = pattern; *at != '\0'; at++) {
        bool is_mark = at[0] == '{' && at[1] != '\0' && at[2] == '}';
        made = is_mark ? apr_pstrcat(pool, made, at[1] == 'S' ? journey->state.at : journey->code, NULL)
                       : apr_psprintf(pool, "%s%c", made, *at);
        at += is_mark ? 2 : 0;
    }
    return made;
}

/* Is the ticket expired by the answer? */
static bool ticket_goes(const journey_t *journey, const verdict_t *verdict)
{
    const char *line = world_set_cookie(verdict, journey->ticket);
    return line != NULL && strstr(line, "Max-Age=0") != NULL;
}

#define ISS       "&iss=https%3A%2F%2Fop.test%2Frealms%2Fdemo"
#define TEN(text) text text text text text text text text text text

static const struct {
    const char *query;
    fault_code code;
    bool goes; /* the ticket */
    const char *why;
} refused_cases[] = {
    {"", FAULT_STATE_MISSING, false, "AR-01 bare"},
    {"code={C}", FAULT_STATE_MISSING, false, "AR-02 no state"},
    {"code={C}&state=", FAULT_STATE_MISSING, false, "AR-02 empty state"},
    {"code={C}&State={S}", FAULT_STATE_MISSING, false, "names are compared with their case"},
    {"state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-03 neither code nor error"},
    {"code=&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-03 empty code"},
    {"code={C}&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", FAULT_STATE_UNKNOWN, false, "AR-04"},
    {"code={C}&state={S}A", FAULT_STATE_UNKNOWN, false, "AR-04 longer"},
    {"code={C}&state={S}%00", FAULT_STATE_MISSING, false, "AR-04 NUL"},
    {"code={C}&state=../../etc/passwd", FAULT_STATE_UNKNOWN, false, "AR-04 hostile"},
    {"code={C}&state=" TEN(TEN("AAAAAA")), FAULT_STATE_MISSING, false, "AR-34 too long to be ours"},
    {"code={C}&code=b&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-08"},
    {"code={C}&c%6fde=b&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-08 twice once decoded"},
    {"code={C}&state={S}&state=T", FAULT_CALLBACK_MALFORMED, false, "AR-09"},
    {"code={C}&state={S}&state={S}", FAULT_CALLBACK_MALFORMED, false, "AR-09 the same twice is twice"},
    {"code={C}&state={S}" ISS "&iss=https://evil.test", FAULT_CALLBACK_MALFORMED, true, "AR-10 iss"},
    {"error=a&error=b&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-10 error"},
    {"error=access_denied&state={S}", FAULT_LOGIN_REFUSED, true, "AR-11"},
    {"error=x&code={C}&state={S}", FAULT_LOGIN_REFUSED, true, "AR-12 the error counts"},
    {"error=x&error_description=<script>alert(1)</script>\"'&state={S}", FAULT_LOGIN_REFUSED, true, "AR-13"},
    {"error=%3Csvg/onload=alert(1)%3E&state={S}", FAULT_LOGIN_REFUSED, true, "AR-13, OE-01"},
    {"error=x&error_description=a%0d%0aX-Evil:1%0d%0a%0d%0a&state={S}", FAULT_LOGIN_REFUSED, true, "AR-14"},
    {"error=%0d%0aX-Evil:1&state={S}", FAULT_LOGIN_REFUSED, true, "AR-14 in the word itself"},
    {"error=%25s%25n%25x&error_description=%25s%25n%25s%25n&state={S}", FAULT_LOGIN_REFUSED, true, "OE-05"},
    {"error=x&error_description=alert&state=bad", FAULT_STATE_UNKNOWN, false, "AR-15"},
    {"error=temporarily_unavailable&state={S}", FAULT_LOGIN_UNAVAILABLE, false, "AR-17"},
    {"error=server_error&state={S}", FAULT_LOGIN_UNAVAILABLE, false, "AR-17"},
    {"access_token=x&id_token=y&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-22"},
    {"code={C}&id_token=y&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-22 besides a code"},
    {"response=a.b.c&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-23"},
    {"code={C}%00&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-24 NUL"},
    {"code={C}%c3%a9&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-24 not ASCII"},
    {"code={C}%&state={S}", FAULT_CALLBACK_MALFORMED, true, "AR-24 broken escape"},
    {"code={C}&state={S}" TEN(TEN("&a=1")), FAULT_CALLBACK_MALFORMED, false, "AR-34 too many parameters"},
    {"code={C}&state={S}&iss=https://evil.test/", FAULT_ISSUER_MISMATCH, true, "MX-02, MX-07"},
    {"code={C}&state={S}" ISS "/", FAULT_ISSUER_MISMATCH, true, "MX-03 a slash more"},
    {"code={C}&state={S}&iss=HTTPS://OP.TEST/realms/demo", FAULT_ISSUER_MISMATCH, true, "MX-03 case"},
    {"code={C}&state={S}&iss=https://op.test:443/realms/demo", FAULT_ISSUER_MISMATCH, true, "MX-03 port"},
    {"code={C}&state={S}&iss=https://op.test%252Frealms/demo", FAULT_ISSUER_MISMATCH, true, "MX-03 escape"},
    {"code={C}&state={S}&iss=", FAULT_ISSUER_MISMATCH, true, "MX-02 empty is not absent"},
    {"error=alert&error_description=alert&iss=https://evil.test&state={S}", FAULT_ISSUER_MISMATCH, true,
     "MX-05"},
};

static void test_refused(void **state)
{
    static const char *const never[] = {"<script", "<svg", "X-Evil", "evil.test", "%n", "alert"};
    for (size_t i = 0; i < COUNT(refused_cases); i++) {
        const char *why = refused_cases[i].why;
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        (void)journey_consent(&journey);
        verdict_t *verdict = journey_return(&journey, fill(&journey, refused_cases[i].query));
        journey_refused(&journey, verdict, refused_cases[i].code, why);
        assert_case(journey_calls(world, "/token") == 0, why);
        assert_case(ticket_goes(&journey, verdict) == refused_cases[i].goes, why);
        for (size_t n = 0; n < COUNT(never); n++)
            assert_case(strstr(verdict->body.at, never[n]) == NULL, why);
        assert_case(verdict->fault->detail == NULL || text_is_printable(text_of(verdict->fault->detail)),
                    why);
        assert_case(verdict->fault->detail == NULL || strlen(verdict->fault->detail) < 1000, "OE-03");
    }
}

/* MX-01, MX-04: what is promised must come; what comes must be right. */
static void test_issuer_promised(void **state)
{
    static const char promise[] = ",\"authorization_response_iss_parameter_supported\":true";
    static const struct {
        const char *metadata, *query;
        fault_code code;
        const char *why;
    } cases[] = {
        {promise, "code={C}&state={S}", FAULT_ISSUER_MISMATCH, "MX-01 missing"},
        {promise, "error=access_denied&state={S}", FAULT_ISSUER_MISMATCH, "MX-05 errors carry it too"},
        {promise, "code={C}&state={S}" ISS, FAULT_NONE, "MX-01 there and right"},
        {NULL, "code={C}&state={S}" ISS, FAULT_NONE, "MX-04 not promised, right"},
        {NULL, "code={C}&state={S}", FAULT_NONE, "MX-04 not promised, missing"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        world->op.metadata = cases[i].metadata;
        journey_t journey = journey_begin(world, "/app", NULL);
        (void)journey_consent(&journey);
        verdict_t *verdict = journey_return(&journey, fill(&journey, cases[i].query));
        if (cases[i].code == FAULT_NONE)
            journey_welcomed(&journey, verdict, "/app");
        else
            journey_refused(&journey, verdict, cases[i].code, cases[i].why);
    }
}

/* AR-05: the page offers a login of one's own, and nothing of the foreign one. */
static void test_other_browser(void **state)
{
    static const char *const lines[] = {"SSOClientID other", NULL};
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/secret-page", NULL);
    const char *query = journey_consent(&journey), *theirs = journey.cookies;
    journey_t own = journey_begin(world, "/own", NULL);
    const char *const jars[] = {NULL, own.cookies};
    for (size_t i = 0; i < COUNT(jars); i++) {
        journey.cookies = jars[i];
        verdict_t *verdict = journey_return(&journey, query);
        journey_refused(&journey, verdict, FAULT_STATE_UNKNOWN, "AR-05 login CSRF");
        assert_null(strstr(verdict->body.at, "secret-page"));
        assert_non_null(strstr(verdict->body.at, "/sso/login\""));
        assert_null(verdict->cookies);
    }
    journey.cookies = theirs; /* ST-05, AR-27: another client of the same host */
    world->rp = world_rp(world, lines);
    journey_refused(&journey, journey_return(&journey, query), FAULT_STATE_UNKNOWN,
                    "ST-05 another relying party");
    assert_int_equal(journey_calls(world, "/token"), 0);
}

/* AR-27: the ticket is bound to the address that the login began at. */
static void test_other_address(void **state)
{
    static const struct {
        const char *base_url;
        bool https;
        fault_code code;
        const char *why;
    } cases[] = {
        {"https://rp.test:8443", true, FAULT_CALLBACK_ORIGIN, "another port"},
        {"https://www.rp.test", true, FAULT_CALLBACK_ORIGIN, "another name"},
        {"http://rp.test", false, FAULT_STATE_UNKNOWN, "plain http: no cookie of https is looked at"},
        {NULL, false, FAULT_HOST_UNKNOWN, "no usable host at all"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *target = apr_pstrcat(world->pool, "/sso/callback?", journey_consent(&journey), NULL);
        visit_t visit = world_nav(world, target, journey.cookies);
        visit.base_url = cases[i].base_url;
        visit.https = cases[i].https;
        verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
        journey_refused(&journey, verdict, cases[i].code, cases[i].why);
        assert_int_equal(journey_calls(world, "/token"), 0);
    }
}

/* AR-06, AR-07: one code is sent once, whatever the browser repeats. */
static void test_replay(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/app?n=1", NULL);
    const char *query = journey_consent(&journey), *before = journey.cookies;
    verdict_t *first = journey_return(&journey, query);
    journey_welcomed(&journey, first, "/app?n=1");
    const char *after = world_cookies_after(world->pool, before, first);
    size_t items = fakestore_size(&world->store);
    verdict_t *again = journey_return(&journey, query); /* sent before the first answer came */
    fakestore_recount(&world->store);
    journey_refused(&journey, again, FAULT_STATE_USED, "AR-07 no session yet");
    assert_true(ticket_goes(&journey, again));
    journey.cookies = apr_pstrcat(world->pool, before, "; ", after, NULL);
    again = journey_return(&journey, query);
    assert_null(again->fault);
    assert_int_equal(again->status, 303);
    assert_string_equal(again->location, WORLD_BASE "/app?n=1"); /* AR-07 on to his own page */
    assert_null(world_set_cookie(again, WORLD_COOKIE "="));
    assert_true(ticket_goes(&journey, again)); /* ST-26 */
    journey.cookies = after;
    again = journey_return(&journey, query);
    fakestore_recount(&world->store);
    journey_refused(&journey, again, FAULT_STATE_UNKNOWN, "AR-06 the ticket is gone");
    fakes_clock_pass(&world->clock, 1860);
    journey.cookies = apr_pstrcat(world->pool, before, "; ", after, NULL);
    journey_refused(&journey, journey_return(&journey, query), FAULT_STATE_USED, "AR-06 the session is over");
    assert_int_equal(world->op.codes, 1);
    assert_int_equal(fakestore_size(&world->store) <= items, 1);
}

/* ST-12, AR-28: a failed callback is not repeated either, and a login may take an hour. */
static void test_late(void **state)
{
    static const struct {
        int64_t clock_jump, passes;
        fault_code code;
        const char *why;
    } cases[] = {
        {0, 3600, FAULT_NONE, "within the hour"},
        {0, 3601, FAULT_STATE_EXPIRED, "AR-28, ST-13 over"},
        {-3600, 0, FAULT_NONE, "the ticket is from a host whose clock is ahead"},
        {-3601, 0, FAULT_STATE_EXPIRED, "too far ahead"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        fakes_clock_set(&world->clock, WORLD_START + cases[i].clock_jump);
        fakes_clock_pass(&world->clock, cases[i].passes);
        world->op.claims = journey_claims(&journey, NULL, NULL);
        verdict_t *verdict = journey_return(&journey, query);
        assert_case(verdict->fault == NULL ? cases[i].code == FAULT_NONE
                                           : verdict->fault->code == cases[i].code,
                    cases[i].why);
        assert_case(ticket_goes(&journey, verdict), cases[i].why);
        bool used = world->op.codes == 1;
        fakes_clock_pass(&world->clock, 3700);
        verdict = journey_return(&journey, query); /* as long as the ticket opens, the state is remembered */
        assert_case(!used || (verdict->fault != NULL && verdict->status == 400), cases[i].why);
        assert_true(world->op.codes <= 1);
    }
}

/* ST-03, ST-04: every byte of the ticket counts. */
static void test_bent_ticket(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/app", NULL);
    const char *query = journey_consent(&journey), *whole = journey.cookies;
    size_t name = strcspn(whole, "=") + 1, len = strlen(whole);
    for (size_t i = name; i < len; i++) {
        char *bent = apr_pstrdup(world->pool, whole);
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        journey.cookies = bent;
        assert_fault(journey_return(&journey, query)->fault, FAULT_STATE_UNKNOWN);
        journey.cookies = apr_pstrmemdup(world->pool, whole, i);
        assert_fault(journey_return(&journey, query)->fault, FAULT_STATE_UNKNOWN);
    }
    journey.cookies = apr_pstrcat(world->pool, whole, "; ", whole, NULL);
    assert_fault(journey_return(&journey, query)->fault,
                 FAULT_STATE_UNKNOWN); /* ST-07 twice: none is trusted */
    assert_int_equal(world->op.codes, 0);
    journey.cookies = whole;
    journey_welcomed(&journey, journey_return(&journey, query), "/app");
}

/* A ticket under the name of another state: the two have to belong together, not only to be there. */
static void test_renamed_ticket(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t one = journey_begin(world, "/one", NULL), two = journey_begin(world, "/two", NULL);
    const char *query = journey_consent(&two);
    two.cookies = apr_pstrcat(world->pool, two.ticket, strchr(one.cookies, '='), NULL);
    journey_refused(&two, journey_return(&two, query), FAULT_STATE_UNKNOWN, "CI-01 swapped tickets");
    assert_int_equal(world->op.codes, 0);
}

/* AR-19, AR-25: no other method burns state or code. */
static void test_methods(void **state)
{
    static const visit_method methods[] = {METHOD_HEAD, METHOD_POST, METHOD_OTHER};
    world_t *world = world_new(unit_pool(state), NULL);
    journey_t journey = journey_begin(world, "/app", NULL);
    const char *query = journey_consent(&journey);
    for (size_t i = 0; i < COUNT(methods); i++) {
        visit_t visit =
            world_nav(world, apr_pstrcat(world->pool, "/sso/callback?", query, NULL), journey.cookies);
        visit.method = methods[i];
        visit.form = text_of(query);
        verdict_t *verdict = gate_endpoint(world->rp, &world->env, &visit);
        journey_refused(&journey, verdict, FAULT_METHOD_REFUSED, "AR-25");
        assert_null(verdict->cookies);
        assert_string_equal(APR_ARRAY_IDX(verdict->headers, 0, const char *), "Allow");
        assert_string_equal(APR_ARRAY_IDX(verdict->headers, 1, const char *), "GET");
    }
    assert_int_equal(world->store.calls[FAKESTORE_ADD], 0);
    journey_welcomed(&journey, journey_return(&journey, query), "/app");
}

/* The state cannot be marked as used: the code stays where it is, and a reload may succeed. */
static void test_store_fails(void **state)
{
    static const struct {
        store_rc rc;
        bool happens;
        fault_code code, then;
        const char *why;
    } cases[] = {
        {STORE_DOWN, false, FAULT_STORE_DOWN, FAULT_NONE, "nothing was written: the reload succeeds"},
        {STORE_FULL, false, FAULT_STORE_FULL, FAULT_NONE, "room was made: the reload succeeds"},
        {STORE_DOWN, true, FAULT_STORE_DOWN, FAULT_STATE_USED, "it was written: start again, never twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        world_t *world = world_new(unit_pool(state), NULL);
        journey_t journey = journey_begin(world, "/app", NULL);
        const char *query = journey_consent(&journey);
        world->store.faults[FAKESTORE_ADD] = (fakestore_fault){0, 1, cases[i].rc, cases[i].happens};
        verdict_t *verdict = journey_return(&journey, query);
        journey_refused(&journey, verdict, cases[i].code, cases[i].why);
        assert_case(!ticket_goes(&journey, verdict) && world->op.codes == 0, cases[i].why);
        fakestore_recount(&world->store);
        verdict = journey_return(&journey, query);
        if (cases[i].then == FAULT_NONE)
            journey_welcomed(&journey, verdict, "/app");
        else
            journey_refused(&journey, verdict, cases[i].then, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_refused),       UNIT_TEST(test_issuer_promised), UNIT_TEST(test_other_browser),
        UNIT_TEST(test_other_address), UNIT_TEST(test_replay),          UNIT_TEST(test_late),
        UNIT_TEST(test_bent_ticket),   UNIT_TEST(test_renamed_ticket),  UNIT_TEST(test_methods),
        UNIT_TEST(test_store_fails),
    };
    return UNIT_MAIN(tests);
}
