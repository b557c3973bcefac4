/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A small table with one line an origin, searched from its start: a call to a provider takes a thousand times
 * longer than a scan of thirty short names, so a hash was rejected. Origins come from the configuration and
 * from metadata of providers that it names, so nobody outside fills the table; should it be full, the closed
 * line that was used longest ago goes, and where there is none, the call is made without a breaker. */

#include "backend/curlbreaker.h"

#include <pthread.h>
#include <string.h>

#include <apr_strings.h>

#define ORIGIN_MAX     280  /* bytes; DNS names end at 253 */
#define WHY_MAX        400  /* bytes of a failure's text that are kept */
#define USUAL_FIRST_MS 1000 /* what an answer takes, as long as none has come */

struct curlbreaker_line {
    char origin[ORIGIN_MAX + 1]; /* empty: free */
    char why[WHY_MAX + 1];       /* the failure seen last */
    int under_way;               /* passes that are out; the line stays as long as there are any */
    int64_t used;
    int64_t quiet_since; /* no answer has come since, while calls were under way */
    int64_t usual_ms;    /* what answers take: the longest, forgotten by an eighth with each that is faster */
    breaker_t breaker;
};

typedef struct curlbreaker_line line_t;

struct curlbreaker {
    pthread_mutex_t lock;
    line_t lines[CURLBREAKER_ORIGINS];
};

static const breaker_terms terms = {CURLBREAKER_FAILURES, CURLBREAKER_MEMORY_MS, CURLBREAKER_PROBE_FIRST_MS,
                                    CURLBREAKER_PROBE_LAST_MS, CURLBREAKER_PROBE_MS};

static apr_status_t release(void *data)
{
    curlbreaker_t *breakers = data;
    pthread_mutex_destroy(&breakers->lock);
    return APR_SUCCESS;
}

curlbreaker_t *curlbreaker_new(apr_pool_t *pool)
{
    curlbreaker_t *breakers = apr_pcalloc(pool, sizeof *breakers);
    pthread_mutex_init(&breakers->lock, NULL);
    apr_pool_cleanup_register(pool, breakers, release, apr_pool_cleanup_null);
    return breakers;
}

/* Under the lock. NULL when every line is needed. */
static line_t *line_to_give_up(curlbreaker_t *breakers)
{
    line_t *oldest = NULL;
    for (size_t i = 0; i < CURLBREAKER_ORIGINS; i++) {
        line_t *line = &breakers->lines[i];
        bool needed = line->under_way > 0 || line->breaker.open;
        if (!needed && (oldest == NULL || line->used < oldest->used)) {
            oldest = line;
        }
    }
    return oldest;
}

/* Under the lock. The origin's line, which may be a new one; NULL when it gets none. */
static line_t *line_of(curlbreaker_t *breakers, text_t origin)
{
    if (origin.len == 0 || origin.len > ORIGIN_MAX) {
        return NULL;
    }
    line_t *line = NULL;
    for (size_t i = 0; i < CURLBREAKER_ORIGINS; i++) {
        line = &breakers->lines[i];
        if (text_equal(text_of(line->origin), origin)) {
            return line;
        }
        if (line->origin[0] == '\0') {
            break; /* lines are filled from the start and never emptied */
        }
    }
    line = line->origin[0] == '\0' ? line : line_to_give_up(breakers);
    if (line != NULL) {
        *line = (line_t){.usual_ms = USUAL_FIRST_MS, .breaker = {.terms = &terms}};
        memcpy(line->origin, origin.at, origin.len);
    }
    return line;
}

/* Under the lock. Have calls piled up without an answer for longer than usual? */
static bool is_stuck(const line_t *line, int64_t now)
{
    int64_t patience = 2 * line->usual_ms > CURLBREAKER_QUIET_MS ? 2 * line->usual_ms : CURLBREAKER_QUIET_MS;
    return line->under_way >= CURLBREAKER_PILE && now - line->quiet_since >= patience;
}

