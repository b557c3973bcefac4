/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The flat list of claims: order, lookup, lists and rendering (HD-14, HD-15, HD-26). */

#include "unit.h"

#include "base/claim.h"

#define S "\x1f"

/* A list made by hand, in the order that claim_order wants. */
static const claim_t entries[] = {
    {{"", 0}, CLAIM_TEXT, {"nameless", 8}},
    {{"a.b", 3}, CLAIM_TEXT, {"dotted", 6}},
    {{"a" S "b", 3}, CLAIM_TEXT, {"nested", 6}},
    {{"a.c", 3}, CLAIM_NUMBER, {"7", 1}},
    {{"a" S "d" S "e", 5}, CLAIM_NUMBER, {"1.10", 4}},
    {{"a" S "d.x", 5}, CLAIM_TRUE, {"true", 4}},
    {{"a" S "d" S "z", 5}, CLAIM_FALSE, {"false", 5}},
    {{"ab", 2}, CLAIM_TEXT, {"<\"\\\n\xc3\xa9", 6}},
    {{"e", 1}, CLAIM_JSON, {"{}", 2}},
    {{"o" S "", 2}, CLAIM_TEXT, {"", 0}},
};
static const claim_list list = {entries, COUNT(entries)};

static void order(void **state)
{
    static const struct {
        text_t one, other;
        int sign;
        const char *why;
    } cases[] = {
        {{"a", 1}, {"a", 1}, 0, "equal"},
        {{"a", 1}, {"b", 1}, -1, "bytes"},
        {{"a", 1}, {"a" S "b", 3}, -1, "a prefix comes first"},
        {{"a.b", 3}, {"a" S "b", 3}, -1, "of equal ones the dotted comes first"},
        {{"a.b" S "c", 5}, {"a" S "b.c", 5}, -1, "the first difference decides"},
        {{"a" S "b", 3}, {"a.c", 3}, -1, "a step counts as a dot"},
        {{"a-b", 3}, {"a" S "b", 3}, -1, "a hyphen stands before a dot, so before a step"},
        {{"a" S "b", 3}, {"a/b", 3}, -1, "and a slash behind"},
        {{"\xc3\xa9", 2}, {"z", 1}, 1, "bytes are unsigned"},
        {{"", 0}, {"a", 1}, -1, "empty"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        claim_t one = {cases[i].one, CLAIM_TEXT, {NULL, 0}}, other = {cases[i].other, CLAIM_TEXT, {NULL, 0}};
        int there = claim_order(&one, &other), back = claim_order(&other, &one);
        assert_case((there > 0) - (there < 0) == cases[i].sign, cases[i].why);
        assert_case((back > 0) - (back < 0) == -cases[i].sign, cases[i].why);
    }
    for (size_t i = 1; i < COUNT(entries); i++)
        assert_true(claim_order(&entries[i - 1], &entries[i]) < 0);
}

static void finding(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        size_t expected = i == 2 ? 1 : i; /* the dotted one hides the nested one */
        assert_ptr_equal(claim_find(&list, entries[i].path), &entries[expected]);
    }
    assert_ptr_equal(claim_find(&list, TEXT("a.d.e")), &entries[4]);
    static const char *const absent[] = {"a", "a.", "a.d", "a.d.e.f", "b", "zz", ".", "A.b"};
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_case(claim_find(&list, text_of(absent[i])) == NULL, absent[i]);
    assert_null(claim_find(&(claim_list){NULL, 0}, TEXT("a")));
}

static void below(void **state)
{
    const claim_t *first = NULL;
    (void)state;
    assert_int_equal(claim_below(&list, TEXT("a"), &first), 4);
    assert_ptr_equal(first, &entries[2]);
    assert_int_equal(claim_below(&list, TEXT("a.d"), &first), 2);
    assert_ptr_equal(first, &entries[4]);
    assert_int_equal(claim_below(&list, TEXT("o"), &first), 1);
    static const char *const none[] = {"ab", "e", "a.b", "b", "a.d.e", "z", "."};
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_case(claim_below(&list, text_of(none[i]), &first) == 0, none[i]);
        assert_case(first == NULL, none[i]);
    }
}

