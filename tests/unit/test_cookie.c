/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Cookies: a neighbour's cookie is never taken for ours, and what we remove for the application is gone while
 * the rest stays. */

#include "unit.h"

#include "base/cookie.h"

#define NONE                                                                                                 \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }

static void walks(void **state)
{
    text_t rest = unit_flush(unit_pool(state), TEXT(" a=1;b = \"2\" ; flag;;c==3;=4; $Version=1"));
    static const struct {
        text_t name;
        text_t value;
    } pairs[] = {
        {TEXT("a"), TEXT("1")}, {TEXT("b"), TEXT("\"2\"")},    {TEXT("c"), TEXT("=3")},
        {TEXT(""), TEXT("4")},  {TEXT("$Version"), TEXT("1")},
    };
    text_t name;
    text_t value;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_true(cookie_next(&rest, &name, &value));
        assert_texts(name, pairs[i].name, "name");
        assert_texts(value, pairs[i].value, "value");
    }
    assert_false(cookie_next(&rest, &name, &value));
    assert_false(cookie_next(&rest, &name, &value));
}

typedef struct {
    text_t header;
    cookie_rc rc;
    text_t value;
    const char *why;
} find_case;

static void finds(void **state)
{
    static const find_case cases[] = {
        {NONE, COOKIE_ABSENT, NONE, "no header"},
        {TEXT(""), COOKIE_ABSENT, NONE, "empty header"},
        {TEXT("sso=x"), COOKIE_FOUND, TEXT("x"), "alone"},
        {TEXT("a=b; sso=x; c=d"), COOKIE_FOUND, TEXT("x"), "in the middle"},
        {TEXT("sso="), COOKIE_FOUND, TEXT(""), "empty value"},
        {TEXT("sso = x "), COOKIE_FOUND, TEXT("x"), "blanks around"},
        {TEXT("sso=\"x\""), COOKIE_FOUND, TEXT("\"x\""), "quotes belong to the value"},
        {TEXT("sso"), COOKIE_ABSENT, NONE, "no sign"},
        {TEXT("SSO=x"), COOKIE_ABSENT, NONE, "case matters"},
        {TEXT("xsso=1; ssox=2; __Host-sso=3"), COOKIE_ABSENT, NONE, "names that contain ours"},
        {TEXT("a=sso=x"), COOKIE_ABSENT, NONE, "within a value"},
        {TEXT("a=\"b; sso=x; c\""), COOKIE_FOUND, TEXT("x"), "quotes hide nothing, as in browsers"},
        {TEXT("a=b, sso=x"), COOKIE_ABSENT, NONE, "a comma separates nothing"},
        {TEXT("sso=x; sso=x"), COOKIE_TWICE, NONE, "twice, even when equal"},
        {TEXT("sso=; a=b; sso=y"), COOKIE_TWICE, NONE, "twice, first empty"},
        {TEXT("sso\0=x"), COOKIE_ABSENT, NONE, "NUL ends no name"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t value = TEXT("old");
        text_t header = cases[i].header.at == NULL ? cases[i].header : unit_flush(pool, cases[i].header);
        assert_case(cookie_find(header, TEXT("sso"), &value) == cases[i].rc, cases[i].why);
        assert_texts(value, cases[i].value, cases[i].why);
        assert_case((value.at == NULL) == (cases[i].value.at == NULL), cases[i].why);
    }
}

static void looks_at_so_many(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t value;
    text_t header = TEXT("a=b");
    for (int pairs = 2; pairs < COOKIE_PAIRS_MAX; pairs++)
        header = text_join(pool, (const text_t[]){header, TEXT("; a=b"), {NULL, 0}});
    text_t last = text_join(pool, (const text_t[]){header, TEXT("; sso=x"), {NULL, 0}});
    assert_int_equal(cookie_find(last, TEXT("sso"), &value), COOKIE_FOUND);
    text_t behind = text_join(pool, (const text_t[]){header, TEXT("; a=b; sso=x"), {NULL, 0}});
    assert_int_equal(cookie_find(behind, TEXT("sso"), &value), COOKIE_ABSENT);
    /* what is not looked at is removed all the same */
    assert_false(text_ends(cookie_without(pool, behind, TEXT("sso"), (text_t){NULL, 0}), TEXT("x")));
}

typedef struct {
    text_t header;
    text_t left;
    const char *why;
} without_case;

static void removes(void **state)
{
    static const without_case cases[] = {
        {TEXT("sso=x"), TEXT(""), "nothing left"},
        {TEXT("sso=x;"), TEXT(""), "a separator alone is nothing"},
        {TEXT("sso=x; ; "), TEXT(""), "nor are blanks"},
        {TEXT("sso=x; a=1"), TEXT("a=1"), "first"},
        {TEXT("a=1; sso=x"), TEXT("a=1"), "last"},
        {TEXT("a=1; sso=x; b=2"), TEXT("a=1; b=2"), "in the middle"},
        {TEXT("a=1;sso=x;b=2"), TEXT("a=1;b=2"), "without blanks"},
        {TEXT("sso=x; a=1; sso=y"), TEXT("a=1"), "every one of them"},
        {TEXT("sso=x; sso_t_1=y; a=\"1; 2\" ; b"), TEXT("a=\"1; 2\" ; b"), "prefix; other bytes stay"},
        {TEXT("a=1;  sso_t_1=y;  b=2; "), TEXT("a=1;  b=2; "), "odd blanks stay"},
        {TEXT("sso =x; a=1"), TEXT("a=1"), "a blank before the sign is trimmed by servers too"},
        {TEXT("\tsso=x; a=1"), TEXT("a=1"), "so is a tab"},
        {TEXT("ssox=1; SSO=2"), TEXT("ssox=1; SSO=2"), "other names"},
        {TEXT("a=sso=x"), TEXT("a=sso=x"), "within a value"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t header = unit_flush(pool, cases[i].header);
        assert_texts(cookie_without(pool, header, TEXT("sso"), TEXT("sso_t_")), cases[i].left, cases[i].why);
    }
}

static void removes_without_prefix(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t header = TEXT("a=1; sso_t_1=y");
    text_t same = cookie_without(pool, header, TEXT("sso"), (text_t){NULL, 0});
    assert_ptr_equal(same.at, header.at);
    assert_int_equal(same.len, header.len);
    assert_text(cookie_without(pool, (text_t){NULL, 0}, TEXT("sso"), TEXT("sso_t_")), "");
}

static void lines(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const cookie_rules plain = {.domain = NULL, .path = "/", .same_site = "Lax", .secure = true};
    const cookie_rules wide = {
        .domain = "example.com", .path = "/app", .same_site = "Strict", .secure = false};
    assert_string_equal(cookie_line(pool, "__Host-sso", TEXT("abc"), -1, &plain),
                        "__Host-sso=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_string_equal(cookie_line(pool, "sso", (text_t){NULL, 0}, 0, &plain),
                        "sso=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    assert_string_equal(cookie_line(pool, "sso", TEXT("x"), 43200, &wide),
                        "sso=x; Path=/app; Domain=example.com; Max-Age=43200; HttpOnly; SameSite=Strict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(walks),   UNIT_TEST(finds),
        UNIT_TEST(removes), UNIT_TEST(removes_without_prefix),
        UNIT_TEST(lines),   UNIT_TEST(looks_at_so_many),
    };
    return UNIT_MAIN(tests);
}
