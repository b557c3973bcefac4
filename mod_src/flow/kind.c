/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The table of kinds, and those readers that choose among words. A kind is found by the name that stands in a
 * row of settings.h; a function pointer in each row was rejected, because the rows would then need every
 * reader's header. Words are compared without case, as httpd's own directives do. */

#include "flow/kind.h"

#include <string.h>

#include "flow/kindcookie.h"
#include "flow/kindfile.h"
#include "flow/kindinput.h"
#include "flow/kindlist.h"
#include "flow/kindnames.h"
#include "flow/kindsecret.h"
#include "flow/kindvalue.h"

/* Which of the words, which end with NULL, the one argument is. */
static const char *choose(const kind_input *input, const char *const *words, int *index)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    text_t list = TEXT("");
    for (int i = 0; words[i] != NULL; i++) {
        if (text_equal_nocase(value, text_of(words[i]))) {
            *index = i;
            return NULL;
        }
        list = text_format(input->pool, "%s%s%s", list.at, i > 0 ? ", " : "", words[i]);
    }
    return kindinput_wrong(input, "'%s' is not known here; write one of %s", kindinput_shown(input, value),
                           list.at);
}

static const char *read_flag(const kind_input *input, void *field)
{
    static const char *const words[] = {"off", "on", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_flag *)field = index == 1;
    return wrong;
}

static const char *read_clientauth(const kind_input *input, void *field)
{
    static const char *const words[] = {"auto", "basic", "post", "none", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_clientauth *)field = (kind_clientauth)index;
    return wrong;
}

static const char *read_userinfo(const kind_input *input, void *field)
{
    static const char *const words[] = {"off", "auto", "always", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_userinfo *)field = (kind_userinfo)index;
    return wrong;
}

static const char *read_refresh(const kind_input *input, void *field)
{
    static const char *const words[] = {"off", "auto", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_refresh *)field = (kind_refresh)index;
    return wrong;
}

static const char *read_export(const kind_input *input, void *field)
{
    static const char *const words[] = {"off", "env", "headers", "both", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_export *)field = (kind_export)index;
    return wrong;
}

static const char *read_unauth(const kind_input *input, void *field)
{
    static const char *const words[] = {"auto", "login", "401", "403", "pass", NULL};
    int index = 0;
    const char *wrong = choose(input, words, &index);
    if (wrong == NULL)
        *(kind_unauth *)field = (kind_unauth)index;
    return wrong;
}

static const char *read_word(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong == NULL && !text_is_token(value))
        wrong = kindinput_wrong(
            input, "'%s' has blanks, control bytes or letters beyond ASCII; write it without them",
            kindinput_shown(input, value));
    if (wrong == NULL)
        *(kind_word *)field = kindinput_keep(input, value);
    return wrong;
}

/* RFC 6749 section 3.3: a scope is VSCHAR but for the quote and the backslash. */
static bool is_scope(text_t word)
{
    return text_is_token(word) && text_find(word, '"') == word.len && text_find(word, '\\') == word.len;
}

static const char *read_words(const kind_input *input, void *field)
{
    kindinput_walk walk = {0};
    text_t joined = TEXT("");
    while (kindinput_next(input, '\0', &walk)) {
        if (!is_scope(walk.word))
            return kindinput_wrong(
                input, "'%s' cannot be a scope; write words of ASCII, without quotes and backslashes",
                kindinput_shown(input, walk.word));
        joined = text_format(input->pool, "%s%s%.*s", joined.at, joined.len > 0 ? " " : "",
                             (int)walk.word.len, walk.word.at);
    }
    if (joined.len == 0)
        return "there is no value; write one or more words";
    *(kind_words *)field = joined.at;
    return NULL;
}

static const char *read_text(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong == NULL && !text_is_printable(value))
        wrong =
            kindinput_wrong(input, "'%s' has control bytes or letters beyond ASCII; write it without them",
                            kindinput_shown(input, value));
    if (wrong == NULL)
        *(kind_text *)field = kindinput_keep(input, value);
    return wrong;
}

