/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include "jose/alg.h"

static const char *const names[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                    "PS512", "ES256", "ES384", "ES512", "EdDSA"};

static void test_rows(void **state)
{
    (void)state;
    alg_set seen = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        const alg_t *alg = alg_find(text_of(names[i]));
        assert_case(alg != NULL, names[i]);
        assert_case(strcmp(alg->name, names[i]) == 0, names[i]);
        assert_case(alg->bit != 0 && (alg->bit & (alg->bit - 1)) == 0, "a row is one bit");
        assert_case((seen & alg->bit) == 0, "no two rows share a bit");
        assert_case((alg->family == ALG_ECDSA) == (alg->signature_len != 0), "only ECDSA fixes the length");
        assert_case((alg->family == ALG_EDDSA) == (alg->digest == NULL), "EdDSA brings its own hash");
        seen |= alg->bit;
    }
    assert_int_equal(seen, alg_all());
    assert_int_equal(alg_default(), alg_find(TEXT("RS256"))->bit);
}

static void test_names_refused(void **state)
{
    (void)state;
    static const struct {
        text_t name;
        const char *why;
    } cases[] = {
        {TEXT("none"), "JW-01"},
        {TEXT("None"), "JW-01"},
        {TEXT("NONE"), "JW-01"},
        {TEXT("nOnE"), "JW-01"},
        {TEXT(""), "JW-02: empty"},
        {{NULL, 0}, "JW-02: nothing"},
        {TEXT("HS256"), "JW-03: symmetric"},
        {TEXT("HS384"), "JW-03: symmetric"},
        {TEXT("HS512"), "JW-03: symmetric"},
        {TEXT("rs256"), "names are case-sensitive (RFC 7515 section 4.1.1)"},
        {TEXT("RS256 "), "a blank behind"},
        {TEXT(" RS256"), "a blank before"},
        {TEXT("RS256\0"), "NUL behind"},
        {TEXT("RS25"), "cut off"},
        {TEXT("RS2566"), "goes on"},
        {TEXT("RS1"), "SHA-1"},
        {TEXT("ES256K"), "JW-09: secp256k1"},
        {TEXT("RSA1_5"), "an encryption algorithm"},
        {TEXT("RSA-OAEP"), "an encryption algorithm"},
        {TEXT("dir"), "an encryption algorithm"},
        {TEXT("Ed25519"), "not an algorithm of RFC 8037"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(alg_find(cases[i].name) == NULL, cases[i].why);
}

static void test_sets(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *members[3]; /* none: the list is refused */
        const char *why;
    } cases[] = {
        {"RS256", {"RS256"}, "one"},
        {"RS256 ES256", {"RS256", "ES256"}, "a blank between"},
        {"RS256,ES256", {"RS256", "ES256"}, "a comma between"},
        {" RS256 ,\tEdDSA,, PS512 ", {"RS256", "EdDSA", "PS512"}, "many separators"},
        {"ES384 ES384", {"ES384"}, "twice is once"},
        {"", {NULL}, "empty"},
        {" , ,", {NULL}, "separators only"},
        {"RS256 none", {NULL}, "an unknown one spoils the list"},
        {"RS256;ES256", {NULL}, "a foreign separator"},
        {"rs256", {NULL}, "case"},
        {"HS256", {NULL}, "symmetric"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        alg_set wanted = 0;
        alg_set set = 0;
        for (size_t k = 0; k < COUNT(cases[i].members) && cases[i].members[k] != NULL; k++)
            wanted |= alg_find(text_of(cases[i].members[k]))->bit;
        assert_case(alg_set_read(text_of(cases[i].list), &set) == (wanted != 0), cases[i].why);
        assert_case(set == wanted, cases[i].why);
    }
}

static void test_set_reads_no_byte_too_far(void **state)
{
    alg_set set = 0;
    assert_true(alg_set_read(unit_flush(unit_pool(state), TEXT("RS256 ES256")), &set));
    assert_false(alg_set_read((text_t){NULL, 0}, &set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_rows),
        UNIT_TEST(test_names_refused),
        UNIT_TEST(test_sets),
        UNIT_TEST(test_set_reads_no_byte_too_far),
    };
    return UNIT_MAIN(tests);
}
