/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Tickets: what comes back is what was handed out, or it does not come back at all. */

#include "unit.h"

#include "base/codec.h"
#include "fakes.h"
#include "session/ticket.h"

#define BORN 1700000000

typedef struct bench {
    apr_pool_t *pool;
    fakes_random random;
    ticket_desk desk;
    ticket_t ticket;
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
    fakes_random_init(&bench->random);
    bench->desk =
        (ticket_desk){ring_of(pool, "a client secret of 32 characters"), &bench->random.port, TEXT("space")};
    bench->ticket = (ticket_t){.born = BORN,
                               .redirect_uri = TEXT("https://rp.test/sso/callback"),
                               .return_to = TEXT("/wiki/Main?x=1&y=%20")};
    assert_no_fault(ticket_draw(pool, &bench->random.port, &bench->ticket));
    return bench;
}

static text_t sealed(bench_t *bench)
{
    text_t cookie;
    assert_no_fault(ticket_seal(bench->pool, &bench->desk, &bench->ticket, &cookie));
    return cookie;
}

static const fault_t *open_at(bench_t *bench, text_t cookie, int64_t now)
{
    ticket_t ticket;
    return ticket_open(bench->pool, &bench->desk, cookie, now, &ticket);
}

/* ST-01, CI-09: three numbers of 256 bits that have nothing in common. */
static void test_draw(void **state)
{
    bench_t *bench = bench_new(state);
    const ticket_t *ticket = &bench->ticket;
    const text_t drawn[] = {ticket->state, ticket->nonce, ticket->verifier};
    for (size_t i = 0; i < COUNT(drawn); i++) {
        text_t raw;
        assert_int_equal(drawn[i].len, 43);
        assert_true(codec_unbase64url(bench->pool, drawn[i], &raw));
        assert_int_equal(raw.len, 32);
        assert_false(text_equal(drawn[i], drawn[(i + 1) % COUNT(drawn)]));
    }
    for (int works = 0; works < 3; works++) { /* CF-11 */
        bench->random.fails_after = works;
        assert_fault(ticket_draw(bench->pool, &bench->random.port, &bench->ticket), FAULT_INTERNAL);
    }
}

static void test_round_trip(void **state)
{
    static const char *const targets[] = {"/", "", "/wiki?q=%C3%A9", NULL};
    bench_t *bench = bench_new(state);
    for (size_t i = 0; i < COUNT(targets); i++) {
        ticket_t ticket;
        bench->ticket.return_to = text_of(targets[i]);
        assert_no_fault(ticket_open(bench->pool, &bench->desk, sealed(bench), BORN + 1, &ticket));
        assert_int_equal(ticket.born, BORN);
        assert_texts(ticket.state, bench->ticket.state, "state");
        assert_texts(ticket.nonce, bench->ticket.nonce, "nonce");
        assert_texts(ticket.verifier, bench->ticket.verifier, "verifier");
        assert_texts(ticket.redirect_uri, bench->ticket.redirect_uri, "redirect_uri");
        assert_texts(ticket.return_to, bench->ticket.return_to, "return_to");
    }
}

