/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What the near cache remembers, for how long, and how much. Races are in test_nearrace.c. */

#include "unit.h"

#include "nearcase.h"
#include "storecheck.h"

/* Waiting for the ends of records takes seconds, so one of the doors does it for all. */
static void both_doors_keep_every_promise(void **state)
{
    for (int i = 0; i < 4; i++) {
        apr_pool_t *pool;
        apr_pool_create(&pool, unit_pool(state));
        nearcache_terms terms = {.inner = nearcase_lmdb(pool, directory_make(pool)),
                                 .clock = hostclock_port()};
        terms.fresh_ms = i < 2 ? 1000 : 0;
        terms.entries_max = 100;
        terms.bytes_max = (size_t)4 * 1024 * 1024;
        nearcache *cache = nearcache_new(pool, &terms);
        for (size_t j = 0; j < COUNT(store_checks); j++)
            if (i == 0 || store_checks[j].check != check_times)
                store_checks[j].check(i % 2 == 0 ? nearcache_port(cache) : nearcache_truth(cache), pool);
        apr_pool_destroy(pool);
    }
}

static void a_hit_asks_nobody(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    store_port *near = nearcache_port(nearcase_cache(world, 1000, 0));
    const char *key = key_of(world->pool, "session", 1);
    apr_pool_t *request;
    store_item first;
    store_item again;
    assert_string_equal(near->scheme, "fake");
    fakestore_poke(&world->store, key, TEXT("sealed\0bytes"));
    apr_pool_create(&request, world->pool);
    assert_answer(near->get(near, key, request, &first), STORE_OK);
    memset((char *)(uintptr_t)first.value.at, 'X', first.value.len); /* the caller's own copy */
    for (int i = 0; i < 100; i++) {
        apr_pool_clear(request);
        assert_answer(near->get(near, key, request, &again), STORE_OK);
        assert_text(again.value, "sealed\0bytes");
        assert_true(again.version == first.version);
        memset((char *)(uintptr_t)again.value.at, 'X', again.value.len);
    }
    assert_int_equal(nearcase_asked(world), 1);
    assert_answer(near->cas(near, key, TEXT("next"), 60, again.version), STORE_OK);
    assert_reads(world, near, key, "next");
}

