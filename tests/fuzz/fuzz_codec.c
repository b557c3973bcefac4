/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Encodings. Every byte string survives each way there and back; every text that a strict decoder accepts is
 * the only one for its value. */

#include "fuzz.h"

#include "base/codec.h"

static void check_there_and_back(apr_pool_t *pool, text_t bytes)
{
    text_t back;
    FUZZ_HOLDS(codec_unbase64url(pool, codec_base64url(pool, bytes), &back) && text_equal(back, bytes));
    FUZZ_HOLDS(codec_unhex(pool, codec_hex(pool, bytes), &back) && text_equal(back, bytes));
    FUZZ_HOLDS(codec_unpercent(pool, codec_percent(pool, bytes), false, &back) && text_equal(back, bytes));
    FUZZ_HOLDS(codec_unpercent(pool, codec_form(pool, bytes), true, &back) && text_equal(back, bytes));
    FUZZ_HOLDS(codec_base64(pool, bytes).len == (bytes.len + 2) / 3 * 4);
}

static void check_strict(apr_pool_t *pool, text_t text)
{
    text_t bytes;
    if (codec_unbase64url(pool, text, &bytes))
        FUZZ_HOLDS(text_equal(codec_base64url(pool, bytes), text));
    if (codec_unhex(pool, text, &bytes))
        FUZZ_HOLDS(text_equal_nocase(codec_hex(pool, bytes), text));
    if (codec_unpercent(pool, text, true, &bytes))
        FUZZ_HOLDS(bytes.len <= text.len);
}

static void check_safe(apr_pool_t *pool, text_t text)
{
    text_t html = codec_html(pool, text);
    FUZZ_HOLDS(text_find(html, '<') == html.len && text_find(html, '>') == html.len);
    FUZZ_HOLDS(text_find(html, '"') == html.len && text_find(html, '\'') == html.len);
    text_t json = codec_json(pool, text);
    FUZZ_HOLDS(text_is_utf8(json) && !text_has_control(json) && text_find(json, '<') == json.len);
    FUZZ_HOLDS(text_find(text_from(json, 1), '"') <= json.len - 2);
    FUZZ_HOLDS(text_is_printable(text_of(text_loggable(pool, text, 100))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t input = fuzz_input(pool, data, size);
    check_there_and_back(pool, input);
    check_strict(pool, input);
    check_safe(pool, input);
    return fuzz_done(pool);
}
