/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <pthread.h>

#include <apr_strings.h>

#include <openssl/err.h>

#include "jose/seal.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "202122232425262728292A2B2C2D2E2F303132333435363738393a3b3c3d3e3f"
#define URL_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* the bytes of HEX_A */

static const unsigned char fresh_one[SEAL_FRESH_LEN] = "nonce-nonce1salt-salt-salt-1";
static const unsigned char fresh_two[SEAL_FRESH_LEN] = "nonce-nonce2salt-salt-salt-2";

static seal_ring *ring_of(apr_pool_t *pool, const char *file)
{
    seal_ring *ring = NULL;
    const char *wrong = seal_ring_read(pool, text_of(file), &ring);
    assert_case(wrong == NULL, wrong != NULL ? wrong : "");
    return ring;
}

static seal_scope scope_with_secret(void)
{
    return (seal_scope){"session", TEXT("namespace/key"), TEXT("0123456789abcdef0123456789abcdef0123456789a"),
                        fresh_one};
}

static seal_scope scope_with_salt(void)
{
    return (seal_scope){"ticket", TEXT("namespace"), {NULL, 0}, fresh_one};
}

static text_t closed(apr_pool_t *pool, const seal_ring *ring, seal_scope scope, text_t plain)
{
    text_t sealed;
    assert_no_fault(seal_close(pool, ring, &scope, plain, &sealed));
    return sealed;
}

static bool opens(apr_pool_t *pool, const seal_ring *ring, seal_scope scope, text_t sealed)
{
    text_t plain;
    scope.fresh = NULL; /* not read */
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    const fault_t *fault = seal_open(pool, ring, &scope, sealed, &plain);
    assert_true(fault == NULL || fault->code == FAULT_STORE_FOREIGN);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()),
                     42); /* the queue is shared with mod_ssl: as it was before */
    assert_int_equal(ERR_get_error(), 0);
    return fault == NULL;
}

static void test_round_trip(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    const seal_scope scopes[] = {scope_with_secret(), scope_with_salt()};
    const size_t overheads[] = {SEAL_OVERHEAD - 16, SEAL_OVERHEAD};
    static const size_t lengths[] = {0, 1, 15, 16, 17, 4096, 100000};
    char *content = apr_palloc(pool, 100000);
    for (size_t i = 0; i < 100000; i++)
        content[i] = (char)(i * 7);
    for (size_t s = 0; s < COUNT(scopes); s++)
        for (size_t i = 0; i < COUNT(lengths); i++) {
            text_t plain = unit_flush(pool, (text_t){content, lengths[i]});
            text_t opened;
            text_t sealed = closed(pool, ring, scopes[s], plain);
            assert_int_equal(sealed.len, plain.len + overheads[s]);
            assert_no_fault(seal_open(pool, ring, &scopes[s], unit_flush(pool, sealed), &opened));
            assert_texts(opened, plain, "what was sealed comes back");
        }
    text_t opened;
    assert_no_fault(
        seal_open(pool, ring, &scopes[0], closed(pool, ring, scopes[0], (text_t){NULL, 0}), &opened));
    assert_int_equal(opened.len, 0);
}

static void test_every_bit_counts(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A "\n" HEX_B);
    const seal_scope scopes[] = {scope_with_secret(), scope_with_salt()};
    for (size_t s = 0; s < COUNT(scopes); s++) {
        text_t sealed = closed(pool, ring, scopes[s], TEXT("the content of a message"));
        char *bytes = apr_pstrmemdup(pool, sealed.at, sealed.len);
        for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            assert_false(opens(pool, ring, scopes[s], (text_t){bytes, sealed.len}));
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        }
        assert_true(opens(pool, ring, scopes[s], (text_t){bytes, sealed.len}));
    }
}

