/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* TE-07: only JSON by its full media type is JSON. */

#include "unit.h"

#include "oidc/answer.h"

static void media_types(void **state)
{
    static const struct {
        const char *type;
        bool json;
        const char *why;
    } cases[] = {
        {"application/json", true, "plain"},
        {"application/json;charset=utf-8", true, "TE-07 with a parameter"},
        {"APPLICATION/JSON", true, "TE-07 case does not matter"},
        {" application/json \t; q=1", true, "blanks around"},
        {"application/problem+json", true, "structured suffix"},
        {"application/x+JSON", true, "suffix in capitals"},
        {"text/html", false, "TE-07 a page"},
        {"text/json-seq", false, "something else that begins like it"},
        {"application/jsonp", false, "prefix only"},
        {"text/html;application/json", false, "in a parameter"},
        {"application/json, text/html", false, "two types"},
        {"text/html, application/x+json", false, "two types, the second fits"},
        {"application/+json", false, "a suffix without a name"},
        {"+json", false, "no type at all"},
        {"/a+json", false, "empty type"},
        {"application/jwt", false, "signed userinfo was not asked for"},
        {"", false, "none"},
        {NULL, false, "none, as NULL"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        answer_t answer = {200, cases[i].type, TEXT("{}")};
        assert_case(answer_is_json(&answer) == cases[i].json, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(media_types)};
    return UNIT_MAIN(tests);
}
