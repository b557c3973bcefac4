/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The module's pages. A template is cut at its placeholders and glued together again, each value escaped on
 * its way in; a template language with conditions was rejected, because a page that has nothing to show for a
 * placeholder can hide its surroundings with :empty. No script, no picture, no font from elsewhere: the
 * Content-Security-Policy allows the template's own styles by their hash and nothing else. */

#include "flow/page.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "base/codec.h"
#include "jose/digest.h"

#define SHOWN_MAX ((size_t)40) /* bytes of a placeholder that a sentence repeats */

static const char built_in[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "{{refresh}}<title>{{title}}</title>\n"
    "<style>\n"
    ":root { --back: #eef1f5; --card: #ffffff; --text: #1b2430; --small: #56616f; --line: #d5dbe3; --act: "
    "#1257b8; --on: #ffffff }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --back: #12161c; --card: #1c222b; --text: #e8ecf1; --small: #a3adba; --line: #343d4a; --act: "
    "#8ab8ff; --on: #0c1420 }\n"
    "}\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: "
    "var(--back);\n"
    "  color: var(--text); font: 1rem/1.5 system-ui, sans-serif }\n"
    "main { width: 100%; max-width: 32rem; padding: 2.5rem; background: var(--card); border: 1px solid "
    "var(--line);\n"
    "  border-radius: .75rem }\n"
    "h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere }\n"
    "p { margin: 0; overflow-wrap: anywhere }\n"
    ".action { margin-top: 1.75rem }\n"
    ".action a { display: inline-block; padding: .625rem 1.25rem; border-radius: .5rem; background: "
    "var(--act); color: var(--on);\n"
    "  font-weight: 600; text-decoration: none }\n"
    ".action a:hover { text-decoration: underline }\n"
    ".action a:focus-visible { outline: 3px solid var(--text); outline-offset: 3px }\n"
    ".small { margin-top: 1.75rem; font-size: .875rem; color: var(--small) }\n"
    ".small code { font-family: ui-monospace, monospace; user-select: all }\n"
    ".small:empty { display: none }\n"
    ".action:empty { display: none }\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<main>\n"
    "<h1>{{title}}</h1>\n"
    "<p>{{sentence}}</p>\n"
    "<p class=\"action\">{{link}}</p>\n"
    "<p class=\"small\">{{reason}}</p>\n"
    "</main>\n"
    "</body>\n"
    "</html>\n";

typedef enum {
    HOLDER_TITLE,
    HOLDER_SENTENCE,
    HOLDER_LINK,
    HOLDER_REASON,
    HOLDER_INCIDENT,
    HOLDER_REFRESH,
    HOLDER_UNKNOWN
} holder;

static const char *const holders[] = {"{{title}}",  "{{sentence}}", "{{link}}",
                                      "{{reason}}", "{{incident}}", "{{refresh}}"};

#define NEEDED 3 /* of them, the first ones, must be there */

text_t page_template(void)
{
    return TEXT(built_in);
}

/* Where the needle, in lower case, stands in the text without regard to case; the length when it does not. */
static size_t find(text_t text, text_t needle)
{
    for (size_t i = 0; i + needle.len <= text.len; i++)
        if (text_equal_nocase((text_t){text.at + i, needle.len}, needle))
            return i;
    return text.len;
}

/* Cuts the text at the next "{{...}}": *before, the placeholder with its braces, and what follows stays in
 * *rest. False at the end, where *before is all that was left. */
static bool next_holder(text_t *rest, text_t *before, text_t *found)
{
    size_t start = find(*rest, TEXT("{{"));
    text_t inside = text_from(*rest, start);
    size_t len = find(inside, TEXT("}}"));
    *before = (text_t){rest->at, start};
    if (start == rest->len)
        return false;
    *found = (text_t){inside.at, len == inside.len ? len : len + 2};
    *rest = text_from(inside, found->len);
    return true;
}

static holder which(text_t found)
{
    int which = 0;
    while (which < HOLDER_UNKNOWN && !text_equal(found, text_of(holders[which])))
        which++;
    return (holder)which;
}

/* Cuts at the next style element: *style is what stands between its tags. False where there is none; *broken
 * where it has no end. */
static bool next_style(text_t *rest, text_t *style, bool *broken)
{
    size_t start = find(*rest, TEXT("<style"));
    if (start == rest->len)
        return false;
    text_t tag = text_from(*rest, start);
    text_t inside = text_from(tag, text_find(tag, '>') + 1);
    size_t len = find(inside, TEXT("</style"));
    *broken = len == inside.len;
    *style = (text_t){inside.at, len};
    *rest = text_from(inside, len);
    return true;
}

static const char *check_styles(text_t source)
{
    text_t style;
    bool broken = false;
    while (next_style(&source, &style, &broken)) {
        if (broken)
            return "page.html has a style element without an end; write </style> behind it";
        if (find(style, TEXT("{{")) < style.len)
            return "page.html has a placeholder within a style element; take it out, styles are allowed by "
                   "their hash";
    }
    return NULL;
}

static const char *check_holders(apr_pool_t *pool, text_t source)
{
    bool seen[HOLDER_UNKNOWN] = {false};
    text_t before, found;
    while (next_holder(&source, &before, &found)) {
        holder one = which(found);
        if (one == HOLDER_UNKNOWN)
            return apr_pstrcat(
                pool, "page.html has the unknown placeholder '", text_loggable(pool, found, SHOWN_MAX),
                "'; there are {{title}}, {{sentence}}, {{link}}, {{reason}}, {{incident}}, {{refresh}}",
                NULL);
        seen[one] = true;
    }
    for (int i = 0; i < NEEDED; i++)
        if (!seen[i])
            return apr_pstrcat(pool, "page.html has no ", holders[i], "; put it where it belongs", NULL);
    return NULL;
}

const char *page_check(apr_pool_t *pool, text_t source)
{
    if (!text_is_utf8(source) || text_find(source, '\0') < source.len)
        return "page.html is not UTF-8 text; save it as UTF-8";
    if (find(source, TEXT("<script")) < source.len)
        return "page.html has a script; take it out, browsers would not run it";
    const char *wrong = check_styles(source);
    return wrong != NULL ? wrong : check_holders(pool, source);
}

/* base64 as Content-Security-Policy has it, from digest_s256's base64url: 43 characters and one '='. */
static const char *hash_source(apr_pool_t *pool, text_t style)
{
    text_t hash = digest_s256(pool, style);
    if (hash.at == NULL)
        return NULL;
    char *standard = apr_pstrmemdup(pool, hash.at, hash.len);
    for (char *at = standard; *at != '\0'; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    return apr_pstrcat(pool, " 'sha256-", standard, "='", NULL);
}

const char *page_policy(apr_pool_t *pool, text_t source)
{
    const char *sources = "";
    text_t style;
    bool broken = false;
    while (next_style(&source, &style, &broken)) {
        const char *hash = hash_source(pool, style);
        if (hash == NULL)
            return NULL;
        sources = apr_pstrcat(pool, sources, hash, NULL);
    }
    return apr_pstrcat(pool, "default-src 'none'; style-src", *sources == '\0' ? " 'none'" : sources,
                       "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", NULL);
}

static text_t escaped(apr_pool_t *pool, const char *string)
{
    return codec_html(pool, text_of(string));
}

/* Reason code and incident id, as far as they are there. */
static text_t small_print(apr_pool_t *pool, const page_t *page)
{
    text_t reason = escaped(pool, page->reason), incident = escaped(pool, page->incident);
    if (reason.len == 0 && incident.len == 0)
        return TEXT("");
    if (incident.len == 0)
        return text_format(pool, "Reason <code>%s</code>", reason.at);
    if (reason.len == 0)
        return text_format(pool, "Incident <code>%s</code>", incident.at);
    return text_format(pool, "Reason <code>%s</code>, incident <code>%s</code>", reason.at, incident.at);
}

/* What stands where the placeholder was. */
static text_t value_of(apr_pool_t *pool, const page_t *page, holder one)
{
    switch (one) {
    case HOLDER_TITLE:
        return escaped(pool, page->title);
    case HOLDER_SENTENCE:
        return escaped(pool, page->sentence);
    case HOLDER_REASON:
        return small_print(pool, page);
    case HOLDER_INCIDENT:
        return escaped(pool, page->incident);
    case HOLDER_LINK:
        if (page->link.len == 0)
            break;
        return text_format(pool, "<a href=\"%s\">%s</a>", codec_html(pool, page->link).at,
                           escaped(pool, page->link_text).at);
    case HOLDER_REFRESH:
        if (page->link.len == 0 || !page->at_once)
            break;
        return text_format(pool, "<meta http-equiv=\"refresh\" content=\"0;url=%s\">\n",
                           codec_html(pool, page->link).at);
    case HOLDER_UNKNOWN:
        break;
    }
    return TEXT("");
}

static void add(apr_array_header_t *parts, text_t part)
{
    if (part.len > 0)
        APR_ARRAY_PUSH(parts, text_t) = part;
}

text_t page_make(apr_pool_t *pool, text_t source, const page_t *page)
{
    apr_array_header_t *parts = apr_array_make(pool, 24, sizeof(text_t));
    text_t before, found;
    while (next_holder(&source, &before, &found)) {
        add(parts, before);
        add(parts, value_of(pool, page, which(found)));
    }
    add(parts, before);
    APR_ARRAY_PUSH(parts, text_t) = (text_t){NULL, 0};
    return text_join(pool, (const text_t *)parts->elts);
}