static void test_every_length_counts(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    const seal_scope scopes[] = {scope_with_secret(), scope_with_salt()};
    for (size_t s = 0; s < COUNT(scopes); s++) {
        text_t sealed = closed(pool, ring, scopes[s], TEXT("the content of a message"));
        for (size_t len = 0; len < sealed.len; len++) {
            assert_false(opens(pool, ring, scopes[s], unit_flush(pool, (text_t){sealed.at, len})));
            assert_false(opens(pool, ring, scopes[s], text_from(sealed, sealed.len - len)));
        }
        assert_false(opens(pool, ring, scopes[s], (text_t){NULL, 0}));
        const text_t longer[] = {sealed, TEXT("\0"), {NULL, 0}};
        assert_false(opens(pool, ring, scopes[s], text_join(pool, longer)));
    }
}

static void test_only_its_own_scope_opens(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    const text_t secret = scope_with_secret().secret;
    static const char salt[] = "salt-salt-salt-1"; /* of fresh_one */
    const struct {
        seal_scope closing;
        seal_scope opening;
        const char *why;
    } cases[] = {
        {{"session", TEXT("c"), secret, fresh_one}, {"ticket", TEXT("c"), secret, NULL}, "another label"},
        {{"session", TEXT("c"), secret, fresh_one}, {"session", TEXT("d"), secret, NULL}, "another context"},
        {{"session", TEXT("c"), secret, fresh_one}, {"session", TEXT(""), secret, NULL}, "no context"},
        {{"session", TEXT("c"), secret, fresh_one},
         {"session", TEXT("c"), TEXT("guess"), NULL},
         "another secret"},
        {{"session", TEXT("c"), secret, fresh_one}, {"session", TEXT("c"), TEXT(""), NULL}, "no secret"},
        {{"session", TEXT("c"), TEXT(""), fresh_one},
         {"session", TEXT("c"), secret, NULL},
         "a secret where there was none"},
        {{"session", TEXT("c"), TEXT(""), fresh_one},
         {"session", TEXT("c"), {salt, 16}, NULL},
         "the salt as a secret"},
        {{"session", TEXT("xc"), secret, fresh_one},
         {"sessionx", TEXT("c"), secret, NULL},
         "label and context shifted"},
        {{"session", TEXT("c\0"), secret, fresh_one},
         {"session", TEXT("c"), secret, NULL},
         "NUL in the context"},
        {{"session", TEXT("cab"), TEXT("c"), fresh_one},
         {"session", TEXT("ca"), TEXT("bc"), NULL},
         "context and secret shifted"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t sealed = closed(pool, ring, cases[i].closing, TEXT("0123456789abcdef0123456789abcdef"));
        assert_case(opens(pool, ring, cases[i].closing, sealed), cases[i].why);
        assert_case(!opens(pool, ring, cases[i].opening, sealed), cases[i].why);
    }
}

static void test_keys_rotate(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *old = ring_of(pool, HEX_A);
    seal_ring *both = ring_of(pool, HEX_B "\n" HEX_A);
    seal_ring *fresh = ring_of(pool, HEX_B);
    seal_scope scope = scope_with_secret();
    text_t sealed = closed(pool, old, scope, TEXT("old"));
    assert_true(opens(pool, both, scope, sealed));
    assert_false(opens(pool, fresh, scope, sealed));
    sealed = closed(pool, both, scope, TEXT("new"));
    assert_true(opens(pool, fresh, scope, sealed));
    assert_true(opens(pool, both, scope, sealed));
    assert_false(opens(pool, old, scope, sealed));
    assert_true(opens(pool, ring_of(pool, HEX_A "\n" HEX_B), scope, sealed));
}

static void test_key_files(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        const char *file;
        bool opens;
        const char *why;
    } cases[] = {
        {HEX_A, true, "one line without an end"},
        {HEX_A "\n", true, "one line"},
        {URL_A "\n", true, "the same as base64url"},
        {HEX_A "\r\n", true, "a line of Windows"},
        {"# keys\n\n  \t\n" HEX_A "\n# end\n", true, "comments and blank lines"},
        {"  " HEX_A " \t\r\n", true, "blanks around"},
        {HEX_B "\n" HEX_B "\n" HEX_A, true, "a key twice"},
        {HEX_B, false, "another key"},
    };
    seal_scope scope = scope_with_secret();
    text_t sealed = closed(pool, ring_of(pool, HEX_A), scope, TEXT("content"));
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(opens(pool, ring_of(pool, cases[i].file), scope, sealed) == cases[i].opens, cases[i].why);
}

