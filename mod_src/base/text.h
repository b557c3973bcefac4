/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/* Slices of bytes: a place and a length, no terminator promised, nothing owned. Whoever makes a slice says in
 * whose pool the bytes live. Everything that comes from outside travels as a slice, so that a NUL inside it
 * is a byte like any other. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

/* An answer that nobody may drop. */
#define MUST_USE __attribute__((warn_unused_result))

typedef struct text {
    const char *at; /* NULL only when len is 0 */
    size_t len;     /* bytes */
} text_t;

/* A slice over a string literal. */
#define TEXT(literal) ((text_t){(literal), sizeof(literal) - 1})

/* A slice over a NUL-terminated string; NULL gives the empty slice. Borrows the bytes. */
text_t text_of(const char *string);

/* A copy in the pool, NUL-terminated behind its length. */
text_t text_copy(apr_pool_t *pool, text_t text);

/* A NUL-terminated copy in the pool; NULL when the slice contains a NUL, because truncation would lie. */
const char *text_string(apr_pool_t *pool, text_t text);

/* The slices glued together in the pool, NUL-terminated behind the length. The list ends with a slice whose
 * `at` is NULL. */
text_t text_join(apr_pool_t *pool, const text_t *parts);

/* printf into the pool, as a slice, NUL-terminated behind its length. */
text_t text_format(apr_pool_t *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
text_t text_vformat(apr_pool_t *pool, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Byte for byte equal. Not for secrets. */
bool text_equal(text_t one, text_t other);

/* Equal but for the case of ASCII letters, whatever the locale. */
bool text_equal_nocase(text_t one, text_t other);

/* Equal, in a time that depends on the lengths alone. For secrets, and for what an attacker may guess byte by
 * byte. */
bool text_equal_secret(text_t one, text_t other);

/* Order of bytes, as memcmp; a prefix comes before what it begins. */
int text_order(text_t one, text_t other);

/* Does the slice begin with, or end with, the other one? */
bool text_starts(text_t text, text_t prefix);
bool text_ends(text_t text, text_t suffix);

/* Where the byte stands first, or the length when it does not. */
size_t text_find(text_t text, char byte);

/* The slice without spaces and tabs at both ends. */
text_t text_trim(text_t text);

/* The part from an offset to the end; empty when the offset is past it. */
text_t text_from(text_t text, size_t offset);

/* Cuts off the part before the separator: *part gets it, *rest what follows the separator; the last part is
 * everything that was left. Answers false when there is no further part (the `at` of *rest was NULL), so that
 * `while (text_cut(&rest, ',', &part))` meets every part. Empty parts are parts. */
bool text_cut(text_t *rest, char separator, text_t *part);

/* Only printable ASCII (0x20 to 0x7e)? The empty slice is. */
bool text_is_printable(text_t text);

/* Only VSCHAR without space (0x21 to 0x7e), and not empty: RFC 6749 appendix A for codes and tokens. */
bool text_is_token(text_t text);

/* Any control byte: below 0x20, or 0x7f? */
bool text_has_control(text_t text);

/* Valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629)? */
bool text_is_utf8(text_t text);

/* How many bytes the first character of the slice takes, 1 to 4; 0 when no valid UTF-8 character stands
 * there. */
size_t text_utf8_head(text_t text);

/* A decimal number without sign, blanks or leading zeros, at most `ceiling`. Answers false on anything else.
 */
bool text_number(text_t text, int64_t ceiling, int64_t *number);

/* What may stand in a log line: control bytes, quotes, backslashes and non-ASCII written as \xHH, cut at
 * `ceiling` bytes of output. In the pool, NUL-terminated. */
const char *text_loggable(apr_pool_t *pool, text_t text, size_t ceiling);

#endif
