/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef STORECHECK_H
#define STORECHECK_H

/* The store contract as one table: what holds for any backend. Each check has a store to itself but for the
 * keys of the others. */

#include "storeserver.h"

typedef struct store_check {
    const char *promise; /* a sentence of port/store.h */
    void (*check)(store_port *store, apr_pool_t *pool);
} store_check;

static inline void check_absent(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "absent", 0);
    store_item item;
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
    assert_answer(store->touch(store, key, 60), STORE_MISS);
    assert_answer(store->drop(store, key), STORE_MISS);
    assert_answer(store->cas(store, key, TEXT("x"), 60, 1), STORE_MISS);
    assert_answer(store->cas(store, key, TEXT("x"), 60, 0), STORE_MISS);
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
}

static inline void check_put(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "put", 0);
    store_item first;
    store_item second;
    assert_answer(store->put(store, key, TEXT("one"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &first), STORE_OK);
    assert_text(first.value, "one");
    assert_answer(store->put(store, key, TEXT("three"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &second), STORE_OK);
    assert_text(second.value, "three");
    assert_true(first.version != second.version);
    assert_text(first.value, "one");
}

static inline void check_add(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "add", 0);
    store_item item;
    assert_answer(store->add(store, key, TEXT("first"), 60), STORE_OK);
    assert_answer(store->add(store, key, TEXT("second"), 60), STORE_CLASH);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "first");
    assert_answer(store->drop(store, key), STORE_OK);
    assert_answer(store->add(store, key, TEXT("third"), 60), STORE_OK);
}

static inline void check_cas(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "cas", 0);
    store_item old;
    store_item new;
    assert_answer(store->put(store, key, TEXT("a"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &old), STORE_OK);
    assert_answer(store->cas(store, key, TEXT("bb"), 60, old.version), STORE_OK);
    assert_answer(store->cas(store, key, TEXT("c"), 60, old.version), STORE_CLASH);
    assert_answer(store->cas(store, key, TEXT("c"), 60, 0), STORE_CLASH);
    assert_answer(store->cas(store, key, TEXT("c"), 60, UINT64_MAX), STORE_CLASH);
    assert_answer(store->get(store, key, pool, &new), STORE_OK);
    assert_text(new.value, "bb");
    assert_true(new.version != old.version);
}

