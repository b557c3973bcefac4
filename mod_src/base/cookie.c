/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Cookies. The reader follows what user agents send (RFC 6265 section 5.4), not the older grammars with
 * quotes and attributes that libraries still honour: where the two disagree, a neighbour's cookie could be
 * taken for ours. */

#include "base/cookie.h"

#include <inttypes.h>
#include <string.h>

/* The name and value of one pair; false when it has no '='. */
static bool split_pair(text_t pair, text_t *name, text_t *value)
{
    size_t equals = text_find(pair, '=');
    if (equals == pair.len)
        return false;
    *name = text_trim((text_t){pair.at, equals});
    *value = text_trim(text_from(pair, equals + 1));
    return true;
}

bool cookie_next(text_t *rest, text_t *name, text_t *value)
{
    text_t pair;
    while (text_cut(rest, ';', &pair))
        if (split_pair(pair, name, value))
            return true;
    return false;
}

cookie_rc cookie_find(text_t header, text_t name, text_t *value)
{
    text_t found = {NULL, 0};
    text_t other_name;
    text_t other_value;
    *value = found;
    for (int pairs = 0; pairs < COOKIE_PAIRS_MAX && cookie_next(&header, &other_name, &other_value);
         pairs++) {
        if (!text_equal(other_name, name))
            continue;
        if (found.at != NULL)
            return COOKIE_TWICE;
        found = other_value;
    }
    *value = found;
    return found.at == NULL ? COOKIE_ABSENT : COOKIE_FOUND;
}

static bool is_removed(text_t pair, text_t name, text_t prefix)
{
    text_t pair_name;
    text_t pair_value;
    if (!split_pair(pair, &pair_name, &pair_value))
        return false;
    return text_equal(pair_name, name) || (prefix.len > 0 && text_starts(pair_name, prefix));
}

static text_t trim_left(text_t text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = text_from(text, 1);
    return text;
}

text_t cookie_without(apr_pool_t *pool, text_t header, text_t name, text_t prefix)
{
    char *kept = apr_palloc(pool, header.len + 1);
    size_t len = 0;
    bool first = true;
    bool removed = false;
    bool blank = true;
    text_t rest = header;
    text_t pair;
    while (text_cut(&rest, ';', &pair)) {
        if (is_removed(pair, name, prefix)) {
            removed = true;
            continue;
        }
        if (!first)
            kept[len++] = ';';
        else if (removed) /* the blank belonged to what was removed before it */
            pair = trim_left(pair);
        if (pair.len > 0)
            memcpy(kept + len, pair.at, pair.len);
        len += pair.len;
        first = false;
        blank = blank && text_trim(pair).len == 0;
    }
    if (!removed)
        return header;
    return blank ? TEXT("") : (text_t){kept, len};
}

const char *cookie_line(apr_pool_t *pool, const char *name, text_t value, int64_t max_age,
                        const cookie_rules *rules)
{
    text_t age = {"", 0};
    if (max_age >= 0)
        age = text_format(pool, "; Max-Age=%" PRId64, max_age);
    text_t line = text_join(pool, (const text_t[]){text_of(name),
                                                   TEXT("="),
                                                   {value.len > 0 ? value.at : "", value.len},
                                                   TEXT("; Path="),
                                                   text_of(rules->path),
                                                   rules->domain != NULL ? TEXT("; Domain=") : TEXT(""),
                                                   text_of(rules->domain != NULL ? rules->domain : ""),
                                                   age,
                                                   rules->secure ? TEXT("; Secure") : TEXT(""),
                                                   TEXT("; HttpOnly; SameSite="),
                                                   text_of(rules->same_site),
                                                   {NULL, 0}});
    return line.at;
}
