/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Cookie headers. What is removed is not found any more, what is not removed is found as before, and removing
 * twice changes nothing. */

#include "fuzz.h"

#include "base/cookie.h"

#define NAME      TEXT("sso")
#define PREFIX    TEXT("sso_t_")
#define NEIGHBOUR TEXT("a")

static size_t count_pairs(text_t header)
{
    text_t name;
    text_t value;
    size_t count = 0;
    while (cookie_next(&header, &name, &value)) {
        FUZZ_HOLDS(text_find(name, ';') == name.len && text_find(name, '=') == name.len);
        FUZZ_HOLDS(text_find(value, ';') == value.len);
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t header = fuzz_input(pool, data, size);
    text_t value;
    text_t value_left;
    text_t name;
    text_t left = cookie_without(pool, header, NAME, PREFIX);
    FUZZ_HOLDS(left.len <= header.len);
    FUZZ_HOLDS(cookie_find(left, NAME, &value) == COOKIE_ABSENT && value.at == NULL);
    for (text_t rest = left; cookie_next(&rest, &name, &value);)
        FUZZ_HOLDS(!text_equal(name, NAME) && !text_starts(name, PREFIX));
    FUZZ_HOLDS(text_equal(left, cookie_without(pool, left, NAME, PREFIX)));
    if (count_pairs(header) <= COOKIE_PAIRS_MAX) {
        cookie_rc rc = cookie_find(header, NEIGHBOUR, &value);
        FUZZ_HOLDS(rc == cookie_find(left, NEIGHBOUR, &value_left) && text_equal(value, value_left));
        FUZZ_HOLDS((rc == COOKIE_FOUND) == (value.at != NULL));
    }
    return fuzz_done(pool);
}
