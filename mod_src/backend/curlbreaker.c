/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A small table with one line an origin, searched from its start: a call to a provider takes a thousand times
 * longer than a scan of thirty short names, so a hash was rejected. Origins come from the configuration and
 * from metadata of providers that it names, so nobody outside fills the table; should it be full, the closed
 * line that was used longest ago goes, and where there is none, the call is made without a breaker.
 *
 * The memory is inherited by fork and holds no pointers but to it and to constants. A process may be killed
 * in the middle of a call, so calls under way are not a number that goes up and down: each is written down
 * with the moment at which it must be over. It may also be killed while it holds the lock; the next one finds
 * out and begins with an empty table, which costs a few calls to a provider that may be sick. A lock-free
 * table was rejected: what has to be changed together is too much for one word. */

#include "backend/curlbreaker.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <apr_shm.h>
#include <apr_strings.h>

#define ORIGIN_MAX     280  /* bytes; DNS names end at 253 */
#define WHY_MAX        400  /* bytes of a failure's text that are kept */
#define USUAL_FIRST_MS 1000 /* what an answer takes, as long as none has come */
#define GRACE_MS       1000 /* that a call may be over its deadline */
#define NOBODY         (-1) /* in place of a line or a call */

typedef struct line {
    int scope;
    char origin[ORIGIN_MAX + 1]; /* empty: free */
    char why[WHY_MAX + 1];       /* the failure seen last */
    uint64_t serial;             /* another one for each origin that the line was given to */
    int64_t used;
    int64_t served;      /* last; -1: not yet */
    int64_t quiet_since; /* no answer has come since, while calls were under way */
    int64_t usual_ms;    /* what answers take: the longest, forgotten by an eighth with each that is faster */
    breaker_t breaker;
} line_t;

/* A call under way, until `ends`. */
typedef struct call {
    int line;
    uint64_t serial; /* of the line */
    uint64_t ticket;
    int64_t ends;
} call_t;

typedef struct table {
    uint64_t drawn; /* serials and tickets so far */
    line_t lines[CURLBREAKER_ORIGINS];
    call_t calls[CURLBREAKER_CALLS];
} table_t;

struct curlbreaker {
    pthread_mutex_t lock;
    table_t table;
};

static const breaker_terms terms = {CURLBREAKER_FAILURES, CURLBREAKER_MEMORY_MS, CURLBREAKER_PROBE_FIRST_MS,
                                    CURLBREAKER_PROBE_LAST_MS, CURLBREAKER_PROBE_MS};

/* Under the lock from here on, to unlock. */
static table_t *lock_table(curlbreaker_t *breakers)
{
    if (pthread_mutex_lock(&breakers->lock) == EOWNERDEAD) {
        uint64_t drawn = breakers->table.drawn; /* goes on, so that no old pass fits a new line */
        memset(&breakers->table, 0, sizeof breakers->table);
        breakers->table.drawn = drawn;
        (void)pthread_mutex_consistent(&breakers->lock);
    }
    return &breakers->table;
}

static void unlock_table(curlbreaker_t *breakers)
{
    pthread_mutex_unlock(&breakers->lock);
}

static void make_lock(curlbreaker_t *breakers)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&breakers->lock, &kind);
    pthread_mutexattr_destroy(&kind);
}

/* The lock is not destroyed: processes that outlive this one may hold it. It owns nothing. */
curlbreaker_t *curlbreaker_new(apr_pool_t *pool)
{
    apr_shm_t *memory = NULL;
    curlbreaker_t *breakers;
    if (apr_shm_create(&memory, sizeof *breakers, NULL, pool) == APR_SUCCESS) {
        breakers = apr_shm_baseaddr_get(memory);
    } else {
        breakers = apr_palloc(pool, sizeof *breakers);
    }
    memset(breakers, 0, sizeof *breakers);
    make_lock(breakers);
    return breakers;
}

