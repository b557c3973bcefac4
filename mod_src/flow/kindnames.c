/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Names of headers, variables and claims. Whatever is injected is taken from clients first, and whatever is
 * set may be what httpd, a CGI's loader or a framing parser believes in; so names with a meaning of their own
 * are refused here, by name, instead of being trusted to an administrator's luck. A list of allowed names was
 * rejected: nobody can know what an application reads. */

#include "flow/kindnames.h"

#include <string.h>

#include "flow/inject.h"
#include "flow/kindinput.h"

#define NAME_MAX_LEN  ((size_t)100) /* bytes of a header's or a variable's name */
#define CLAIM_MAX_LEN ((size_t)256) /* bytes of a claim's name */

/* Headers that frame or route a message, or carry cookies. Where one ends with '-', all that begin so. */
static const char *const framing[] = {"host",   "content-", "transfer-encoding", "connection", "keep-alive",
                                      "te",     "trailer",  "upgrade",           "expect",     "cookie",
                                      "proxy-", NULL};

/* Those of SSOPassToken. */
static const char *const tokens[] = {"authorization", "x-sso-id-token", NULL};

/* Further ones whose meaning is the client's or a proxy's. */
static const char *const meaningful[] = {
    "accept",           "accept-",           "range",           "if-",  "cache-control", "pragma",
    "user-agent",       "referer",           "origin",          "via",  "forwarded",     "x-forwarded-host",
    "x-forwarded-port", "x-forwarded-proto", "x-forwarded-for", "date", "sec-",          NULL};

/* Variables of httpd, CGI, loaders and interpreters. Where one ends with '_', all that begin so. */
static const char *const reserved[] = {"HTTP_",
                                       "REMOTE_",
                                       "SERVER_",
                                       "SCRIPT_",
                                       "REQUEST_",
                                       "CONTENT_",
                                       "DOCUMENT_",
                                       "CONTEXT_",
                                       "REDIRECT_",
                                       "SSL_",
                                       "LD_",
                                       "PHP_",
                                       "GIT_",
                                       "PATH",
                                       "PATH_",
                                       "AUTH_TYPE",
                                       "QUERY_STRING",
                                       "GATEWAY_INTERFACE",
                                       "HTTPS",
                                       "UNIQUE_ID",
                                       "HOME",
                                       "SHELL",
                                       "IFS",
                                       "ENV",
                                       "BASH_ENV",
                                       "SHELLOPTS",
                                       "PS4",
                                       "TZ",
                                       "PYTHONPATH",
                                       "PYTHONHOME",
                                       "PYTHONSTARTUP",
                                       "PERL5LIB",
                                       "PERL5OPT",
                                       "PERLLIB",
                                       "PERL5DB",
                                       "RUBYLIB",
                                       "RUBYOPT",
                                       "NODE_OPTIONS",
                                       "NODE_PATH",
                                       "CLASSPATH",
                                       "JAVA_TOOL_OPTIONS",
                                       "TMPDIR",
                                       "LOCPATH",
                                       "NLSPATH",
                                       "NOKEEPALIVE",
                                       "SSO_ACCESS_TOKEN",
                                       "SSO_ID_TOKEN",
                                       "SSO_REASON",
                                       "SSO_INCIDENT",
                                       NULL};

/* clang-format off */
const char kindnames_folded[257] =
    "----------------" "----------------" "----------------" "0123456789------"
    "-abcdefghijklmno" "pqrstuvwxyz-----" "-abcdefghijklmno" "pqrstuvwxyz-----"
    "----------------" "----------------" "----------------" "----------------"
    "----------------" "----------------" "----------------" "----------------";
/* clang-format on */

char kindnames_fold(char byte)
{
    return kindnames_folded[(unsigned char)byte];
}

bool kindnames_same_header(const char *one, const char *other)
{
    for (; *one != '\0' && *other != '\0'; one++, other++)
        if (kindnames_fold(*one) != kindnames_fold(*other))
            return false;
    return *one == *other;
}

bool kindnames_same_variable(const char *one, const char *other)
{
    return text_equal_nocase(text_of(one), text_of(other));
}

static char fold_variable(char byte)
{
    char folded = kindnames_fold(byte);
    return folded == '-' ? '_' : folded;
}

static bool begins(text_t name, const char *with)
{
    for (size_t i = 0; with[i] != '\0'; i++)
        if (i == name.len || fold_variable(name.at[i]) != fold_variable(with[i]))
            return false;
    return true;
}

