/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Wrong answers on the wire: whatever a memcached says that makes no sense is DOWN, never MISS and never
 * somebody else's value (MC-11 to MC-14: MC-11 keys, MC-12 lengths, MC-13 garbage, MC-14 late answers). */

#include "unit.h"

#include "backend/mcstore.h"
#include "mcfake.h"

#define OTHER      "other_key_other_key_other_key_other_key_key"
#define TIMEOUT_MS 250

/* The fake lives in the pool of the store and is registered before it, so it ends after it. */
static store_port *store_of(apr_pool_t *pool, const mcfake *fake)
{
    store_url *url = apr_palloc(pool, sizeof(*url));
    store_port *store = NULL;
    text_t text = text_format(pool, "memcached://127.0.0.1:%d?timeout=%dms", fake->port, TIMEOUT_MS);
    assert_null(storeurl_read(pool, text, url));
    assert_null(mcstore_open(pool, url, hostclock_port(), 1, &store));
    return store;
}

typedef struct read_case {
    mcfake_script script;
    store_rc wanted;
    const char *why;
} read_case;

static const read_case gets[] = {
    {{.get = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n"}, STORE_OK, "a proper value"},
    {{.get = "END\r\n", .touch = "NOT_FOUND\r\n"}, STORE_MISS, "a proper miss"},
    {{.get = "END\r\n", .touch = "TOUCHED\r\n", .again = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n"},
     STORE_OK,
     "written while it was being looked for"},
    {{.get = "END\r\n", .touch = "TOUCHED\r\n"}, STORE_DOWN, "there, but it does not come"},
    {{.get = "END\r\n", .touch = "SERVER_ERROR out of memory\r\n"}, STORE_DOWN, "the proof fails"},
    {{.get = "END\r\n", .touch = "ERROR\r\n"}, STORE_DOWN, "the proof is not understood"},
    {{.get = "END\r\n", .touch = "END\r\n"}, STORE_DOWN, "the proof is nonsense"},
    {{.get = "END\r\n"}, STORE_DOWN, "the proof does not come"},
    {{.get = "END\r\n", .touch = "NOT_", .closes = true}, STORE_DOWN, "closed"},
    {{.get = "SERVER_ERROR out of memory writing get response\r\n", .touch = "TOUCHED\r\n"},
     STORE_DOWN,
     "no memory"},
    {{.get = "SERVER_ERROR backend is away\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "server error"},
    {{.get = "SERVER_ERROR\r\n", .touch = "ERROR\r\n"}, STORE_DOWN, "bare server error"},
    {{.get = "ERROR\r\n", .touch = "ERROR\r\n"}, STORE_DOWN, "error"},
    {{.get = "ERROR Too many open connections\r\n", .closes = true}, STORE_DOWN, "connection limit"},
    {{.get = "CLIENT_ERROR bad data chunk\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "client error"},
    {{.get = "HTTP/1.1 400 Bad Request\r\n\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "another protocol"},
    {{.get = "\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "an empty line"},
    {{.get = "", .closes = true}, STORE_DOWN, "closed without a word"},
    {{.get = NULL}, STORE_DOWN, "silence"},
    {{.get = "VALUE " OTHER " 0 3 7\r\nabc\r\nEND\r\n", .touch = "NOT_FOUND\r\n"},
     STORE_DOWN,
     "another key's value"},
    {{.get = "VALUE %kx 0 3 7\r\nabc\r\nEND\r\n", .touch = "NOT_FOUND\r\n"},
     STORE_DOWN,
     "a longer key's value"},
    {{.get = "VALUE %k 0 3\r\nabc\r\nEND\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "no version"},
    {{.get = "VALUE %k 0 3 0\r\nabc\r\nEND\r\n", .touch = "NOT_FOUND\r\n"}, STORE_DOWN, "version zero"},
    {{.get = "VALUE %k 0 3 7\r\nabc\r\nVALUE " OTHER " 0 3 7\r\nxyz\r\nEND\r\n"}, STORE_DOWN, "two values"},
    {{.get = "VALUE %k 0 3 7\r\nabc\r\nERROR\r\n"}, STORE_DOWN, "an error behind the value"},
    {{.get = "VALUE %k 0 3 7\r\nabc\r\n"}, STORE_DOWN, "no end"},
    {{.get = "VALUE %k 0 3 7\r\nabc\r\n", .closes = true}, STORE_DOWN, "closed before the end"},
    {{.get = "VALUE %k 0 9 7\r\nabc", .closes = true}, STORE_DOWN, "closed in the value"},
    {{.get = "VALUE %k 0 9 7\r\nabc"}, STORE_DOWN, "silence in the value"},
    {{.get = "VALUE %k 0 2 7\r\nabcdef\r\nEND\r\n", .touch = "NOT_FOUND\r\n"},
     STORE_DOWN,
     "longer than it says"},
    {{.get = "VALUE %k 0 1048577 7\r\nabc\r\nEND\r\n"}, STORE_DOWN, "a value that never comes"},
    {{.get = "VALUE %k 0 4000000000 7\r\nNOT_FOUND\r\nNOT_FOUND\r\n", .touch = "NOT_FOUND\r\n"},
     STORE_DOWN,
     "a length above the ceiling, with bytes that look like a miss"},
    {{.get = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n", .late_ms = TIMEOUT_MS + 100}, STORE_DOWN, "a late value"},
    {{.get = "END\r\n", .touch = "NOT_FOUND\r\n", .late_ms = TIMEOUT_MS * 3 / 5},
     STORE_MISS,
     "F-03: a slow miss, whose proof has time of its own"},
    {{.get = "END\r\n", .touch = "NOT_FOUND\r\n", .late_ms = TIMEOUT_MS + 100}, STORE_DOWN, "a late miss"},
};

static void takes_no_nonsense_for_a_miss(void **state)
{
    for (size_t i = 0; i < COUNT(gets); i++) {
        const read_case *row = &gets[i];
        apr_pool_t *pool;
        mcfake *fake;
        store_port *store;
        store_item item = {{NULL, 0}, 0};
        int64_t start;
        apr_pool_create(&pool, unit_pool(state));
        fake = mcfake_make(pool, &row->script);
        store = store_of(pool, fake);
        start = now_ms();
        assert_case(answered(store->get(store, key_of(pool, "read", 0), pool, &item), row->wanted), row->why);
        assert_case(now_ms() - start < TIMEOUT_MS * MCSTORE_DEADLINES, row->why);
        if (row->wanted == STORE_OK)
            assert_texts(item.value, TEXT("abc"), row->why);
        apr_pool_destroy(pool);
    }
}

/* What came late must not be taken for the answer to the next question. */
static void forgets_late_answers(void **state)
{
    static const mcfake_script late = {.get = "VALUE %k 0 3 7\r\nold\r\nEND\r\n",
                                       .late_ms = TIMEOUT_MS + 100};
    static const mcfake_script prompt = {.get = "VALUE %k 0 3 8\r\nnew\r\nEND\r\n"};
    apr_pool_t *pool = unit_pool(state);
    mcfake *fake = mcfake_make(pool, &late);
    store_port *store = store_of(pool, fake);
    const char *key = key_of(pool, "late", 1);
    store_item item;
    store_rc rc;
    assert_answer(store->get(store, key_of(pool, "late", 0), pool, &item), STORE_DOWN);
    mcfake_set(fake, &prompt);
    for (int64_t until = now_ms() + 3000; now_ms() < until; rest_ms(10)) {
        rc = store->get(store, key, pool, &item);
        if (rc != STORE_DOWN)
            break;
    }
    assert_answer(rc, STORE_OK);
    assert_text(item.value, "new");
    assert_true(item.version == 8);
    assert_true(fake->connections >= 2);
}

/* A server that sends byte after byte can hold one call; the next one must not wait for it. */
static void does_not_wait_twice_for_a_dripping_server(void **state)
{
    static const mcfake_script drip = {.get = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n", .drip_ms = 10};
    apr_pool_t *pool = unit_pool(state);
    store_port *store = store_of(pool, mcfake_make(pool, &drip));
    const char *key = key_of(pool, "drip", 0);
    store_item item;
    int64_t start;
    store_rc rc = store->get(store, key, pool, &item);
    assert_true(rc == STORE_OK || rc == STORE_DOWN);
    start = now_us();
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    assert_true(now_us() - start < 5000);
}

typedef struct write_case {
    const char *answer;
    bool closes;
    store_rc put;
    store_rc add;
    store_rc cas;
    const char *why;
} write_case;

/* Not here: answers that are well-formed but belong to another verb (END, OK, DELETED ...). The library
 * asserts that they do not come and aborts; see mcconn.c. */
static const write_case writes[] = {
    {"STORED\r\n", false, STORE_OK, STORE_OK, STORE_OK, "stored"},
    {"NOT_STORED\r\n", false, STORE_DOWN, STORE_CLASH, STORE_DOWN, "only add may be refused like this"},
    {"EXISTS\r\n", false, STORE_DOWN, STORE_DOWN, STORE_CLASH, "only cas may be refused like this"},
    {"NOT_FOUND\r\n", false, STORE_DOWN, STORE_DOWN, STORE_MISS, "only cas can miss something"},
    {"SERVER_ERROR object too large for cache\r\n", false, STORE_FULL, STORE_FULL, STORE_FULL, "too large"},
    {"SERVER_ERROR out of memory storing object\r\n", false, STORE_FULL, STORE_FULL, STORE_FULL, "no memory"},
    {"SERVER_ERROR Out of memory during read\r\n", false, STORE_FULL, STORE_FULL, STORE_FULL,
     "no memory, either"},
    {"SERVER_ERROR proxy write to backend failed\r\n", false, STORE_DOWN, STORE_DOWN, STORE_DOWN,
     "a proxy's trouble"},
    {"SERVER_ERROR\r\n", false, STORE_DOWN, STORE_DOWN, STORE_DOWN, "no reason"},
    {"CLIENT_ERROR bad command line format\r\n", false, STORE_DOWN, STORE_DOWN, STORE_DOWN, "not understood"},
    {"ERROR\r\n", false, STORE_DOWN, STORE_DOWN, STORE_DOWN, "not known"},
    {"garbage\r\n", false, STORE_DOWN, STORE_DOWN, STORE_DOWN, "garbage"},
    {"STO", true, STORE_DOWN, STORE_DOWN, STORE_DOWN, "closed half way"},
    {"", true, STORE_DOWN, STORE_DOWN, STORE_DOWN, "closed"},
    {NULL, false, STORE_DOWN, STORE_DOWN, STORE_DOWN, "silence"},
};

static store_rc write_with(store_port *store, int verb, const char *key)
{
    if (verb == 0)
        return store->put(store, key, TEXT("value"), 60);
    if (verb == 1)
        return store->add(store, key, TEXT("value"), 60);
    return store->cas(store, key, TEXT("value"), 60, 7);
}

/* And none of them is sent twice, as it may have happened. */
static void knows_what_became_of_a_write(void **state)
{
    for (size_t i = 0; i < COUNT(writes); i++) {
        const write_case *row = &writes[i];
        const store_rc wanted[] = {row->put, row->add, row->cas};
        for (int verb = 0; verb < 3; verb++) {
            apr_pool_t *pool;
            mcfake *fake;
            store_port *store;
            mcfake_script script = {.write = row->answer, .closes = row->closes};
            apr_pool_create(&pool, unit_pool(state));
            fake = mcfake_make(pool, &script);
            store = store_of(pool, fake);
            assert_case(answered(write_with(store, verb, key_of(pool, "write", verb)), wanted[verb]),
                        row->why);
            assert_case(fake->writes <= 1, row->why);
            apr_pool_destroy(pool);
        }
    }
}

typedef struct small_case {
    const char *answer;
    bool closes;
    store_rc touch;
    store_rc drop;
    const char *why;
} small_case;

static const small_case smalls[] = {
    {"TOUCHED\r\n", false, STORE_OK, STORE_OK,
     "touched; the library takes it for a success of delete as well"},
    {"DELETED\r\n", false, STORE_DOWN, STORE_OK, "deleted"},
    {"NOT_FOUND\r\n", false, STORE_MISS, STORE_MISS, "not there"},
    {"SERVER_ERROR x\r\n", false, STORE_DOWN, STORE_DOWN, "server error"},
    {"ERROR\r\n", false, STORE_DOWN, STORE_DOWN, "error"},
    {"END\r\n", false, STORE_DOWN, STORE_DOWN, "an answer to another question"},
    {"garbage\r\n", false, STORE_DOWN, STORE_DOWN, "garbage"},
    {"", true, STORE_DOWN, STORE_DOWN, "closed"},
    {NULL, false, STORE_DOWN, STORE_DOWN, "silence"},
};

static void knows_what_became_of_touch_and_drop(void **state)
{
    for (size_t i = 0; i < COUNT(smalls); i++) {
        const small_case *row = &smalls[i];
        mcfake_script script = {.touch = row->answer, .drop = row->answer, .closes = row->closes};
        for (int verb = 0; verb < 2; verb++) {
            apr_pool_t *pool;
            store_port *store;
            const char *key;
            apr_pool_create(&pool, unit_pool(state));
            key = key_of(pool, "small", verb);
            store = store_of(pool, mcfake_make(pool, &script));
            if (verb == 0)
                assert_case(answered(store->touch(store, key, 60), row->touch), row->why);
            else
                assert_case(answered(store->drop(store, key), row->drop), row->why);
            apr_pool_destroy(pool);
        }
    }
}

/* A connection that fails after it has worked gets one more chance on a new one, and only one. */
static void repeats_a_read_once(void **state)
{
    static const mcfake_script good = {.get = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n"};
    static const mcfake_script closing = {.get = "", .closes = true};
    apr_pool_t *pool = unit_pool(state);
    mcfake *fake = mcfake_make(pool, &good);
    store_port *store = store_of(pool, fake);
    const char *key = key_of(pool, "twice", 0);
    store_item item;
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_answer(store->get(store, key, pool, &item), STORE_OK);
    assert_int_equal(fake->connections, 1);
    mcfake_set(fake, &closing);
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    assert_int_equal(fake->gets, 4);
    assert_int_equal(fake->connections, 2);
    assert_answer(store->get(store, key, pool, &item), STORE_DOWN);
    assert_int_equal(fake->gets, 4);
}

/* FULL says that the server is well: the next call goes through. */
static void does_not_give_up_when_full(void **state)
{
    static const mcfake_script full = {.write = "SERVER_ERROR out of memory storing object\r\n",
                                       .get = "VALUE %k 0 3 7\r\nabc\r\nEND\r\n"};
    apr_pool_t *pool = unit_pool(state);
    store_port *store = store_of(pool, mcfake_make(pool, &full));
    const char *key = key_of(pool, "full", 0);
    store_item item;
    for (int i = 0; i < 5; i++) {
        assert_answer(store->put(store, key, TEXT("v"), 60), STORE_FULL);
        assert_answer(store->get(store, key, pool, &item), STORE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(takes_no_nonsense_for_a_miss),
        UNIT_TEST(forgets_late_answers),
        UNIT_TEST(does_not_wait_twice_for_a_dripping_server),
        UNIT_TEST(knows_what_became_of_a_write),
        UNIT_TEST(knows_what_became_of_touch_and_drop),
        UNIT_TEST(repeats_a_read_once),
        UNIT_TEST(does_not_give_up_when_full),
    };
    return UNIT_MAIN(tests);
}