/* Under the lock. Notes that the provider answers, and how fast. */
static void heard(line_t *line, int64_t took, int64_t now)
{
    int64_t faded = line->usual_ms - line->usual_ms / 8;
    line->usual_ms = took > faded ? took : faded;
    line->quiet_since = now;
}

/* Under the lock. One more call goes out. */
static void count_in(line_t *line, int64_t now)
{
    if (line->under_way++ == 0) {
        line->quiet_since = now;
    }
    line->used = now;
}

static const char *why_not(apr_pool_t *pool, const line_t *line)
{
    if (line->breaker.failed == 0) {
        return apr_psprintf(pool, "%s has left %d calls unanswered for a while", line->origin,
                            line->under_way);
    }
    return apr_psprintf(pool, "gave up on %s for a moment after %d failures, last: %s", line->origin,
                        line->breaker.failed, line->why);
}

const char *curlbreaker_enter(curlbreaker_t *breakers, text_t origin, int64_t now, apr_pool_t *pool,
                              curlbreaker_pass *pass)
{
    const char *problem = NULL;
    *pass = (curlbreaker_pass){.began = now};
    pthread_mutex_lock(&breakers->lock);
    line_t *line = line_of(breakers, origin);
    if (line != NULL && is_stuck(line, now)) {
        breaker_trip(&line->breaker, now);
    }
    if (line != NULL && breaker_enter(&line->breaker, now, &pass->pass)) {
        count_in(line, now);
        pass->line = line;
    } else if (line != NULL) {
        problem = why_not(pool, line);
    }
    pthread_mutex_unlock(&breakers->lock);
    return problem;
}

bool curlbreaker_rests(curlbreaker_t *breakers, text_t origin, int64_t now)
{
    bool rests = false;
    pthread_mutex_lock(&breakers->lock);
    for (size_t i = 0; i < CURLBREAKER_ORIGINS && breakers->lines[i].origin[0] != '\0'; i++) {
        line_t *line = &breakers->lines[i];
        if (text_equal(text_of(line->origin), origin)) {
            rests = breaker_bars(&line->breaker, now) || (!line->breaker.open && is_stuck(line, now));
            break;
        }
    }
    pthread_mutex_unlock(&breakers->lock);
    return rests;
}

bool curlbreaker_is_late(curlbreaker_t *breakers, const curlbreaker_pass *pass)
{
    bool late = false;
    if (pass->line != NULL) {
        pthread_mutex_lock(&breakers->lock);
        late = pass->line->breaker.open && pass->line->breaker.turn != pass->pass.turn;
        pthread_mutex_unlock(&breakers->lock);
    }
    return late;
}

void curlbreaker_leave(curlbreaker_t *breakers, const curlbreaker_pass *pass, breaker_end end,
                       const char *why, int64_t now)
{
    line_t *line = pass->line;
    if (line == NULL) {
        return;
    }
    pthread_mutex_lock(&breakers->lock);
    breaker_leave(&line->breaker, &pass->pass, end, now);
    line->under_way--;
    if (end == BREAKER_WELL) {
        heard(line, now - pass->began, now);
    }
    if (end == BREAKER_FAILED) {
        (void)apr_cpystrn(line->why, why, sizeof line->why);
    }
    pthread_mutex_unlock(&breakers->lock);
}

breaker_end curlbreaker_sign(http_rc rc, int status)
{
    switch (rc) {
    case HTTP_ANSWERED:
        return status >= 500 ? BREAKER_FAILED : BREAKER_WELL;
    case HTTP_UNREACHABLE:
    case HTTP_BROKEN:
    case HTTP_UNTRUSTED:
        return BREAKER_FAILED;
    case HTTP_TOO_LARGE:
        return BREAKER_WELL;
    case HTTP_BUSY:
    case HTTP_RESTING:
    case HTTP_REFUSED:
        break;
    }
    return BREAKER_UNKNOWN;
}
