/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Records as bytes: what goes in comes out, and bytes that were not written here never do harm (JS-16). */

#include "unit.h"

#include <apr_strings.h>

#include "jose/seal.h"
#include "session/sessionpack.h"

static text_t all_bytes(apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, 256);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    return (text_t){bytes, 256};
}

static claim_list claims_of(apr_pool_t *pool, size_t count, size_t len)
{
    static const claim_type types[] = {CLAIM_TEXT,  CLAIM_NUMBER, CLAIM_TRUE,
                                       CLAIM_FALSE, CLAIM_LIST,   CLAIM_JSON};
    claim_t *claims = apr_pcalloc(pool, (count + 1) * sizeof *claims);
    for (size_t i = 0; i < count; i++) {
        char *text = apr_palloc(pool, len + 1);
        memset(text, 'a' + (int)(i % 26), len);
        claims[i] = (claim_t){text_format(pool, "claim-%04zu", i), types[i % COUNT(types)], {text, len}};
    }
    return (claim_list){claims, count};
}

static session_t full(apr_pool_t *pool)
{
    return (session_t){.created = 1700000000,
                       .seen = 1700000060,
                       .ends = 1700043200,
                       .token_obtained = 1700000001,
                       .token_expires = 4294967296, /* 2106 */
                       .refresh_expires = 2147483648,
                       .retry_at = 1700000070,
                       .failures = 4000000000u,
                       .lease = {"owner-1", 0xfffffffe, 15},
                       .access_token = TEXT("access"),
                       .refresh_token = all_bytes(pool),
                       .id_token = TEXT("a.b.c"),
                       .scope = TEXT("openid email"),
                       .claims = claims_of(pool, 20, 30)};
}

static void assert_same(const session_t *one, const session_t *other)
{
    assert_int_equal(one->ended, other->ended);
    assert_int_equal(one->created, other->created);
    assert_int_equal(one->seen, other->seen);
    assert_int_equal(one->ends, other->ends);
    assert_int_equal(one->token_obtained, other->token_obtained);
    assert_int_equal(one->token_expires, other->token_expires);
    assert_int_equal(one->refresh_expires, other->refresh_expires);
    assert_int_equal(one->retry_at, other->retry_at);
    assert_int_equal(one->failures, other->failures);
    assert_int_equal(one->lease.epoch, other->lease.epoch);
    assert_int_equal(one->lease.seconds, other->lease.seconds);
    assert_memory_equal(one->lease.owner, other->lease.owner, SESSION_OWNER_LEN);
    assert_texts(one->access_token, other->access_token, "access_token");
    assert_texts(one->refresh_token, other->refresh_token, "refresh_token");
    assert_texts(one->id_token, other->id_token, "id_token");
    assert_texts(one->scope, other->scope, "scope");
    assert_int_equal(one->claims.count, other->claims.count);
    for (size_t i = 0; i < one->claims.count; i++) {
        assert_texts(one->claims.at[i].path, other->claims.at[i].path, "path");
        assert_int_equal(one->claims.at[i].type, other->claims.at[i].type);
        assert_texts(one->claims.at[i].text, other->claims.at[i].text, "text");
    }
}

