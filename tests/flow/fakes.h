/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FAKES_H
#define FAKES_H

/* Ports made of plain memory, for tests of the flows: a clock that is set, random numbers that repeat from
 * run to run, threads that are none, patterns of the C library, and HTTP that is a table of functions. Each
 * counts what it was asked. The store is in fakestore.h. Everything may be used from many threads but the
 * fake of the shared port, which stands for a process with one. */

#include <pthread.h>
#include <stdbool.h>

#include <apr_tables.h>

#include "port/clock.h"
#include "port/http.h"
#include "port/later.h"
#include "port/pattern.h"
#include "port/random.h"
#include "port/shared.h"

/* A clock that moves when it is told to, and by as much as somebody rests. */
typedef struct fakes_clock {
    clock_port port; /* first, so that the port is the clock */
    pthread_mutex_t lock;
    int64_t wall_ms;   /* since 1970 */
    int64_t steady_ms; /* its own zero */
    bool real_steady;  /* steady time and rests are the host's: for tests with threads; wall time stands */
    unsigned rests;
    void (*on_rest)(void *data); /* called at each rest, before time moves; NULL: nothing */
    void *on_rest_data;
} fakes_clock;

void fakes_clock_init(fakes_clock *clock, int64_t wall);
/* Time passes: both hands move. */
void fakes_clock_pass(fakes_clock *clock, int64_t seconds);
void fakes_clock_pass_ms(fakes_clock *clock, int64_t milliseconds);
/* Somebody sets the wall clock; steady time does not notice. */
void fakes_clock_set(fakes_clock *clock, int64_t wall);

typedef struct fakes_random {
    random_port port;
    pthread_mutex_t lock;
    uint64_t drawn;
    int fails_after; /* fills that still succeed; -1: all do */
} fakes_random;

void fakes_random_init(fakes_random *random);

/* POSIX extended expressions. */
const pattern_port *fakes_pattern(void);

/* The shared port of a process with one thread. A name whose turn is held already answers SHARED_LATE. */
typedef struct fakes_shared fakes_shared;

struct fakes_shared {
    shared_port port;
    apr_pool_t *pool;
    void *entries; /* by name */
    unsigned turns, publishes, allows;
    shared_turn (*on_turn)(void *data, const char *name); /* decides instead, when it is not NULL */
    void *on_turn_data;
};

void fakes_shared_init(fakes_shared *shared, apr_pool_t *pool);
/* Throws all snapshots, throttles and watches away: a process that has just begun. */
void fakes_shared_restart(fakes_shared *shared);

/* Work behind the response that waits until the test lets it run. */
typedef struct fakes_later {
    later_port port;
    apr_pool_t *pool;
    apr_array_header_t *tasks;
    unsigned submitted;
    bool full; /* takes nothing */
} fakes_later;

void fakes_later_init(fakes_later *later, apr_pool_t *pool);
/* Runs what was submitted, each piece in a pool of its own; how many pieces that were. */
unsigned fakes_later_run(fakes_later *later);

#define FAKES_ROUTES 16

/* What answers at a path. */
typedef http_rc (*fakes_handler)(void *data, const http_request *request, apr_pool_t *pool,
                                 http_answer *answer);

typedef struct fakes_route {
    const char *suffix; /* what the URL's path ends with */
    fakes_handler handler;
    void *data;
    unsigned calls;
    void (*before)(void *data); /* called before each answer, for races; NULL: nothing */
    void *before_data;
    unsigned odd; /* so many calls from now on do not get to the handler, but the fixed answer below */
    bool lost;    /* these calls do get to the handler, but its answer is lost */
    http_rc odd_rc;
    http_answer odd_answer;
} fakes_route;

typedef struct fakes_sent {
    const char *url;
    const char *form; /* "" for a GET */
    const char *authorization;
    int64_t deadline_ms;
} fakes_sent;

typedef struct fakes_http {
    http_port port;
    apr_pool_t *pool;
    pthread_mutex_t lock;
    fakes_route routes[FAKES_ROUTES];
    size_t count;
    unsigned calls;           /* in all */
    bool rests;               /* what the port says to whoever asks before a call */
    int64_t served_ago;       /* the same; -1 at first */
    apr_array_header_t *sent; /* of fakes_sent, in order */
} fakes_http;

void fakes_http_init(fakes_http *http, apr_pool_t *pool);
void fakes_http_serve(fakes_http *http, const char *suffix, fakes_handler handler, void *data);
/* The route of a suffix as it was served, to set hooks and read counts. Never NULL. */
fakes_route *fakes_http_route(fakes_http *http, const char *suffix);
/* The next calls get this answer instead. The body is borrowed. */
void fakes_http_odd(fakes_http *http, const char *suffix, unsigned times, const http_answer *answer);
/* The same in one line, without Retry-After; `type` NULL is application/json. */
#define fakes_http_answer(http, suffix, times, code, type, text)                                             \
    fakes_http_odd((http), (suffix), (times),                                                                \
                   &(const http_answer){                                                                     \
                       .status = (code), .body = text_of(text), .content_type = (type), .retry_after = -1})
/* The next calls end like this instead, unseen by the handler. */
void fakes_http_fail(fakes_http *http, const char *suffix, unsigned times, http_rc rc);
/* The next calls are carried out, but their answers are lost: HTTP_BROKEN. */
void fakes_http_lose(fakes_http *http, const char *suffix, unsigned times);
/* The last request to a suffix, or NULL. */
const fakes_sent *fakes_http_last(const fakes_http *http, const char *suffix);

#endif