/* Is the name in the list, or does it begin with an entry that stands for all that do? */
static bool is_listed(text_t name, const char *const *list)
{
    for (; *list != NULL; list++) {
        size_t len = strlen(*list);
        bool open = (*list)[len - 1] == '-' || (*list)[len - 1] == '_';
        if (begins(name, *list) && (open || name.len == len))
            return true;
    }
    return false;
}

/* The first entry that the prefix begins, or that begins the prefix; NULL: none. */
static const char *meets(text_t prefix, const char *const *list)
{
    for (; *list != NULL; list++) {
        size_t len = strlen(*list);
        bool open = (*list)[len - 1] == '-' || (*list)[len - 1] == '_';
        text_t entry = {*list, len < prefix.len ? len : prefix.len};
        text_t head = {prefix.at, entry.len};
        bool same = true;
        for (size_t i = 0; i < entry.len; i++)
            same = same && fold_variable(head.at[i]) == fold_variable(entry.at[i]);
        if (same && (open || prefix.len <= len))
            return *list;
    }
    return NULL;
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Letters, digits and the two other bytes. */
static bool is_name(text_t name, const char *others)
{
    for (size_t i = 0; i < name.len; i++)
        if (kindnames_fold(name.at[i]) == '-' && (name.at[i] == '\0' || strchr(others, name.at[i]) == NULL))
            return false;
    return name.len > 0 && name.len <= NAME_MAX_LEN;
}

static const char *check_header(const kind_input *input, text_t name, bool sets)
{
    const char *shown = kindinput_shown(input, name);
    if (!is_name(name, "-_"))
        return kindinput_wrong(
            input, "'%s' is not a header name; write letters, digits, - and _, such as X-User", shown);
    if (is_listed(name, framing))
        return kindinput_wrong(
            input, "'%s' is a header that httpd itself needs; choose another name, such as X-User", shown);
    if (sets && is_listed(name, tokens))
        return kindinput_wrong(input, "'%s' belongs to SSOPassToken; use that, or choose another name",
                               shown);
    if (sets && is_listed(name, meaningful))
        return kindinput_wrong(
            input,
            "'%s' has a meaning of its own for applications and proxies; choose another name, such as X-User",
            shown);
    return NULL;
}

static const char *check_variable(const kind_input *input, text_t name)
{
    const char *shown = kindinput_shown(input, name);
    if (!is_name(name, "_") || (!is_letter(name.at[0]) && name.at[0] != '_'))
        return kindinput_wrong(
            input, "'%s' is not a variable's name; write letters, digits and _, such as APP_USER", shown);
    if (is_listed(name, reserved))
        return kindinput_wrong(
            input,
            "'%s' has a meaning of its own for httpd or programs; choose another name, such as APP_USER",
            shown);
    return NULL;
}

static const char *check_claim(const kind_input *input, text_t claim)
{
    if (claim.len > 0 && claim.len <= CLAIM_MAX_LEN && !text_has_control(claim) && text_is_utf8(claim))
        return NULL;
    return kindinput_wrong(input,
                           "'%s' is not the name of a claim; write one such as email, or realm_access.roles",
                           kindinput_shown(input, claim));
}

const char *kindnames_prefix(const kind_input *input, void *field)
{
    text_t value = {NULL, 0};
    const char *wrong = kindinput_one(input, &value);
    if (wrong != NULL)
        return wrong;
    const char *shown = kindinput_shown(input, value);
    if (value.len < 3 || !is_name(value, "-_") || !is_letter(value.at[0]))
        return kindinput_wrong(
            input,
            "'%s' is not a prefix; write a letter and at least two more letters, digits, - or _, such as "
            "SSO_CLAIM_",
            shown);
    const char *const *const lists[] = {framing, tokens, meaningful, reserved};
    const char *met = NULL;
    for (size_t i = 0; met == NULL && i < sizeof(lists) / sizeof(lists[0]); i++)
        met = meets(value, lists[i]);
    if (met != NULL)
        return kindinput_wrong(
            input,
            "'%s' would take in '%s', which has a meaning of its own; write another one, such as SSO_CLAIM_",
            shown, met);
    *(kind_prefix *)field = kindinput_keep(input, value);
    return NULL;
}

static bool read_encoding(text_t word, header_encoding *encoding)
{
    static const char *const words[] = {"utf8", "url", "base64", "rfc8187", "json"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!text_equal_nocase(word, text_of(words[i])))
            continue;
        *encoding = (header_encoding)i;
        return true;
    }
    return false;
}