static const char *read_store(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    bool known = text_starts(value, TEXT("memcached://")) || text_starts(value, TEXT("lmdb:"));
    if (wrong == NULL && (!known || !text_is_printable(value)))
        wrong = kindinput_wrong(
            input, "'%s' is not a store; write memcached://host:port, memcached:///path.sock or lmdb:",
            kindinput_shown(input, value));
    if (wrong == NULL)
        *(kind_store *)field = kindinput_keep(input, value);
    return wrong;
}

/* By the order of flow/kind.h. */
static const kind_t kinds[] = {
    {"url", "`https://HOST[:PORT][/PATH]`", false, kindvalue_url},
    {"origin", "`https://HOST[:PORT]`", false, kindvalue_origin},
    {"word", "WORD", false, read_word},
    {"words", "WORD...", false, read_words},
    {"path", "`/PATH`", false, kindvalue_path},
    {"target", "`/PATH` or `https://HOST[:PORT]/PATH`", false, kindvalue_target},
    {"file", "`/PATH/FILE`", false, kindfile_file},
    {"text", "TEXT", false, read_text},
    {"prefix", "PREFIX", false, kindnames_prefix},
    {"store",
     "`memcached://HOST[:PORT][,HOST[:PORT]...][?timeout=250ms]`, `memcached:///PATH.sock` or "
     "`lmdb:[/PATH][?size=256m]`",
     false, read_store},
    {"seconds", "TIME", false, kindvalue_seconds},
    {"span", "TIME|0", false, kindvalue_span},
    {"bytes", "SIZE", false, kindvalue_bytes},
    {"count", "NUMBER", false, kindvalue_count},
    {"flag", "`on` or `off`", false, read_flag},
    {"secret", "SECRET, `file:/PATH`, `exec:/PROGRAM [ARGUMENT...]` or `env:NAME`", false, kindsecret_secret},
    {"keyfile", "`/PATH/FILE`", false, kindsecret_keyfile},
    {"template", "`/FOLDER`", false, kindfile_template},
    {"ahead", "PERCENTAGE or TIME", false, kindvalue_ahead},
    {"clientauth", "`auto`, `basic`, `post` or `none`", false, read_clientauth},
    {"userinfo", "`off`, `auto` or `always`", false, read_userinfo},
    {"refresh", "`off` or `auto`", false, read_refresh},
    {"export", "`off`, `env`, `headers` or `both`", false, read_export},
    {"unauth", "`auto`, `login`, `401`, `403` or `pass`", false, read_unauth},
    {"sources", "`idtoken`, `userinfo`, `access`, joined by commas", false, kindlist_sources},
    {"tokens", "`access`, `id`, both, or `off`", false, kindlist_tokens},
    {"cookie", "`[NAME] [Lax|Strict|None] [Domain=DOMAIN] [Path=PATH] [persistent]`", false,
     kindcookie_cookie},
    {"user", "`CLAIM [REGEX SUBSTITUTION]`", false, kindnames_user},
    {"headers", "`NAME CLAIM [utf8|url|base64|rfc8187|json]`", true, kindnames_headers},
    {"variables", "`NAME CLAIM`", true, kindnames_variables},
    {"names", "HEADER...", true, kindnames_names},
    {"targets", "URL...", true, kindlist_targets},
    {"pairs", "`NAME=VALUE` ...", true, kindlist_pairs},
    {"addresses", "ADDRESS or NETWORK...", true, kindlist_addresses},
    {"algs", "ALGORITHM...", false, kindlist_algs},
    {"endpoints",
     "`NAME=URL` ..., with the names `authorization`, `token`, `userinfo`, `jwks`, `end_session` and "
     "`revocation`",
     true, kindlist_endpoints},
};

const kind_t *kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
