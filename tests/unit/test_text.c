/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Slices: every function with its edges, above all empty slices, NULs inside, and limits one off. */

#include "unit.h"

static void copies_and_strings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_int_equal(text_of(NULL).len, 0);
    assert_null(text_of(NULL).at);
    text_t copy = text_copy(pool, unit_flush(pool, TEXT("abc")));
    assert_text(copy, "abc");
    assert_int_equal(copy.at[3], '\0');
    assert_non_null(text_copy(pool, (text_t){NULL, 0}).at);
    assert_string_equal(text_string(pool, TEXT("abc")), "abc");
    assert_string_equal(text_string(pool, (text_t){NULL, 0}), "");
    assert_null(text_string(pool, TEXT("ab\0c")));
    assert_null(text_string(pool, TEXT("abc\0")));
}

static void joins_and_formats(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_text(text_join(pool, (const text_t[]){{NULL, 0}}), "");
    text_t joined = text_join(
        pool, (const text_t[]){TEXT("a"), TEXT(""), TEXT("b\0"), TEXT("c"), {NULL, 0}, TEXT("never")});
    assert_text(joined, "ab\0c");
    assert_int_equal(joined.at[joined.len], '\0');
    assert_text(text_format(pool, "%s-%05d-%zu", "x", 42, (size_t)7), "x-00042-7");
    text_t wide = text_format(pool, "%*s", 5000, "x");
    assert_int_equal(wide.len, 5000);
    assert_int_equal(wide.at[4999], 'x');
}

typedef struct {
    text_t one;
    text_t other;
    bool equal;
    bool nocase;
    const char *why;
} equal_case;

