/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* URLs: what is read, how, and above all what two readers might take for different places and is therefore
 * refused (JS-10 forms and queries). */

#include "unit.h"

#include "base/url.h"

typedef struct {
    text_t text;
    bool https;
    text_t host;
    int port;
    text_t path;
    text_t query; /* `at` NULL: there is none */
    text_t fragment;
    const char *why;
} read_case;

#define NONE                                                                                                 \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }

static void reads(void **state)
{
    static const read_case cases[] = {
        {TEXT("https://h"), true, TEXT("h"), 443, TEXT("/"), NONE, NONE, "no path is the root"},
        {TEXT("http://h/"), false, TEXT("h"), 80, TEXT("/"), NONE, NONE, "port of http"},
        {TEXT("https://h?a"), true, TEXT("h"), 443, TEXT("/"), TEXT("a"), NONE, "query without path"},
        {TEXT("https://h#f"), true, TEXT("h"), 443, TEXT("/"), NONE, TEXT("f"), "fragment without path"},
        {TEXT("https://h/?"), true, TEXT("h"), 443, TEXT("/"), TEXT(""), NONE, "an empty query is one"},
        {TEXT("https://h/#"), true, TEXT("h"), 443, TEXT("/"), NONE, TEXT(""), "an empty fragment is one"},
        {TEXT("https://h/a?b?c#d?e"), true, TEXT("h"), 443, TEXT("/a"), TEXT("b?c"), TEXT("d?e"),
         "first mark counts"},
        {TEXT("https://h/a#d?e"), true, TEXT("h"), 443, TEXT("/a"), NONE, TEXT("d?e"),
         "no query within a fragment"},
        {TEXT("HTTPS://ExAmPle.COM/A"), true, TEXT("example.com"), 443, TEXT("/A"), NONE, NONE,
         "case of scheme and host"},
        {TEXT("https://h:443/"), true, TEXT("h"), 443, TEXT("/"), NONE, NONE, "default port spelled out"},
        {TEXT("http://h:443/"), false, TEXT("h"), 443, TEXT("/"), NONE, NONE,
         "443 is nothing special for http"},
        {TEXT("https://h:1"), true, TEXT("h"), 1, TEXT("/"), NONE, NONE, "first port"},
        {TEXT("https://h:65535?x"), true, TEXT("h"), 65535, TEXT("/"), TEXT("x"), NONE, "last port"},
        {TEXT("https://a-b.c9.example./x"), true, TEXT("a-b.c9.example."), 443, TEXT("/x"), NONE, NONE,
         "trailing dot stays"},
        {TEXT("https://9.example/"), true, TEXT("9.example"), 443, TEXT("/"), NONE, NONE,
         "digits, but not at the end"},
        {TEXT("http://127.0.0.1:8080/"), false, TEXT("127.0.0.1"), 8080, TEXT("/"), NONE, NONE, "IPv4"},
        {TEXT("http://[::1]/"), false, TEXT("[::1]"), 80, TEXT("/"), NONE, NONE, "IPv6"},
        {TEXT("https://[2001:DB8::A]:8443/"), true, TEXT("[2001:db8::a]"), 8443, TEXT("/"), NONE, NONE,
         "IPv6 with port"},
        {TEXT("https://[::ffff:1.2.3.4]"), true, TEXT("[::ffff:1.2.3.4]"), 443, TEXT("/"), NONE, NONE,
         "IPv4 within IPv6"},
        {TEXT("https://h//a/../b;c=d@e:f"), true, TEXT("h"), 443, TEXT("//a/../b;c=d@e:f"), NONE, NONE,
         "path as written"},
        {TEXT("https://h/%2f%C3%a4"), true, TEXT("h"), 443, TEXT("/%2f%C3%a4"), NONE, NONE, "escapes stay"},
        {TEXT("https://h/?redirect=https://x/y"), true, TEXT("h"), 443, TEXT("/"),
         TEXT("redirect=https://x/y"), NONE, "a URL within the query"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        url_t url;
        assert_case(url_read(pool, unit_flush(pool, cases[i].text), &url), cases[i].why);
        assert_case(url.https == cases[i].https, cases[i].why);
        assert_texts(url.host, cases[i].host, cases[i].why);
        assert_case(url.port == cases[i].port, cases[i].why);
        assert_texts(url.path, cases[i].path, cases[i].why);
        assert_texts(url.query, cases[i].query, cases[i].why);
        assert_case((url.query.at == NULL) == (cases[i].query.at == NULL), cases[i].why);
        assert_texts(url.fragment, cases[i].fragment, cases[i].why);
        assert_case((url.fragment.at == NULL) == (cases[i].fragment.at == NULL), cases[i].why);
    }
}

typedef struct {
    text_t text;
    const char *why;
} refused_case;

static const refused_case refused_cases[] = {
    {TEXT(""), "nothing"},
    {TEXT("https"), "cut off"},
    {TEXT("https:/"), "cut off behind the colon"},
    {TEXT("https://"), "no host"},
    {TEXT("https:///x"), "empty host"},
    {TEXT("https://:80/"), "port without host"},
    {TEXT("https://?x"), "query without host"},
    {TEXT("//h/"), "relative"},
    {TEXT("/x"), "a path"},
    {TEXT("ftp://h/"), "another scheme"},
    {TEXT("javascript://h/%0aalert(1)"), "a scheme that runs"},
    {TEXT("httpss://h/"), "nearly the scheme"},
    {TEXT(" https://h/"), "blank before"},
    {TEXT("https://h/ "), "blank behind"},
    {TEXT("https:\\\\h\\"), "backslashes for slashes"},
    {TEXT("https://h\\@evil/"), "a backslash that browsers take for a slash"},
    {TEXT("https://h/a\\b"), "backslash in the path"},
    {TEXT("https://user@h/"), "userinfo"},
    {TEXT("https://user:pw@h/"), "userinfo with password"},
    {TEXT("https://@h/"), "empty userinfo"},
    {TEXT("https://h:/"), "empty port"},
    {TEXT("https://h:0/"), "port 0"},
    {TEXT("https://h:65536/"), "port too big"},
    {TEXT("https://h:99999999999999999999/"), "port beyond int64"},
    {TEXT("https://h:080/"), "port with a leading zero"},
    {TEXT("https://h:+80/"), "port with a sign"},
    {TEXT("https://h:8 0/"), "blank in the port"},
    {TEXT("https://h:80:80/"), "two ports"},
    {TEXT("https://h%41/"), "escape in the host"},
    {TEXT("https://h_x/"), "underscore in the host"},
    {TEXT("https://h\xc3\xa4/"), "non-ASCII in the host"},
    {TEXT("https://h!/"), "sub-delimiter in the host"},
    {TEXT("https://.h/"), "empty first label"},
    {TEXT("https://a..b/"), "empty label"},
    {TEXT("https://h../"), "two trailing dots"},
    {TEXT("https://./"), "a dot alone"},
    {TEXT("https://2130706433/"), "a number that browsers take for 127.0.0.1"},
    {TEXT("https://0x7f.1/"), "short form of an IPv4 address"},
    {TEXT("https://a.0x7f/"), "last label hexadecimal"},
    {TEXT("https://127.1/"), "two numbers"},
    {TEXT("https://127.0.0.01/"), "octal or not"},
    {TEXT("https://127.0.0.256/"), "no IPv4 address"},
    {TEXT("https://1.2.3.4./"), "IPv4 with a trailing dot"},
    {TEXT("https://1.2.3.4.5/"), "five numbers"},
    {TEXT("https://[]/"), "empty brackets"},
    {TEXT("https://[::1/"), "bracket not closed"},
    {TEXT("https://::1/"), "IPv6 without brackets"},
    {TEXT("https://[::1]x/"), "something behind the bracket"},
    {TEXT("https://[::1]:/"), "empty port behind the bracket"},
    {TEXT("https://[::g]/"), "no IPv6 address"},
    {TEXT("https://[fe80::1%25eth0]/"), "zone"},
    {TEXT("https://[v1.x]/"), "IPvFuture"},
    {TEXT("https://[127.0.0.1]/"), "IPv4 in brackets"},
    {TEXT("https://h/a b"), "space"},
    {TEXT("https://h/a\tb"), "tab, which browsers drop"},
    {TEXT("https://h/\r\nX: y"), "header injection"},
    {TEXT("https://h/\0"), "NUL"},
    {TEXT("https://h\0.evil/"), "NUL in the host"},
    {TEXT("https://h/\x7f"), "DEL"},
    {TEXT("https://h/\xc3\xa4"), "non-ASCII in the path"},
    {TEXT("https://h/\"<>"), "not RFC 3986"},
    {TEXT("https://h/[x]"), "brackets in the path"},
    {TEXT("https://h/?a|b"), "a bar in the query"},
    {TEXT("https://h/#a#b"), "two fragments"},
    {TEXT("https://h/%"), "broken escape at the end"},
    {TEXT("https://h/%4"), "half an escape at the end"},
    {TEXT("https://h/%zz"), "broken escape"},
    {TEXT("https://h/?%4"), "broken escape in the query"},
    {TEXT("https://h/#%4"), "broken escape in the fragment"},
};

static void refuses(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(refused_cases); i++) {
        url_t url;
        assert_case(!url_read(pool, unit_flush(pool, refused_cases[i].text), &url), refused_cases[i].why);
    }
}

