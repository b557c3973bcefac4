/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Arguments of a line: how many, how they are cut into words, and how they are quoted. */

#include "unit.h"

#include "flow/kindinput.h"

static void takes_one(void **state)
{
    const char *words[] = {"one", "two"};
    kind_input input = {unit_pool(state), 1, words};
    text_t value = {NULL, 0};
    assert_null(kindinput_one(&input, &value));
    assert_text(value, "one");
    input.count = 2;
    assert_string_equal(kindinput_one(&input, &value),
                        "there are 2 values; write one, in quotes where it has blanks");
    input.count = 0;
    assert_string_equal(kindinput_one(&input, &value), "there is no value; write one");
    words[0] = "";
    input.count = 1;
    assert_string_equal(kindinput_one(&input, &value), "there is no value; write one");
}

static void walks(void **state)
{
    static const struct {
        const char *words[3];
        size_t count;
        char separator;
        const char *joined;
        const char *why;
    } cases[] = {
        {{"a", "b"}, 2, '\0', "<a><b>", "arguments"},
        {{"a b", "\tc "}, 2, '\0', "<a><b><c>", "blanks within arguments"},
        {{"a,b", "c"}, 2, ',', "<a><b><c>", "a separator"},
        {{"a,,b,", ","}, 2, ',', "<a><b>", "empty words are passed over"},
        {{"a,b"}, 1, '\0', "<a,b>", "no separator"},
        {{"", " ", ""}, 3, ',', "", "nothing"},
        {{NULL}, 0, ',', "", "no arguments"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const kind_input input = {unit_pool(state), cases[i].count, cases[i].words};
        kindinput_walk walk = {0};
        text_t joined = TEXT("");
        while (kindinput_next(&input, cases[i].separator, &walk))
            joined = text_format(input.pool, "%s<%.*s>", joined.at, (int)walk.word.len, walk.word.at);
        assert_texts(joined, text_of(cases[i].joined), cases[i].why);
    }
}

static void quotes_safely(void **state)
{
    const kind_input input = {unit_pool(state), 0, NULL};
    assert_string_equal(kindinput_shown(&input, TEXT("a\nb\xff")), "a\\x0ab\\xff");
    text_t long_value = text_format(input.pool, "%0200d", 0);
    assert_int_equal(strlen(kindinput_shown(&input, long_value)), 80);
    assert_string_equal(kindinput_wrong(&input, "'%s' is %d", "x", 7), "'x' is 7");
}

static void keeps(void **state)
{
    char bytes[] = "abc";
    const kind_input input = {unit_pool(state), 0, NULL};
    const char *kept = kindinput_keep(&input, (text_t){bytes, 2});
    bytes[0] = 'X';
    assert_string_equal(kept, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(takes_one), UNIT_TEST(walks), UNIT_TEST(quotes_safely),
                                       UNIT_TEST(keeps)};
    return UNIT_MAIN(tests);
}
