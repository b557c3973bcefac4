/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Signatures by the provider's keys, and when those are fetched anew. The rules of the claims themselves are
 * held by test_idtoken and test_accesstoken. */

#include "unit.h"

#include "flow/verify.h"
#include "signer.h"
#include "world.h"

typedef struct bench {
    world_t *world;
    visit_t visit;
    walk_t walk;
    const provider_t *provider;
    idtoken_t idtoken;
} bench_t;

static bench_t *bench_new(apr_pool_t *pool, const char *const *lines)
{
    bench_t *bench = apr_pcalloc(pool, sizeof *bench);
    bench->world = world_new(pool, lines);
    bench->visit = world_nav(bench->world, "/", NULL);
    bench->walk = walk_begin(bench->world->rp, &bench->world->env, &bench->visit);
    assert_no_fault(issuer_provider(&bench->walk, &bench->provider));
    return bench;
}

static const fault_t *verify(bench_t *bench, text_t token, text_t nonce)
{
    const tokens_t tokens = {.access_token = TEXT("at.1"), .id_token = token};
    return verify_idtoken(&bench->walk, bench->provider, &tokens, nonce, &bench->idtoken);
}

static const fault_t *verify_minted(bench_t *bench, const char *header)
{
    fakeop_t *op = &bench->world->op;
    text_t payload = fakeop_payload(op, op->pool, NULL);
    return verify(bench, fakeop_sign(op, op->pool, header, payload), (text_t){NULL, 0});
}

static unsigned fetches(const bench_t *bench)
{
    return fakes_http_route(&bench->world->http, "/jwks")->calls;
}

static void test_good(void **state)
{
    static const char *const algs[] = {"ES256", "RS256"};
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(algs); i++) {
        bench_t *bench = bench_new(pool, NULL);
        fakeop_rotate_key(&bench->world->op, algs[i], "k1");
        for (int times = 0; times < 3; times++)
            assert_no_fault(verify_minted(bench, NULL));
        assert_text(bench->idtoken.sub, "alice");
        assert_int_equal(bench->idtoken.iat, WORLD_START);
        assert_int_equal(fetches(bench), 1);
    }
}

