/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Secret bytes: that they are there, and that they are gone when the pool is. The pool's memory is looked at
 * from a cleanup that runs after the wiping one, so that nothing is read after its release. */

#include "unit.h"

#include "base/secret.h"

typedef struct {
    const unsigned char *at;
    size_t len;
    bool *wiped;
} witness;

static apr_status_t look(void *data)
{
    const witness *seen = data;
    *seen->wiped = true;
    for (size_t i = 0; i < seen->len; i++)
        *seen->wiped = *seen->wiped && seen->at[i] == 0;
    return APR_SUCCESS;
}

/* Cleanups run last in, first out: a witness registered before the secret is made looks after its wiping. */
static witness *place_witness(apr_pool_t *pool, bool *wiped)
{
    witness *seen = apr_pcalloc(pool, sizeof(*seen));
    seen->wiped = wiped;
    apr_pool_cleanup_register(pool, seen, look, apr_pool_cleanup_null);
    return seen;
}

static void room_is_zeroed_and_terminated(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    unsigned char *room = secret_room(pool, 64);
    for (size_t i = 0; i <= 64; i++)
        assert_int_equal(room[i], 0);
    assert_non_null(secret_room(pool, 0));
}

static void copy_is_wiped_with_its_pool(void **state)
{
    bool wiped = false;
    apr_pool_t *child = NULL;
    assert_int_equal(apr_pool_create(&child, unit_pool(state)), APR_SUCCESS);
    witness *seen = place_witness(child, &wiped);
    text_t copy = secret_copy(child, TEXT("refresh\0token"));
    assert_text(copy, "refresh\0token");
    assert_int_equal(copy.at[copy.len], '\0');
    seen->at = (const unsigned char *)copy.at;
    seen->len = copy.len;
    apr_pool_clear(child);
    assert_true(wiped);
}

static void room_is_wiped_to_its_last_byte(void **state)
{
    bool wiped = false;
    apr_pool_t *child = NULL;
    assert_int_equal(apr_pool_create(&child, unit_pool(state)), APR_SUCCESS);
    witness *seen = place_witness(child, &wiped);
    unsigned char *room = secret_room(child, 100);
    memset(room, 0xaa, 101);
    seen->at = room;
    seen->len = 101;
    apr_pool_destroy(child);
    assert_true(wiped);
}

static void copy_of_nothing(void **state)
{
    text_t copy = secret_copy(unit_pool(state), (text_t){NULL, 0});
    assert_non_null(copy.at);
    assert_text(copy, "");
}

static void wipe_stays_within_its_length(void **state)
{
    (void)state;
    char bytes[] = "abcdef";
    secret_wipe(bytes + 1, 3);
    assert_memory_equal(bytes, "a\0\0\0ef", 6);
    secret_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(room_is_zeroed_and_terminated),  UNIT_TEST(copy_is_wiped_with_its_pool),
        UNIT_TEST(room_is_wiped_to_its_last_byte), UNIT_TEST(copy_of_nothing),
        UNIT_TEST(wipe_stays_within_its_length),
    };
    return UNIT_MAIN(tests);
}
