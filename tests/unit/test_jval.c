/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* JSON: what is refused before and by jansson, getters with their three answers, and printing that reads back
 * the same (JS-07 numbers, JS-17 locale). */

#include "unit.h"

#include <locale.h>
#include <stdio.h>
#include <time.h>

#include "base/jval.h"

#define CEILING 100000

static const jval_t *read_fine(apr_pool_t *pool, text_t source)
{
    const jval_t *object = NULL;
    assert_no_fault(jval_read(pool, unit_flush(pool, source), CEILING, FAULT_TOKEN_ANSWER, &object));
    assert_non_null(object);
    return object;
}

typedef struct {
    text_t source;
    const char *detail; /* how it begins */
    const char *why;
} refused_case;

static void refuses(void **state)
{
    static const refused_case cases[] = {
        {TEXT(""), "JSON is empty", "nothing"},
        {TEXT(" \n"), "JSON is not an object", "blanks alone"},
        {TEXT("[]"), "JSON is not an object", "a list"},
        {TEXT("\"x\""), "JSON is not an object", "a string"},
        {TEXT("1"), "JSON is not an object", "a number"},
        {TEXT("null"), "JSON is not an object", "null"},
        {TEXT("\xef\xbb\xbf{}"), "JSON starts with a byte order mark", "BOM"},
        {TEXT("\v{}"), "JSON is not an object", "a blank that JSON does not know"},
        {TEXT("{"), "JSON ends too early", "cut off"},
        {TEXT("{\"a\":"), "JSON ends too early", "cut off before the value"},
        {TEXT("{\"a"), "JSON ends within a string", "cut off in a name"},
        {TEXT("{\"a\\"), "JSON ends within a string", "cut off in an escape"},
        {TEXT("{\"a\":\"\\u00"), "JSON ends within a string", "cut off in a long escape"},
        {TEXT("{}}"), "JSON closes more than it opens", "one bracket more"},
        {TEXT("{}{}"), "JSON goes on behind its end", "two documents"},
        {TEXT("{} x"), "JSON goes on behind its end", "garbage behind"},
        {TEXT("{}\0"), "JSON contains a NUL byte", "NUL behind"},
        {TEXT("{\"a\0\":1}"), "JSON contains a NUL byte", "NUL in a name"},
        {TEXT("{\"a\":\"\\u0000\"}"), "JSON contains \\u0000", "escaped NUL in a value"},
        {TEXT("{\"sub\\u0000x\":1}"), "JSON contains \\u0000", "escaped NUL in a name"},
        {TEXT("{\"a\":\"\\\\\\u0000\"}"), "JSON contains \\u0000", "behind an escaped backslash"},
        {TEXT("{\"a\":\"\xff\"}"), "JSON is not UTF-8", "a foreign byte"},
        {TEXT("{\"a\":\"\xed\xa0\x80\"}"), "JSON is not UTF-8", "a surrogate"},
        {TEXT("{\"a\":\"\\ud800\"}"), "JSON ", "half a surrogate pair, escaped"},
        {TEXT("{\"a\":\"\n\"}"), "JSON is not valid JSON", "a line end in a string"},
        {TEXT("{\"a\":1,\"a\":2}"), "JSON names a member twice", "duplicate"},
        {TEXT("{\"a\":1,\"\\u0061\":2}"), "JSON names a member twice", "duplicate in two spellings"},
        {TEXT("{\"o\":{\"a\":1,\"a\":2}}"), "JSON names a member twice", "duplicate below"},
        {TEXT("{\"a\":1,}"), "JSON is not valid JSON", "comma too many"},
        {TEXT("{a:1}"), "JSON is not valid JSON", "name without quotes"},
        {TEXT("{'a':1}"), "JSON is not valid JSON", "single quotes"},
        {TEXT("{\"a\":[1}]"), "JSON is not valid JSON", "brackets crossed"},
        {TEXT("{\"a\":01}"), "JSON is not valid JSON", "leading zero"},
        {TEXT("{\"a\":+1}"), "JSON is not valid JSON", "plus"},
        {TEXT("{\"a\":.5}"), "JSON is not valid JSON", "no digit before the point"},
        {TEXT("{\"a\":NaN}"), "JSON is not valid JSON", "NaN"},
        {TEXT("{\"a\":0x10}"), "JSON is not valid JSON", "hexadecimal"},
        {TEXT("{\"a\":True}"), "JSON is not valid JSON", "capital"},
        {TEXT("{/**/}"), "JSON is not valid JSON", "comment"},
        {TEXT("{\"a\":9223372036854775808}"), "JSON contains a number out of range", "above int64"},
        {TEXT("{\"a\":-9223372036854775809}"), "JSON contains a number out of range", "below int64"},
        {TEXT("{\"a\":1e999}"), "JSON contains a number out of range", "above double"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const jval_t *object = NULL;
        const fault_t *fault =
            jval_read(pool, unit_flush(pool, cases[i].source), CEILING, FAULT_TOKEN_ANSWER, &object);
        assert_case(fault != NULL && fault->code == FAULT_TOKEN_ANSWER, cases[i].why);
        if (!text_starts(text_of(fault->detail), text_of(cases[i].detail)))
            assert_texts(text_of(fault->detail), text_of(cases[i].detail), cases[i].why);
        assert_case(object == NULL, cases[i].why);
    }
}

static void fault_quotes_nothing(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *object = NULL;
    const fault_t *fault =
        jval_read(pool, TEXT("{\"access_token\":\"SECRET\" SECRET}"), CEILING, FAULT_TOKEN_ANSWER, &object);
    assert_fault(fault, FAULT_TOKEN_ANSWER);
    assert_null(strstr(fault->detail, "SECRET"));
}

/* {"a":[[[...]]]} with so many levels in all */
static text_t nested(apr_pool_t *pool, size_t levels, const char *opening, const char *closing)
{
    text_t document = TEXT("1");
    for (size_t i = 1; i < levels; i++)
        document = text_join(pool, (const text_t[]){text_of(opening), document, text_of(closing), {NULL, 0}});
    return text_join(pool, (const text_t[]){TEXT("{\"a\":"), document, TEXT("}"), {NULL, 0}});
}

static void depth(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *object = read_fine(pool, nested(pool, JVAL_DEPTH_MAX, "[", "]"));
    assert_texts(jval_print(pool, object), nested(pool, JVAL_DEPTH_MAX, "[", "]"), "deepest list");
    object = read_fine(pool, nested(pool, JVAL_DEPTH_MAX, "{\"b\":", "}"));
    assert_texts(jval_print(pool, object), nested(pool, JVAL_DEPTH_MAX, "{\"b\":", "}"), "deepest object");
    assert_fault(
        jval_read(pool, nested(pool, JVAL_DEPTH_MAX + 1, "[", "]"), CEILING, FAULT_INTERNAL, &object),
        FAULT_INTERNAL);
    assert_fault(
        jval_read(pool, nested(pool, JVAL_DEPTH_MAX + 1, "{\"b\":", "}"), CEILING, FAULT_INTERNAL, &object),
        FAULT_INTERNAL);
    /* brackets within strings are none */
    (void)read_fine(pool, TEXT("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{{{{{\\\\\"}"));
    /* siblings do not add up */
    (void)read_fine(pool, TEXT("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                               "[],[],[],[],[],[],[],[]]}"));
}

static void ceiling(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *object = NULL;
    assert_no_fault(jval_read(pool, TEXT("{\"a\":1}"), 7, FAULT_INTERNAL, &object));
    assert_fault(jval_read(pool, TEXT("{\"a\":1}"), 6, FAULT_INTERNAL, &object), FAULT_INTERNAL);
    assert_fault(jval_read(pool, (text_t){NULL, 0}, 6, FAULT_INTERNAL, &object), FAULT_INTERNAL);
}

#define DOCUMENT                                                                                             \
    "{\"t\":\"\xc3\xa4\\u0041\",\"e\":\"\",\"i\":-7,\"r\":-1.5,\"y\":true,\"n\":false,\"z\":null,"           \
    "\"o\":{\"x\":1},\"l\":[1,\"a\"],\"s\":[\"a\",\"b\"],\"w\":[]}"

static void getters(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const jval_t *object = read_fine(pool, TEXT(DOCUMENT));
    const jval_t *member = NULL;
    text_t text = TEXT("before");
    bool flag = false;
    assert_int_equal(jval_text(object, "missing", &text), JVAL_ABSENT);
    assert_int_equal(jval_text(object, "z", &text), JVAL_ABSENT);
    assert_int_equal(jval_text(object, "i", &text), JVAL_WRONG);
    assert_int_equal(jval_text(object, "s", &text), JVAL_WRONG);
    assert_text(text, "before");
    assert_int_equal(jval_text(object, "t", &text), JVAL_FOUND);
    assert_text(text, "\xc3\xa4"
                      "A");
    assert_int_equal(jval_text(object, "e", &text), JVAL_FOUND);
    assert_text(text, "");
    assert_int_equal(jval_flag(object, "y", &flag), JVAL_FOUND);
    assert_true(flag);
    assert_int_equal(jval_flag(object, "n", &flag), JVAL_FOUND);
    assert_false(flag);
    assert_int_equal(jval_flag(object, "i", &flag), JVAL_WRONG);
    assert_int_equal(jval_flag(object, "z", &flag), JVAL_ABSENT);
    assert_int_equal(jval_object(object, "o", &member), JVAL_FOUND);
    assert_int_equal(jval_kind_of(member), JVAL_OBJECT);
    assert_int_equal(jval_object(object, "l", &member), JVAL_WRONG);
    assert_int_equal(jval_object(object, "z", &member), JVAL_ABSENT);
    assert_int_equal(jval_member(object, "z", &member), JVAL_ABSENT);
    assert_int_equal(jval_member(object, "r", &member), JVAL_FOUND);
    assert_int_equal(jval_kind_of(member), JVAL_REAL);
    assert_text(jval_as_text(member), "");
    assert_int_equal(jval_text(member, "t", &text), JVAL_ABSENT); /* not an object: no members */
}

static void lists(void **state)
{
    const jval_t *object = read_fine(unit_pool(state), TEXT(DOCUMENT));
    const jval_t *list = NULL;
    bool has = true;
    assert_int_equal(jval_list(object, "o", &list), JVAL_WRONG);
    assert_int_equal(jval_list(object, "z", &list), JVAL_ABSENT);
    assert_int_equal(jval_list(object, "l", &list), JVAL_FOUND);
    assert_int_equal(jval_count(list), 2);
    assert_int_equal(jval_kind_of(jval_at(list, 0)), JVAL_INTEGER);
    assert_text(jval_as_text(jval_at(list, 1)), "a");
    assert_int_equal(jval_list_has(object, "l", TEXT("a"), &has), JVAL_WRONG);
    assert_int_equal(jval_list_has(object, "t", TEXT("a"), &has), JVAL_WRONG);
    assert_int_equal(jval_list_has(object, "missing", TEXT("a"), &has), JVAL_ABSENT);
    assert_int_equal(jval_list_has(object, "w", TEXT("a"), &has), JVAL_FOUND);
    assert_false(has);
    assert_int_equal(jval_list_has(object, "s", TEXT("b"), &has), JVAL_FOUND);
    assert_true(has);
    assert_int_equal(jval_list_has(object, "s", TEXT("B"), &has), JVAL_FOUND);
    assert_false(has);
}

typedef struct {
    const char *number;
    jval_rc rc;
    int64_t seconds;
    const char *why;
} seconds_case;

static void seconds(void **state)
{
    static const seconds_case cases[] = {
        {"0", JVAL_FOUND, 0, "zero"},
        {"1700000000", JVAL_FOUND, 1700000000, "now"},
        {"-5", JVAL_FOUND, -5, "before 1970"},
        {"1.9", JVAL_FOUND, 1, "floored"},
        {"-1.1", JVAL_FOUND, -2, "floored, not cut"},
        {"-1.0", JVAL_FOUND, -1, "whole"},
        {"1.7e9", JVAL_FOUND, 1700000000, "exponent"},
        {"9223372036854775807", JVAL_FOUND, INT64_MAX, "last int64"},
        {"-9223372036854775808", JVAL_FOUND, INT64_MIN, "first int64"},
        {"1e300", JVAL_FOUND, INT64_MAX, "saturates"},
        {"-1e300", JVAL_FOUND, INT64_MIN, "saturates below"},
        {"9223372036854775808.0", JVAL_FOUND, INT64_MAX, "just above int64"},
        {"-9223372036854775808.0", JVAL_FOUND, INT64_MIN, "just int64"},
        {"1e-300", JVAL_FOUND, 0, "tiny"},
        {"-1e-300", JVAL_FOUND, -1, "tiny below zero"},
        {"\"1\"", JVAL_WRONG, 0, "text"},
        {"true", JVAL_WRONG, 0, "flag"},
        {"[]", JVAL_WRONG, 0, "list"},
        {"null", JVAL_ABSENT, 0, "null"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const jval_t *object = read_fine(pool, text_format(pool, "{\"exp\":%s}", cases[i].number));
        int64_t got = 0;
        assert_case(jval_seconds(object, "exp", &got) == cases[i].rc, cases[i].why);
        assert_case(got == cases[i].seconds, cases[i].why);
    }
}

static void walks_in_order(void **state)
{
    const jval_t *object = read_fine(unit_pool(state), TEXT("{\"z\":1,\"a\":null,\"m\":\"x\",\"\":2}"));
    static const text_t names[] = {TEXT("z"), TEXT("a"), TEXT("m"), TEXT("")};
    static const jval_kind kinds[] = {JVAL_INTEGER, JVAL_NULL, JVAL_TEXT, JVAL_INTEGER};
    jval_cursor cursor = {.position = NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(jval_next(object, &cursor));
        assert_texts(cursor.name, names[i], "order of the document");
        assert_int_equal(jval_kind_of(cursor.value), kinds[i]);
    }
    assert_false(jval_next(object, &cursor));
    jval_cursor empty = {.position = NULL};
    assert_false(jval_next(read_fine(unit_pool(state), TEXT("{ }")), &empty));
}

typedef struct {
    const char *value;
    const char *printed;
    const char *why;
} print_case;

static const print_case print_cases[] = {
    {"{}", "{}", "empty object"},
    {"[ ]", "[]", "empty list"},
    {"[ 1 , true , false , null ]", "[1,true,false,null]", "compact"},
    {"{ \"b\" : 1, \"a\" : [ {} ] }", "{\"b\":1,\"a\":[{}]}", "order stays"},
    {"\"a\\\"\\u00e4\\/\"", "\"a\\\"\xc3\xa4/\"", "strings are written anew"},
    {"9223372036854775807", "9223372036854775807", "integers are exact"},
    {"-9223372036854775808", "-9223372036854775808", "the first too"},
    {"9007199254740993", "9007199254740993", "no double in between"},
    {"0.1", "0.1", "not 0.10000000000000001"},
    {"1.0", "1.0", "a real stays one"},
    {"-0.0", "-0.0", "the sign of zero"},
    {"1.5e3", "1500.0", "no exponent where none is needed"},
    {"1e100", "1e+100", "exponent"},
    {"1e-7", "1e-07", "small"},
    {"0.30000000000000004", "0.30000000000000004", "needs 17 digits"},
    {"5e-324", "4.94065645841247e-324", "smallest double, 15 digits do"},
    {"1.7976931348623157e308", "1.7976931348623157e+308", "largest double"},
    {"1700000000.5", "1700000000.5", "time with a fraction"},
};

static void check_prints(apr_pool_t *pool)
{
    for (size_t i = 0; i < COUNT(print_cases); i++) {
        const jval_t *object = read_fine(pool, text_format(pool, "{\"v\":%s}", print_cases[i].value));
        text_t printed = jval_print(pool, object);
        assert_texts(printed, text_format(pool, "{\"v\":%s}", print_cases[i].printed), print_cases[i].why);
        assert_texts(jval_print(pool, read_fine(pool, printed)), printed, print_cases[i].why);
    }
}

static void prints(void **state)
{
    check_prints(unit_pool(state));
}

/* A locale whose decimal point is a comma; skipped where the machine has none (LOCPATH may name one). */
static void prints_the_same_in_other_locales(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    size_t i = 0;
    while (i < COUNT(names) && setlocale(LC_NUMERIC, names[i]) == NULL)
        i++;
    if (i == COUNT(names)) {
        print_message("no locale with a decimal comma on this machine\n");
        skip();
    }
    assert_string_equal(localeconv()->decimal_point, ",");
    check_prints(unit_pool(state));
    setlocale(LC_NUMERIC, "C");
}

/* JS-08: a document of the largest size with as many members as fit; how jansson places names is drawn anew
 * in each process, so that nobody can choose names that collide. */
static void many_members_cost_little(void **state)
{
    enum { ROOM = 1024 * 1024 };
    apr_pool_t *pool = unit_pool(state);
    char *source = apr_palloc(pool, ROOM);
    size_t len = 1;
    const jval_t *object = NULL;
    source[0] = '{';
    for (unsigned i = 0; len + 16 < ROOM; i++)
        len += (size_t)snprintf(source + len, 16, "\"%x\":1,", i);
    source[len - 1] = '}';
    clock_t began = clock();
    assert_no_fault(jval_read(pool, (text_t){source, len}, ROOM, FAULT_TOKEN_ANSWER, &object));
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    if (seconds >= 4)
        fail_msg("%.1f s", seconds);
}

static void lives_as_long_as_its_pool(void **state)
{
    apr_pool_t *child = NULL;
    assert_int_equal(apr_pool_create(&child, unit_pool(state)), APR_SUCCESS);
    const jval_t *object = NULL;
    char source[] = "{\"a\":\"b\"}";
    assert_no_fault(jval_read(child, text_of(source), CEILING, FAULT_INTERNAL, &object));
    memset(source, 'x', sizeof(source) - 1); /* nothing of the source is borrowed */
    text_t text = {NULL, 0};
    assert_int_equal(jval_text(object, "a", &text), JVAL_FOUND);
    assert_text(text, "b");
    apr_pool_destroy(child); /* leaks show under AddressSanitizer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(refuses),
        UNIT_TEST(fault_quotes_nothing),
        UNIT_TEST(depth),
        UNIT_TEST(ceiling),
        UNIT_TEST(getters),
        UNIT_TEST(lists),
        UNIT_TEST(seconds),
        UNIT_TEST(prints),
        UNIT_TEST(walks_in_order),
        UNIT_TEST(prints_the_same_in_other_locales),
        UNIT_TEST(many_members_cost_little),
        UNIT_TEST(lives_as_long_as_its_pool),
    };
    return UNIT_MAIN(tests);
}
