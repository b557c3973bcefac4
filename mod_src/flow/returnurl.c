/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Return addresses: one place decides. Only what url_is_local accepts is passed on, which is less than
 * browsers understand; an absolute URL counts as local when it parses strictly and has our origin. */

#include "flow/returnurl.h"

#include <string.h>

#include <apr_strings.h>

#include "base/url.h"
#include "flow/rpinside.h"
#include "session/ticket.h"

/* Is it "." or "..", as it stands or as %2e? */
static bool is_dots(text_t segment)
{
    size_t dots = 0, used = 0;
    while (used < segment.len) {
        text_t escape = {segment.at + used, segment.len - used < 3 ? segment.len - used : 3};
        if (segment.at[used] != '.' && !text_equal_nocase(escape, TEXT("%2e")))
            return false;
        used += segment.at[used] == '.' ? 1 : 3;
        dots++;
    }
    return dots == 1 || dots == 2;
}

/* Would a browser that follows the path call one of our endpoints? It resolves dots, also escaped ones,
 * before it asks; nobody needs them in a return address, so they are refused rather than resolved here
 * (RD-15). */
static bool is_own(const rp_t *rp, text_t path_and_query)
{
    text_t path = {path_and_query.at, text_find(path_and_query, '?')}, rest = path, segment;
    while (text_cut(&rest, '/', &segment)) {
        if (is_dots(segment))
            return true;
    }
    return rp_owns(rp, path);
}

/* Path and query of a URL; an empty path is "/", which does not stand in the URL itself. */
static text_t path_and_query_of(apr_pool_t *pool, const url_t *url)
{
    const text_t parts[] = {url->path, TEXT("?"), url->query, {NULL, 0}};
    return url->query.at != NULL ? text_join(pool, parts) : url->path;
}

bool returnurl_is_local(const rp_t *rp, const visit_t *visit, text_t target, text_t *path)
{
    url_t own, other;
    text_t local = target;
    if (target.len == 0 || target.len > URL_MAX)
        return false;
    if (target.at[0] != '/') {
        if (!url_read(visit->pool, text_of(visit->base_url), &own) || !url_read(visit->pool, target, &other))
            return false;
        if (!url_same_origin(&own, &other) || other.fragment.at != NULL)
            return false;
        local = path_and_query_of(visit->pool, &other);
    }
    if (!url_is_local(local) || is_own(rp, local))
        return false;
    *path = local;
    return true;
}

bool returnurl_after_logout(const rp_t *rp, const visit_t *visit, text_t target, text_t *url)
{
    text_t path;
    const apr_array_header_t *allowed = rp->settings->after_logout;
    if (returnurl_is_local(rp, visit, target, &path)) {
        const text_t parts[] = {text_of(visit->base_url), path, {NULL, 0}};
        *url = text_join(visit->pool, parts);
        return true;
    }
    for (int i = 0; allowed != NULL && i < allowed->nelts; i++) {
        text_t entry = text_of(((const char **)allowed->elts)[i]);
        if (text_equal(entry, target)) {
            *url = target;
            return true;
        }
    }
    return false;
}

text_t returnurl_of(const rp_t *rp, const visit_t *visit)
{
    const text_t parts[] = {
        visit->path, visit->query.at != NULL ? TEXT("?") : TEXT(""), visit->query, {NULL, 0}};
    text_t here = visit->query.at != NULL ? text_join(visit->pool, parts) : visit->path;
    text_t path;
    return here.len <= TICKET_RETURN_MAX && returnurl_is_local(rp, visit, here, &path) ? path : TEXT("/");
}
