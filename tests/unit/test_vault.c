/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The vault over a store in memory: names, seals, and every answer of the store. */

#include "unit.h"

#include "base/codec.h"
#include "fakestore.h"
#include "session/vault.h"

typedef struct bench {
    apr_pool_t *pool;
    fakes_clock clock;
    fakes_random random;
    fakestore store;
    vault_t vault;
} bench_t;

static seal_ring *ring_of(apr_pool_t *pool, const char *secret)
{
    seal_ring *ring = seal_ring_derive(pool, text_of(secret));
    assert_non_null(ring);
    return ring;
}

static bench_t *bench_new(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    bench_t *bench = apr_pcalloc(pool, sizeof *bench);
    bench->pool = pool;
    fakes_clock_init(&bench->clock, 1700000000);
    fakes_random_init(&bench->random);
    fakestore_init(&bench->store, pool, &bench->clock.port);
    bench->vault = (vault_t){.store = &bench->store.port,
                             .ring = ring_of(pool, "a client secret of 32 characters"),
                             .random = &bench->random.port,
                             .space = TEXT("https://op\nrp\nhttps\nrp.test"),
                             .record_max = 128 * 1024};
    return bench;
}

static vault_record signed_in(bench_t *bench, const char *token)
{
    vault_record record = {.session = {.created = 1, .seen = 2, .ends = 3, .access_token = text_of(token)}};
    assert_int_equal(vault_create(&bench->vault, bench->pool, &record, 100), VAULT_OK);
    return record;
}

static text_t stored(bench_t *bench, const vault_record *record)
{
    text_t value = {NULL, 0};
    assert_true(fakestore_peek(&bench->store, bench->pool, record->key, &value));
    return value;
}

static vault_rc load(bench_t *bench, text_t cookie)
{
    vault_record record;
    return vault_load(&bench->vault, bench->pool, cookie, &record);
}

static bool contains(text_t text, text_t part)
{
    return memmem(text.at, text.len, part.at, part.len) != NULL;
}