/* "prefix" followed by so many letters. */
static text_t padded(apr_pool_t *pool, text_t prefix, size_t letters)
{
    char *room = apr_palloc(pool, prefix.len + letters);
    memcpy(room, prefix.at, prefix.len);
    memset(room + prefix.len, 'a', letters);
    return unit_flush(pool, (text_t){room, prefix.len + letters});
}

static void lengths(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    url_t url;
    assert_true(url_read(pool, padded(pool, TEXT("https://h/"), URL_MAX - 10), &url));
    assert_false(url_read(pool, padded(pool, TEXT("https://h/"), URL_MAX - 9), &url));
    assert_true(url_read(pool, padded(pool, TEXT("https://"), 63), &url));
    assert_false(url_read(pool, padded(pool, TEXT("https://"), 64), &url));
    assert_true(url_is_local(padded(pool, TEXT("/"), URL_MAX - 1)));
    assert_false(url_is_local(padded(pool, TEXT("/"), URL_MAX)));
}

typedef struct {
    const char *one;
    const char *other;
    bool same;
    const char *origin; /* of the first */
} origin_case;

static void origins(void **state)
{
    static const origin_case cases[] = {
        {"https://h/a", "https://H:443/b?c#d", true, "https://h"},
        {"http://h:80", "http://h", true, "http://h"},
        {"https://h:80/", "http://h:80/", false, "https://h:80"},
        {"http://h:443/", "https://h/", false, "http://h:443"},
        {"https://h:8443/", "https://h/", false, "https://h:8443"},
        {"https://h/", "https://h./", false, "https://h"},
        {"https://a.h/", "https://h/", false, "https://a.h"},
        {"https://[::1]:8443/", "https://[::1]:8443/x", true, "https://[::1]:8443"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        url_t one;
        url_t other;
        assert_true(url_read(pool, text_of(cases[i].one), &one) &&
                    url_read(pool, text_of(cases[i].other), &other));
        assert_case(url_same_origin(&one, &other) == cases[i].same, cases[i].one);
        assert_texts(url_origin(pool, &one), text_of(cases[i].origin), cases[i].one);
    }
}

static void loopback(void **state)
{
    static const struct {
        const char *url;
        bool is;
    } cases[] = {
        {"http://localhost/", true},
        {"http://LOCALHOST:8080/", true},
        {"http://127.0.0.1/", true},
        {"http://127.255.0.9/", true},
        {"http://[::1]/", true},
        {"http://[0:0:0:0:0:0:0:1]/", true},
        {"http://128.0.0.1/", false},
        {"http://localhost.evil/", false},
        {"http://127.0.0.1.evil/", false},
        {"http://evil.localhost/", false},
        {"http://localhost./", false},
        {"http://[::2]/", false},
        {"http://[::ffff:8.8.8.8]/", false},
        {"http://0.0.0.0/", false},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        url_t url;
        assert_true(url_read(pool, text_of(cases[i].url), &url));
        assert_case(url_is_loopback(&url) == cases[i].is, cases[i].url);
    }
}

typedef struct {
    text_t text;
    bool local;
    const char *why;
} local_case;

static void local_paths(void **state)
{
    static const local_case cases[] = {
        {TEXT("/"), true, "the root"},
        {TEXT("/a/b?c=d&e=%20"), true, "an ordinary page"},
        {TEXT("/?next=//evil/\\x"), true, "the query cannot lead away"},
        {TEXT("/a//b"), true, "double slash later"},
        {TEXT("/a?x={y}|z"), true, "what browsers leave unescaped"},
        {TEXT("/a%2fb%5c"), true, "escapes later"},
        {TEXT("/.//evil"), true, "dots are resolved after the host"},
        {TEXT(""), false, "nothing"},
        {TEXT("a"), false, "relative to the page"},
        {TEXT("?a"), false, "a query alone"},
        {TEXT("//evil"), false, "another host"},
        {TEXT("///evil"), false, "another host for browsers"},
        {TEXT("/\\evil"), false, "backslash is a slash for browsers"},
        {TEXT("\\/evil"), false, "backslash first"},
        {TEXT("\\\\evil"), false, "two backslashes"},
        {TEXT("/a\\..\\\\evil"), false, "backslash later in the path"},
        {TEXT("/\t/evil"), false, "browsers drop tabs"},
        {TEXT("/\n/evil"), false, "browsers drop line ends"},
        {TEXT("\t//evil"), false, "tab first"},
        {TEXT("/a\r\nSet-Cookie: x=y"), false, "header injection"},
        {TEXT("/a\0"), false, "NUL"},
        {TEXT("/a b"), false, "space"},
        {TEXT("/\xc3\xa4"), false, "non-ASCII"},
        {TEXT("/\x7f"), false, "DEL"},
        {TEXT("/%2fevil"), false, "an escaped slash that something may decode"},
        {TEXT("/%2Fevil"), false, "the same in capitals"},
        {TEXT("/%5cevil"), false, "an escaped backslash"},
        {TEXT("/%5Cevil"), false, "the same in capitals"},
        {TEXT("/%"), false, "broken escape"},
        {TEXT("/%2"), false, "half an escape"},
        {TEXT("/a?b=%zz"), false, "broken escape in the query"},
        {TEXT("/a#b"), false, "fragment"},
        {TEXT("https://h/"), false, "absolute"},
        {TEXT("javascript:alert(1)"), false, "a script"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_case(url_is_local(unit_flush(pool, cases[i].text)) == cases[i].local, cases[i].why);
}

typedef struct {
    text_t query;
    url_rc rc;
    text_t value;
    const char *why;
} parameter_case;

static void parameters(void **state)
{
    static const parameter_case cases[] = {
        {NONE, URL_ABSENT, NONE, "no query"},
        {TEXT(""), URL_ABSENT, NONE, "empty query"},
        {TEXT("state=x"), URL_FOUND, TEXT("x"), "alone"},
        {TEXT("a=b&state=x&c=d"), URL_FOUND, TEXT("x"), "in the middle"},
        {TEXT("state=a%20b+c%26"), URL_FOUND, TEXT("a b c&"), "decoded"},
        {TEXT("state="), URL_FOUND, TEXT(""), "empty value"},
        {TEXT("state"), URL_FOUND, TEXT(""), "no sign at all"},
        {TEXT("&&state=x&"), URL_FOUND, TEXT("x"), "empty pairs"},
        {TEXT("state=x=y"), URL_FOUND, TEXT("x=y"), "first sign counts"},
        {TEXT("st%61te=x"), URL_FOUND, TEXT("x"), "name decoded"},
        {TEXT("state=%00"), URL_FOUND, TEXT("\0"), "NUL is a byte"},
        {TEXT("State=x"), URL_ABSENT, NONE, "case matters"},
        {TEXT("states=x&xstate=y"), URL_ABSENT, NONE, "longer names"},
        {TEXT("a=state"), URL_ABSENT, NONE, "a value is no name"},
        {TEXT("a;state=x"), URL_ABSENT, NONE, "a semicolon separates nothing"},
        {TEXT("state=x&state=x"), URL_REFUSED, NONE, "twice, even when equal"},
        {TEXT("state=x&%73tate=y"), URL_REFUSED, NONE, "twice in two spellings"},
        {TEXT("state=&state=y"), URL_REFUSED, NONE, "twice, first empty"},
        {TEXT("state&state=y"), URL_REFUSED, NONE, "twice, first without a sign"},
        {TEXT("state=%"), URL_REFUSED, NONE, "broken escape"},
        {TEXT("state=%zz"), URL_REFUSED, NONE, "no digits"},
        {TEXT("other=%zz&state=x"), URL_FOUND, TEXT("x"), "a stranger's broken escape"},
        {TEXT("sta%te=y&state=x"), URL_FOUND, TEXT("x"), "a broken name is nobody's"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        text_t value = TEXT("old");
        text_t query = cases[i].query.at == NULL ? cases[i].query : unit_flush(pool, cases[i].query);
        assert_case(url_parameter(pool, query, "state", &value) == cases[i].rc, cases[i].why);
        assert_texts(value, cases[i].value, cases[i].why);
        assert_case((value.at == NULL) == (cases[i].value.at == NULL), cases[i].why);
    }
}

static void parameters_are_counted(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    text_t value;
    text_t query = TEXT("state=x");
    for (int pairs = 1; pairs < URL_PAIRS_MAX; pairs++)
        query = text_join(pool, (const text_t[]){query, TEXT("&a=b"), {NULL, 0}});
    assert_int_equal(url_parameter(pool, query, "state", &value), URL_FOUND);
    query = text_join(pool, (const text_t[]){query, TEXT("&a=b"), {NULL, 0}});
    assert_int_equal(url_parameter(pool, query, "state", &value), URL_REFUSED);
    assert_null(value.at);
}

static void forms(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    const url_pair pairs[] = {
        {TEXT("left_out"), NONE}, {TEXT("a b"), TEXT("c&d=e")},   {TEXT("empty"), TEXT("")},
        {TEXT("gone"), NONE},     {TEXT("u"), TEXT("\xc3\xa4~")},
    };
    text_t form = url_form(pool, pairs, COUNT(pairs));
    assert_text(form, "a+b=c%26d%3De&empty=&u=%C3%A4~");
    text_t value;
    assert_int_equal(url_parameter(pool, form, "a b", &value), URL_FOUND);
    assert_text(value, "c&d=e");
    assert_text(url_form(pool, pairs, 1), "");
    assert_text(url_form(pool, NULL, 0), "");
}

static void with_query(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    assert_text(url_with_query(pool, TEXT("https://h/a"), TEXT("x=1")), "https://h/a?x=1");
    assert_text(url_with_query(pool, TEXT("https://h/a?b=c"), TEXT("x=1")), "https://h/a?b=c&x=1");
    assert_text(url_with_query(pool, TEXT("https://h/a?"), TEXT("x=1")), "https://h/a?x=1");
    assert_text(url_with_query(pool, TEXT("https://h/a?b&"), TEXT("x=1")), "https://h/a?b&x=1");
    assert_text(url_with_query(pool, TEXT("https://h/a"), (text_t){NULL, 0}), "https://h/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reads),      UNIT_TEST(refuses),  UNIT_TEST(lengths),
        UNIT_TEST(origins),    UNIT_TEST(loopback), UNIT_TEST(local_paths),
        UNIT_TEST(parameters), UNIT_TEST(forms),    UNIT_TEST(parameters_are_counted),
        UNIT_TEST(with_query),
    };
    return UNIT_MAIN(tests);
}