static void ages(void **state)
{
    static const struct {
        int64_t fresh, grace, age;
        bool down;
        store_rc rc;
        unsigned asked;
        const char *why;
    } cases[] = {
        {1000, 0, 0, false, STORE_OK, 0, "just read"},
        {1000, 0, 999, false, STORE_OK, 0, "still fresh"},
        {1000, 0, 1000, false, STORE_OK, 1, "its time is over: asked again"},
        {1000, 0, 999, true, STORE_OK, 0, "a fresh copy does not ask whether the store is up"},
        {1000, 0, 1000, true, STORE_DOWN, 1, "without grace DOWN is DOWN"},
        {1000, 5000, 1000, true, STORE_OK, 1, "grace begins where freshness ends, after the store was asked"},
        {1000, 5000, 5999, true, STORE_OK, 1, "the last moment of grace"},
        {1000, 5000, 6000, true, STORE_DOWN, 1, "grace is over"},
        {1000, 5000, 5999, false, STORE_OK, 1, "grace does not count while the store answers"},
        {0, 5000, 0, true, STORE_DOWN, 1, "nothing is kept, so there is nothing for grace"},
        {0, 0, 0, false, STORE_OK, 1, "off"},
        {-5, -5, 0, false, STORE_OK, 1, "negative is off"},
        {INT64_MAX, INT64_MAX, 3600 * 1000, true, STORE_OK, 0, "times are bounded and do not overflow"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        store_port *near = nearcache_port(nearcase_cache(world, cases[i].fresh, cases[i].grace));
        const char *key = key_of(world->pool, "aged", (int)i);
        text_t value;
        fakestore_poke(&world->store, key, TEXT("v"));
        assert_reads(world, near, key, "v");
        (void)nearcase_asked(world);
        fakes_clock_pass_ms(&world->clock, cases[i].age);
        fakestore_down(&world->store, cases[i].down);
        assert_case(answered(nearcase_read(near, world->pool, key, &value), cases[i].rc), cases[i].why);
        assert_case(nearcase_asked(world) == cases[i].asked, cases[i].why);
    }
}

static void what_is_not_there_is_not_remembered(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *cache = nearcase_cache(world, 1000, 1000);
    store_port *near = nearcache_port(cache);
    const char *key = key_of(world->pool, "late", 1);
    text_t value;
    assert_answer(nearcase_read(near, world->pool, key, &value), STORE_MISS);
    assert_answer(nearcase_read(near, world->pool, key, &value), STORE_MISS);
    fakestore_fail(&world->store, FAKESTORE_GET, 1, STORE_DOWN);
    assert_answer(nearcase_read(near, world->pool, key, &value), STORE_DOWN);
    assert_int_equal(nearcase_asked(world), 3);
    assert_int_equal(nearcache_used(cache).entries, 0);
    fakestore_poke(&world->store, key, TEXT("a login on another host"));
    assert_reads(world, near, key, "a login on another host");
}

/* Whatever a write answers, the next get asks, in all caches of the host, and grace does not bring it back.
 */
static void a_write_evicts_at_once(void **state)
{
    static const struct {
        fakestore_verb verb;
        store_rc told; /* what the store says */
        bool happens;
        const char *value; /* NULL: gone */
    } cases[] = {
        {FAKESTORE_PUT, STORE_OK, true, "new"},     {FAKESTORE_PUT, STORE_DOWN, true, "new"},
        {FAKESTORE_PUT, STORE_DOWN, false, "old"},  {FAKESTORE_PUT, STORE_FULL, false, "old"},
        {FAKESTORE_ADD, STORE_CLASH, true, "old"},  {FAKESTORE_ADD, STORE_DOWN, false, "old"},
        {FAKESTORE_CAS, STORE_OK, true, "new"},     {FAKESTORE_CAS, STORE_DOWN, true, "new"},
        {FAKESTORE_CAS, STORE_CLASH, false, "old"}, {FAKESTORE_TOUCH, STORE_OK, true, "old"},
        {FAKESTORE_TOUCH, STORE_DOWN, true, "old"}, {FAKESTORE_DROP, STORE_OK, true, NULL},
        {FAKESTORE_DROP, STORE_DOWN, true, NULL},   {FAKESTORE_DROP, STORE_DOWN, false, "old"},
    };
    for (size_t i = 0; i < COUNT(cases) * 4; i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        nearcache *caches[] = {nearcase_cache(world, 60000, 60000), nearcase_cache(world, 60000, 60000)};
        store_port *writer = i % 2 == 0 ? nearcache_port(caches[0]) : nearcache_truth(caches[0]);
        store_port *reader = nearcache_port(caches[i / 2 % 2]);
        const char *key = key_of(world->pool, "written", (int)i);
        const char *wanted = cases[i / 4].value;
        store_item item;
        text_t value;
        fakestore_poke(&world->store, key, TEXT("old"));
        for (int j = 0; j < 2; j++)
            assert_answer(nearcache_port(caches[j])->get(nearcache_port(caches[j]), key, world->pool, &item),
                          STORE_OK);
        world->store.faults[cases[i / 4].verb] =
            (fakestore_fault){.times = 1, .rc = cases[i / 4].told, .happens = cases[i / 4].happens};
        assert_answer(nearcase_write(writer, cases[i / 4].verb, key, item.version), cases[i / 4].told);
        fakestore_fail(&world->store, FAKESTORE_GET, 1, STORE_DOWN);
        assert_answer(nearcase_read(reader, world->pool, key, &value), STORE_DOWN);
        assert_answer(nearcase_read(reader, world->pool, key, &value), wanted ? STORE_OK : STORE_MISS);
        if (wanted)
            assert_texts(value, text_of(wanted), "the truth");
    }
}

static void the_truth_is_always_asked(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *cache = nearcase_cache(world, 1000, 60000);
    store_port *near = nearcache_port(cache);
    store_port *truth = nearcache_truth(cache);
    const char *key = key_of(world->pool, "leased", 1);
    text_t value;
    fakestore_poke(&world->store, key, TEXT("1"));
    assert_reads(world, near, key, "1");
    fakestore_poke(&world->store, key, TEXT("2"));
    assert_reads(world, near, key, "1"); /* from elsewhere: within its time */
    assert_reads(world, truth, key, "2");
    assert_reads(world, truth, key, "2");
    assert_int_equal(nearcase_asked(world), 3);
    assert_reads(world, near, key, "2"); /* what the truth has read is left for the others */
    assert_int_equal(nearcase_asked(world), 0);
    fakes_clock_pass_ms(&world->clock, 999);
    assert_reads(world, truth, key, "2");
    fakes_clock_pass_ms(&world->clock, 999);
    assert_reads(world, near, key, "2");
    assert_int_equal(nearcase_asked(world), 1);
    fakestore_down(&world->store, true);
    assert_answer(nearcase_read(truth, world->pool, key, &value), STORE_DOWN); /* knows no grace */
    fakestore_down(&world->store, false);
    fakestore_wipe(&world->store);
    assert_answer(nearcase_read(truth, world->pool, key, &value), STORE_MISS);
    fakestore_down(&world->store, true);
    assert_answer(nearcase_read(near, world->pool, key, &value), STORE_DOWN); /* ended: no grace */
}

/* When one cache finds that another host has written, no other goes on with the old value; and they do not
 * chase each other. */
static void what_one_learns_all_know(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *caches[4];
    const char *key = key_of(world->pool, "elsewhere", 1);
    text_t value;
    for (int i = 0; i < 4; i++)
        caches[i] = nearcase_cache(world, 1000, 60000);
    fakestore_poke(&world->store, key, TEXT("1"));
    for (int i = 0; i < 4; i++)
        assert_reads(world, nearcache_port(caches[i]), key, "1");
    fakestore_poke(&world->store, key, TEXT("2"));
    assert_reads(world, nearcache_truth(caches[0]), key, "2");
    (void)nearcase_asked(world);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 4; i++)
            assert_reads(world, nearcache_port(caches[i]), key, "2");
    assert_int_equal(nearcase_asked(world), 3); /* each of the other three, once */
    fakestore_wipe(&world->store);
    assert_answer(nearcase_read(nearcache_truth(caches[3]), world->pool, key, &value), STORE_MISS);
    for (int i = 0; i < 4; i++)
        assert_answer(nearcase_read(nearcache_port(caches[i]), world->pool, key, &value), STORE_MISS);
}

