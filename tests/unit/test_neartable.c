/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include "backend/neartable.h"

/* Key number n; all of them have the same hash where the test says so. */
static const char *key_number(apr_pool_t *pool, int number)
{
    return text_format(pool, "%0*d", STORE_KEY_LEN, number).at;
}

static neartable_entry *make(neartable *table, apr_pool_t *pool, int number, uint64_t hash)
{
    const store_item item = {text_format(pool, "value %d", number), (uint64_t)number};
    neartable_entry *one = neartable_make(table, hash, key_number(pool, number), &item);
    assert_non_null(one);
    return one;
}

static void put(neartable *table, apr_pool_t *pool, int number, uint64_t hash)
{
    neartable_insert(table, make(table, pool, number, hash), 0);
}

static neartable_entry *find(neartable *table, apr_pool_t *pool, int number, uint64_t hash)
{
    return *neartable_find(table, hash, key_number(pool, number));
}

static void keys_that_share_a_hash_do_not_mix(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    neartable table;
    neartable_init(&table, pool, 100, 100000);
    for (int i = 0; i < 20; i++)
        put(&table, pool, i, 7);
    for (int i = 0; i < 20; i++) {
        const neartable_entry *one = find(&table, pool, i, 7);
        assert_non_null(one);
        assert_int_equal(one->version, i);
        const text_t value = {one->value, one->len};
        assert_texts(value, text_format(pool, "value %d", i), "its own value");
        assert_null(find(&table, pool, i, 8));
    }
    assert_null(find(&table, pool, 20, 7));
    for (int i = 0; i < 20; i += 3) /* from the ends and the middle of the chain and of the queue */
        neartable_take_out(&table, neartable_find(&table, 7, key_number(pool, i)));
    neartable_take_out(&table, neartable_find(&table, 7, key_number(pool, 0))); /* gone already */
    for (int i = 0; i < 20; i++)
        assert_true((find(&table, pool, i, 7) == NULL) == (i % 3 == 0));
    assert_int_equal(table.entries, 13);
    neartable_clear(&table);
    assert_int_equal(table.entries, 0);
    assert_int_equal(table.bytes, 0);
    assert_null(table.oldest);
    assert_null(table.newest);
    put(&table, pool, 1, 1); /* and can be used again */
    assert_non_null(find(&table, pool, 1, 1));
    neartable_clear(&table);
}

/* Who goes when four of at most four are there and a fifth one comes. */
static void the_oldest_that_nobody_used_goes(void **state)
{
    static const struct {
        bool used[4];
        int64_t useless;
        bool there[4];
        const char *why;
    } cases[] = {
        {{false, false, false, false}, 0, {false, true, true, true}, "the oldest"},
        {{true, false, false, false}, 0, {true, false, true, true}, "the next one, as the oldest is in use"},
        {{true, true, true, false}, 0, {true, true, true, false}, "the only one not in use, however new"},
        {{true, true, true, true}, 0, {false, true, true, true}, "all in use: the oldest all the same"},
        {{true, false, false, false}, 11, {false, true, true, true}, "a use does not save what is over"},
        {{false, false, false, false}, 13, {false, false, true, true}, "two that are over, but no more"},
        {{false, false, false, false}, 100, {false, false, true, true}, "a few at a time"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        apr_pool_t *pool = unit_pool(state);
        neartable table;
        neartable_init(&table, pool, 4, 100000);
        for (int j = 0; j < 4; j++) {
            put(&table, pool, j, (uint64_t)j);
            find(&table, pool, j, (uint64_t)j)->used = cases[i].used[j];
            find(&table, pool, j, (uint64_t)j)->asked = 10 + j;
        }
        neartable_insert(&table, make(&table, pool, 4, 4), cases[i].useless);
        for (int j = 0; j < 4; j++)
            assert_case((find(&table, pool, j, (uint64_t)j) != NULL) == cases[i].there[j], cases[i].why);
        assert_case(find(&table, pool, 4, 4) != NULL, cases[i].why);
        neartable_clear(&table);
    }
}

static void bytes_are_bounded(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const size_t overhead = sizeof(neartable_entry);
    const struct {
        size_t bytes_max, len;
        bool fits;
    } cases[] = {
        {overhead + 10, 10, true},
        {overhead + 10, 11, false},
        {overhead, 0, true},
        {overhead - 1, 0, false},
        {0, 0, false},
        {SIZE_MAX, 1 << 20, true},
        {1000, SIZE_MAX - 10, false}, /* never read: it would not fit */
    };
    char *bytes = apr_pcalloc(pool, 1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const store_item item = {{cases[i].len > 0 ? bytes : NULL, cases[i].len}, 1};
        neartable table;
        neartable_init(&table, pool, 4, cases[i].bytes_max);
        neartable_entry *one = neartable_make(&table, 1, key_number(pool, 1), &item);
        assert_true((one != NULL) == cases[i].fits);
        neartable_drop(one);
    }
    neartable table;
    neartable_init(&table, pool, 100, 5 * (overhead + 10));
    for (int i = 10; i < 50; i++) {
        put(&table, pool, i, (uint64_t)i); /* values of 8 bytes */
        assert_true(table.bytes <= table.bytes_max);
        assert_int_equal(table.bytes, table.entries * (overhead + 8));
    }
    assert_int_equal(table.entries, 5);
    neartable_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(keys_that_share_a_hash_do_not_mix),
        UNIT_TEST(the_oldest_that_nobody_used_goes),
        UNIT_TEST(bytes_are_bounded),
    };
    return UNIT_MAIN(tests);
}