static void test_life(void **state)
{
    static const struct {
        const char *why;
        int64_t after;
        fault_code code;
    } cases[] = {
        {"at once", 0, FAULT_NONE},
        {"after an hour", TICKET_LIFE, FAULT_NONE},
        {"ST-13: after more than an hour", TICKET_LIFE + 1, FAULT_STATE_EXPIRED},
        {"ST-13: two hours later", 7200, FAULT_STATE_EXPIRED},
        {"another host's clock is ahead", -TICKET_LIFE, FAULT_NONE},
        {"a ticket of the far future", -TICKET_LIFE - 1, FAULT_STATE_EXPIRED},
        {"CK-13: 2106", 4294967296 - BORN, FAULT_STATE_EXPIRED},
    };
    bench_t *bench = bench_new(state);
    text_t cookie = sealed(bench);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const fault_t *fault = open_at(bench, cookie, BORN + cases[i].after);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

/* ST-03: every bit of the cookie text, and of the bytes below it. */
static void test_bit_flips(void **state)
{
    bench_t *bench = bench_new(state);
    text_t cookie = sealed(bench), raw;
    assert_true(codec_unbase64url(bench->pool, cookie, &raw));
    for (size_t i = 0; i < cookie.len * 8; i++) {
        text_t bent = text_copy(bench->pool, cookie);
        ((char *)(uintptr_t)bent.at)[i / 8] ^= (char)(1 << i % 8);
        assert_fault(open_at(bench, bent, BORN), FAULT_STATE_UNKNOWN);
    }
    for (size_t i = 0; i < raw.len * 8; i++) {
        text_t bent = text_copy(bench->pool, raw);
        ((char *)(uintptr_t)bent.at)[i / 8] ^= (char)(1 << i % 8);
        assert_fault(open_at(bench, codec_base64url(bench->pool, bent), BORN), FAULT_STATE_UNKNOWN);
    }
}

/* ST-04: a tag of 15 bytes and fewer, and everything else that is cut. */
static void test_truncations(void **state)
{
    bench_t *bench = bench_new(state);
    text_t cookie = sealed(bench), raw;
    assert_true(codec_unbase64url(bench->pool, cookie, &raw));
    for (size_t len = 0; len < raw.len; len++) {
        text_t cut = codec_base64url(bench->pool, (text_t){raw.at, len});
        assert_fault(open_at(bench, unit_flush(bench->pool, cut), BORN), FAULT_STATE_UNKNOWN);
    }
    const text_t longer[] = {raw, TEXT("x"), {NULL, 0}};
    assert_fault(open_at(bench, codec_base64url(bench->pool, text_join(bench->pool, longer)), BORN),
                 FAULT_STATE_UNKNOWN);
}

static void test_garbage(void **state)
{
    bench_t *bench = bench_new(state);
    char *huge = apr_palloc(bench->pool, 100000);
    memset(huge, 'A', 100000);
    const text_t cases[] = {{NULL, 0},      TEXT(""),       TEXT("A"),      TEXT("\"\""), TEXT("AAAA=="),
                            TEXT("%41%41"), TEXT("\0\0\0"), {huge, 100000}, {huge, 4096}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_fault(open_at(bench, unit_flush(bench->pool, cases[i]), BORN), FAULT_STATE_UNKNOWN);
}

/* ST-05: another key, another site, another purpose. */
static void test_foreign(void **state)
{
    bench_t *bench = bench_new(state);
    unsigned char fresh[SEAL_FRESH_LEN] = {1};
    const ticket_desk mine = bench->desk;
    text_t cookie = sealed(bench), other, raw, plain, blob;
    bench->desk.ring = ring_of(bench->pool, "the client secret of another site");
    assert_fault(open_at(bench, cookie, BORN), FAULT_STATE_UNKNOWN);
    bench->desk = mine;
    bench->desk.space = TEXT("another space");
    assert_fault(open_at(bench, cookie, BORN), FAULT_STATE_UNKNOWN);
    bench->desk = mine;
    const seal_scope ticket = {"ticket", mine.space, {NULL, 0}, fresh};
    const seal_scope session = {"session", mine.space, {NULL, 0}, fresh};
    const seal_scope document = {"document", mine.space, {NULL, 0}, fresh};
    assert_true(codec_unbase64url(bench->pool, cookie, &raw));
    assert_no_fault(seal_open(bench->pool, mine.ring, &ticket, raw, &plain)); /* the very same content ... */
    const seal_scope *scopes[] = {&session, &document};
    for (size_t i = 0; i < COUNT(scopes); i++) { /* ... sealed for another purpose */
        assert_no_fault(seal_close(bench->pool, mine.ring, scopes[i], plain, &blob));
        assert_fault(open_at(bench, codec_base64url(bench->pool, blob), BORN), FAULT_STATE_UNKNOWN);
    }
    assert_no_fault(seal_close(bench->pool, mine.ring, &ticket, TEXT("\x02 of the future"), &other));
    assert_fault(open_at(bench, codec_base64url(bench->pool, other), BORN), FAULT_STATE_UNKNOWN);
    assert_no_fault(seal_close(bench->pool, mine.ring, &ticket, plain, &other));
    assert_no_fault(open_at(bench, codec_base64url(bench->pool, other), BORN)); /* the test can fail */
}

/* A sealed ticket of ours whose inner lengths lie, as another version could have written it. */
static void test_inner_lies(void **state)
{
    bench_t *bench = bench_new(state);
    unsigned char fresh[SEAL_FRESH_LEN] = {2};
    const seal_scope scope = {"ticket", bench->desk.space, {NULL, 0}, fresh};
    char plain[107] = {1};
    for (size_t len = 0; len <= sizeof plain; len++) {
        text_t blob;
        plain[105] = plain[106] = (char)0xff;
        assert_no_fault(seal_close(bench->pool, bench->desk.ring, &scope, (text_t){plain, len}, &blob));
        assert_fault(open_at(bench, codec_base64url(bench->pool, blob), BORN), FAULT_STATE_UNKNOWN);
    }
}

/* ST-06: the same login twice; ST-29: nothing of it can be read. */
static void test_sealing(void **state)
{
    bench_t *bench = bench_new(state);
    text_t one = sealed(bench), two = sealed(bench), raw_one, raw_two;
    assert_true(codec_unbase64url(bench->pool, one, &raw_one) &&
                codec_unbase64url(bench->pool, two, &raw_two));
    assert_int_equal(raw_one.len, raw_two.len);
    assert_memory_not_equal(raw_one.at + 5, raw_two.at + 5, 12);
    for (size_t i = 33; i + 16 <= raw_one.len; i += 16)
        assert_memory_not_equal(raw_one.at + i, raw_two.at + i, 16);
    assert_null(memmem(raw_one.at, raw_one.len, "wiki", 4));
    assert_null(strstr(one.at, bench->ticket.nonce.at));
    bench->random.fails_after = 0;
    assert_fault(ticket_seal(bench->pool, &bench->desk, &bench->ticket, &one), FAULT_INTERNAL); /* CF-11 */
    bench->random.fails_after = -1;
    bench->ticket.nonce = TEXT("short");
    assert_fault(ticket_seal(bench->pool, &bench->desk, &bench->ticket, &one), FAULT_INTERNAL);
}

/* ST-27: a name a login; ST-20: the longest return address still fits a browser's cookie. */
static void test_names_and_sizes(void **state)
{
    bench_t *bench = bench_new(state);
    const char *one = ticket_name(bench->pool, "__Host-sso-login-", bench->ticket.state);
    const char *two = ticket_name(bench->pool, "__Host-sso-login-", bench->ticket.nonce);
    assert_non_null(one);
    assert_string_not_equal(one, two);
    assert_string_equal(one, ticket_name(bench->pool, "__Host-sso-login-", bench->ticket.state));
    assert_int_equal(strncmp(one, "__Host-sso-login-", 17), 0);
    assert_null(strstr(bench->ticket.state.at, one + 17)); /* it does not tell the state */
    char *target = apr_palloc(bench->pool, TICKET_RETURN_MAX);
    memset(target, 'x', TICKET_RETURN_MAX);
    bench->ticket.return_to = (text_t){target, TICKET_RETURN_MAX};
    text_t cookie = sealed(bench);
    assert_true(strlen(one) + cookie.len < 4096);
    assert_no_fault(open_at(bench, cookie, BORN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_draw),        UNIT_TEST(test_round_trip),
        UNIT_TEST(test_life),        UNIT_TEST(test_bit_flips),
        UNIT_TEST(test_truncations), UNIT_TEST(test_garbage),
        UNIT_TEST(test_foreign),     UNIT_TEST(test_inner_lies),
        UNIT_TEST(test_sealing),     UNIT_TEST(test_names_and_sizes),
    };
    return UNIT_MAIN(tests);
}