static void off_keeps_nothing_but_tells_the_others(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *off = nearcase_cache(world, 0, 60000);
    nearcache *on = nearcase_cache(world, 60000, 0);
    const char *key = key_of(world->pool, "off", 1);
    fakestore_poke(&world->store, key, TEXT("old"));
    for (int i = 0; i < 5; i++) {
        assert_reads(world, nearcache_port(off), key, "old");
        assert_reads(world, nearcache_truth(off), key, "old");
    }
    assert_int_equal(nearcase_asked(world), 10);
    assert_int_equal(nearcache_used(off).entries, 0);
    assert_reads(world, nearcache_port(on), key, "old");
    assert_answer(nearcase_write(nearcache_port(off), FAKESTORE_PUT, key, 0), STORE_OK);
    assert_reads(world, nearcache_port(on), key, "new");
}

/* All keys on one counter: dearer, but right. */
static void keys_may_share_a_counter(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    world->host = generations_local(world->pool, 1);
    store_port *near = nearcache_port(nearcase_cache(world, 1000, 0));
    const char *one = key_of(world->pool, "one", 1);
    const char *other = key_of(world->pool, "other", 2);
    fakestore_poke(&world->store, one, TEXT("1"));
    fakestore_poke(&world->store, other, TEXT("2"));
    assert_reads(world, near, one, "1");
    assert_reads(world, near, other, "2");
    assert_answer(near->drop(near, other), STORE_OK);
    (void)nearcase_asked(world);
    assert_reads(world, near, one, "1");
    assert_int_equal(nearcase_asked(world), 1);
}

static void fill(nearcase *world, store_port *near, int from, int to)
{
    char bytes[1000];
    memset(bytes, 'v', sizeof(bytes));
    for (int i = from; i < to; i++) {
        const char *key = key_of(world->pool, "fill", i);
        text_t value;
        fakestore_poke(&world->store, key, (text_t){bytes, sizeof(bytes)});
        assert_answer(nearcase_read(near, world->pool, key, &value), STORE_OK);
    }
}

