/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Encodings: the vectors of the RFCs, and for each decoder what it must not forgive. Inputs stand right
 * before an unreadable page (JS-14). */

#include "unit.h"

#include "base/codec.h"

typedef struct {
    text_t bytes;
    text_t url;
    text_t plain;
    const char *why;
} base64_case;

static void base64_both_ways(void **state)
{
    static const base64_case cases[] = {
        {TEXT(""), TEXT(""), TEXT(""), "RFC 4648 section 10, nothing"},
        {TEXT("f"), TEXT("Zg"), TEXT("Zg=="), "RFC 4648 section 10, two letters"},
        {TEXT("fo"), TEXT("Zm8"), TEXT("Zm8="), "RFC 4648 section 10, three letters"},
        {TEXT("foo"), TEXT("Zm9v"), TEXT("Zm9v"), "RFC 4648 section 10, four letters"},
        {TEXT("foob"), TEXT("Zm9vYg"), TEXT("Zm9vYg=="), "RFC 4648 section 10, six letters"},
        {TEXT("fooba"), TEXT("Zm9vYmE"), TEXT("Zm9vYmE="), "RFC 4648 section 10, seven letters"},
        {TEXT("foobar"), TEXT("Zm9vYmFy"), TEXT("Zm9vYmFy"), "RFC 4648 section 10, eight letters"},
        {TEXT("\x03\xec\xff\xe0\xc1"), TEXT("A-z_4ME"), TEXT("A+z/4ME="), "RFC 7515 appendix C"},
        {TEXT("\xff\xff\xff"), TEXT("____"), TEXT("////"), "last letter of both alphabets"},
        {TEXT("\0\0\0\0"), TEXT("AAAAAA"), TEXT("AAAAAA=="), "NULs"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t bytes = unit_flush(pool, cases[i].bytes);
        text_t back = {NULL, 0};
        assert_texts(codec_base64url(pool, bytes), cases[i].url, cases[i].why);
        assert_texts(codec_base64(pool, bytes), cases[i].plain, cases[i].why);
        assert_case(codec_unbase64url(pool, unit_flush(pool, cases[i].url), &back), cases[i].why);
        assert_texts(back, cases[i].bytes, cases[i].why);
    }
}

typedef struct {
    text_t text;
    const char *why;
} refused_case;

static void base64url_is_strict(void **state)
{
    static const refused_case cases[] = {
        {TEXT("Zg=="), "padding"},
        {TEXT("Zm8="), "one sign of padding"},
        {TEXT("Z"), "one letter is no byte"},
        {TEXT("Zm9vY"), "a lonely fifth letter"},
        {TEXT("Zh"), "unused four bits are not zero"},
        {TEXT("Zm9"), "unused two bits are not zero"},
        {TEXT("Z g"), "a space"},
        {TEXT("Zg\n"), "a line end"},
        {TEXT("Z+9v"), "plus of the other alphabet"},
        {TEXT("Z/9v"), "slash of the other alphabet"},
        {TEXT("Zm9\0"), "a NUL"},
        {TEXT("Zm9\xff"), "non-ASCII"},
        {TEXT("Zm9v."), "a point"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t bytes = TEXT("untouched");
        assert_case(!codec_unbase64url(pool, unit_flush(pool, cases[i].text), &bytes), cases[i].why);
        assert_texts(bytes, TEXT("untouched"), cases[i].why);
    }
}

static void hexadecimal(void **state)
{
    static const refused_case refused[] = {
        {TEXT("0"), "odd length"},
        {TEXT("0g"), "no digit"},
        {TEXT("0x"), "prefix"},
        {TEXT("00 "), "blank"},
        {TEXT("\0\0"), "NULs are no digits"},
        {TEXT("-1"), "sign"},
    };
    apr_pool_t *pool = unit_pool(state);
    text_t back = {NULL, 0};
    assert_text(codec_hex(pool, unit_flush(pool, TEXT("\x00\x1f\xa5\xff"))), "001fa5ff");
    assert_text(codec_hex(pool, TEXT("")), "");
    assert_true(codec_unhex(pool, unit_flush(pool, TEXT("001fA5Ff")), &back));
    assert_text(back, "\x00\x1f\xa5\xff");
    assert_true(codec_unhex(pool, unit_flush(pool, TEXT("")), &back));
    assert_text(back, "");
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_case(!codec_unhex(pool, unit_flush(pool, refused[i].text), &back), refused[i].why);
}

static void percent_encoding(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t odd = unit_flush(pool, TEXT("aZ09-._~ +/?&=%#\0\xc3\xa4*"));
    assert_text(codec_percent(pool, odd), "aZ09-._~%20%2B%2F%3F%26%3D%25%23%00%C3%A4%2A");
    assert_text(codec_form(pool, odd), "aZ09-._~+%2B%2F%3F%26%3D%25%23%00%C3%A4%2A");
    assert_text(codec_percent(pool, (text_t){NULL, 0}), "");
}

typedef struct {
    text_t text;
    bool form;
    bool fine;
    text_t decoded;
    const char *why;
} unpercent_case;

static void percent_decoding(void **state)
{
    static const unpercent_case cases[] = {
        {TEXT(""), true, true, TEXT(""), "nothing"},
        {TEXT("a%20b"), false, true, TEXT("a b"), "space"},
        {TEXT("a+b"), true, true, TEXT("a b"), "plus in a form"},
        {TEXT("a+b"), false, true, TEXT("a+b"), "plus in a path"},
        {TEXT("%2b"), true, true, TEXT("+"), "an encoded plus stays one"},
        {TEXT("%00"), true, true, TEXT("\0"), "NUL is a byte"},
        {TEXT("%fF"), true, true, TEXT("\xff"), "both cases of digits"},
        {TEXT("%2541"), true, true, TEXT("%41"), "decoded once only"},
        {TEXT("%"), true, false, TEXT(""), "escape cut off"},
        {TEXT("%4"), true, false, TEXT(""), "escape cut off in the middle"},
        {TEXT("a%zz"), true, false, TEXT(""), "no digits"},
        {TEXT("%4g"), true, false, TEXT(""), "second is no digit"},
        {TEXT("%%41"), true, false, TEXT(""), "a percent sign for itself"},
        {TEXT("%u0041"), true, false, TEXT(""), "an escape of old scripts"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t decoded = {NULL, 0};
        bool fine = codec_unpercent(pool, unit_flush(pool, cases[i].text), cases[i].form, &decoded);
        assert_case(fine == cases[i].fine, cases[i].why);
        assert_texts(decoded, cases[i].decoded, cases[i].why);
    }
}

static void every_byte_survives(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    char bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    text_t all = {bytes, sizeof(bytes)};
    text_t back = {NULL, 0};
    assert_true(codec_unbase64url(pool, codec_base64url(pool, all), &back));
    assert_texts(back, all, "base64url");
    assert_true(codec_unhex(pool, codec_hex(pool, all), &back));
    assert_texts(back, all, "hex");
    assert_true(codec_unpercent(pool, codec_percent(pool, all), false, &back));
    assert_texts(back, all, "percent");
    assert_true(codec_unpercent(pool, codec_form(pool, all), true, &back));
    assert_texts(back, all, "form");
}

static void html(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_text(codec_html(pool, unit_flush(pool, TEXT("<a href=\"x\" b='y'>&amp;\xc3\xa4</a>"))),
                "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;\xc3\xa4&lt;/a&gt;");
    assert_text(codec_html(pool, (text_t){NULL, 0}), "");
}

typedef struct {
    text_t text;
    text_t json;
    const char *why;
} json_case;

static void json(void **state)
{
    static const json_case cases[] = {
        {TEXT(""), TEXT("\"\""), "nothing"},
        {TEXT("a\"b\\c/d"), TEXT("\"a\\\"b\\\\c/d\""), "what must be escaped"},
        {TEXT("\b\f\n\r\t"), TEXT("\"\\b\\f\\n\\r\\t\""), "short escapes"},
        {TEXT("\0\x1f\x7f"), TEXT("\"\\u0000\\u001f\\u007f\""), "controls"},
        {TEXT("</script><!--"), TEXT("\"\\u003c/script>\\u003c!--\""), "cannot end a script element"},
        {TEXT("\xc3\xa4\xf0\x9f\x98\x80"), TEXT("\"\xc3\xa4\xf0\x9f\x98\x80\""), "UTF-8 stays"},
        {TEXT("a\xff"
              "b"),
         TEXT("\"a\xef\xbf\xbd"
              "b\""),
         "a foreign byte"},
        {TEXT("\xc3"), TEXT("\"\xef\xbf\xbd\""), "a character cut off"},
        {TEXT("\xed\xa0\x80"), TEXT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""), "a surrogate"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_texts(codec_json(pool, unit_flush(pool, cases[i].text)), cases[i].json, cases[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(base64_both_ways),
        UNIT_TEST(base64url_is_strict),
        UNIT_TEST(hexadecimal),
        UNIT_TEST(percent_encoding),
        UNIT_TEST(percent_decoding),
        UNIT_TEST(every_byte_survives),
        UNIT_TEST(html),
        UNIT_TEST(json),
    };
    return UNIT_MAIN(tests);
}
