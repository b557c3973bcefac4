/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* JSON. What was read prints as UTF-8 without controls, reads back, and then prints the same. All getters are
 * called on every member, so that none believes a wrong kind. */

#include "fuzz.h"

#include "base/jval.h"

static void check_members(const jval_t *object)
{
    jval_cursor cursor = {.position = NULL};
    while (jval_next(object, &cursor)) {
        const jval_t *member = NULL;
        text_t text;
        int64_t seconds;
        bool flag;
        const char *name = cursor.name.at;
        jval_kind kind = jval_kind_of(cursor.value);
        FUZZ_HOLDS((jval_member(object, name, &member) == JVAL_FOUND) == (kind != JVAL_NULL));
        FUZZ_HOLDS((jval_text(object, name, &text) == JVAL_FOUND) == (kind == JVAL_TEXT));
        FUZZ_HOLDS((jval_seconds(object, name, &seconds) == JVAL_FOUND) ==
                   (kind == JVAL_INTEGER || kind == JVAL_REAL));
        FUZZ_HOLDS((jval_flag(object, name, &flag) == JVAL_FOUND) ==
                   (kind == JVAL_TRUE || kind == JVAL_FALSE));
        FUZZ_HOLDS((jval_object(object, name, &member) == JVAL_FOUND) == (kind == JVAL_OBJECT));
        FUZZ_HOLDS((jval_list(object, name, &member) == JVAL_FOUND) == (kind == JVAL_LIST));
        FUZZ_HOLDS(jval_list_has(object, name, TEXT("a"), &flag) != JVAL_FOUND || kind == JVAL_LIST);
        FUZZ_HOLDS(kind != JVAL_TEXT || (text_is_utf8(text) && text_find(text, '\0') == text.len));
        if (kind == JVAL_OBJECT)
            check_members(cursor.value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t source = fuzz_input(pool, data, size);
    const jval_t *object = NULL;
    const jval_t *again = NULL;
    const fault_t *fault = jval_read(pool, source, 65536, FAULT_TOKEN_ANSWER, &object);
    FUZZ_HOLDS(fault == NULL || (fault->detail != NULL && object == NULL));
    if (fault == NULL) {
        check_members(object);
        text_t printed = jval_print(pool, object);
        FUZZ_HOLDS(text_is_utf8(printed) && !text_has_control(printed));
        FUZZ_HOLDS(jval_read(pool, printed, SIZE_MAX, FAULT_TOKEN_ANSWER, &again) == NULL);
        FUZZ_HOLDS(text_equal(printed, jval_print(pool, again)));
    }
    return fuzz_done(pool);
}