static void test_headers(void **state)
{
    static const struct {
        const char *why, *header;
        fault_code code;
    } cases[] = {
        {"JW-22: no typ", "{\"alg\":\"ES256\",\"kid\":\"k1\"}", FAULT_NONE},
        {"JW-22: jwt", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"jwt\"}", FAULT_NONE},
        {"JW-22: at+jwt", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", FAULT_IDTOKEN_MALFORMED},
        {"JW-22: logout+jwt", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}",
         FAULT_IDTOKEN_MALFORMED},
        {"JW-19: no kid, one key", "{\"alg\":\"ES256\"}", FAULT_NONE},
        {"JW-01: none", "{\"alg\":\"none\"}", FAULT_IDTOKEN_ALGORITHM},
        {"JW-06: an alg that the metadata do not name", "{\"alg\":\"ES384\",\"kid\":\"k1\"}",
         FAULT_IDTOKEN_ALGORITHM},
        {"JW-16: the kid of a key for another alg", "{\"alg\":\"RS256\",\"kid\":\"k1\"}", FAULT_IDTOKEN_KEY},
        {"JW-18: an unknown kid", "{\"alg\":\"ES256\",\"kid\":\"k2\"}", FAULT_IDTOKEN_KEY},
        {"JW-15: a kid with a line break", "{\"alg\":\"ES256\",\"kid\":\"a\\r\\nget x\"}", FAULT_IDTOKEN_KEY},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench_t *bench = bench_new(pool, NULL);
        const fault_t *fault = verify_minted(bench, cases[i].header);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

/* JW-04, JW-06: a pinned algorithm is the only one. */
static void test_pinned(void **state)
{
    static const char *const lines[] = {"SSOIdTokenAlg RS256", NULL};
    bench_t *bench = bench_new(unit_pool(state), lines);
    assert_fault(verify_minted(bench, NULL), FAULT_IDTOKEN_ALGORITHM);
    assert_int_equal(fetches(bench), 0);
    fakeop_rotate_key(&bench->world->op, "RS256", "k2");
    assert_no_fault(verify_minted(bench, NULL));
}

/* JW-27: a new key is found by one forced look; JW-18: made-up kids do not make us look all the time. */
static void test_rotation(void **state)
{
    bench_t *bench = bench_new(unit_pool(state), NULL);
    assert_no_fault(verify_minted(bench, NULL));
    fakeop_rotate_key(&bench->world->op, "ES256", "k2");
    assert_no_fault(verify_minted(bench, NULL));
    assert_int_equal(fetches(bench), 2);
    for (int i = 0; i < 59; i++) {
        fakes_clock_pass(&bench->world->clock, 1);
        assert_fault(verify_minted(bench, "{\"alg\":\"ES256\",\"kid\":\"x\"}"), FAULT_IDTOKEN_KEY);
    }
    assert_int_equal(fetches(bench), 2);
    assert_no_fault(verify_minted(bench, NULL));
    fakes_clock_pass(&bench->world->clock, 1);
    assert_fault(verify_minted(bench, "{\"alg\":\"ES256\",\"kid\":\"x\"}"), FAULT_IDTOKEN_KEY);
    assert_int_equal(fetches(bench), 3);
}

/* JW-30: a bad signature is refused; only without a kid could newer keys help. */
static void test_bad_signature(void **state)
{
    bench_t *bench = bench_new(unit_pool(state), NULL);
    fakeop_t *op = &bench->world->op;
    assert_no_fault(verify_minted(bench, NULL));
    EVP_PKEY *published = op->key;
    op->key = signer_key_for(op->pool, "ES256");
    text_t forged = fakeop_idtoken(op, op->pool, NULL);
    text_t nameless = fakeop_sign(op, op->pool, "{\"alg\":\"ES256\"}", fakeop_payload(op, op->pool, NULL));
    op->key = published;
    assert_fault(verify(bench, forged, (text_t){NULL, 0}), FAULT_IDTOKEN_SIGNATURE);
    assert_int_equal(fetches(bench), 1);
    assert_fault(verify(bench, nameless, (text_t){NULL, 0}), FAULT_IDTOKEN_SIGNATURE);
    assert_int_equal(fetches(bench), 2);
    op->key = signer_key_for(op->pool, "ES256"); /* rotated without a kid */
    fakes_clock_pass(&bench->world->clock, 60);
    text_t fresh = fakeop_sign(op, op->pool, "{\"alg\":\"ES256\"}", fakeop_payload(op, op->pool, NULL));
    assert_no_fault(verify(bench, fresh, (text_t){NULL, 0}));
    assert_int_equal(fetches(bench), 3);
}

/* JW-29: a payload that is no JSON does not matter before its signature holds. */
static void test_signature_comes_first(void **state)
{
    bench_t *bench = bench_new(unit_pool(state), NULL);
    fakeop_t *op = &bench->world->op;
    assert_fault(verify(bench, fakeop_sign(op, op->pool, NULL, TEXT("[]")), (text_t){NULL, 0}),
                 FAULT_IDTOKEN_CLAIMS);
    op->key = signer_key_for(op->pool, "ES256");
    assert_fault(verify(bench, fakeop_sign(op, op->pool, NULL, TEXT("[]")), (text_t){NULL, 0}),
                 FAULT_IDTOKEN_SIGNATURE);
}

/* DS-06: never "accept unverified". */
static void test_no_keys(void **state)
{
    bench_t *bench = bench_new(unit_pool(state), NULL);
    fakes_http_fail(&bench->world->http, "/jwks", 1, HTTP_BROKEN);
    assert_fault(verify_minted(bench, NULL), FAULT_PROVIDER_DOWN);
    fakes_clock_pass(&bench->world->clock, 1);
    fakes_http_answer(&bench->world->http, "/jwks", 1, 200, NULL, "{\"keys\":[]}");
    assert_fault(verify_minted(bench, NULL), FAULT_METADATA_INVALID);
    fakes_clock_pass(&bench->world->clock, 1);
    assert_no_fault(verify_minted(bench, NULL));
}

/* The rules get what they need: nonce, issuer, client, clock, access token. */
static void test_rules_apply(void **state)
{
    static const struct {
        const char *why, *name, *json, *nonce;
        fault_code code;
    } cases[] = {
        {"the nonce asked for", "nonce", "\"n\"", "n", FAULT_NONE},
        {"CI-03: it is missing", "x", "1", "n", FAULT_IDTOKEN_NONCE},
        {"CI-06: another one", "nonce", "\"m\"", "n", FAULT_IDTOKEN_NONCE},
        {"a refresh compares none", "nonce", "\"m\"", NULL, FAULT_NONE},
        {"IT-01: issuer", "iss", "\"https://evil.test\"", NULL, FAULT_IDTOKEN_ISSUER},
        {"IT-21: another client's", "aud", "\"other\"", NULL, FAULT_IDTOKEN_AUDIENCE},
        {"IT-09: expired by more than the skew", "exp", "1699999939", NULL, FAULT_IDTOKEN_EXPIRED},
        {"IT-31: expired within it", "exp", "1699999941", NULL, FAULT_NONE},
        {"IT-12: too old", "iat", "1699999000", NULL, FAULT_IDTOKEN_EXPIRED},
        {"IT-26: at_hash of another token", "at_hash", "\"AAAAAAAAAAAAAAAAAAAAAA\"", NULL,
         FAULT_IDTOKEN_HASH},
    };
    bench_t *bench = bench_new(unit_pool(state), NULL);
    fakeop_t *op = &bench->world->op;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const fakeop_claim claims[] = {{cases[i].name, cases[i].json}, {NULL, NULL}};
        const fault_t *fault = verify(bench, fakeop_idtoken(op, op->pool, claims), text_of(cases[i].nonce));
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
}

static void test_accesstoken(void **state)
{
    static const struct {
        const char *why, *header, *name, *json;
        fault_code code;
    } cases[] = {
        {"meant for us", NULL, "x", "1", FAULT_NONE},
        {"RFC 9068", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", "x", "1", FAULT_NONE},
        {"with its whole media type", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"application/at+jwt\"}",
         "x", "1", FAULT_NONE},
        {"a logout token", "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}", "x", "1",
         FAULT_ACCESSTOKEN_REFUSED},
        {"somebody else's", NULL, "sub", "\"bob\"", FAULT_ACCESSTOKEN_REFUSED},
        {"for another client", NULL, "aud", "\"other\"", FAULT_ACCESSTOKEN_REFUSED},
        {"of another issuer", NULL, "iss", "\"https://evil.test\"", FAULT_ACCESSTOKEN_REFUSED},
        {"by an unknown key", "{\"alg\":\"ES256\",\"kid\":\"x\"}", "x", "1", FAULT_ACCESSTOKEN_REFUSED},
        {"no signature", "{\"alg\":\"none\"}", "x", "1", FAULT_ACCESSTOKEN_REFUSED},
    };
    bench_t *bench = bench_new(unit_pool(state), NULL);
    fakeop_t *op = &bench->world->op;
    const jval_t *claims = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const fakeop_claim bent[] = {{cases[i].name, cases[i].json}, {NULL, NULL}};
        text_t token = fakeop_sign(op, op->pool, cases[i].header, fakeop_payload(op, op->pool, bent));
        const fault_t *fault =
            verify_accesstoken(&bench->walk, bench->provider, token, TEXT("alice"), &claims);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
    }
    assert_fault(verify_accesstoken(&bench->walk, bench->provider, TEXT("opaque"), TEXT("alice"), &claims),
                 FAULT_ACCESSTOKEN_REFUSED);
    fakes_shared_restart(&bench->world->shared);
    fakes_http_fail(&bench->world->http, "/jwks", 1, HTTP_BROKEN);
    assert_fault(verify_accesstoken(&bench->walk, bench->provider, fakeop_idtoken(op, op->pool, NULL),
                                    TEXT("alice"), &claims),
                 FAULT_PROVIDER_DOWN); /* not the token's fault */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_good),     UNIT_TEST(test_headers),       UNIT_TEST(test_pinned),
        UNIT_TEST(test_rotation), UNIT_TEST(test_bad_signature), UNIT_TEST(test_signature_comes_first),
        UNIT_TEST(test_no_keys),  UNIT_TEST(test_rules_apply),   UNIT_TEST(test_accesstoken),
    };
    return UNIT_MAIN(tests);
}