static text_t items(apr_pool_t *pool)
{
    char *start = apr_palloc(pool, 200), *end = start;
    claim_add_item(&end, CLAIM_TEXT, TEXT("CN=Admins,OU=Groups"));
    claim_add_item(&end, CLAIM_TEXT, TEXT("b\\"));
    claim_add_item(&end, CLAIM_NUMBER, TEXT("12345678901234567890"));
    claim_add_item(&end, CLAIM_TRUE, TEXT("true"));
    claim_add_item(&end, CLAIM_TEXT, TEXT(""));
    claim_add_item(&end, CLAIM_JSON, TEXT("{\"a\":1,\"b\":[]}"));
    return (text_t){start, (size_t)(end - start)};
}

static void walking(void **state)
{
    text_t rest = items(unit_pool(state)), item;
    size_t count = 0, bytes = 0;
    claim_type type;
    while (claim_next_item(&rest, &type, &item)) {
        count++;
        bytes += claim_item_size(item.len);
        if (count == 2)
            assert_text(item, "b\\");
        if (count == 4)
            assert_int_equal(type, CLAIM_TRUE);
    }
    assert_int_equal(count, 6);
    assert_int_equal(bytes, items(unit_pool(state)).len);
    assert_int_equal(rest.len, 0);
}

static void big_item(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    size_t len = 0x012345;
    char *many = apr_palloc(pool, len), *start = apr_palloc(pool, claim_item_size(len)), *end = start;
    memset(many, 'x', len);
    claim_add_item(&end, CLAIM_TEXT, (text_t){many, len});
    assert_memory_equal(start, "s\x01\x23\x45", 4); /* the format that sessions keep */
    text_t rest = {start, claim_item_size(len)}, item;
    claim_type type;
    assert_true(claim_next_item(&rest, &type, &item));
    assert_int_equal(item.len, len);
}

static void broken_lists(void **state)
{
    static const text_t cases[] = {
        {"", 0},
        {"s", 1},
        {"s\0\0", 3},
        {"s\0\0\1", 4},
        {"s\xff\xff\xff"
         "abc",
         7},
        {"x\0\0\0", 4},
        {"l\0\0\0", 4},
        {"\0\0\0\0", 4},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t rest = unit_flush(unit_pool(state), cases[i]), item;
        claim_type type;
        assert_false(claim_next_item(&rest, &type, &item));
    }
}

static void as_text(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    claim_t claim = {TEXT("g"), CLAIM_LIST, items(pool)};
    assert_text(claim_as_text(pool, &claim, ','), /* HD-14: reversible */
                "CN=Admins\\,OU=Groups,b\\\\,12345678901234567890,true,,{\"a\":1\\,\"b\":[]}");
    assert_text(claim_as_text(pool, &claim, ';'),
                "CN=Admins,OU=Groups;b\\\\;12345678901234567890;true;;{\"a\":1,\"b\":[]}");
    claim.text = TEXT("");
    assert_text(claim_as_text(pool, &claim, ','), "");
    assert_text(claim_as_text(pool, &entries[4], ','), "1.10"); /* HD-15 */
    assert_text(claim_as_text(pool, &entries[6], ','), "false");
    claim = (claim_t){TEXT("x"), CLAIM_TEXT, TEXT("a,b\\")};
    assert_text(claim_as_text(pool, &claim, ','), "a,b\\"); /* a scalar is itself */
}

