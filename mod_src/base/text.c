/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Slices. Lengths travel beside the bytes, so nothing here looks for a terminator and nothing copies unless
 * it says so. The C library's ctype and strcasecmp are not used: they obey the locale, and protocol bytes
 * must not. */

#include "base/text.h"

#include <stdio.h>
#include <string.h>

text_t text_of(const char *string)
{
    return (text_t){string, string == NULL ? 0 : strlen(string)};
}

text_t text_copy(apr_pool_t *pool, text_t text)
{
    char *copy = apr_palloc(pool, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return (text_t){copy, text.len};
}

const char *text_string(apr_pool_t *pool, text_t text)
{
    return text_find(text, '\0') < text.len ? NULL : text_copy(pool, text).at;
}

text_t text_join(apr_pool_t *pool, const text_t *parts)
{
    size_t len = 0;
    for (const text_t *part = parts; part->at != NULL; part++)
        len += part->len;
    char *whole = apr_palloc(pool, len + 1);
    char *end = whole;
    for (const text_t *part = parts; part->at != NULL; part++) {
        memcpy(end, part->at, part->len);
        end += part->len;
    }
    *end = '\0';
    return (text_t){whole, len};
}

text_t text_vformat(apr_pool_t *pool, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return text_copy(pool, TEXT(""));
    char *room = apr_pcalloc(pool, (size_t)len + 1);
    vsnprintf(room, (size_t)len + 1, format, arguments);
    return (text_t){room, (size_t)len};
}

text_t text_format(apr_pool_t *pool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_t text = text_vformat(pool, format, arguments);
    va_end(arguments);
    return text;
}

bool text_equal(text_t one, text_t other)
{
    return one.len == other.len && (one.len == 0 || memcmp(one.at, other.at, one.len) == 0);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool text_equal_nocase(text_t one, text_t other)
{
    if (one.len != other.len)
        return false;
    for (size_t i = 0; i < one.len; i++)
        if (lower(one.at[i]) != lower(other.at[i]))
            return false;
    return true;
}

bool text_equal_secret(text_t one, text_t other)
{
    if (one.len != other.len)
        return false;
    /* volatile: without it the compiler may leave the loop at the first difference */
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < one.len; i++)
        difference = (unsigned char)(difference | (unsigned char)(one.at[i] ^ other.at[i]));
    return difference == 0;
}

int text_order(text_t one, text_t other)
{
    size_t common = one.len < other.len ? one.len : other.len;
    int order = common == 0 ? 0 : memcmp(one.at, other.at, common);
    if (order != 0)
        return order;
    return (one.len > other.len) - (one.len < other.len);
}

bool text_starts(text_t text, text_t prefix)
{
    return text.len >= prefix.len && text_equal((text_t){text.at, prefix.len}, prefix);
}

bool text_ends(text_t text, text_t suffix)
{
    return text.len >= suffix.len && text_equal(text_from(text, text.len - suffix.len), suffix);
}

size_t text_find(text_t text, char byte)
{
    const char *found = text.len == 0 ? NULL : memchr(text.at, byte, text.len);
    return found == NULL ? text.len : (size_t)(found - text.at);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

text_t text_trim(text_t text)
{
    while (text.len > 0 && is_blank(text.at[0]))
        text = text_from(text, 1);
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

text_t text_from(text_t text, size_t offset)
{
    if (text.at == NULL)
        return text;
    if (offset > text.len)
        offset = text.len;
    return (text_t){text.at + offset, text.len - offset};
}

bool text_cut(text_t *rest, char separator, text_t *part)
{
    *part = *rest;
    if (rest->at == NULL)
        return false;
    part->len = text_find(*rest, separator);
    *rest = part->len == rest->len ? (text_t){NULL, 0} : text_from(*rest, part->len + 1);
    return true;
}

static bool all_between(text_t text, char lowest, char highest)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < lowest || text.at[i] > highest)
            return false;
    return true;
}

bool text_is_printable(text_t text)
{
    return all_between(text, 0x20, 0x7e);
}

bool text_is_token(text_t text)
{
    return text.len > 0 && all_between(text, 0x21, 0x7e);
}

bool text_has_control(text_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
    }
    return false;
}

/* Table 3-7 of the Unicode standard: after some lead bytes the range of the second byte is narrower. */
static bool second_fits(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

size_t text_utf8_head(text_t text)
{
    if (text.len == 0)
        return 0;
    unsigned char lead = (unsigned char)text.at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (text.len < len || !second_fits(lead, (unsigned char)text.at[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (((unsigned char)text.at[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool text_is_utf8(text_t text)
{
    while (text.len > 0) {
        size_t len = text_utf8_head(text);
        if (len == 0)
            return false;
        text = text_from(text, len);
    }
    return true;
}

bool text_number(text_t text, int64_t ceiling, int64_t *number)
{
    if (text.len == 0 || ceiling < 0 || (text.len > 1 && text.at[0] == '0'))
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        int64_t digit = text.at[i] - '0';
        if (value > ceiling / 10 || value * 10 > ceiling - digit)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

static bool stays_in_log(char byte)
{
    return byte >= 0x20 && byte <= 0x7e && byte != '"' && byte != '\'' && byte != '\\';
}

const char *text_loggable(apr_pool_t *pool, text_t text, size_t ceiling)
{
    static const char digits[] = "0123456789abcdef";
    size_t room = text.len > ceiling / 4 ? ceiling : text.len * 4;
    char *line = apr_palloc(pool, room + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        size_t need = stays_in_log(text.at[i]) ? 1 : 4;
        if (need > room - len) /* half an escape would read as something else */
            break;
        if (need == 1) {
            line[len] = text.at[i];
        } else {
            memcpy(line + len, "\\x", 2);
            line[len + 2] = digits[byte >> 4];
            line[len + 3] = digits[byte & 0x0f];
        }
        len += need;
    }
    line[len] = '\0';
    return line;
}
