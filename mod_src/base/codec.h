/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

/* Encodings of bytes as text. The decoders are strict: one text for one value, everything else is refused. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"

/* base64url without padding (RFC 7515 section 2), in the pool. */
text_t codec_base64url(apr_pool_t *pool, text_t bytes);

/* Strict inverse: no padding, no white space, no foreign alphabet, unused bits zero. Answers false otherwise.
 * The result lies in the pool and is wiped with it, since it may be a token. */
bool codec_unbase64url(apr_pool_t *pool, text_t text, text_t *bytes);

/* base64 with padding (RFC 4648 section 4), in the pool. For HTTP Basic and the base64 header encoding. */
text_t codec_base64(apr_pool_t *pool, text_t bytes);

/* Lower-case hexadecimal, in the pool. */
text_t codec_hex(apr_pool_t *pool, text_t bytes);

/* Strict inverse of codec_hex; upper case is accepted too. Answers false on odd length or a foreign digit. */
bool codec_unhex(apr_pool_t *pool, text_t text, text_t *bytes);

/* Percent-encoding of everything but RFC 3986 unreserved characters, in the pool. */
text_t codec_percent(apr_pool_t *pool, text_t text);

/* application/x-www-form-urlencoded: as codec_percent, but a space is '+'. */
text_t codec_form(apr_pool_t *pool, text_t text);

/* Decodes %HH, and '+' to a space when `form`. Answers false on a broken escape; a decoded NUL is kept as a
 * byte. */
bool codec_unpercent(apr_pool_t *pool, text_t text, bool form, text_t *decoded);

/* Text for HTML content and double-quoted attributes: & < > " ' escaped, in the pool. */
text_t codec_html(apr_pool_t *pool, text_t text);

/* A JSON string with its quotes (RFC 8259 section 7); also safe inside HTML (`<` is written \u003c). In the
 * pool. Invalid UTF-8 is replaced by U+FFFD. */
text_t codec_json(apr_pool_t *pool, text_t text);

#endif