#define EIGHT_KEYS HEX_A "\n" HEX_B "\n" HEX_A "\n" HEX_B "\n" HEX_A "\n" HEX_B "\n" HEX_A "\n" HEX_B "\n"

static void test_key_files_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        text_t file;
        const char *says;
        const char *why;
    } cases[] = {
        {TEXT(""), "no key", "empty"},
        {{NULL, 0}, "no key", "nothing"},
        {TEXT("# " HEX_A "\n\n"), "no key", "comments only"},
        {TEXT("secret\n"), "line 1", "no key"},
        {TEXT(HEX_A "\n\n# x\n" HEX_A "0\n"), "line 4", "a digit too many, and the line is named"},
        {TEXT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n"), "line 1",
         "a digit short"},
        {TEXT("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n"), "line 1", "no digit"},
        {TEXT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n"), "line 1", "unused bits"},
        {TEXT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"), "line 1", "padding"},
        {TEXT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka+xwdHh8\n"), "line 1", "plain base64"},
        {TEXT(HEX_A " " HEX_B "\n"), "line 1", "two keys on a line"},
        {TEXT(HEX_A "\0\n"), "line 1", "NUL"},
        {TEXT("\xef\xbb\xbf" HEX_A "\n"), "line 1", "a byte order mark"},
        {TEXT("0000000000000000000000000000000000000000000000000000000000000000\n"), "repeated", "zeros"},
        {TEXT("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"), "repeated", "ones"},
        {TEXT(EIGHT_KEYS HEX_A), "line 9", "nine keys"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        seal_ring *ring = NULL;
        const char *wrong = seal_ring_read(pool, unit_flush(pool, cases[i].file), &ring);
        assert_case(wrong != NULL && strstr(wrong, cases[i].says) != NULL, cases[i].why);
        assert_case(strstr(wrong, "0001") == NULL && strstr(wrong, "AAEC") == NULL, "the key is never told");
    }
    assert_non_null(ring_of(pool, EIGHT_KEYS));
}

static void test_derived_rings(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_scope scope = scope_with_secret();
    text_t secret = TEXT("0123456789abcdef0123456789abcdef");
    seal_ring *ring = seal_ring_derive(pool, secret);
    assert_non_null(ring);
    text_t sealed = closed(pool, ring, scope, TEXT("content"));
    assert_true(opens(pool, seal_ring_derive(pool, unit_flush(pool, secret)), scope, sealed));
    assert_false(
        opens(pool, seal_ring_derive(pool, TEXT("0123456789abcdef0123456789abcdeF")), scope, sealed));
    assert_false(
        opens(pool, seal_ring_derive(pool, TEXT("0123456789abcdef0123456789abcdef0")), scope, sealed));
    assert_null(seal_ring_derive(pool, (text_t){secret.at, 31}));
    assert_null(seal_ring_derive(pool, TEXT("")));
    /* The secret itself, taken for a key file's key, is another key. */
    assert_false(opens(pool,
                       ring_of(pool, "3031323334353637383961626364656630313233343536373839616263646566"),
                       scope, sealed));
}

static void test_fresh_bytes_matter(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    seal_scope scopes[] = {scope_with_secret(), scope_with_salt()};
    for (size_t s = 0; s < COUNT(scopes); s++) {
        text_t first = closed(pool, ring, scopes[s], TEXT("the same content"));
        scopes[s].fresh = fresh_two;
        text_t second = closed(pool, ring, scopes[s], TEXT("the same content"));
        assert_memory_not_equal(first.at + first.len - 32, second.at + second.len - 32, 32);
        scopes[s].fresh = NULL;
        text_t sealed;
        assert_fault(seal_close(pool, ring, &scopes[s], TEXT("content"), &sealed), FAULT_INTERNAL);
    }
}

/* A message made by another implementation (Python) from the description in seal.h: the format is a promise
 * to other versions and nodes. */
static void test_format_is_pinned(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t sealed = closed(pool, ring_of(pool, HEX_A), scope_with_salt(), TEXT("hi"));
    assert_int_equal(sealed.len, SEAL_OVERHEAD + 2);
    assert_int_equal(sealed.at[0], 1);
    assert_memory_equal(sealed.at + 5, fresh_one, SEAL_FRESH_LEN);
    static const unsigned char rest[] = {0x1b, 0x47, 0x6c, 0xb2, 0x90, 0xb7, 0xe0, 0x87, 0xce,
                                         0xdf, 0xce, 0x7f, 0x5c, 0xeb, 0xe9, 0xae, 0x6f, 0xfd};
    static const unsigned char id[] = {0x0d, 0x42, 0x4e, 0x4d};
    assert_memory_equal(sealed.at + 1, id, 4);
    assert_memory_equal(sealed.at + 5 + SEAL_FRESH_LEN, rest, sizeof(rest));
}

/* Where a refused message was decrypted to, nothing stays behind. */
static void test_refused_content_is_wiped(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    seal_scope scope = scope_with_secret();
    text_t sealed = closed(pool, ring, scope, TEXT("find-me-if-you-can"));
    char *bytes = apr_pstrmemdup(pool, sealed.at, sealed.len);
    bytes[sealed.len - 1] ^= 1;
    apr_pool_t *scratch = NULL;
    assert_int_equal(apr_pool_create(&scratch, pool), APR_SUCCESS);
    char *mark = apr_palloc(scratch, 16);
    assert_false(opens(scratch, ring, scope, (text_t){bytes, sealed.len}));
    char *next = apr_palloc(scratch, 16);
    assert_true(next > mark && next - mark < 4096); /* one block, so that looking between them is allowed */
    assert_null(memmem(mark, (size_t)(next - mark), "find-me", 7));
    apr_pool_destroy(scratch);
}

typedef struct shared_work {
    const seal_ring *ring;
    text_t sealed;
    bool good;
} shared_work;

static void *open_often(void *data)
{
    shared_work *work = data;
    apr_pool_t *pool = NULL;
    seal_scope scope = scope_with_secret();
    text_t plain;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return NULL;
    work->good = true;
    for (int i = 0; i < 500 && work->good; i++)
        work->good = seal_open(pool, work->ring, &scope, work->sealed, &plain) == NULL &&
                     text_equal(plain, TEXT("content"));
    apr_pool_destroy(pool);
    return NULL;
}

static void test_threads_share_a_ring(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    seal_ring *ring = ring_of(pool, HEX_A);
    text_t sealed = closed(pool, ring, scope_with_secret(), TEXT("content"));
    pthread_t threads[4];
    shared_work work[4];
    for (size_t i = 0; i < COUNT(threads); i++) {
        work[i] = (shared_work){ring, sealed, false};
        assert_int_equal(pthread_create(&threads[i], NULL, open_often, &work[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(work[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_round_trip),
        UNIT_TEST(test_every_bit_counts),
        UNIT_TEST(test_every_length_counts),
        UNIT_TEST(test_only_its_own_scope_opens),
        UNIT_TEST(test_keys_rotate),
        UNIT_TEST(test_key_files),
        UNIT_TEST(test_key_files_refused),
        UNIT_TEST(test_derived_rings),
        UNIT_TEST(test_fresh_bytes_matter),
        UNIT_TEST(test_format_is_pinned),
        UNIT_TEST(test_refused_content_is_wiped),
        UNIT_TEST(test_threads_share_a_ring),
    };
    return UNIT_MAIN(tests);
}
