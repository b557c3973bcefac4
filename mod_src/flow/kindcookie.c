/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The session cookie's line. Words are told apart by what they are, so that nobody has to know an order; a
 * word that is there twice is refused, since one of the two would be dropped in silence. Secure and HttpOnly
 * cannot be written: they are always set. */

#include "flow/kindcookie.h"

#include <string.h>

#include "flow/kindinput.h"

#define NAME_LEN_MAX ((size_t)64)
#define PATH_LEN_MAX ((size_t)200)

static const char *const sites[] = {"Lax", "Strict", "None"};

/* The value as a word of `sites`, or NULL. */
static const char *site_of(text_t value)
{
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
        if (text_equal_nocase(value, text_of(sites[i])))
            return sites[i];
    return NULL;
}

static const char *twice(const kind_input *input, const char *what)
{
    return kindinput_wrong(input, "there are two %s; keep one", what);
}

static const char *set_site(const kind_input *input, text_t value, kind_cookie *cookie)
{
    if (cookie->same_site != NULL)
        return twice(input, "SameSite values");
    cookie->same_site = site_of(value);
    if (cookie->same_site == NULL)
        return kindinput_wrong(input, "'%s' is not a SameSite value; write one of Lax, Strict, None",
                               kindinput_shown(input, value));
    return NULL;
}

/* A registrable name has a dot, and its last label begins with a letter; what else a host name is, url_read
 * knows. */
static bool is_domain(const kind_input *input, text_t value)
{
    url_t url;
    const text_t parts[] = {TEXT("https://"), value, {NULL, 0}};
    size_t last = 0;
    for (size_t i = 0; i < value.len; i++)
        last = value.at[i] == '.' ? i + 1 : last;
    if (value.len == 0 || last == 0 || last == value.len ||
        !url_read(input->pool, text_join(input->pool, parts), &url))
        return false;
    return url.host.len == value.len && (value.at[last] < '0' || value.at[last] > '9');
}

static const char *set_domain(const kind_input *input, text_t value, kind_cookie *cookie)
{
    text_t domain = text_starts(value, TEXT(".")) ? text_from(value, 1) : value;
    if (cookie->domain != NULL)
        return twice(input, "values of Domain=");
    if (!is_domain(input, domain))
        return kindinput_wrong(
            input, "'%s' is not a domain that browsers accept; write one such as Domain=example.com",
            kindinput_shown(input, value));
    cookie->domain = kindinput_keep(input, domain);
    return NULL;
}

static const char *set_path(const kind_input *input, text_t value, kind_cookie *cookie)
{
    if (cookie->path != NULL)
        return twice(input, "values of Path=");
    if (value.len > PATH_LEN_MAX || !url_is_local(value) || text_find(value, ';') < value.len ||
        text_find(value, '?') < value.len)
        return kindinput_wrong(input, "'%s' is not a cookie's path; write one such as Path=/app",
                               kindinput_shown(input, value));
    cookie->path = kindinput_keep(input, value);
    return NULL;
}

/* RFC 9110 section 5.6.2, without `$`, which once began attributes. */
static bool is_cookie_name(text_t name)
{
    for (size_t i = 0; i < name.len; i++)
        if (strchr("\"(),/:;<=>?@[\\]{}$", name.at[i]) != NULL)
            return false;
    return text_is_token(name) && name.len <= NAME_LEN_MAX;
}

static const char *set_name(const kind_input *input, text_t value, kind_cookie *cookie)
{
    const char *shown = kindinput_shown(input, value);
    if (text_equal_nocase(value, TEXT("Secure")) || text_equal_nocase(value, TEXT("HttpOnly")))
        return kindinput_wrong(
            input,
            "'%s' cannot be chosen, the cookie is always HttpOnly, and Secure on https; take the word out",
            shown);
    if (!is_cookie_name(value))
        return kindinput_wrong(
            input,
            "'%s' is not a cookie's name; write a name, Lax, Strict, None, Domain=, Path= or persistent",
            shown);
    if (cookie->name != NULL)
        return twice(input, "names");
    cookie->name = kindinput_keep(input, value);
    return NULL;
}

static const char *set_attribute(const kind_input *input, text_t word, kind_cookie *cookie)
{
    text_t value = word, name;
    (void)text_cut(&value, '=', &name);
    if (text_equal_nocase(name, TEXT("SameSite")))
        return set_site(input, value, cookie);
    if (text_equal_nocase(name, TEXT("Domain")))
        return set_domain(input, value, cookie);
    if (text_equal_nocase(name, TEXT("Path")))
        return set_path(input, value, cookie);
    return kindinput_wrong(input, "'%s' is not known here; there are SameSite=, Domain= and Path=",
                           kindinput_shown(input, name));
}

static const char *set_word(const kind_input *input, text_t word, kind_cookie *cookie)
{
    if (text_find(word, '=') < word.len)
        return set_attribute(input, word, cookie);
    if (site_of(word) != NULL)
        return set_site(input, word, cookie);
    if (!text_equal_nocase(word, TEXT("persistent")))
        return set_name(input, word, cookie);
    if (cookie->persistent)
        return twice(input, "words persistent");
    cookie->persistent = true;
    return NULL;
}

/* Browsers compare the prefix without case. */
static bool is_host_only(const char *name)
{
    text_t text = text_of(name);
    return text.len >= strlen("__Host-") &&
           text_equal_nocase((text_t){text.at, strlen("__Host-")}, TEXT("__Host-"));
}

const char *kindcookie_cookie(const kind_input *input, void *field)
{
    kind_cookie cookie = {0};
    kindinput_walk walk = {0};
    const char *wrong = NULL;
    while (wrong == NULL && kindinput_next(input, '\0', &walk))
        wrong = set_word(input, walk.word, &cookie);
    if (wrong != NULL)
        return wrong;
    if (walk.word.len == 0)
        return "there is no value; write a name, Lax, Strict, None, Domain=, Path= or persistent";
    if (cookie.name != NULL && is_host_only(cookie.name) &&
        (cookie.domain != NULL || (cookie.path != NULL && strcmp(cookie.path, "/") != 0)))
        return kindinput_wrong(
            input, "'%s' cannot have a domain or another path than /; take them out, or choose another name",
            kindinput_shown(input, text_of(cookie.name)));
    cookie.same_site = cookie.same_site == NULL ? "Lax" : cookie.same_site;
    cookie.path = cookie.path == NULL ? "/" : cookie.path;
    *(kind_cookie *)field = cookie;
    return NULL;
}
