/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Forms with secrets, and that nothing of them stays behind. */

#include "unit.h"

#include "oidc/secretform.h"

static void encodes_like_url_form(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const url_pair pairs[] = {
        {TEXT("a"), TEXT("x y&=+%~")},
        {TEXT("left out"), {NULL, 0}},
        {TEXT("b c"), TEXT("")},
        {TEXT("d"), TEXT("\0\xff")},
    };
    assert_text(secretform_make(pool, pairs, COUNT(pairs)), "a=x+y%26%3D%2B%25~&b+c=&d=%00%FF");
    assert_texts(secretform_make(pool, pairs, COUNT(pairs)), url_form(pool, pairs, COUNT(pairs)),
                 "same syntax");
    assert_text(secretform_make(pool, pairs, 0), "");
}

static void take_overwrites(void **state)
{
    char room[] = "hunter2";
    text_t kept = secretform_take(unit_pool(state), (text_t){room, 7});
    assert_text(kept, "hunter2");
    assert_memory_equal(room, "\0\0\0\0\0\0\0", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(encodes_like_url_form), UNIT_TEST(take_overwrites)};
    return UNIT_MAIN(tests);
}