static int under_way(const table_t *table, int line, int64_t now)
{
    int count = 0;
    for (size_t i = 0; i < CURLBREAKER_CALLS; i++) {
        const call_t *call = &table->calls[i];
        count += call->ticket != 0 && call->line == line && call->serial == table->lines[line].serial &&
                 now < call->ends;
    }
    return count;
}

static int find_line(const table_t *table, const curlbreaker_call *call)
{
    for (int i = 0; i < CURLBREAKER_ORIGINS; i++) {
        const line_t *line = &table->lines[i];
        if (line->origin[0] == '\0') {
            break; /* lines are filled from the start and never emptied */
        }
        if (line->scope == call->scope && text_equal(text_of(line->origin), call->origin)) {
            return i;
        }
    }
    return NOBODY;
}

/* A free one, or the one that nobody misses; NOBODY when every line is needed. */
static int line_to_take(const table_t *table, int64_t now)
{
    int oldest = NOBODY;
    for (int i = 0; i < CURLBREAKER_ORIGINS; i++) {
        const line_t *line = &table->lines[i];
        if (line->origin[0] == '\0') {
            return i;
        }
        bool needed = line->breaker.open || under_way(table, i, now) > 0;
        if (!needed && (oldest == NOBODY || line->used < table->lines[oldest].used)) {
            oldest = i;
        }
    }
    return oldest;
}

/* The origin's line, which may be a new one; NOBODY when it gets none. */
static int line_of(table_t *table, const curlbreaker_call *call, int64_t now)
{
    if (call->origin.len == 0 || call->origin.len > ORIGIN_MAX) {
        return NOBODY;
    }
    int at = find_line(table, call);
    if (at != NOBODY) {
        return at;
    }
    at = line_to_take(table, now);
    if (at != NOBODY) {
        line_t *line = &table->lines[at];
        *line = (line_t){.scope = call->scope,
                         .serial = ++table->drawn,
                         .served = -1,
                         .usual_ms = USUAL_FIRST_MS,
                         .breaker = {.terms = &terms}};
        memcpy(line->origin, call->origin.at, call->origin.len);
    }
    return at;
}

/* Have calls piled up without an answer for longer than usual? */
static bool is_stuck(const table_t *table, int at, int64_t now)
{
    const line_t *line = &table->lines[at];
    int64_t patience = 2 * line->usual_ms > CURLBREAKER_QUIET_MS ? 2 * line->usual_ms : CURLBREAKER_QUIET_MS;
    return now - line->quiet_since >= patience && under_way(table, at, now) >= CURLBREAKER_PILE;
}

/* One more call goes out. When too many are under way, this one is not counted. */
static void count_in(table_t *table, const curlbreaker_call *call, int64_t now, curlbreaker_pass *pass)
{
    line_t *line = &table->lines[pass->line];
    if (under_way(table, pass->line, now) == 0) {
        line->quiet_since = now;
    }
    line->used = now;
    pass->serial = line->serial;
    pass->ticket = ++table->drawn;
    for (int i = 0; i < CURLBREAKER_CALLS; i++) {
        call_t *slot = &table->calls[i];
        if (slot->ticket == 0 || now >= slot->ends) {
            *slot = (call_t){pass->line, line->serial, pass->ticket, now + call->deadline_ms + GRACE_MS};
            pass->call = i;
            return;
        }
    }
}

static void count_out(table_t *table, const curlbreaker_pass *pass)
{
    if (pass->call != NOBODY && table->calls[pass->call].ticket == pass->ticket) {
        table->calls[pass->call].ticket = 0;
    }
}

/* Notes that the provider answers, and how fast. */
static void heard(line_t *line, int64_t took, int64_t now)
{
    int64_t faded = line->usual_ms - line->usual_ms / 8;
    line->usual_ms = took > faded ? took : faded;
    line->quiet_since = now;
}