static void as_json(void **state)
{
    static const struct {
        const char *name, *json;
    } cases[] = {
        {"", "\"nameless\""},
        {"a.b", "\"dotted\""},
        {"a.c", "7"},
        {"a", "{\"b\":\"nested\",\"d\":{\"e\":1.10,\"z\":false},\"d.x\":true}"},
        {"a.d", "{\"e\":1.10,\"z\":false}"},
        {"a.d.e", "1.10"},
        {"ab", "\"\\u003c\\\"\\\\\\n\xc3\xa9\""},
        {"e", "{}"},
        {"o", "{\"\":\"\"}"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_texts(claim_as_json(pool, &list, text_of(cases[i].name)), text_of(cases[i].json),
                     cases[i].name);
    assert_null(claim_as_json(pool, &list, TEXT("nobody")).at);
    claim_t one = {TEXT("g"), CLAIM_LIST, items(pool)};
    claim_list single = {&one, 1};
    assert_text(claim_as_json(pool, &single, TEXT("g")),
                "[\"CN=Admins,OU=Groups\",\"b\\\\\",12345678901234567890,true,\"\",{\"a\":1,\"b\":[]}]");
    one.text = TEXT("");
    assert_text(claim_as_json(pool, &single, TEXT("g")), "[]");
}

/* A path of so many steps. */
static text_t deep(apr_pool_t *pool, int steps)
{
    text_t path = TEXT("p");
    for (int i = 0; i < steps; i++)
        path = text_join(pool, (const text_t[]){path, TEXT(S "q"), {NULL, 0}});
    return path;
}

static void depth(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    claim_t one = {deep(pool, 32), CLAIM_NUMBER, TEXT("1")};
    claim_list single = {&one, 1};
    text_t json = claim_as_json(pool, &single, TEXT("p"));
    assert_int_equal(json.len, 32 * (sizeof("{\"q\":}") - 1) + 1);
    assert_true(text_starts(json, TEXT("{\"q\":{\"q\":")) && strstr(json.at, ":{\"q\":1}}") != NULL);
    one.path = deep(pool, 33);
    assert_null(claim_as_json(pool, &single, TEXT("p")).at); /* nothing rather than half of it */
    one.path = deep(pool, 5000);
    assert_null(claim_as_json(pool, &single, TEXT("p")).at);
}

static void having(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    claim_t groups = {TEXT("g"), CLAIM_LIST, items(pool)};
    static const struct {
        const char *value;
        bool has;
        const char *why;
    } cases[] = {
        {"CN=Admins,OU=Groups", true, "an item"},
        {"CN=Admins", false, "HD-26 a part of one"},
        {"OU=Groups", false, "HD-26 what a separator would make of it"},
        {"b\\", true, "not escaped"},
        {"b", false, "prefix"},
        {"12345678901234567890", true, "a number's text"},
        {"12345678901234567891", false, "HD-15 not rounded"},
        {"true", true, "boolean"},
        {"", true, "the empty item"},
        {"{\"a\":1,\"b\":[]}", false, "an object has no text"},
        {"TRUE", false, "case"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(claim_has(&groups, text_of(cases[i].value)) == cases[i].has, cases[i].why);
    assert_true(claim_has(&entries[4], TEXT("1.10")));
    assert_false(claim_has(&entries[4], TEXT("1.1")));
    assert_true(claim_has(&entries[6], TEXT("false")));
    assert_false(claim_has(&entries[8], TEXT("{}")));
    claim_t role = {TEXT("r"), CLAIM_TEXT, TEXT("administrators")};
    assert_false(claim_has(&role, TEXT("admin"))); /* HD-26 */
    role.text = TEXT("admin,other");
    assert_false(claim_has(&role, TEXT("admin")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(order),    UNIT_TEST(finding),      UNIT_TEST(below),   UNIT_TEST(walking),
        UNIT_TEST(big_item), UNIT_TEST(broken_lists), UNIT_TEST(as_text), UNIT_TEST(as_json),
        UNIT_TEST(depth),    UNIT_TEST(having),
    };
    return UNIT_MAIN(tests);
}
