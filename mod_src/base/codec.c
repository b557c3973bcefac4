/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Encodings. Written here rather than taken from APR or OpenSSL: their decoders skip foreign bytes, accept
 * missing padding or ignore leftover bits, so that one token has many spellings. Encoders count first or take
 * the worst case, then write once. */

#include "base/codec.h"

#include <string.h>

#include "base/secret.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char alphabet_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char alphabet_plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned byte_at(text_t text, size_t i)
{
    return i < text.len ? (unsigned char)text.at[i] : 0;
}

static text_t base64(apr_pool_t *pool, text_t bytes, const char *alphabet, bool padded)
{
    char *room = apr_palloc(pool, (bytes.len + 2) / 3 * 4 + 1);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        size_t left = bytes.len - i;
        size_t letters = left >= 3 ? 4 : left + 1;
        for (size_t k = 0; k < letters; k++)
            room[len++] = alphabet[group >> (18 - 6 * k) & 0x3f];
        for (size_t k = letters; padded && k < 4; k++)
            room[len++] = '=';
    }
    room[len] = '\0';
    return (text_t){room, len};
}

text_t codec_base64url(apr_pool_t *pool, text_t bytes)
{
    return base64(pool, bytes, alphabet_url, false);
}

text_t codec_base64(apr_pool_t *pool, text_t bytes)
{
    return base64(pool, bytes, alphabet_plain, true);
}

/* The six bits of a letter, or -1. */
static int base64url_bits(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '-' ? 62 : letter == '_' ? 63 : -1;
}

bool codec_unbase64url(apr_pool_t *pool, text_t text, text_t *bytes)
{
    if (text.len % 4 == 1)
        return false;
    unsigned char *room = secret_room(pool, text.len / 4 * 3 + 2);
    size_t len = 0;
    unsigned pending = 0;
    unsigned pending_bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int bits = base64url_bits(text.at[i]);
        if (bits < 0)
            return false;
        pending = (pending << 6 | (unsigned)bits) & 0xfff;
        pending_bits += 6;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            room[len++] = (unsigned char)(pending >> pending_bits & 0xff);
        }
    }
    if ((pending & ((1U << pending_bits) - 1)) != 0)
        return false;
    *bytes = (text_t){(const char *)room, len};
    return true;
}

text_t codec_hex(apr_pool_t *pool, text_t bytes)
{
    char *room = apr_palloc(pool, bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        room[2 * i] = hex_lower[byte_at(bytes, i) >> 4];
        room[2 * i + 1] = hex_lower[byte_at(bytes, i) & 0x0f];
    }
    room[bytes.len * 2] = '\0';
    return (text_t){room, bytes.len * 2};
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The byte that the two digits at `i` stand for, or -1. */
static int hex_pair(text_t text, size_t i)
{
    if (text.len < 2 || i > text.len - 2)
        return -1;
    int high = hex_value(text.at[i]);
    int low = hex_value(text.at[i + 1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool codec_unhex(apr_pool_t *pool, text_t text, text_t *bytes)
{
    if (text.len % 2 != 0)
        return false;
    unsigned char *room = secret_room(pool, text.len / 2);
    for (size_t i = 0; i < text.len; i += 2) {
        int byte = hex_pair(text, i);
        if (byte < 0)
            return false;
        room[i / 2] = (unsigned char)byte;
    }
    *bytes = (text_t){(const char *)room, text.len / 2};
    return true;
}

static bool is_unreserved(char byte)
{
    return base64url_bits(byte) >= 0 || byte == '.' || byte == '~';
}

static text_t percent(apr_pool_t *pool, text_t text, bool form)
{
    char *room = apr_palloc(pool, text.len * 3 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.at[i])) {
            room[len++] = text.at[i];
        } else if (form && text.at[i] == ' ') {
            room[len++] = '+';
        } else {
            room[len++] = '%';
            room[len++] = hex_upper[byte_at(text, i) >> 4];
            room[len++] = hex_upper[byte_at(text, i) & 0x0f];
        }
    }
    room[len] = '\0';
    return (text_t){room, len};
}

text_t codec_percent(apr_pool_t *pool, text_t text)
{
    return percent(pool, text, false);
}

text_t codec_form(apr_pool_t *pool, text_t text)
{
    return percent(pool, text, true);
}

bool codec_unpercent(apr_pool_t *pool, text_t text, bool form, text_t *decoded)
{
    char *room = apr_palloc(pool, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = (unsigned char)text.at[i];
        if (byte == '%') {
            byte = hex_pair(text, i + 1);
            if (byte < 0)
                return false;
            i += 2;
        } else if (form && byte == '+') {
            byte = ' ';
        }
        room[len++] = (char)byte;
    }
    room[len] = '\0';
    *decoded = (text_t){room, len};
    return true;
}

static text_t html_entity(char byte)
{
    switch (byte) {
    case '&':
        return TEXT("&amp;");
    case '<':
        return TEXT("&lt;");
    case '>':
        return TEXT("&gt;");
    case '"':
        return TEXT("&quot;");
    case '\'':
        return TEXT("&#39;");
    default:
        return (text_t){NULL, 0};
    }
}

text_t codec_html(apr_pool_t *pool, text_t text)
{
    size_t room_len = text.len;
    for (size_t i = 0; i < text.len; i++)
        room_len += html_entity(text.at[i]).len;
    char *room = apr_palloc(pool, room_len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        text_t entity = html_entity(text.at[i]);
        if (entity.len == 0) {
            room[len++] = text.at[i];
        } else {
            memcpy(room + len, entity.at, entity.len);
            len += entity.len;
        }
    }
    room[len] = '\0';
    return (text_t){room, len};
}

/* The letter of a two-character escape, or 0. */
static char json_letter(char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* Writes the first character of `text` into `room`, which has 6 bytes left for each byte read. Answers the
 * bytes written. */
static size_t json_character(char *room, text_t text, size_t head)
{
    unsigned byte = byte_at(text, 0);
    if (head == 0) {
        memcpy(room, "\xef\xbf\xbd", 3);
        return 3;
    }
    if (json_letter(text.at[0]) != 0) {
        room[0] = '\\';
        room[1] = json_letter(text.at[0]);
        return 2;
    }
    if (byte < 0x20 || byte == 0x7f || byte == '<') {
        memcpy(room, "\\u00", 4);
        room[4] = hex_lower[byte >> 4];
        room[5] = hex_lower[byte & 0x0f];
        return 6;
    }
    memcpy(room, text.at, head);
    return head;
}

text_t codec_json(apr_pool_t *pool, text_t text)
{
    size_t room_len = 2;
    char scratch[6];
    for (text_t rest = text; rest.len > 0;) {
        size_t head = text_utf8_head(rest);
        room_len += json_character(scratch, rest, head);
        rest = text_from(rest, head == 0 ? 1 : head);
    }
    char *room = apr_palloc(pool, room_len + 1);
    size_t len = 0;
    room[len++] = '"';
    for (text_t rest = text; rest.len > 0;) {
        size_t head = text_utf8_head(rest);
        len += json_character(room + len, rest, head);
        rest = text_from(rest, head == 0 ? 1 : head);
    }
    room[len++] = '"';
    room[len] = '\0';
    return (text_t){room, len};
}
