/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The table of kinds, and the kinds that choose among words. */

#include "kindtry.h"

#include "flow/settings.h"

static void finds_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < SERVER_COUNT; i++)
        assert_case(kind_find(settings_server_rows[i].kind) != NULL, settings_server_rows[i].directive);
    for (size_t i = 0; i < PLACE_COUNT; i++)
        assert_case(kind_find(settings_place_rows[i].kind) != NULL, settings_place_rows[i].directive);
    assert_null(kind_find("nonsense"));
    assert_null(kind_find(""));
}

static void chooses_words(void **state)
{
    static const struct {
        const char *kind;
        const char *line;
        int value;
    } cases[] = {
        {"clientauth", "auto", KIND_CLIENTAUTH_AUTO},
        {"clientauth", "basic", KIND_CLIENTAUTH_BASIC},
        {"clientauth", "post", KIND_CLIENTAUTH_POST},
        {"clientauth", "none", KIND_CLIENTAUTH_NONE},
        {"clientauth", "Basic", KIND_CLIENTAUTH_BASIC},
        {"userinfo", "off", KIND_USERINFO_OFF},
        {"userinfo", "auto", KIND_USERINFO_AUTO},
        {"userinfo", "ALWAYS", KIND_USERINFO_ALWAYS},
        {"refresh", "off", KIND_REFRESH_OFF},
        {"refresh", "auto", KIND_REFRESH_AUTO},
        {"export", "off", KIND_CLAIMS_OFF},
        {"export", "env", KIND_CLAIMS_ENV},
        {"export", "headers", KIND_CLAIMS_HEADERS},
        {"export", "both", KIND_CLAIMS_BOTH},
        {"unauth", "auto", KIND_UNAUTH_AUTO},
        {"unauth", "login", KIND_UNAUTH_LOGIN},
        {"unauth", "401", KIND_UNAUTH_401},
        {"unauth", "403", KIND_UNAUTH_403},
        {"unauth", "pass", KIND_UNAUTH_PASS},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int value = -1;
        try_right(try_read(pool, cases[i].kind, cases[i].line, &value), cases[i].line);
        assert_case(value == cases[i].value, cases[i].line);
    }
}

static void reads_flags(void **state)
{
    kind_flag flag = false;
    apr_pool_t *pool = unit_pool(state);
    try_right(try_read(pool, "flag", "on", &flag), "on");
    assert_true(flag);
    try_right(try_read(pool, "flag", "Off", &flag), "as httpd writes it");
    assert_false(flag);
}

static void reads_strings(void **state)
{
    static const struct {
        const char *kind;
        const char *line;
        const char *value;
        const char *why;
    } cases[] = {
        {"word", "legacy-apps", "legacy-apps", "a client id"},
        {"word", "https://client.example/id", "https://client.example/id", "a client id that is a URL"},
        {"words", "openid", "openid", "one scope"},
        {"words", "openid|email|profile", "openid email profile", "several arguments"},
        {"words", "openid  email", "openid email", "one argument in quotes"},
        {"words", "api://app/.default", "api://app/.default", "a scope that is a URL"},
        {"text", "private, max-age=0", "private, max-age=0", "an argument with blanks"},
        {"text", "auto", "auto", "a word"},
        {"store", "memcached://127.0.0.1:11211", "memcached://127.0.0.1:11211", "memcached"},
        {"store", "memcached:///run/mc.sock", "memcached:///run/mc.sock", "a socket"},
        {"store", "lmdb:", "lmdb:", "the default"},
        {"store", "lmdb:/var/lib/sso?size=1g", "lmdb:/var/lib/sso?size=1g", "the backend reads the rest"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *value = NULL;
        try_right(try_read(pool, cases[i].kind, cases[i].line, &value), cases[i].why);
        assert_texts(text_of(value), text_of(cases[i].value), cases[i].why);
    }
}

static void copies_what_it_keeps(void **state)
{
    char word[] = "client";
    const char *words[] = {word};
    const char *value = NULL;
    const kind_input input = {unit_pool(state), 1, words};
    assert_null(kind_find("word")->read(&input, &value));
    word[0] = 'X';
    assert_string_equal(value, "client");
}

static const wrong_case wrong_cases[] = {
    {"clientauth", "", "there is no value", "write one"},
    {"clientauth", "basic|post", "there are 2 values", "write one"},
    {"clientauth", "client_secret_basic", "'client_secret_basic' is not known", "auto, basic, post, none"},
    {"userinfo", "on", "'on' is not known", "off, auto, always"},
    {"refresh", "always", "'always' is not known", "off, auto"},
    {"export", "header", "'header' is not known", "off, env, headers, both"},
    {"unauth", "302", "'302' is not known", "auto, login, 401, 403, pass"},
    {"unauth", "auto ", "'auto ' is not known", "write one of"},
    {"flag", "yes", "'yes' is not known", "off, on"},
    {"flag", "1", "'1' is not known", "off, on"},
    {"flag", "on|on", "there are 2 values", "write one"},
    {"word", "two words", "'two words' has blanks", "without"},
    {"word", "caf\xc3\xa9", "beyond ASCII", "without"},
    {"word", "a\x1b[31m", "control bytes", "without"},
    {"words", "", "there is no value", "write one or more words"},
    {"words", "  ", "there is no value", "write one or more words"},
    {"words", "openid|e\"mail", "cannot be a scope", "without quotes"},
    {"words", "openid|e\\mail", "cannot be a scope", "without quotes and backslashes"},
    {"words", "openid|\xc3\xa4", "cannot be a scope", "ASCII"},
    {"text", "private\r\nX: y", "control bytes", "without"},
    {"text", "\xc3\xa4", "beyond ASCII", "without"},
    {"store", "redis://127.0.0.1", "'redis://127.0.0.1' is not a store", "memcached://host:port"},
    {"store", "127.0.0.1:11211", "is not a store", "memcached://host:port"},
    {"store", "memcached:127.0.0.1", "is not a store", "memcached://host:port"},
    {"store", "lmdb", "is not a store", "lmdb:"},
    {"store", "lmdb:/a\nb", "is not a store", "lmdb:"},
};

static void refuses(void **state)
{
    try_wrong(unit_pool(state), wrong_cases, COUNT(wrong_cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(finds_every_kind), UNIT_TEST(chooses_words),        UNIT_TEST(reads_flags),
        UNIT_TEST(reads_strings),    UNIT_TEST(copies_what_it_keeps), UNIT_TEST(refuses),
    };
    return UNIT_MAIN(tests);
}