static const char *why_not(apr_pool_t *pool, const line_t *line)
{
    if (line->breaker.failed == 0) {
        return apr_psprintf(pool, "%s has left several calls unanswered for a while", line->origin);
    }
    return apr_psprintf(pool, "gave up on %s for a moment after %d failures, last: %s", line->origin,
                        line->breaker.failed, line->why);
}

const char *curlbreaker_enter(curlbreaker_t *breakers, const curlbreaker_call *call, int64_t now,
                              apr_pool_t *pool, curlbreaker_pass *pass)
{
    const char *problem = NULL;
    *pass = (curlbreaker_pass){.line = NOBODY, .call = NOBODY, .began = now};
    table_t *table = lock_table(breakers);
    int at = line_of(table, call, now);
    if (at != NOBODY) {
        line_t *line = &table->lines[at];
        if (is_stuck(table, at, now)) {
            breaker_trip(&line->breaker, now);
        }
        if (breaker_enter(&line->breaker, now, &pass->pass)) {
            pass->line = at;
            count_in(table, call, now, pass);
        } else {
            problem = why_not(pool, line);
        }
    }
    unlock_table(breakers);
    return problem;
}

bool curlbreaker_rests(curlbreaker_t *breakers, const curlbreaker_call *call, int64_t now)
{
    bool rests = false;
    const table_t *table = lock_table(breakers);
    int at = find_line(table, call);
    if (at != NOBODY) {
        const breaker_t *breaker = &table->lines[at].breaker;
        rests = breaker->open ? breaker_bars(breaker, now) : is_stuck(table, at, now);
    }
    unlock_table(breakers);
    return rests;
}

int64_t curlbreaker_served(curlbreaker_t *breakers, const curlbreaker_call *call)
{
    const table_t *table = lock_table(breakers);
    int at = find_line(table, call);
    int64_t served = at != NOBODY ? table->lines[at].served : -1;
    unlock_table(breakers);
    return served;
}

/* The line of a pass, unless it is another origin's by now. */
static line_t *line_of_pass(table_t *table, const curlbreaker_pass *pass)
{
    line_t *line = pass->line != NOBODY ? &table->lines[pass->line] : NULL;
    return line != NULL && line->serial == pass->serial ? line : NULL;
}

bool curlbreaker_is_late(curlbreaker_t *breakers, const curlbreaker_pass *pass)
{
    const line_t *line = line_of_pass(lock_table(breakers), pass);
    bool late = line != NULL && line->breaker.open && line->breaker.turn != pass->pass.turn;
    unlock_table(breakers);
    return late;
}

void curlbreaker_leave(curlbreaker_t *breakers, const curlbreaker_pass *pass, const curlbreaker_end *end,
                       int64_t now)
{
    table_t *table = lock_table(breakers);
    line_t *line = line_of_pass(table, pass);
    count_out(table, pass);
    if (line != NULL) {
        breaker_leave(&line->breaker, &pass->pass, end->sign, now);
        if (end->sign == BREAKER_WELL) {
            heard(line, now - pass->began, now);
        }
        if (end->served) {
            line->served = now;
        }
        if (end->sign == BREAKER_FAILED) {
            (void)apr_cpystrn(line->why, end->why, sizeof line->why);
        }
    }
    unlock_table(breakers);
}

curlbreaker_end curlbreaker_sign(http_rc rc, int status)
{
    switch (rc) {
    case HTTP_ANSWERED:
        return (curlbreaker_end){.sign = status >= 500 ? BREAKER_FAILED : BREAKER_WELL,
                                 .served = status < 500 && status != 429};
    case HTTP_UNREACHABLE:
    case HTTP_BROKEN:
    case HTTP_UNTRUSTED:
        return (curlbreaker_end){.sign = BREAKER_FAILED};
    case HTTP_TOO_LARGE:
        return (curlbreaker_end){.sign = BREAKER_WELL};
    case HTTP_BUSY:
    case HTTP_RESTING:
    case HTTP_REFUSED:
        break;
    }
    return (curlbreaker_end){.sign = BREAKER_UNKNOWN};
}
