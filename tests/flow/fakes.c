/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Clock, random numbers, patterns, work behind the response and the shared port, faked. HTTP and the store,
 * which have more to tell, are in files of their own. */

#include "fakes.h"

#include <regex.h>
#include <string.h>
#include <time.h>

#include <apr_hash.h>
#include <apr_strings.h>

static int64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The contracts hand the clock over as const; it is our own struct that is behind it. */
static fakes_clock *clock_of(const clock_port *port)
{
    union {
        const clock_port *given;
        fakes_clock *own;
    } both = {port};
    return both.own;
}

static int64_t clock_wall(const clock_port *port)
{
    fakes_clock *clock = clock_of(port);
    pthread_mutex_lock(&clock->lock);
    int64_t seconds = clock->wall_ms / 1000;
    pthread_mutex_unlock(&clock->lock);
    return seconds;
}

static int64_t clock_steady(const clock_port *port)
{
    fakes_clock *clock = clock_of(port);
    pthread_mutex_lock(&clock->lock);
    int64_t now = clock->real_steady ? real_ms() : clock->steady_ms;
    pthread_mutex_unlock(&clock->lock);
    return now;
}

void fakes_clock_pass_ms(fakes_clock *clock, int64_t milliseconds)
{
    pthread_mutex_lock(&clock->lock);
    clock->wall_ms += milliseconds;
    clock->steady_ms += milliseconds;
    pthread_mutex_unlock(&clock->lock);
}

void fakes_clock_pass(fakes_clock *clock, int64_t seconds)
{
    fakes_clock_pass_ms(clock, seconds * 1000);
}

void fakes_clock_set(fakes_clock *clock, int64_t wall)
{
    pthread_mutex_lock(&clock->lock);
    clock->wall_ms = wall * 1000;
    pthread_mutex_unlock(&clock->lock);
}