static inline void check_dropped(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "dropped", 0);
    store_item item;
    assert_answer(store->put(store, key, TEXT("alive"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->drop(store, key), STORE_OK);
    assert_answer(store->drop(store, key), STORE_MISS);
    assert_answer(store->cas(store, key, TEXT("undead"), 60, item.version), STORE_MISS);
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
}

static inline void check_reborn(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "reborn", 0);
    store_item item;
    assert_answer(store->add(store, key, TEXT("old"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->drop(store, key), STORE_OK);
    assert_answer(store->add(store, key, TEXT("new"), 60), STORE_OK);
    assert_answer(store->cas(store, key, TEXT("stale"), 60, item.version), STORE_CLASH);
}

static inline void check_touch(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "touch", 0);
    store_item before;
    store_item after;
    assert_answer(store->put(store, key, TEXT("same"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &before), STORE_OK);
    assert_answer(store->touch(store, key, 600), STORE_OK);
    assert_answer(store->get(store, key, pool, &after), STORE_OK);
    assert_true(before.version == after.version);
    assert_text(after.value, "same");
    assert_answer(store->cas(store, key, TEXT("next"), 60, before.version), STORE_OK);
}

static inline void check_bytes(store_port *store, apr_pool_t *pool)
{
    static const char protocol[] =
        "\r\nEND\r\nVALUE x 0 1 1\r\nSERVER_ERROR\r\nNOT_FOUND\r\n\0set y 0 0 0\r\n\r\n";
    char every[256];
    const text_t values[] = {{every, sizeof(every)},
                             {protocol, sizeof(protocol) - 1},
                             TEXT("\0"),
                             TEXT(""),
                             TEXT("0"),
                             TEXT("\r\n"),
                             TEXT("END\r\n")};
    for (int i = 0; i < 256; i++)
        every[i] = (char)i;
    for (size_t i = 0; i < COUNT(values); i++) {
        const char *key = key_of(pool, "bytes", (int)i);
        store_item item;
        assert_answer(store->add(store, key, values[i], 60), STORE_OK);
        assert_answer(store->get(store, key, pool, &item), STORE_OK);
        assert_texts(item.value, values[i], "values are bytes");
    }
}

static inline text_t text_fill(apr_pool_t *pool, size_t len)
{
    char *bytes = apr_palloc(pool, len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return (text_t){bytes, len};
}

static inline void check_sizes(store_port *store, apr_pool_t *pool)
{
    static const size_t sizes[] = {1,    2000,  4059,   4060,       4061, 4096, 8140,
                                   8141, 65536, 131072, 900 * 1024, 8141, 10};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const char *key = key_of(pool, "size", 0);
        text_t value = text_fill(pool, sizes[i]);
        store_item item;
        assert_answer(store->put(store, key, value, 60), STORE_OK);
        assert_answer(store->get(store, key, pool, &item), STORE_OK);
        assert_true(text_equal(item.value, value));
        assert_answer(store->touch(store, key, 60), STORE_OK);
        assert_answer(store->cas(store, key, value, 60, item.version), STORE_OK);
    }
}

static inline void check_too_large(store_port *store, apr_pool_t *pool)
{
    const char *key = key_of(pool, "large", 0);
    text_t value = text_fill(pool, STORE_VALUE_MAX + 1);
    store_item item;
    assert_answer(store->put(store, key, value, 60), STORE_FULL);
    assert_answer(store->add(store, key, value, 60), STORE_FULL);
    assert_answer(store->get(store, key, pool, &item), STORE_MISS);
    assert_answer(store->put(store, key, TEXT("small"), 60), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->cas(store, key, value, 60, item.version), STORE_FULL);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_text(item.value, "small");
}

/* Seconds, so all of the waiting is done once. */
static inline void check_times(store_port *store, apr_pool_t *pool)
{
    const char *brief = key_of(pool, "brief", 0);
    const char *slid = key_of(pool, "slid", 0);
    const char *cut = key_of(pool, "cut", 0);
    const char *zero = key_of(pool, "zero", 0);
    const char *month = key_of(pool, "month", 0);
    const char *year = key_of(pool, "year", 0);
    int64_t start = now_ms();
    store_item item;
    store_item old;
    assert_answer(store->add(store, brief, TEXT("v"), 1), STORE_OK);
    assert_answer(store->add(store, slid, TEXT("v"), 1), STORE_OK);
    assert_answer(store->touch(store, slid, 60), STORE_OK);
    assert_answer(store->add(store, cut, TEXT("v"), 60), STORE_OK);
    assert_answer(store->touch(store, cut, 1), STORE_OK);
    assert_answer(store->put(store, zero, TEXT("v"), 0), STORE_OK);
    /* MC-16: beyond 30 days memcached takes a time for a date. */
    assert_answer(store->put(store, month, TEXT("v"), (int64_t)30 * 24 * 3600), STORE_OK);
    assert_answer(store->put(store, year, TEXT("v"), (int64_t)31 * 24 * 3600), STORE_OK);
    assert_answer(store->touch(store, year, STORE_TTL_MAX), STORE_OK);
    assert_answer(store->get(store, brief, pool, &old), STORE_OK);
    while (store->get(store, brief, pool, &item) == STORE_OK && now_ms() < start + 6000)
        rest_ms(50);
    assert_true(now_ms() >= start + 1000);
    assert_true(now_ms() < start + 6000);
    rest_ms(1100);
    assert_answer(store->get(store, cut, pool, &item), STORE_MISS);
    assert_answer(store->get(store, zero, pool, &item), STORE_MISS);
    assert_answer(store->cas(store, brief, TEXT("w"), 60, old.version), STORE_MISS);
    assert_answer(store->touch(store, brief, 60), STORE_MISS);
    assert_answer(store->drop(store, brief), STORE_MISS);
    assert_answer(store->add(store, cut, TEXT("again"), 60), STORE_OK);
    assert_answer(store->get(store, slid, pool, &item), STORE_OK);
    assert_answer(store->get(store, month, pool, &item), STORE_OK);
    assert_answer(store->get(store, year, pool, &item), STORE_OK);
}

static const store_check store_checks[] = {
    {"what is not there is MISS for every verb that wants it", check_absent},
    {"put writes whatever was there, and each write has a version of its own", check_put},
    {"add writes only where nothing is", check_add},
    {"cas writes only over the version that was read", check_cas},
    {"cas on a dropped record is MISS and does not bring it back", check_dropped},
    {"a version is not used again for a new record under an old key", check_reborn},
    {"touch changes neither value nor version", check_touch},
    {"values are bytes", check_bytes},
    {"values of all sizes come back", check_sizes},
    {"a value that is too large is FULL, and nothing was written", check_too_large},
    {"records end at their time and not before, also beyond thirty days", check_times},
};

#endif