/* Appends the row unless its name is there already or the list is full. */
static const char *add_row(const kind_input *input, apr_array_header_t **list, claim_row row, bool header)
{
    text_t name = text_of(row.name);
    if (*list == NULL)
        *list = apr_array_make(input->pool, 4, sizeof(claim_row));
    for (int i = 0; i < (*list)->nelts; i++) {
        const char *other = APR_ARRAY_IDX(*list, i, claim_row).name;
        if (header ? kindnames_same_header(row.name, other) : kindnames_same_variable(row.name, other))
            return kindinput_wrong(
                input, "'%s' is the same as '%s' to applications, which is there already; keep one of them",
                kindinput_shown(input, name), kindinput_shown(input, text_of(other)));
    }
    if ((*list)->nelts == INJECT_ROWS_MAX)
        return kindinput_wrong(
            input, "'%s' is one too many, %d rows are the limit of a place; take some out, or use SSOClaims",
            kindinput_shown(input, name), INJECT_ROWS_MAX);
    APR_ARRAY_PUSH(*list, claim_row) = row;
    return NULL;
}

const char *kindnames_headers(const kind_input *input, void *field)
{
    header_encoding encoding = HEADER_UTF8;
    if (input->count < 2 || input->count > 3)
        return "there must be two or three values; write NAME CLAIM [utf8|url|base64|rfc8187|json]";
    text_t name = text_of(input->words[0]), claim = text_of(input->words[1]);
    const char *wrong = check_header(input, name, true);
    if (wrong == NULL)
        wrong = check_claim(input, claim);
    if (wrong == NULL && input->count == 3 && !read_encoding(text_of(input->words[2]), &encoding))
        wrong =
            kindinput_wrong(input, "'%s' is not an encoding; write one of utf8, url, base64, rfc8187, json",
                            kindinput_shown(input, text_of(input->words[2])));
    if (wrong != NULL)
        return wrong;
    claim_row row = {kindinput_keep(input, name), kindinput_keep(input, claim), encoding};
    return add_row(input, field, row, true);
}

const char *kindnames_variables(const kind_input *input, void *field)
{
    if (input->count != 2)
        return "there must be two values; write NAME CLAIM";
    text_t name = text_of(input->words[0]), claim = text_of(input->words[1]);
    const char *wrong = check_variable(input, name);
    if (wrong == NULL)
        wrong = check_claim(input, claim);
    if (wrong != NULL)
        return wrong;
    claim_row row = {kindinput_keep(input, name), kindinput_keep(input, claim), HEADER_UTF8};
    return add_row(input, field, row, false);
}

const char *kindnames_names(const kind_input *input, void *field)
{
    apr_array_header_t **list = field;
    kindinput_walk walk = {0};
    if (*list == NULL)
        *list = apr_array_make(input->pool, 4, sizeof(const char *));
    int before = (*list)->nelts;
    while (kindinput_next(input, '\0', &walk)) {
        const char *wrong = check_header(input, walk.word, false);
        if (wrong != NULL)
            return wrong;
        APR_ARRAY_PUSH(*list, const char *) = kindinput_keep(input, walk.word);
    }
    return (*list)->nelts > before ? NULL : "there is no value; write the names of headers";
}

const char *kindnames_user(const kind_input *input, void *field)
{
    if (input->count != 1 && input->count != 3)
        return "there must be one value or three; write CLAIM, or CLAIM REGEX SUBSTITUTION such as email "
               "^(.*)@ $1";
    const char *wrong = check_claim(input, text_of(input->words[0]));
    if (wrong == NULL && input->count == 3 && (input->words[1][0] == '\0' || input->words[2][0] == '\0'))
        wrong = "the expression or the substitution is empty; write both, such as ^(.*)@ $1";
    if (wrong != NULL)
        return wrong;
    kind_user user = {kindinput_keep(input, text_of(input->words[0])), NULL, NULL};
    if (input->count == 3) {
        user.expression = kindinput_keep(input, text_of(input->words[1]));
        user.substitution = kindinput_keep(input, text_of(input->words[2]));
    }
    *(kind_user *)field = user;
    return NULL;
}