static void test_round_trip(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const session_t cases[] = {
        full(pool),
        {.ended = true, .created = 1, .seen = 2, .ends = 3},
        {.ended = false},                                      /* nothing at all */
        {.seen = -1, .ends = INT64_MAX, .created = INT64_MIN}, /* numbers are bytes, all of them */
        {.access_token = all_bytes(pool), .scope = TEXT("\r\nEND\r\nset ")}, /* MC-04 */
        {.claims = claims_of(pool, 1000, 0)},
        {.claims = claims_of(pool, 1, 0x10000)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t read;
        text_t packed = sessionpack_write(pool, &cases[i]);
        assert_no_fault(sessionpack_read(pool, unit_flush(pool, packed), &read));
        assert_same(&read, &cases[i]);
    }
}

/* A claim that does not fit is left out whole, and the others stay. */
static void test_claim_too_long_for_its_length(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    session_t session = full(pool), read;
    claim_t claims[3] = {session.claims.at[0], session.claims.at[1], session.claims.at[2]};
    claims[1].path = claims_of(pool, 1, 256).at[0].text;
    session.claims = (claim_list){claims, 3};
    assert_no_fault(sessionpack_read(pool, sessionpack_write(pool, &session), &read));
    assert_int_equal(read.claims.count, 2);
    assert_texts(read.claims.at[1].path, claims[2].path, "the one behind it");
}

static void test_truncations(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const session_t session = full(pool);
    text_t packed = sessionpack_write(pool, &session);
    for (size_t len = 0; len < packed.len; len++) {
        session_t read;
        apr_pool_t *scope = NULL;
        assert_int_equal(apr_pool_create(&scope, pool), APR_SUCCESS);
        assert_fault(sessionpack_read(scope, unit_flush(scope, (text_t){packed.at, len}), &read),
                     FAULT_STORE_FOREIGN);
        apr_pool_destroy(scope);
    }
}

static void walk_through(const session_t *session)
{
    size_t sum = 0;
    const text_t tokens[] = {session->access_token, session->refresh_token, session->id_token,
                             session->scope};
    for (size_t t = 0; t < COUNT(tokens); t++) {
        for (size_t i = 0; i < tokens[t].len; i++)
            sum += (unsigned char)tokens[t].at[i];
    }
    for (size_t i = 0; i < session->claims.count; i++) {
        const claim_t *claim = &session->claims.at[i];
        assert_non_null(strchr("sntflj", (int)claim->type));
        sum += claim->path.len > 0 ? (unsigned char)claim->path.at[claim->path.len - 1] : 0u;
        sum += claim->text.len > 0 ? (unsigned char)claim->text.at[claim->text.len - 1] : 0u;
    }
    assert_true(sum < SIZE_MAX);
}

/* Every byte replaced by each of some values: a fault, or a record whose slices can all be read. */
static void test_every_byte_changed(void **state)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff, 0x7f};
    apr_pool_t *pool = unit_pool(state);
    const session_t session = full(pool);
    text_t packed = sessionpack_write(pool, &session);
    for (size_t i = 0; i < packed.len; i++) {
        apr_pool_t *scope = NULL;
        assert_int_equal(apr_pool_create(&scope, pool), APR_SUCCESS);
        text_t bent = unit_flush(scope, packed);
        char *at = (char *)(uintptr_t)bent.at + i;
        for (size_t f = 0; f < COUNT(flips); f++) {
            session_t read;
            char before = *at;
            *at = (char)(*at ^ (char)flips[f]);
            const fault_t *fault = sessionpack_read(scope, bent, &read);
            if (fault == NULL)
                walk_through(&read);
            else
                assert_fault(fault, FAULT_STORE_FOREIGN);
            *at = before;
        }
        apr_pool_destroy(scope);
    }
}

static void test_lies(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const session_t empty = {.ended = false};
    text_t packed = sessionpack_write(pool, &empty);
    const size_t tokens = packed.len - 2 - 4 * 3; /* where the first length stands */
    const struct {
        const char *why;
        size_t at;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"MC-10: version 0", 0, "\x00", 1},
        {"MC-10: a version of the future", 0, "\x02", 1},
        {"MC-10: JSON", 0, "{", 1},
        {"ended is neither 0 nor 1", 1, "\x02", 1},
        {"a token longer than everything", tokens, "\xff\xff\xff", 3},
        {"a token one byte too long", tokens, "\x00\x00\x0c", 3},
        {"more claims than bytes", packed.len - 2, "\x00\x01", 2},
        {"the most claims", packed.len - 2, "\xff\xff", 2},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        session_t read;
        text_t lie = text_copy(pool, packed);
        memcpy((char *)(uintptr_t)lie.at + cases[i].at, cases[i].bytes, cases[i].len);
        const fault_t *fault = sessionpack_read(pool, unit_flush(pool, lie), &read);
        assert_case(fault != NULL && fault->code == FAULT_STORE_FOREIGN, cases[i].why);
    }
    const text_t longer[] = {packed, TEXT("x"), {NULL, 0}};
    session_t read;
    assert_fault(sessionpack_read(pool, text_join(pool, longer), &read), FAULT_STORE_FOREIGN);
}

/* The budget of a record: tokens, paths and texts, and at most 300 bytes for twenty claims, seal included. */
static void test_size(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    session_t session = full(pool);
    size_t content =
        session.access_token.len + session.refresh_token.len + session.id_token.len + session.scope.len;
    for (size_t i = 0; i < session.claims.count; i++)
        content += session.claims.at[i].path.len + session.claims.at[i].text.len;
    assert_int_equal(session.claims.count, 20);
    assert_true(sessionpack_write(pool, &session).len + SEAL_OVERHEAD <= content + 300);
}

static void test_biggest(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    session_t session = full(pool);
    assert_string_equal(sessionpack_biggest(pool, &session), "refresh_token (256 bytes)");
    session.access_token = claims_of(pool, 1, 5000).at[0].text;
    assert_string_equal(sessionpack_biggest(pool, &session), "access_token (5000 bytes)");
    claim_t groups = {TEXT("groups\n"), CLAIM_LIST, claims_of(pool, 1, 9000).at[0].text};
    session.claims = (claim_list){&groups, 1};
    assert_string_equal(sessionpack_biggest(pool, &session), "claim groups\\x0a (9000 bytes)");
    const session_t none = {.ended = false};
    assert_string_equal(sessionpack_biggest(pool, &none), "scope (0 bytes)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_round_trip),  UNIT_TEST(test_claim_too_long_for_its_length),
        UNIT_TEST(test_truncations), UNIT_TEST(test_every_byte_changed),
        UNIT_TEST(test_lies),        UNIT_TEST(test_size),
        UNIT_TEST(test_biggest),
    };
    return UNIT_MAIN(tests);
}