static void equality(void **state)
{
    static const equal_case cases[] = {
        {TEXT(""), {NULL, 0}, true, true, "empty is empty, whatever its place"},
        {TEXT("abc"), TEXT("abc"), true, true, "same bytes"},
        {TEXT("abc"), TEXT("abC"), false, true, "case matters, or does not"},
        {TEXT("abc"), TEXT("abcd"), false, false, "a prefix is not the whole"},
        {TEXT("a\0b"), TEXT("a\0c"), false, false, "a NUL ends nothing"},
        {TEXT("@["), TEXT("`{"), false, false, "0x20 apart, but no letters"},
        {TEXT("\xc4"), TEXT("\xe4"), false, false, "Latin-1 letters have no case here"},
        {TEXT("Xbc"), TEXT("Ybc"), false, false, "differs in the first byte"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t one = unit_flush(pool, cases[i].one);
        text_t other = unit_flush(pool, cases[i].other);
        assert_case(text_equal(one, other) == cases[i].equal, cases[i].why);
        assert_case(text_equal_secret(one, other) == cases[i].equal, cases[i].why);
        assert_case(text_equal_nocase(one, other) == cases[i].nocase, cases[i].why);
        assert_case((text_order(one, other) == 0) == cases[i].equal, cases[i].why);
    }
}

static void secret_equality_sees_every_bit(void **state)
{
    (void)state;
    char one[32] = {0};
    char other[32] = {0};
    for (size_t bit = 0; bit < sizeof(one) * 8; bit++) {
        other[bit / 8] = (char)(1 << bit % 8);
        assert_false(text_equal_secret((text_t){one, sizeof(one)}, (text_t){other, sizeof(other)}));
        other[bit / 8] = 0;
    }
    assert_true(text_equal_secret((text_t){one, sizeof(one)}, (text_t){other, sizeof(other)}));
}

static void order(void **state)
{
    (void)state;
    assert_true(text_order(TEXT("a"), TEXT("b")) < 0);
    assert_true(text_order(TEXT("b"), TEXT("a")) > 0);
    assert_true(text_order(TEXT("a"), TEXT("ab")) < 0);
    assert_true(text_order(TEXT("ab"), TEXT("a")) > 0);
    assert_true(text_order((text_t){NULL, 0}, TEXT("a")) < 0);
    assert_true(text_order(TEXT("\xff"), TEXT("a")) > 0); /* bytes are unsigned */
}

static void begins_and_ends(void **state)
{
    (void)state;
    assert_true(text_starts(TEXT("abc"), TEXT("ab")));
    assert_true(text_starts(TEXT("abc"), TEXT("")));
    assert_true(text_starts(TEXT("abc"), TEXT("abc")));
    assert_false(text_starts(TEXT("abc"), TEXT("abcd")));
    assert_false(text_starts((text_t){NULL, 0}, TEXT("a")));
    assert_true(text_ends(TEXT("abc"), TEXT("bc")));
    assert_true(text_ends(TEXT("abc"), (text_t){NULL, 0}));
    assert_false(text_ends(TEXT("abc"), TEXT("ab")));
    assert_false(text_ends(TEXT("c"), TEXT("bc")));
}

static void finding_and_trimming(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_int_equal(text_find(TEXT("abca"), 'a'), 0);
    assert_int_equal(text_find(TEXT("abca"), 'c'), 2);
    assert_int_equal(text_find(TEXT("abca"), 'x'), 4);
    assert_int_equal(text_find((text_t){NULL, 0}, 'x'), 0);
    assert_text(text_trim(unit_flush(pool, TEXT(" \t a b \t"))), "a b");
    assert_text(text_trim(unit_flush(pool, TEXT(" \t "))), "");
    assert_text(text_trim(TEXT("\na\n")), "\na\n"); /* line ends are not blanks */
    assert_text(text_from(TEXT("abc"), 1), "bc");
    assert_text(text_from(TEXT("abc"), 3), "");
    assert_text(text_from(TEXT("abc"), 400), "");
    assert_null(text_from((text_t){NULL, 0}, 4).at);
}

static void cutting(void **state)
{
    (void)state;
    text_t rest = TEXT("a,,b,");
    text_t part;
    assert_true(text_cut(&rest, ',', &part));
    assert_text(part, "a");
    assert_true(text_cut(&rest, ',', &part));
    assert_text(part, "");
    assert_true(text_cut(&rest, ',', &part));
    assert_text(part, "b");
    assert_true(text_cut(&rest, ',', &part));
    assert_text(part, "");
    assert_null(rest.at);
    assert_false(text_cut(&rest, ',', &part));
    rest = TEXT("");
    assert_true(text_cut(&rest, ',', &part)); /* an empty text is one empty part */
    assert_false(text_cut(&rest, ',', &part));
}

typedef struct {
    text_t text;
    bool printable;
    bool token;
    bool control;
    bool utf8;
    const char *why;
} class_case;

static void classes(void **state)
{
    static const class_case cases[] = {
        {TEXT(""), true, false, false, true, "nothing in it"},
        {TEXT("a~!"), true, true, false, true, "printable"},
        {TEXT("a b"), true, false, false, true, "a space is printable, but not in a token"},
        {TEXT("a\0"), false, false, true, true, "NUL"},
        {TEXT("a\n"), false, false, true, true, "line end"},
        {TEXT("a\x1f"), false, false, true, true, "last of the low controls"},
        {TEXT("a\x7f"), false, false, true, true, "DEL"},
        {TEXT("\xc3\xa4"), false, false, false, true, "two bytes"},
        {TEXT("\xc3"), false, false, false, false, "cut off"},
        {TEXT("\xc0\x80"), false, false, false, false, "overlong NUL"},
        {TEXT("\xc1\xbf"), false, false, false, false, "overlong DEL"},
        {TEXT("\xe0\x9f\xbf"), false, false, false, false, "overlong three bytes"},
        {TEXT("\xe0\xa0\x80"), false, false, false, true, "first of three bytes"},
        {TEXT("\xed\x9f\xbf"), false, false, false, true, "last before the surrogates"},
        {TEXT("\xed\xa0\x80"), false, false, false, false, "surrogate"},
        {TEXT("\xef\xbf\xbf"), false, false, false, true, "U+FFFF"},
        {TEXT("\xf0\x8f\xbf\xbf"), false, false, false, false, "overlong four bytes"},
        {TEXT("\xf0\x90\x80\x80"), false, false, false, true, "first of four bytes"},
        {TEXT("\xf4\x8f\xbf\xbf"), false, false, false, true, "U+10FFFF"},
        {TEXT("\xf4\x90\x80\x80"), false, false, false, false, "above U+10FFFF"},
        {TEXT("\xf5\x80\x80\x80"), false, false, false, false, "lead that does not exist"},
        {TEXT("\x80"), false, false, false, false, "continuation alone"},
        {TEXT("\xe2\x82"), false, false, false, false, "three bytes cut off"},
        {TEXT("\xe2\x28\xac"), false, false, false, false, "broken in the middle"},
        {TEXT("\xf0\x90\x80\x41"), false, false, false, false, "broken at the end"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t text = unit_flush(pool, cases[i].text);
        assert_case(text_is_printable(text) == cases[i].printable, cases[i].why);
        assert_case(text_is_token(text) == cases[i].token, cases[i].why);
        assert_case(text_has_control(text) == cases[i].control, cases[i].why);
        assert_case(text_is_utf8(text) == cases[i].utf8, cases[i].why);
    }
    assert_int_equal(text_utf8_head(TEXT("\xf0\x90\x80\x80x")), 4);
    assert_int_equal(text_utf8_head(TEXT("")), 0);
}

typedef struct {
    text_t text;
    int64_t ceiling;
    bool fine;
    int64_t number;
    const char *why;
} number_case;

static void numbers(void **state)
{
    static const number_case cases[] = {
        {TEXT("0"), 10, true, 0, "zero"},
        {TEXT("0"), 0, true, 0, "zero is at most zero"},
        {TEXT("1"), 0, false, 0, "one is not"},
        {TEXT("10"), 10, true, 10, "the ceiling itself"},
        {TEXT("11"), 10, false, 0, "one above"},
        {TEXT("9223372036854775807"), INT64_MAX, true, INT64_MAX, "the last int64"},
        {TEXT("9223372036854775808"), INT64_MAX, false, 0, "one above int64"},
        {TEXT("99999999999999999999999999"), INT64_MAX, false, 0, "far above int64"},
        {TEXT(""), 10, false, 0, "nothing"},
        {TEXT("01"), 10, false, 0, "leading zero"},
        {TEXT("00"), 10, false, 0, "two zeros"},
        {TEXT("+1"), 10, false, 0, "sign"},
        {TEXT("-1"), 10, false, 0, "negative"},
        {TEXT(" 1"), 10, false, 0, "blank before"},
        {TEXT("1 "), 10, false, 0, "blank behind"},
        {TEXT("1\0"), 10, false, 0, "NUL behind"},
        {TEXT("1e1"), 100, false, 0, "exponent"},
        {TEXT("0x1"), 100, false, 0, "hexadecimal"},
        {TEXT("1"), -1, false, 0, "nothing is at most -1"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t number = 0;
        bool fine = text_number(unit_flush(pool, cases[i].text), cases[i].ceiling, &number);
        assert_case(fine == cases[i].fine, cases[i].why);
        assert_case(!fine || number == cases[i].number, cases[i].why);
    }
}

typedef struct {
    text_t text;
    size_t ceiling;
    const char *line;
    const char *why;
} loggable_case;

static void loggable(void **state)
{
    static const loggable_case cases[] = {
        {{NULL, 0}, 10, "", "nothing"},
        {TEXT("plain text"), 100, "plain text", "stays"},
        {TEXT("a\r\n[error] b"), 100, "a\\x0d\\x0a[error] b", "no second log line"},
        {TEXT("\"'\\"), 100, "\\x22\\x27\\x5c", "quotes and the escape itself"},
        {TEXT("\xc3\xa4\x7f\0"), 100, "\\xc3\\xa4\\x7f\\x00", "non-ASCII, DEL, NUL"},
        {TEXT("abcdef"), 3, "abc", "cut"},
        {TEXT("abcdef"), 0, "", "no room at all"},
        {TEXT("ab\n"), 5, "ab", "an escape is not cut in half"},
        {TEXT("ab\n"), 6, "ab\\x0a", "an escape that just fits"},
        {TEXT("\n\n\n\n"), 9, "\\x0a\\x0a", "the ceiling counts output"},
        {TEXT("abc"), SIZE_MAX, "abc", "no ceiling allocates no ceiling"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *line = text_loggable(pool, unit_flush(pool, cases[i].text), cases[i].ceiling);
        assert_texts(text_of(line), text_of(cases[i].line), cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(copies_and_strings),
        UNIT_TEST(joins_and_formats),
        UNIT_TEST(equality),
        UNIT_TEST(secret_equality_sees_every_bit),
        UNIT_TEST(order),
        UNIT_TEST(begins_and_ends),
        UNIT_TEST(finding_and_trimming),
        UNIT_TEST(cutting),
        UNIT_TEST(classes),
        UNIT_TEST(numbers),
        UNIT_TEST(loggable),
    };
    return UNIT_MAIN(tests);
}
