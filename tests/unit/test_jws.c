/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Signed tokens as they are read: header, shape, type. test_jwsforged.c is about signatures. */

#include "jwscase.h"

#define HEADER "eyJhbGciOiJFUzI1NiJ9" /* {"alg":"ES256"} */

static void test_headers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    static const struct {
        const char *header;
        fault_code code;
        const char *why;
    } cases[] = {
        {"{\"alg\":\"ES256\"}", FAULT_NONE, "JW-19: no kid"},
        {"{\"alg\":\"ES256\",\"kid\":\"\"}", FAULT_NONE, "an empty kid is none"},
        {"{\"alg\":\"ES256\",\"kid\":null,\"typ\":null}", FAULT_NONE, "null is absent"},
        {" {\"alg\" : \"ES256\"}\r\n", FAULT_NONE, "white space"},
        {"{\"alg\":\"ES256\",\"jku\":\"https://evil/\",\"x5u\":\"https://evil/"
         "\",\"x5c\":[\"AAAA\"],\"jwk\":{\"kty\":\"oct\"}}",
         FAULT_NONE, "JW-14: never followed"},
        {"{\"alg\":\"ES256\",\"zip\":\"DEF\",\"cty\":\"JWT\"}", FAULT_NONE, "means nothing in a JWS"},
        {"{\"alg\":\"none\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"None\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"nOnE\"}", FAULT_IDTOKEN_ALGORITHM, "JW-01"},
        {"{\"alg\":\"\"}", FAULT_IDTOKEN_ALGORITHM, "JW-02: empty"},
        {"{\"alg\":\"HS256\"}", FAULT_IDTOKEN_ALGORITHM, "JW-03"},
        {"{\"alg\":\"es256\"}", FAULT_IDTOKEN_ALGORITHM, "case"},
        {"{\"alg\":\"\xc3\xa4\\n\"}", FAULT_IDTOKEN_ALGORITHM, "not printable"},
        {"{}", FAULT_IDTOKEN_MALFORMED, "JW-02: absent"},
        {"{\"alg\":null}", FAULT_IDTOKEN_MALFORMED, "JW-02: null"},
        {"{\"alg\":256}", FAULT_IDTOKEN_MALFORMED, "JW-02: number"},
        {"{\"alg\":[\"ES256\"]}", FAULT_IDTOKEN_MALFORMED, "JW-02: list"},
        {"{\"ALG\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "names are case-sensitive"},
        {"{\"alg\":\"ES256\",\"kid\":7}", FAULT_IDTOKEN_MALFORMED, "JW-15: number"},
        {"{\"alg\":\"ES256\",\"kid\":[\"k\"]}", FAULT_IDTOKEN_MALFORMED, "JW-15: list"},
        {"{\"alg\":\"ES256\",\"kid\":\"k\\u0000\"}", FAULT_IDTOKEN_MALFORMED, "JW-15: NUL"},
        {"{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}", FAULT_IDTOKEN_KEY, "JW-15: a path"},
        {"{\"alg\":\"ES256\",\"kid\":\"'; DROP TABLE\"}", FAULT_IDTOKEN_KEY, "JW-15: SQL"},
        {"{\"alg\":\"ES256\",\"kid\":\"a\\r\\nget x\"}", FAULT_IDTOKEN_KEY, "JW-15: memcached"},
        {"{\"alg\":\"ES256\",\"kid\":\"K\"}", FAULT_IDTOKEN_KEY, "kids are case-sensitive"},
        {"{\"alg\":\"ES256\",\"typ\":1}", FAULT_IDTOKEN_MALFORMED, "typ is no string"},
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", FAULT_IDTOKEN_MALFORMED, "JW-20: unknown name"},
        {"{\"alg\":\"ES256\",\"crit\":[]}", FAULT_IDTOKEN_MALFORMED, "JW-20: empty"},
        {"{\"alg\":\"ES256\",\"crit\":null}", FAULT_IDTOKEN_MALFORMED, "JW-20: null"},
        {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}", FAULT_IDTOKEN_MALFORMED, "JW-20: RFC 7797"},
        {"{\"alg\":\"ES256\",\"b64\":false}", FAULT_IDTOKEN_MALFORMED, "JW-20: RFC 7797 without crit"},
        {"{\"alg\":\"ES256\",\"b64\":true}", FAULT_IDTOKEN_MALFORMED, "JW-20: also true"},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}", FAULT_IDTOKEN_MALFORMED, "JW-21"},
        {"{\"alg\":\"none\",\"alg\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "JW-21"},
        {"{\"alg\":\"ES256\",\"kid\":\"k\",\"\\u006bid\":\"k\"}", FAULT_IDTOKEN_MALFORMED,
         "JW-21: spelt differently"},
        {"{\"alg\":\"ES256\"}{}", FAULT_IDTOKEN_MALFORMED, "JS-05: two documents"},
        {"{\"alg\":\"ES256\"", FAULT_IDTOKEN_MALFORMED, "JS-09: cut off"},
        {"\xef\xbb\xbf{\"alg\":\"ES256\"}", FAULT_IDTOKEN_MALFORMED, "JS-05: BOM"},
        {"{\"alg\":\"ES256\",\"x\":\"\xff\"}", FAULT_IDTOKEN_MALFORMED, "JS-03: UTF-8"},
        {"[\"ES256\"]", FAULT_IDTOKEN_MALFORMED, "JS-06: list"},
        {"null", FAULT_IDTOKEN_MALFORMED, "JS-06: null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t token = signer_token(pool, signer.key, "ES256", cases[i].header, CLAIMS);
        assert_case(jwscase_outcome(pool, token, alg_all(), signer.keys) == cases[i].code, cases[i].why);
    }
}

static void test_header_ceiling(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    for (int filler = 8000; filler < 9000; filler += 500) {
        const char *header = apr_psprintf(pool, "{\"alg\":\"ES256\"%*s}", filler, "");
        text_t token = signer_token(pool, signer.key, "ES256", header, CLAIMS);
        assert_int_equal(jwscase_outcome(pool, token, alg_all(), signer.keys),
                         filler == 8000 ? FAULT_NONE : FAULT_IDTOKEN_MALFORMED);
    }
    const char *deep =
        apr_psprintf(pool, "{\"alg\":\"ES256\",\"x\":%s%s}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    text_t token = signer_token(pool, signer.key, "ES256", deep, CLAIMS);
    assert_int_equal(jwscase_outcome(pool, token, alg_all(), signer.keys), FAULT_IDTOKEN_MALFORMED);
}

static void test_shapes(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    static const struct {
        text_t token;
        bool good;
        const char *why;
    } cases[] = {
        {TEXT(HEADER ".e30.AAAA"), true, "three parts"},
        {TEXT(HEADER "..AAAA"), true, "an empty payload is one (RFC 7515 section 5.2)"},
        {TEXT(""), false, "nothing"},
        {{NULL, 0}, false, "nothing at all"},
        {TEXT("."), false, "IT-23: dots only"},
        {TEXT(".."), false, "IT-23: dots only"},
        {TEXT("..."), false, "IT-23: dots only"},
        {TEXT(HEADER), false, "IT-23: one part"},
        {TEXT(HEADER ".e30"), false, "IT-23: two parts"},
        {TEXT(HEADER ".e30."), false, "JW-01: empty signature"},
        {TEXT(".e30.AAAA"), false, "empty header"},
        {TEXT(HEADER ".e30.AAAA."), false, "IT-23: four parts"},
        {TEXT(HEADER ".e30.AAAA.AAAA"), false, "IT-23: four parts"},
        {TEXT(HEADER ".AAAA.AAAA.AAAA.AAAA"), false, "JE-00: a JWE"},
        {TEXT(HEADER "....AAAA"), false, "JE-00: a JWE with empty parts"},
        {TEXT(HEADER ".AAAA.AAAA.AAAA.AAAA.AAAA"), false, "IT-23: six parts"},
        {TEXT(HEADER "=.e30.AAAA"), false, "IT-24: padding"},
        {TEXT(HEADER ".e30=.AAAA"), false, "IT-24: padding"},
        {TEXT(HEADER ".e30.AAA="), false, "IT-24: padding"},
        {TEXT(HEADER ".e30.AA+A"), false, "IT-24: foreign alphabet"},
        {TEXT(HEADER ".e/0.AAAA"), false, "IT-24: foreign alphabet"},
        {TEXT(HEADER ".e3 0.AAAA"), false, "IT-24: a blank"},
        {TEXT(HEADER ".e30.AAAA\n"), false, "IT-24: a newline"},
        {TEXT(" " HEADER ".e30.AAAA"), false, "IT-24: a blank before"},
        {TEXT(HEADER ".e30.AAAAA"), false, "IT-24: length 1 mod 4"},
        {TEXT(HEADER ".e3000.AAAA"), false, "IT-24: length 1 mod 4"},
        {TEXT(HEADER ".e31.AAAA"), false, "IT-24: unused bits in the payload"},
        {TEXT(HEADER ".e30.AAB"), false, "IT-24: unused bits in the signature"},
        {TEXT(HEADER "\0.e30.AAAA"), false, "NUL in the header"},
        {TEXT(HEADER ".e30.AAAA\0"), false, "NUL behind"},
        {TEXT("{\"payload\":\"e30\",\"protected\":\"" HEADER "\",\"signature\":\"AAAA\"}"), false,
         "IT-25: flattened JSON"},
        {TEXT("{\"payload\":\"e30\",\"signatures\":[{\"protected\":\"" HEADER "\",\"signature\":\"AAAA\"}]}"),
         false, "IT-25: general JSON"},
        {TEXT("{\"a\":\"" HEADER ".e30.AAAA\"}"), false, "IT-25: a polyglot"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jws_t jws;
        const fault_t *fault = jws_read(pool, unit_flush(pool, cases[i].token), alg_all(), &jws);
        assert_case((fault == NULL) == cases[i].good, cases[i].why);
        assert_case(fault == NULL || fault->code == FAULT_IDTOKEN_MALFORMED, cases[i].why);
    }
}

static void test_giants_are_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    jws_t jws;
    size_t len = 1000000;
    char *dots = apr_palloc(pool, len);
    memset(dots, '.', len);
    assert_fault(jws_read(pool, (text_t){dots, len}, alg_all(), &jws), FAULT_IDTOKEN_MALFORMED);
    assert_fault(jws_read(pool, (text_t){dots, JWS_TOKEN_MAX}, alg_all(), &jws), FAULT_IDTOKEN_MALFORMED);
    memset(dots, 'A', len);
    memcpy(dots, HEADER ".", sizeof(HEADER));
    dots[JWS_TOKEN_MAX - 5] = '.';
    /* As long as may be: read, whatever else it is. */
    const fault_t *fault = jws_read(pool, (text_t){dots, JWS_TOKEN_MAX}, alg_all(), &jws);
    assert_true(fault == NULL || strstr(fault->detail, "larger") == NULL);
    fault = jws_read(pool, (text_t){dots, JWS_TOKEN_MAX + 1}, alg_all(), &jws);
    assert_fault(fault, FAULT_IDTOKEN_MALFORMED);
    assert_non_null(strstr(fault->detail, "larger"));
}

static void test_every_truncation_is_refused(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    text_t token = jwscase_token(pool, &signer);
    for (size_t len = 0; len < token.len; len++)
        assert_int_not_equal(
            jwscase_outcome(pool, unit_flush(pool, (text_t){token.at, len}), alg_all(), signer.keys),
            FAULT_NONE);
}

/* JW-15: what a log line gets of a header is harmless and short. */
static void test_details_are_loggable(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    const char *kid = apr_psprintf(pool, "a\\r\\n\\\"\xc3\xa4%*s", 4000, "");
    const char *headers[] = {apr_psprintf(pool, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
                             apr_psprintf(pool, "{\"alg\":\"%s\"}", kid)};
    for (size_t i = 0; i < COUNT(headers); i++) {
        jws_t jws;
        text_t payload;
        text_t token = signer_token(pool, signer.key, "ES256", headers[i], CLAIMS);
        const fault_t *fault = jws_read(pool, token, alg_all(), &jws);
        if (fault == NULL)
            fault = jws_verify(pool, &jws, signer.keys, &payload);
        assert_non_null(fault);
        assert_true(text_is_printable(text_of(fault->detail)));
        assert_true(strlen(fault->detail) < 200);
    }
}

static void test_typ(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    signer_t signer = jwscase_signer(pool, "ES256");
    static const struct {
        const char *typ;
        const char *name;
        bool is;
        const char *why;
    } cases[] = {
        {"JWT", "JWT", true, "as usual"},
        {"jwt", "JWT", true, "in any case"},
        {"application/jwt", "JWT", true, "the whole media type"},
        {"Application/AT+JWT", "at+jwt", true, "the whole media type in any case"},
        {"at+jwt", "at+jwt", true, "RFC 9068"},
        {"at+jwt", "JWT", false, "JW-22: an access token is no ID token"},
        {"logout+jwt", "JWT", false, "JW-22: a logout token is no ID token"},
        {"", "JWT", false, "none"},
        {"", "", true, "none is none"},
        {"application/", "JWT", false, "half a media type"},
        {"application/application/jwt", "JWT", false, "only one prefix"},
        {"text/jwt", "JWT", false, "another tree"},
        {"JWT ", "JWT", false, "a blank"},
        {"JW", "JWT", false, "cut off"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        jws_t jws;
        const char *header = apr_psprintf(pool, "{\"alg\":\"ES256\",\"typ\":\"%s\"}", cases[i].typ);
        assert_no_fault(
            jws_read(pool, signer_token(pool, signer.key, "ES256", header, CLAIMS), alg_all(), &jws));
        assert_texts(jws.typ, text_of(cases[i].typ), cases[i].why);
        assert_case(jws_typ_is(&jws, cases[i].name) == cases[i].is, cases[i].why);
    }
}

static void test_payload_of_our_own(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t payload;
    assert_no_fault(jws_payload_of_our_own(pool, TEXT(HEADER ".e30.AAAA"), &payload));
    assert_text(payload, "{}");
    static const char *const refused[] = {"",
                                          "e30",
                                          HEADER ".e30",
                                          HEADER ".e30.",
                                          ".e30.AAAA",
                                          HEADER ".e31.AAAA",
                                          HEADER ".e30.AAAA.AAAA",
                                          HEADER ".e30.AAAA.AAAA.AAAA",
                                          HEADER ".e3=.AAAA"};
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_fault(jws_payload_of_our_own(pool, text_of(refused[i]), &payload), FAULT_IDTOKEN_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_headers),
        UNIT_TEST(test_header_ceiling),
        UNIT_TEST(test_shapes),
        UNIT_TEST(test_giants_are_refused),
        UNIT_TEST(test_every_truncation_is_refused),
        UNIT_TEST(test_details_are_loggable),
        UNIT_TEST(test_typ),
        UNIT_TEST(test_payload_of_our_own),
    };
    return UNIT_MAIN(tests);
}
