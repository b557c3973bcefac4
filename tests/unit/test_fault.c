/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Faults: the table is whole and its words are unambiguous, and a mistake in the code never looks like
 * success. */

#include "unit.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (unsigned code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
        text_t word = text_of(fault_word(code));
        assert_case(word.len > 0, "a code without a word");
        for (size_t i = 0; i < word.len; i++)
            assert_case((word.at[i] >= 'a' && word.at[i] <= 'z') || word.at[i] == '_', word.at);
        assert_case(fault_status(code) >= 400 && fault_status(code) <= 503, word.at);
        assert_case(text_ends(text_of(fault_sentence(code)), TEXT(".")), word.at);
        assert_case(text_ends(text_of(fault_cause(code)), TEXT(".")), word.at);
        assert_case(text_ends(text_of(fault_cure(code)), TEXT(".")), word.at);
    }
}

static void words_are_unique(void **state)
{
    (void)state;
    for (unsigned one = FAULT_NONE + 1; one < FAULT_COUNT; one++)
        for (unsigned other = one + 1; other < FAULT_COUNT; other++)
            assert_case(!text_equal(text_of(fault_word(one)), text_of(fault_word(other))), fault_word(one));
}

static void known_words(void **state)
{
    (void)state;
    assert_string_equal(fault_word(FAULT_STATE_UNKNOWN), "state_unknown");
    assert_string_equal(fault_word(FAULT_STORE_DOWN), "store_down");
    assert_string_equal(fault_word(FAULT_IDTOKEN_EXPIRED), "idtoken_expired");
    assert_int_equal(fault_status(FAULT_STORE_DOWN), 503);
    assert_int_equal(fault_status(FAULT_FORBIDDEN), 403);
    assert_int_equal(fault_status(FAULT_ENDPOINT_UNKNOWN), 404);
}

static void nonsense_is_internal(void **state)
{
    static const unsigned codes[] = {FAULT_NONE, FAULT_COUNT, FAULT_COUNT + 1, 100000};
    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_string_equal(fault_word(codes[i]), "internal");
        assert_int_equal(fault_status(codes[i]), 500);
        assert_int_equal(fault_make(unit_pool(state), codes[i], NULL)->code, FAULT_INTERNAL);
    }
}

static void details(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const fault_t *fault =
        fault_make(pool, FAULT_TOKEN_ANSWER, "member %s, %zu bytes", "expires_in", (size_t)3);
    assert_fault(fault, FAULT_TOKEN_ANSWER);
    assert_string_equal(fault->detail, "member expires_in, 3 bytes");
    assert_null(fault_make(pool, FAULT_TOKEN_ANSWER, NULL)->detail);
    assert_null(fault_make(pool, FAULT_TOKEN_ANSWER, "%s", "")->detail);
}

static void another_code(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const fault_t *fault = fault_make(pool, FAULT_IDTOKEN_CLAIMS, "why");
    const fault_t *other = fault_as(pool, FAULT_USERINFO_REFUSED, fault);
    assert_fault(other, FAULT_USERINFO_REFUSED);
    assert_string_equal(other->detail, "why");
    assert_fault(fault, FAULT_IDTOKEN_CLAIMS);
    assert_no_fault(fault_as(pool, FAULT_USERINFO_REFUSED, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(every_row_is_whole),   UNIT_TEST(words_are_unique), UNIT_TEST(known_words),
        UNIT_TEST(nonsense_is_internal), UNIT_TEST(details),          UNIT_TEST(another_code),
    };
    return UNIT_MAIN(tests);
}
