/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The questions that many flows ask: a navigation? a cookie of ours? And notes, which hold what they are
 * given. */

#include "unit.h"

#include "journey.h"

/* Navigation or not: surface.md, rows ST-15 to ST-19. */
static const struct {
    visit_method method;
    const char *mode, *dest, *accept, *purpose;
    bool upgrade, scripted, navigation;
    const char *why;
} cases[] = {
    {METHOD_GET, "navigate", "document", "text/html", "", false, false, true, "a link"},
    {METHOD_HEAD, "navigate", "document", "", "", false, false, true, "its HEAD"},
    {METHOD_GET, "navigate", "", "", "", false, false, true, "browsers without Sec-Fetch-Dest"},
    {METHOD_GET, "", "", "text/html,application/xml;q=0.9,*/*;q=0.8", "", false, false, true, "plain http"},
    {METHOD_GET, "", "", "application/xml, Text/HTML", "", false, false, true, "media types have no case"},
    {METHOD_GET, "navigate", "iframe", "text/html", "", false, false, false, "a frame"},
    {METHOD_GET, "navigate", "object", "text/html", "", false, false, false, "an object"},
    {METHOD_GET, "cors", "empty", "text/html", "", false, false, false, "ST-15 fetch"},
    {METHOD_GET, "no-cors", "image", "text/html", "", false, false, false, "an image"},
    {METHOD_GET, "same-origin", "document", "text/html", "", false, false, false,
     "no navigation by its own word"},
    {METHOD_GET, "NAVIGATE", "document", "text/html", "", false, false, false, "browsers write it small"},
    {METHOD_GET, "", "", "*/*", "", false, false, false, "curl"},
    {METHOD_GET, "", "", "text/htm", "", false, false, false, "nearly"},
    {METHOD_GET, "", "", "", "", false, false, false, "nothing said"},
    {METHOD_GET, "", "", "text/html", "", false, true, false, "ST-15 X-Requested-With"},
    {METHOD_GET, "navigate", "document", "text/html", "", true, false, false, "ST-17 an upgrade"},
    {METHOD_GET, "navigate", "document", "text/html", "prefetch", false, false, false, "ST-19"},
    {METHOD_GET, "navigate", "document", "text/html", "prefetch;prerender", false, false, false, "ST-19"},
    {METHOD_POST, "navigate", "document", "text/html", "", false, false, false, "ST-18"},
    {METHOD_OTHER, "navigate", "document", "text/html", "", false, false, false, "BP-06"},
};

static void test_navigation(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        visit_t visit = world_nav(world, "/", NULL);
        visit.method = cases[i].method;
        visit.fetch_mode = text_of(cases[i].mode);
        visit.fetch_dest = text_of(cases[i].dest);
        visit.accept = unit_flush(world->pool, text_of(cases[i].accept));
        visit.purpose = text_of(cases[i].purpose);
        visit.upgrade = cases[i].upgrade;
        visit.scripted = cases[i].scripted;
        const walk_t walk = walk_begin(world->rp, &world->env, &visit);
        assert_case(walk_is_navigation(&walk) == cases[i].navigation, cases[i].why);
    }
}

#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* CK-04 to CK-06, CK-10: what is taken for the session cookie. */
static void test_cookie(void **state)
{
    static const struct {
        const char *cookies;
        bool https, found;
        const char *why;
    } jars[] = {
        {"__Host-sso=" A43, true, true, "ours"},
        {"a=b; __Host-sso=" A43 "; c", true, true, "among others"},
        {NULL, true, false, "none"},
        {"sso=" A43, true, false, "CK-10 the name of http"},
        {"__Host-sso=" A43, false, false, "CK-10 the name of https"},
        {"sso=" A43, false, true, "http"},
        {"__Host-sso=" A43 "; __Host-sso=" A43, true, false, "CK-05 twice"},
        {"__Host-sso=" A43 "; __Host-sso=x", true, false, "CK-05 twice"},
        {"__Host-sso=" A43 "A", true, false, "CK-04 longer"},
        {"__Host-sso=AAAA", true, false, "CK-04 shorter"},
        {"__Host-sso=../../../../../../../../../../../../etc/pas", true, false, "CK-04"},
        {"__Host-sso=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA %0", true, false, "CK-04"},
        {"__Host-sso=\"" A43 "\"", true, false, "CK-06 quotes stay"},
        {"$Version=1; __Host-sso=\"A; __Host-sso=" A43, true, false, "CK-06 sandwich"},
        {"__host-sso=" A43, true, false, "CK-06 case"},
        {"__Host-ssO=" A43, true, false, "CK-06 case"},
        {"__Host-sso2=" A43, true, false, "CK-06"},
    };
    world_t *world = world_new(unit_pool(state), NULL);
    for (size_t i = 0; i < COUNT(jars); i++) {
        text_t cookie;
        visit_t visit = world_nav(world, "/", jars[i].cookies);
        visit.https = jars[i].https;
        const walk_t walk = walk_begin(world->rp, &world->env, &visit);
        assert_case(walk_cookie(&walk, &cookie) == jars[i].found, jars[i].why);
        if (jars[i].found)
            assert_text(cookie, A43);
    }
}

static void test_begin(void **state)
{
    static const char *const lines[] = {"SSOPath /in/here", NULL};
    world_t *world = world_new(unit_pool(state), lines);
    visit_t visit = world_nav(world, "/", NULL);
    visit.base_url = "https://rp.test:8443";
    walk_t walk = walk_begin(world->rp, &world->env, &visit);
    assert_int_equal(walk.verdict->kind, VERDICT_STRANGER);
    assert_int_equal(walk.verdict->retry_after, -1);
    assert_null(walk.verdict->fault);
    assert_int_equal(walk.now, WORLD_START);
    assert_string_equal(walk_endpoint(&walk, "callback"), "https://rp.test:8443/in/here/callback");
}

/* OE-05: words from outside are arguments, never formats. */
static void test_notes(void **state)
{
    world_t *world = world_new(unit_pool(state), NULL);
    visit_t visit = world_nav(world, "/", NULL);
    walk_t walk = walk_begin(world->rp, &world->env, &visit);
    walk_note(&walk, NOTE_WARNING, "%s", "%s%n%x");
    walk_note_fault(&walk, NOTE_INFO, "what", fault_make(world->pool, FAULT_STORE_DOWN, NULL));
    walk_note_fault(&walk, NOTE_INFO, "that", fault_make(world->pool, FAULT_STORE_DOWN, "%s", "%d%n"));
    assert_int_equal(walk.verdict->notes->nelts, 3);
    const note_t *notes = (const note_t *)(const void *)walk.verdict->notes->elts;
    assert_int_equal(notes[0].level, NOTE_WARNING);
    assert_string_equal(notes[0].line, "%s%n%x");
    assert_string_equal(notes[1].line, "what: reason=store_down ");
    assert_string_equal(notes[2].line, "that: reason=store_down %d%n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(test_navigation), UNIT_TEST(test_cookie),
                                       UNIT_TEST(test_begin), UNIT_TEST(test_notes)};
    return UNIT_MAIN(tests);
}
