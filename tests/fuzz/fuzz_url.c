/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* URLs and local paths. What was read prints its origin and reads back as the same place; what is called
 * local stays on its origin, also for a browser that drops tabs and takes '\' for '/'. */

#include "fuzz.h"

#include "base/url.h"

static void check_read(apr_pool_t *pool, text_t text)
{
    url_t url;
    url_t again;
    if (!url_read(pool, text, &url))
        return;
    FUZZ_HOLDS(text.len <= URL_MAX && text_is_token(text) && text_find(text, '\\') == text.len);
    FUZZ_HOLDS(url.host.len > 0 && url.port > 0 && url.port <= 65535 && text_starts(url.path, TEXT("/")));
    FUZZ_HOLDS(text_find(url.host, '@') == url.host.len && text_find(url.host, '/') == url.host.len);
    text_t whole = text_join(pool, (const text_t[]){url_origin(pool, &url), url.path, {NULL, 0}});
    FUZZ_HOLDS(whole.len > URL_MAX || url_read(pool, whole, &again));
    FUZZ_HOLDS(whole.len > URL_MAX || (url_same_origin(&url, &again) && text_equal(url.path, again.path)));
    FUZZ_HOLDS(whole.len > URL_MAX || url_is_loopback(&url) == url_is_loopback(&again));
}

/* Does a browser that stands at an origin take the reference for a path on it? It drops tabs and line ends,
 * trims controls and spaces, and reads '\' as '/'. */
static bool stays_for_browsers(apr_pool_t *pool, text_t reference)
{
    char *seen = apr_palloc(pool, reference.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < reference.len; i++) {
        char byte = reference.at[i];
        if (byte == '\t' || byte == '\n' || byte == '\r' || (len == 0 && byte >= 0 && byte <= ' '))
            continue;
        seen[len++] = byte == '\\' ? '/' : byte;
    }
    return len > 0 && seen[0] == '/' && (len == 1 || seen[1] != '/');
}

static void check_local(apr_pool_t *pool, text_t text)
{
    url_t home;
    url_t there;
    if (!url_is_local(text))
        return;
    FUZZ_HOLDS(stays_for_browsers(pool, text));
    FUZZ_HOLDS(url_read(pool, TEXT("https://home.example:8443/"), &home));
    text_t whole = text_join(pool, (const text_t[]){url_origin(pool, &home), text, {NULL, 0}});
    if (url_read(pool, whole, &there))
        FUZZ_HOLDS(url_same_origin(&home, &there) && there.fragment.at == NULL &&
                   text_starts(text, there.path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t text = fuzz_input(pool, data, size);
    check_read(pool, text);
    check_local(pool, text);
    return fuzz_done(pool);
}