static void clock_rest(const clock_port *port, int64_t milliseconds)
{
    fakes_clock *clock = clock_of(port);
    pthread_mutex_lock(&clock->lock);
    clock->rests++;
    bool real = clock->real_steady;
    pthread_mutex_unlock(&clock->lock);
    if (clock->on_rest != NULL)
        clock->on_rest(clock->on_rest_data);
    if (!real) {
        fakes_clock_pass_ms(clock, milliseconds);
        return;
    }
    const struct timespec pause = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

void fakes_clock_init(fakes_clock *clock, int64_t wall)
{
    memset(clock, 0, sizeof *clock);
    clock->port = (clock_port){clock_wall, clock_steady, clock_rest};
    clock->wall_ms = wall * 1000;
    clock->steady_ms = 1000000;
    (void)pthread_mutex_init(&clock->lock, NULL);
}

/* SplitMix64 over a counter: the same from run to run, and no two fills alike. */
static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static bool random_fill(const random_port *port, void *room, size_t len)
{
    union {
        const random_port *given;
        fakes_random *own;
    } both = {port};
    fakes_random *random = both.own;
    unsigned char *bytes = room;
    pthread_mutex_lock(&random->lock);
    bool works = random->fails_after != 0;
    if (random->fails_after > 0)
        random->fails_after--;
    for (size_t i = 0; works && i < len; i++) {
        uint64_t word = mix((random->drawn / 8 + 1) * 0x9e3779b97f4a7c15u);
        bytes[i] = (unsigned char)(word >> (random->drawn++ % 8 * 8) & 0xff);
    }
    pthread_mutex_unlock(&random->lock);
    return works;
}

void fakes_random_init(fakes_random *random)
{
    memset(random, 0, sizeof *random);
    random->port.fill = random_fill;
    random->fails_after = -1;
    (void)pthread_mutex_init(&random->lock, NULL);
}

struct pattern {
    regex_t regex;
};

static apr_status_t pattern_free(void *data)
{
    regfree(data);
    return APR_SUCCESS;
}

static const char *pattern_compile(const pattern_port *port, apr_pool_t *pool, const char *expression,
                                   const pattern_t **pattern)
{
    pattern_t *made = apr_pcalloc(pool, sizeof *made);
    (void)port;
    if (regcomp(&made->regex, expression, REG_EXTENDED) != 0)
        return "the C library does not compile it";
    apr_pool_cleanup_register(pool, &made->regex, pattern_free, apr_pool_cleanup_null);
    *pattern = made;
    return NULL;
}

static bool find(const pattern_t *pattern, text_t subject, regmatch_t spans[10])
{
    spans[0] = (regmatch_t){0, (regoff_t)subject.len};
    return subject.len <= PATTERN_SUBJECT_MAX &&
           regexec(&pattern->regex, subject.at != NULL ? subject.at : "", 10, spans, REG_STARTEND) == 0;
}

static bool pattern_matches(const pattern_port *port, const pattern_t *pattern, text_t subject)
{
    regmatch_t spans[10];
    (void)port;
    return find(pattern, subject, spans);
}

static text_t pattern_replace(const pattern_port *port, const pattern_t *pattern, text_t subject,
                              const char *substitution, apr_pool_t *pool)
{
    regmatch_t spans[10];
    text_t made = {"", 0};
    (void)port;
    if (!find(pattern, subject, spans))
        return (text_t){NULL, 0};
    for (const char *c = substitution; *c != '\0'; c++) {
        text_t part = {c, 1};
        if (c[0] == '$' && c[1] >= '0' && c[1] <= '9') {
            regmatch_t span = spans[*++c - '0'];
            part = span.rm_so < 0 ? (text_t){"", 0}
                                  : (text_t){subject.at + span.rm_so, (size_t)(span.rm_eo - span.rm_so)};
        }
        const text_t parts[] = {made, part, {NULL, 0}};
        made = text_join(pool, parts);
    }
    return made;
}

const pattern_port *fakes_pattern(void)
{
    static const pattern_port port = {pattern_compile, pattern_matches, pattern_replace};
    return &port;
}

/* All that is shared under one name. */
typedef struct entry {
    const void *snapshot;
    bool held, allowed, watched;
    int64_t allowed_at, since;
    uint64_t mark;
} entry_t;

static fakes_shared *shared_of(shared_port *port)
{
    return (fakes_shared *)port;
}

static entry_t *entry_of(shared_port *port, const char *name)
{
    fakes_shared *shared = shared_of(port);
    apr_hash_t *entries = shared->entries;
    entry_t *entry = apr_hash_get(entries, name, APR_HASH_KEY_STRING);
    if (entry == NULL) {
        entry = apr_pcalloc(shared->pool, sizeof *entry);
        apr_hash_set(entries, apr_pstrdup(shared->pool, name), APR_HASH_KEY_STRING, entry);
    }
    return entry;
}

static const void *shared_snapshot(shared_port *port, const char *name, apr_pool_t *pool)
{
    (void)pool;
    return entry_of(port, name)->snapshot;
}

static apr_pool_t *shared_draft(shared_port *port)
{
    apr_pool_t *draft = NULL;
    (void)apr_pool_create(&draft, shared_of(port)->pool);
    return draft;
}

/* Replaced snapshots live on to the end of the test. */
static void shared_publish(shared_port *port, const char *name, const void *snapshot, apr_pool_t *draft)
{
    (void)draft;
    entry_of(port, name)->snapshot = snapshot;
    shared_of(port)->publishes++;
}

static void shared_discard(shared_port *port, apr_pool_t *draft)
{
    (void)port;
    apr_pool_destroy(draft);
}

static shared_turn shared_take(shared_port *port, const char *name, int64_t wait_ms)
{
    fakes_shared *shared = shared_of(port);
    (void)wait_ms;
    shared->turns++;
    if (shared->on_turn != NULL)
        return shared->on_turn(shared->on_turn_data, name);
    entry_t *entry = entry_of(port, name);
    if (entry->held)
        return SHARED_LATE;
    entry->held = true;
    return SHARED_MINE;
}

static void shared_give(shared_port *port, const char *name)
{
    entry_of(port, name)->held = false;
}

static bool shared_allow(shared_port *port, const char *name, int64_t now_ms, int64_t interval_ms)
{
    entry_t *entry = entry_of(port, name);
    shared_of(port)->allows++;
    if (entry->allowed && now_ms - entry->allowed_at < interval_ms)
        return false;
    entry->allowed = true;
    entry->allowed_at = now_ms;
    return true;
}

static int64_t shared_unchanged(shared_port *port, const char *name, uint64_t mark, int64_t now_ms)
{
    entry_t *entry = entry_of(port, name);
    if (!entry->watched || entry->mark != mark) {
        entry->watched = true;
        entry->mark = mark;
        entry->since = now_ms;
    }
    return entry->since;
}

void fakes_shared_restart(fakes_shared *shared)
{
    shared->entries = apr_hash_make(shared->pool);
}

void fakes_shared_init(fakes_shared *shared, apr_pool_t *pool)
{
    memset(shared, 0, sizeof *shared);
    shared->port = (shared_port){shared_snapshot, shared_draft, shared_publish, shared_discard,
                                 shared_take,     shared_give,  shared_allow,   shared_unchanged};
    shared->pool = pool;
    fakes_shared_restart(shared);
}

typedef struct task {
    later_work work;
    void *given;
} task_t;

static bool later_submit(later_port *port, later_work work, const void *given, size_t room)
{
    fakes_later *later = (fakes_later *)port;
    later->submitted++;
    if (later->full)
        return false;
    *(task_t *)apr_array_push(later->tasks) = (task_t){work, apr_pmemdup(later->pool, given, room)};
    return true;
}

unsigned fakes_later_run(fakes_later *later)
{
    unsigned runs = 0;
    for (; later->tasks->nelts > 0; runs++) {
        apr_pool_t *pool = NULL;
        const task_t task = *(task_t *)apr_array_pop(later->tasks);
        (void)apr_pool_create(&pool, later->pool);
        task.work(task.given, pool);
        apr_pool_destroy(pool);
    }
    return runs;
}

void fakes_later_init(fakes_later *later, apr_pool_t *pool)
{
    memset(later, 0, sizeof *later);
    later->port.submit = later_submit;
    later->pool = pool;
    later->tasks = apr_array_make(pool, 4, sizeof(task_t));
}
