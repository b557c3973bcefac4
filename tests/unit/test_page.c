/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Pages: what a template may be, that everything is escaped, and that the policy allows the styles and
 * nothing else. */

#include "unit.h"

#include "flow/page.h"

static bool holds(text_t text, const char *part)
{
    return strstr(text.at, part) != NULL;
}

static const page_t full = {.title = "No <entry>",
                            .sentence = "Tom & \"Jerry\"'s",
                            .reason = "state_unknown",
                            .incident = "0123abcd",
                            .link = {"/x", 2},
                            .link_text = "Go <on>"};

static void fills_everything(void **state)
{
    static const text_t source =
        TEXT("[{{title}}][{{sentence}}][{{reason}}][{{incident}}][{{link}}][{{refresh}}][{{title}}]");
    apr_pool_t *pool = unit_pool(state);
    page_t page = full;
    page.link = TEXT("/sso/login?a=1&b=\"");
    assert_text(
        page_make(pool, unit_flush(pool, source), &page),
        "[No &lt;entry&gt;][Tom &amp; &quot;Jerry&quot;&#39;s][Reason <code>state_unknown</code>, incident "
        "<code>0123abcd</code>][0123abcd]"
        "[<a href=\"/sso/login?a=1&amp;b=&quot;\">Go &lt;on&gt;</a>][][No &lt;entry&gt;]");
    page.at_once = true;
    assert_true(holds(page_make(pool, TEXT("{{refresh}}"), &page),
                      "<meta http-equiv=\"refresh\" content=\"0;url=/sso/login?a=1&amp;b=&quot;\">"));
}

static void leaves_out_what_is_missing(void **state)
{
    const page_t page = {.title = "T", .sentence = "S", .at_once = true};
    apr_pool_t *pool = unit_pool(state);
    assert_text(page_make(pool, TEXT("a{{title}}{{link}}{{reason}}{{incident}}{{refresh}}b"), &page), "aTb");
    assert_text(page_make(pool, TEXT("no placeholder"), &page), "no placeholder");
    assert_text(page_make(pool, TEXT(""), &page), "");
    assert_text(page_make(pool, TEXT("%n %s {title} }} {{title}}"), &page), "%n %s {title} }} T");
}

static void values_are_not_templates(void **state)
{
    const page_t page = {.title = "{{sentence}}", .sentence = "S"};
    assert_text(page_make(unit_pool(state), TEXT("{{title}}"), &page), "{{sentence}}");
}

static void built_in_is_right(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t source = page_template();
    const char *wrong = page_check(pool, source);
    assert_null(wrong);
    text_t html = page_make(pool, source, &full);
    static const char *const parts[] = {"<!DOCTYPE html>",
                                        "<html lang=\"en\">",
                                        "name=\"viewport\"",
                                        "<title>No &lt;entry&gt;</title>",
                                        "<main>",
                                        "<h1>",
                                        "prefers-color-scheme: dark",
                                        "state_unknown",
                                        "0123abcd",
                                        "<a href="};
    static const char *const never[] = {"<script", "http://", "https://", "style=\"",
                                        "{{",      "url(",    "@import",  "onclick"};
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_case(holds(html, parts[i]), parts[i]);
    for (size_t i = 0; i < COUNT(never); i++)
        assert_case(!holds(html, never[i]), never[i]);
}

static void checks_templates(void **state)
{
#define REST "{{title}}{{sentence}}{{link}}"
    static const struct {
        text_t source;
        const char *words; /* of the sentence; NULL: fine */
        const char *cure;
    } cases[] = {
        {TEXT(REST), NULL, NULL},
        {TEXT(REST "{{reason}}{{incident}}{{refresh}}"), NULL, NULL},
        {TEXT(REST " %n 100% { } }}"), NULL, NULL},
        {TEXT("<style>a { b: c }</style>" REST), NULL, NULL},
        {TEXT(""), "has no {{title}}", "put it"},
        {TEXT("{{title}}{{link}}"), "has no {{sentence}}", "put it"},
        {TEXT("{{title}}{{sentence}}"), "has no {{link}}", "put it"},
        {TEXT(REST "{{user}}"), "unknown placeholder '{{user}}'", "there are {{title}}"},
        {TEXT(REST "{{ title }}"), "unknown placeholder", "there are {{title}}"},
        {TEXT(REST "{{Title}}"), "unknown placeholder", "there are {{title}}"},
        {TEXT(REST "{{"), "unknown placeholder", "there are {{title}}"},
        {TEXT(REST "{{}}"), "unknown placeholder", "there are {{title}}"},
        {TEXT(REST "<script>x</script>"), "has a script", "take it out"},
        {TEXT(REST "<SCRIPT src=x>"), "has a script", "take it out"},
        {TEXT(REST "<style>a"), "style element without an end", "</style>"},
        {TEXT(REST "<style"), "style element without an end", "</style>"},
        {TEXT(REST "<style>{{title}}</style>"), "placeholder within a style element", "take it out"},
        {TEXT(REST "\xff"), "is not UTF-8", "save it"},
        {TEXT(REST "\0"), "is not UTF-8", "save it"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *wrong = page_check(pool, unit_flush(pool, cases[i].source));
        assert_case((wrong == NULL) == (cases[i].words == NULL), cases[i].source.at);
        if (wrong != NULL)
            assert_case(strstr(wrong, cases[i].words) != NULL && strstr(wrong, cases[i].cure) != NULL, wrong);
    }
}

/* The hashes are those of `printf x | openssl dgst -sha256 -binary | base64`. */
static void allows_styles_by_hash(void **state)
{
#define TAIL "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    static const struct {
        text_t source;
        const char *policy;
    } cases[] = {
        {TEXT("<p>"), "default-src 'none'; style-src 'none'" TAIL},
        {TEXT("<style>x</style>"),
         "default-src 'none'; style-src 'sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE='" TAIL},
        {TEXT("<STYLE media=a>x</STYLE><style>y</style>"),
         "default-src 'none'; style-src 'sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=' "
         "'sha256-ofzkNjhU/4iM/0uOeHXWAMJoI5BBKoz3mzfQsRFIsPo='" TAIL},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(page_policy(pool, cases[i].source), cases[i].policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(fills_everything),         UNIT_TEST(leaves_out_what_is_missing),
        UNIT_TEST(values_are_not_templates), UNIT_TEST(built_in_is_right),
        UNIT_TEST(checks_templates),         UNIT_TEST(allows_styles_by_hash),
    };
    return UNIT_MAIN(tests);
}
