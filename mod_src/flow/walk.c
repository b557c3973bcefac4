/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What every flow needs at hand, and the two questions that many of them ask: is there a cookie of ours, and
 * is this a navigation? */

#include "flow/walk.h"

#include <stdarg.h>

#include <apr_strings.h>

#include "base/cookie.h"

walk_t walk_begin(const rp_t *rp, const env_t *env, const visit_t *visit)
{
    walk_t walk = {
        .rp = rp,
        .env = env,
        .visit = visit,
        .pool = visit->pool,
        .now = env->clock->wall(env->clock),
        .vault = {.store = env->store,
                  .near = env->near,
                  .ring = rp->ring,
                  .random = env->random,
                  .space = rp->space,
                  .record_max = (size_t)rp->settings->session_bytes},
        .verdict = apr_pcalloc(visit->pool, sizeof(verdict_t)),
    };
    walk.verdict->kind = VERDICT_STRANGER;
    walk.verdict->retry_after = -1;
    return walk;
}

ticket_desk walk_desk(const walk_t *walk)
{
    return (ticket_desk){walk->rp->ring, walk->env->random, walk->rp->space};
}

const char *walk_endpoint(const walk_t *walk, const char *name)
{
    return apr_pstrcat(walk->pool, walk->visit->base_url, walk->rp->settings->path, "/", name, NULL);
}

bool walk_cookie(const walk_t *walk, text_t *cookie)
{
    text_t name = text_of(rp_cookie_name(walk->rp, walk->visit->https));
    return cookie_find(walk->visit->cookies, name, cookie) == COOKIE_FOUND && vault_is_cookie(*cookie);
}

/* Does the text contain the word, whatever its case? */
static bool mentions(text_t text, text_t word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (text_equal_nocase((text_t){text.at + i, word.len}, word))
            return true;
    }
    return false;
}

bool walk_is_navigation(const walk_t *walk)
{
    const visit_t *visit = walk->visit;
    if (visit->method != METHOD_GET && visit->method != METHOD_HEAD)
        return false;
    if (visit->upgrade || visit->scripted || visit->purpose.len > 0)
        return false;
    if (visit->fetch_mode.len > 0)
        return text_equal(visit->fetch_mode, TEXT("navigate")) &&
               (visit->fetch_dest.len == 0 || text_equal(visit->fetch_dest, TEXT("document")));
    return mentions(visit->accept, TEXT("text/html"));
}

void walk_note(walk_t *walk, note_level level, const char *format, ...)
{
    va_list arguments;
    if (walk->verdict->notes == NULL)
        walk->verdict->notes = apr_array_make(walk->pool, 2, sizeof(note_t));
    va_start(arguments, format);
    note_t *note = apr_array_push(walk->verdict->notes);
    *note = (note_t){level, apr_pvsprintf(walk->pool, format, arguments)};
    va_end(arguments);
}

void walk_note_fault(walk_t *walk, note_level level, const char *what, const fault_t *fault)
{
    walk_note(walk, level, "%s: reason=%s %s", what, fault_word(fault->code),
              fault->detail ? fault->detail : "");
}