static void test_cookies(void **state)
{
    static const struct {
        const char *why;
        text_t cookie;
        bool ours;
    } cases[] = {
        {"43 characters of the alphabet", TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), true},
        {"CK-04: one too few", TEXT("BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: one too many", TEXT("0ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: empty", TEXT(""), false},
        {"CK-04: nothing", {NULL, 0}, false},
        {"CK-04: a space", TEXT(" BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: CR LF", TEXT("\r\nCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: NUL", TEXT("A\0CDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: NUL at the end", TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-\0"), false},
        {"CK-04: not ASCII",
         TEXT("\xc3\xa9"
              "CDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"),
         false},
        {"CK-04: a path", TEXT("../DEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"), false},
        {"CK-04: quotes", TEXT("\"BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-\""), false},
        {"CK-04: the other alphabet of base64", TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno+/"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(vault_is_cookie(cases[i].cookie) == cases[i].ours, cases[i].why);
}

static void test_names(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at-alice"), bob = signed_in(bench, "at-bob");
    assert_true(vault_is_cookie(alice.cookie));
    assert_false(text_equal(alice.cookie, bob.cookie));
    assert_string_not_equal(alice.key, bob.key);
    assert_int_equal(strlen(alice.key), STORE_KEY_LEN);
    assert_true(vault_is_cookie(text_of(alice.key))); /* MC-01: the same fixed alphabet */
    assert_int_equal(strlen(alice.tag), VAULT_TAG_LEN);
    assert_int_equal(strspn(alice.tag, "0123456789abcdef"), VAULT_TAG_LEN);
    for (size_t i = 0; i + 8 <= alice.cookie.len; i++) { /* MC-06: nothing of the cookie is in the store */
        text_t part = {alice.cookie.at + i, 8};
        assert_false(contains(text_of(alice.key), part));
        assert_false(contains(text_of(alice.tag), part));
        assert_false(contains(stored(bench, &alice), part));
    }
    assert_false(contains(stored(bench, &alice), TEXT("at-alice")));
}

/* The same cookie leads elsewhere under another namespace: issuer, client, scheme or host (CK-09, MC-22). */
static void test_namespaces(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at"), other;
    const text_t mine = bench->vault.space;
    const text_t spaces[] = {TEXT("https://op\nrp\nhttps\nother.test"), TEXT("https://op\nrp\nhttp\nrp.test"),
                             TEXT("https://op\nrp2\nhttps\nrp.test"), TEXT("https://op2\nrp\nhttps\nrp.test"),
                             TEXT("")};
    for (size_t i = 0; i < COUNT(spaces); i++) {
        bench->vault.space = spaces[i];
        assert_int_equal(vault_load(&bench->vault, bench->pool, alice.cookie, &other), VAULT_MISS);
        assert_string_not_equal(other.key, alice.key);
        fakestore_poke(&bench->store, other.key,
                       stored(bench, &alice)); /* and copied there it does not open */
        assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
        bench->vault.space = mine;
        assert_int_equal(load(bench, alice.cookie), VAULT_OK);
    }
}

static void test_round_trip(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at-1"), read;
    assert_int_equal(bench->store.last_ttl, 100);
    assert_int_equal(vault_load(&bench->vault, bench->pool, alice.cookie, &read), VAULT_OK);
    assert_text(read.session.access_token, "at-1");
    assert_string_equal(read.key, alice.key);
    assert_string_equal(read.tag, alice.tag);
    vault_record old = read;
    read.session.access_token = TEXT("at-2");
    text_t before = stored(bench, &alice);
    assert_int_equal(vault_swap(&bench->vault, bench->pool, &read, 100), VAULT_OK);
    text_t after = stored(bench, &alice);
    assert_memory_not_equal(before.at + 5, after.at + 5, 28); /* MC-06: nonces never repeat */
    assert_int_equal(vault_swap(&bench->vault, bench->pool, &old, 100), VAULT_CLASH); /* MC-25 */
    assert_int_equal(vault_load(&bench->vault, bench->pool, alice.cookie, &read), VAULT_OK);
    assert_text(read.session.access_token, "at-2");
    assert_int_equal(vault_end(&bench->vault, alice.cookie), VAULT_OK);
    assert_int_equal(vault_swap(&bench->vault, bench->pool, &read, 100), VAULT_MISS); /* RF-20: stays dead */
    assert_int_equal(load(bench, alice.cookie), VAULT_MISS);
    assert_int_equal(vault_end(&bench->vault, alice.cookie), VAULT_MISS);
}

/* MC-08: bit flips, truncation, extension, the empty value. */
static void test_changed_records(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at");
    text_t good = stored(bench, &alice);
    for (size_t i = 0; i < good.len * 8; i++) {
        text_t bent = text_copy(bench->pool, good);
        ((char *)(uintptr_t)bent.at)[i / 8] ^= (char)(1 << i % 8);
        fakestore_poke(&bench->store, alice.key, bent);
        assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    }
    for (size_t len = 0; len < good.len; len++) {
        fakestore_poke(&bench->store, alice.key, (text_t){good.at, len});
        assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    }
    const text_t longer[] = {good, TEXT("x"), {NULL, 0}};
    fakestore_poke(&bench->store, alice.key, text_join(bench->pool, longer));
    assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    fakestore_poke(&bench->store, alice.key, good);
    assert_int_equal(load(bench, alice.cookie), VAULT_OK);
}

static void test_foreign_records(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at-alice"), bob = signed_in(bench, "at-bob");
    const char *planted[] = {"{\"sub\":\"admin\"}", "1", "<html>",
                             "\x02\x00\x00\x00\x00 a format of the future, as long as one of ours would be"};
    text_t of_bob = stored(bench, &bob);
    fakestore_poke(&bench->store, alice.key, of_bob); /* MC-07: swapped */
    assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    for (size_t i = 0; i < COUNT(planted); i++) { /* MC-10 */
        fakestore_poke(&bench->store, alice.key, text_of(planted[i]));
        assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    }
    text_t document;
    assert_int_equal(vault_keep(&bench->vault, bench->pool, TEXT("keys"), TEXT("{}"), 100), VAULT_OK);
    assert_true(fakestore_peek(&bench->store, bench->pool, fakestore_key(&bench->store, 2), &document));
    fakestore_poke(&bench->store, alice.key, document); /* sealed by us, but for another purpose */
    assert_int_equal(load(bench, alice.cookie), VAULT_FOREIGN);
    bench->vault.ring = ring_of(bench->pool, "the client secret of another site"); /* MC-22 */
    assert_int_equal(load(bench, bob.cookie), VAULT_FOREIGN);
}

typedef vault_rc (*verb_t)(bench_t *bench, vault_record *record);

static vault_rc do_load(bench_t *bench, vault_record *record)
{
    return vault_load(&bench->vault, bench->pool, record->cookie, record);
}

static vault_rc do_create(bench_t *bench, vault_record *record)
{
    return vault_create(&bench->vault, bench->pool, record, 100);
}

static vault_rc do_swap(bench_t *bench, vault_record *record)
{
    return vault_swap(&bench->vault, bench->pool, record, 100);
}

static vault_rc do_end(bench_t *bench, vault_record *record)
{
    return vault_end(&bench->vault, record->cookie);
}

static vault_rc do_use_once(bench_t *bench, vault_record *record)
{
    return vault_use_once(&bench->vault, "state", record->cookie, 100);
}

static vault_rc do_keep(bench_t *bench, vault_record *record)
{
    return vault_keep(&bench->vault, bench->pool, record->cookie, TEXT("{}"), 100);
}

static vault_rc do_recall(bench_t *bench, vault_record *record)
{
    text_t document;
    return vault_recall(&bench->vault, bench->pool, record->cookie, &document);
}

/* Every answer that the contract allows to a verb, and what the vault makes of it. */
static void test_store_answers(void **state)
{
    static const struct {
        const char *why;
        verb_t verb;
        fakestore_verb fails;
        store_rc rc;
        vault_rc says;
    } cases[] = {
        {"load: a miss", do_load, FAKESTORE_GET, STORE_MISS, VAULT_MISS},
        {"MC-15: load: down is not a miss", do_load, FAKESTORE_GET, STORE_DOWN, VAULT_DOWN},
        {"create: full", do_create, FAKESTORE_ADD, STORE_FULL, VAULT_FULL},
        {"create: down", do_create, FAKESTORE_ADD, STORE_DOWN, VAULT_DOWN},
        {"create: the id is taken", do_create, FAKESTORE_ADD, STORE_CLASH, VAULT_CLASH},
        {"MC-25: swap: changed", do_swap, FAKESTORE_CAS, STORE_CLASH, VAULT_CLASH},
        {"MC-25: swap: gone", do_swap, FAKESTORE_CAS, STORE_MISS, VAULT_MISS},
        {"swap: full", do_swap, FAKESTORE_CAS, STORE_FULL, VAULT_FULL},
        {"swap: down", do_swap, FAKESTORE_CAS, STORE_DOWN, VAULT_DOWN},
        {"end: already gone", do_end, FAKESTORE_DROP, STORE_MISS, VAULT_MISS},
        {"end: down", do_end, FAKESTORE_DROP, STORE_DOWN, VAULT_DOWN},
        {"once: again", do_use_once, FAKESTORE_ADD, STORE_CLASH, VAULT_CLASH},
        {"once: full", do_use_once, FAKESTORE_ADD, STORE_FULL, VAULT_FULL},
        {"once: down", do_use_once, FAKESTORE_ADD, STORE_DOWN, VAULT_DOWN},
        {"keep: full", do_keep, FAKESTORE_PUT, STORE_FULL, VAULT_FULL},
        {"keep: down", do_keep, FAKESTORE_PUT, STORE_DOWN, VAULT_DOWN},
        {"recall: a miss", do_recall, FAKESTORE_GET, STORE_MISS, VAULT_MISS},
        {"recall: down", do_recall, FAKESTORE_GET, STORE_DOWN, VAULT_DOWN},
    };
    bench_t *bench = bench_new(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        vault_record record = signed_in(bench, "at");
        fakestore_recount(&bench->store);
        fakestore_fail(&bench->store, cases[i].fails, 1, cases[i].rc);
        assert_case(cases[i].verb(bench, &record) == cases[i].says, cases[i].why);
        assert_case(fakestore_calls(&bench->store) == 1, "one verb of the vault is one of the store");
    }
}

static void test_no_random_numbers(void **state)
{
    static const verb_t draws[] = {do_create, do_swap, do_keep};
    bench_t *bench = bench_new(state);
    vault_record record = signed_in(bench, "at");
    for (size_t i = 0; i < COUNT(draws); i++) { /* CF-11 */
        fakestore_recount(&bench->store);
        bench->random.fails_after = 0;
        assert_int_equal(draws[i](bench, &record), VAULT_BROKEN);
        assert_int_equal(fakestore_calls(&bench->store), 0);
    }
    bench->random.fails_after = 1; /* the id is drawn, the nonce is not */
    assert_int_equal(do_create(bench, &record), VAULT_BROKEN);
    assert_int_equal(fakestore_calls(&bench->store), 0);
}

static void test_too_large(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record record = signed_in(bench, "at");
    bench->vault.record_max = stored(bench, &record).len; /* exactly */
    assert_int_equal(do_create(bench, &record), VAULT_OK);
    bench->vault.record_max--;
    fakestore_recount(&bench->store);
    assert_int_equal(do_create(bench, &record), VAULT_LARGE); /* MC-05: and the store never hears of it */
    assert_int_equal(do_swap(bench, &record), VAULT_LARGE);
    assert_int_equal(fakestore_calls(&bench->store), 0);
}

/* A glance may be answered by the near store; everything else sees the truth. */
static void test_near(void **state)
{
    bench_t *bench = bench_new(state);
    vault_record alice = signed_in(bench, "at"), read;
    fakestore *copy = apr_pcalloc(bench->pool, sizeof *copy);
    fakestore_init(copy, bench->pool, &bench->clock.port);
    assert_int_equal(vault_glance(&bench->vault, bench->pool, alice.cookie, &read),
                     VAULT_OK); /* there is none */
    bench->vault.near = &copy->port;
    fakestore_poke(copy, alice.key, stored(bench, &alice));
    fakestore_recount(&bench->store);
    assert_int_equal(vault_glance(&bench->vault, bench->pool, alice.cookie, &read), VAULT_OK);
    assert_text(read.session.access_token, "at");
    assert_int_equal(fakestore_calls(&bench->store), 0);
    assert_int_equal(vault_load(&bench->vault, bench->pool, alice.cookie, &read), VAULT_OK);
    assert_int_equal(bench->store.calls[FAKESTORE_GET], 1);
    fakestore_down(copy, true);
    assert_int_equal(vault_glance(&bench->vault, bench->pool, alice.cookie, &read), VAULT_DOWN);
    assert_int_equal(load(bench, alice.cookie), VAULT_OK);
}

static void test_once(void **state)
{
    bench_t *bench = bench_new(state);
    assert_int_equal(vault_use_once(&bench->vault, "state", TEXT("a\r\nset k 0 0 1\r\n"), 100), VAULT_OK);
    assert_int_equal(vault_use_once(&bench->vault, "state", TEXT("a\r\nset k 0 0 1\r\n"), 100), VAULT_CLASH);
    assert_int_equal(vault_use_once(&bench->vault, "state", TEXT("b"), 100), VAULT_OK);
    assert_int_equal(vault_use_once(&bench->vault, "token", TEXT("b"), 100), VAULT_OK);
    fakes_clock_pass(&bench->clock, 101);
    assert_int_equal(vault_use_once(&bench->vault, "state", TEXT("b"), 100), VAULT_OK);
}

static void test_documents(void **state)
{
    bench_t *bench = bench_new(state);
    text_t document;
    assert_int_equal(vault_recall(&bench->vault, bench->pool, TEXT("keys"), &document), VAULT_MISS);
    assert_int_equal(vault_keep(&bench->vault, bench->pool, TEXT("keys"), TEXT("{\"keys\":[]}"), 100),
                     VAULT_OK);
    assert_int_equal(vault_recall(&bench->vault, bench->pool, TEXT("keys"), &document), VAULT_OK);
    assert_text(document, "{\"keys\":[]}");
    assert_int_equal(vault_recall(&bench->vault, bench->pool, TEXT("metadata"), &document), VAULT_MISS);
    fakestore_poke(&bench->store, fakestore_key(&bench->store, 0), TEXT("{\"keys\":[]}"));
    assert_int_equal(vault_recall(&bench->vault, bench->pool, TEXT("keys"), &document), VAULT_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_cookies),
        UNIT_TEST(test_names),
        UNIT_TEST(test_namespaces),
        UNIT_TEST(test_round_trip),
        UNIT_TEST(test_changed_records),
        UNIT_TEST(test_foreign_records),
        UNIT_TEST(test_store_answers),
        UNIT_TEST(test_no_random_numbers),
        UNIT_TEST(test_too_large),
        UNIT_TEST(test_near),
        UNIT_TEST(test_once),
        UNIT_TEST(test_documents),
    };
    return UNIT_MAIN(tests);
}