static void room_is_bounded(void **state)
{
    static const struct {
        size_t entries, bytes;
        size_t kept_min, kept_max;
        const char *why;
    } cases[] = {
        {10, 1 << 20, 10, 10, "few entries: one shard, exact"},
        {1, 1 << 20, 1, 1, "one"},
        {0, 1 << 20, 0, 0, "none"},
        {1000, 20000, 15, 19, "few bytes, with the overhead of each entry"},
        {1000, 1000, 0, 0, "one value is larger than everything"},
        {1000, 0, 0, 0, "no bytes"},
        {256, 64 << 20, 200, 256, "several shards, each with its share"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        nearcase *world = nearcase_make(unit_pool(state));
        nearcache_terms terms = nearcase_terms(world, 60000, 0);
        terms.entries_max = cases[i].entries;
        terms.bytes_max = cases[i].bytes;
        nearcache *cache = nearcache_new(world->pool, &terms);
        fill(world, nearcache_port(cache), 0, 600);
        nearcache_use used = nearcache_used(cache);
        assert_case(used.entries >= cases[i].kept_min && used.entries <= cases[i].kept_max, cases[i].why);
        assert_case(used.bytes <= cases[i].bytes && used.bytes >= used.entries * 1000, cases[i].why);
        (void)nearcase_asked(world);
        for (int j = 599; j >= 600 - (int)cases[i].kept_min / 2; j--)
            fill(world, nearcache_port(cache), j, j + 1);
        assert_case(nearcase_asked(world) <= cases[i].kept_min / 8, cases[i].why); /* the newest ones stay */
    }
}

static void used_entries_stay(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache_terms terms = nearcase_terms(world, 60000, 0);
    terms.entries_max = 10;
    nearcache *cache = nearcache_new(world->pool, &terms);
    store_port *near = nearcache_port(cache);
    const char *busy = key_of(world->pool, "busy", 1);
    fakestore_poke(&world->store, busy, TEXT("v"));
    for (int i = 0; i < 200; i++) {
        assert_reads(world, near, busy, "v");
        fill(world, near, i * 5, i * 5 + 5);
    }
    assert_int_equal(nearcase_asked(world), 1001);
    assert_int_equal(nearcache_used(cache).entries, 10);
}

static void large_values_pass_by(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache *cache = nearcase_cache(world, 1000, 0);
    store_port *near = nearcache_port(cache);
    const char *key = key_of(world->pool, "large", 1);
    text_t large = text_fill(world->pool, STORE_VALUE_MAX);
    text_t value;
    fakestore_poke(&world->store, key, TEXT("small"));
    assert_reads(world, near, key, "small");
    fakestore_poke(&world->store, key, large);
    fakes_clock_pass_ms(&world->clock, 1000);
    for (int i = 0; i < 2; i++) {
        assert_answer(nearcase_read(near, world->pool, key, &value), STORE_OK);
        assert_true(text_equal(value, large));
    }
    assert_true(nearcache_used(cache).bytes <= (size_t)64 * 1024 * 1024);
}

/* After a busy hour the memory comes back, without anybody asking for the old keys again. */
static void what_is_over_is_swept(void **state)
{
    nearcase *world = nearcase_make(unit_pool(state));
    nearcache_terms terms = nearcase_terms(world, 1000, 1000);
    terms.bytes_max = (size_t)256 * 1024; /* one shard */
    nearcache *cache = nearcache_new(world->pool, &terms);
    fill(world, nearcache_port(cache), 0, 100);
    assert_int_equal(nearcache_used(cache).entries, 100);
    fakes_clock_pass_ms(&world->clock, 2000);
    fill(world, nearcache_port(cache), 100, 101);
    assert_int_equal(nearcache_used(cache).entries, 101); /* for 1 ms more */
    fakes_clock_pass_ms(&world->clock, 1);
    fill(world, nearcache_port(cache), 101, 200);
    assert_int_equal(nearcache_used(cache).entries, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(both_doors_keep_every_promise),
        UNIT_TEST(a_hit_asks_nobody),
        UNIT_TEST(ages),
        UNIT_TEST(what_is_not_there_is_not_remembered),
        UNIT_TEST(a_write_evicts_at_once),
        UNIT_TEST(the_truth_is_always_asked),
        UNIT_TEST(what_one_learns_all_know),
        UNIT_TEST(off_keeps_nothing_but_tells_the_others),
        UNIT_TEST(keys_may_share_a_counter),
        UNIT_TEST(room_is_bounded),
        UNIT_TEST(used_entries_stay),
        UNIT_TEST(large_values_pass_by),
        UNIT_TEST(what_is_over_is_swept),
    };
    return UNIT_MAIN(tests);
}
