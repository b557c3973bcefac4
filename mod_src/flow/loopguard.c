/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The count is "<number>.<second of the first one>", in clear: it is a courtesy, not a protection. */

#include "flow/loopguard.h"

#include <string.h>

#include <apr_strings.h>

#include "base/cookie.h"
#include "flow/reply.h"

#define LOGINS_MAX 3
#define WINDOW     60 /* seconds */

const char *loopguard_cookie(const walk_t *walk)
{
    return apr_pstrcat(walk->pool, rp_ticket_prefix(walk->rp, walk->visit->https), "count", NULL);
}

/* Completed logins in the window, and when it began. */
static int64_t counted(const walk_t *walk, int64_t *since)
{
    text_t value, number;
    int64_t count = 0;
    *since = walk->now;
    if (cookie_find(walk->visit->cookies, text_of(loopguard_cookie(walk)), &value) != COOKIE_FOUND)
        return 0;
    text_cut(&value, '.', &number);
    int64_t first = 0;
    if (!text_number(number, 1000, &count) || !text_number(value, INT64_MAX, &first))
        return 0;
    if (walk->now - first > WINDOW || first > walk->now)
        return 0;
    *since = first;
    return count;
}

bool loopguard_is_closed(const walk_t *walk)
{
    int64_t since;
    bool strict =
        strcmp(walk->rp->settings->cookie.same_site, "Strict") == 0; /* does not come from other sites */
    return !strict && counted(walk, &since) >= LOGINS_MAX;
}

void loopguard_count(walk_t *walk)
{
    int64_t since;
    text_t session;
    if (cookie_find(walk->visit->cookies, text_of(rp_cookie_name(walk->rp, walk->visit->https)), &session) !=
        COOKIE_ABSENT)
        return;
    int64_t count = counted(walk, &since) + 1;
    text_t value = text_format(walk->pool, "%" APR_INT64_T_FMT ".%" APR_INT64_T_FMT, (apr_int64_t)count,
                               (apr_int64_t)since);
    reply_cookie(walk, loopguard_cookie(walk), value, WINDOW);
}

void loopguard_forget(walk_t *walk)
{
    text_t value;
    if (cookie_find(walk->visit->cookies, text_of(loopguard_cookie(walk)), &value) != COOKIE_ABSENT)
        reply_expire(walk, loopguard_cookie(walk));
}
