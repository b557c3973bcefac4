/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What callers of the http port see of its breaker: real servers that fall ill. */

#include "unit.h"

#include "backend/curlbreaker.h"
#include "backend/curlhttp.h"
#include "wire.h"

#define REPLY(line) TEXT("HTTP/1.1 " line "\r\nContent-Length: 2\r\n\r\n{}")

enum { THREADS = 20 };

static http_port *port_of(void **state)
{
    return curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = 0});
}

static wire_asked get(http_port *http, apr_pool_t *pool, const wire_server *server)
{
    return wire_ask(http, pool, (http_request){.url = wire_url(pool, server, "http://127.0.0.1", "/x")});
}

/* Reads nothing and closes. */
static void slam(wire_peer *peer)
{
    (void)peer;
}

static wire_server *sick_server(void **state, http_port *http)
{
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    wire_play(server, wire_reply, REPLY("500 Sick"));
    for (int i = 0; i < CURLBREAKER_FAILURES; i++)
        assert_int_equal(get(http, unit_pool(state), server).answer.status, 500);
    return server;
}

static void nothing_is_sent_while_open(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    http_port *http = port_of(state);
    wire_server *server = sick_server(state, http);
    int64_t until = wire_now() + CURLBREAKER_PROBE_FIRST_MS;
    const http_request requests[] = {
        {.url = wire_url(pool, server, "http://127.0.0.1", "/x")},
        {.url = wire_url(pool, server, "http://127.0.0.1", "/other?path=1")},
        {.url = wire_url(pool, server, "http://127.0.0.1", "/token"), .form = TEXT("refresh_token=secret")},
    };
    for (size_t i = 0; i < COUNT(requests); i++) {
        wire_asked one = wire_ask(http, pool, requests[i]);
        assert_int_equal(one.rc, HTTP_RESTING);
        assert_false(one.answer.sent);
        assert_true(http->rests(http, requests[i].url, pool));
        assert_non_null(strstr(one.problem, "after 3 failures, last: it answered 500"));
        assert_null(strstr(one.problem, "secret"));
        assert_true(one.took < 200);
    }
    assert_true(wire_now() < until);
    assert_int_equal(atomic_load(&server->connections), CURLBREAKER_FAILURES);
    assert_false(http->rests(http, wire_url(pool, server, "http://localhost", "/x"), pool));
    assert_false(http->rests(http, "nonsense", pool));
    wire_asked neighbour =
        wire_ask(http, pool, (http_request){.url = wire_url(pool, server, "http://localhost", "/x")});
    assert_int_equal(neighbour.answer.status, 500); /* another origin */
}

static void what_does_not_open_it(void **state)
{
    static const struct {
        text_t replies[3]; /* in turn */
        const char *why;
    } cases[] = {
        {{REPLY("429 Slow Down"), REPLY("429 Slow Down"), REPLY("429 Slow Down")}, "429 is an answer"},
        {{REPLY("400 No"), REPLY("401 No"), REPLY("404 No")}, "so is a refusal"},
        {{TEXT("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
          TEXT("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
          TEXT("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")},
         "and too much of one"},
        {{REPLY("500 Sick"), TEXT(""), REPLY("200 OK")}, "a hiccup of two"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        http_port *http = port_of(state);
        wire_server *server = wire_start(pool, wire_reply, NULL);
        for (int call = 0; call < 12; call++) {
            wire_play(server, wire_reply, cases[i].replies[call % 3]);
            (void)get(http, pool, server);
            assert_case(atomic_load(&server->requests) == call + 1, cases[i].why);
        }
    }
}

typedef struct caller {
    http_port *http;
    const char *url;
    int64_t deadline_ms;
    http_rc rc;
} caller;

static void *call_alone(void *data)
{
    caller *one = data;
    apr_pool_t *pool = NULL;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    one->rc = wire_ask(one->http, pool, (http_request){.url = one->url, .deadline_ms = one->deadline_ms}).rc;
    apr_pool_destroy(pool);
    return NULL;
}

/* How many of so many callers at once got this answer. */
static int callers_with(const caller *model, int count, http_rc rc)
{
    caller callers[THREADS];
    pthread_t threads[THREADS];
    int matching = 0;
    for (int i = 0; i < count; i++) {
        callers[i] = *model;
        assert_int_equal(pthread_create(&threads[i], NULL, call_alone, &callers[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        matching += callers[i].rc == rc ? 1 : 0;
    }
    return matching;
}

/* Answers late enough for all the callers to come while it has not. */
static void take_time(wire_peer *peer)
{
    if (wire_request(peer)) {
        wire_rest(700);
        (void)wire_send_reply(peer);
    }
}

static void one_probe_for_all_threads(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    http_port *http = port_of(state);
    wire_server *server = sick_server(state, http);
    caller model = {http, wire_url(pool, server, "http://127.0.0.1", "/x"), 5000, HTTP_BUSY};
    wire_play(server, take_time, REPLY("200 OK"));
    wire_rest(CURLBREAKER_PROBE_FIRST_MS + 20);
    assert_int_equal(callers_with(&model, THREADS, HTTP_ANSWERED), 1);
    assert_int_equal(atomic_load(&server->connections), CURLBREAKER_FAILURES + 1);
    assert_int_equal(callers_with(&model, THREADS, HTTP_ANSWERED), THREADS); /* the probe has closed it */
}

/* F-19: a provider that hangs holds as many threads as there are permits, for one deadline; who waited for
 * one of these permits is not sent after them. */
static void a_hanging_provider_holds_few(void **state)
{
    enum { PERMITS = 6 };
    apr_pool_t *pool = unit_pool(state);
    http_port *http = curlhttp_new(pool, &(curlhttp_settings){.max_calls = PERMITS});
    wire_server *server = wire_start(pool, wire_silent, NULL);
    caller model = {http, wire_url(pool, server, "http://127.0.0.1", "/x"), 500, HTTP_ANSWERED};
    int held = callers_with(&model, THREADS, HTTP_BROKEN); /* some may follow before the third failure */
    assert_true(held >= PERMITS && held < PERMITS + CURLBREAKER_FAILURES);
    assert_true(callers_with(&model, THREADS, HTTP_RESTING) >= THREADS - 1); /* one may be the first probe */
    assert_true(atomic_load(&server->connections) <= held + 1);
    wire_play(server, wire_reply, REPLY("200 OK"));
    wire_rest(2 * CURLBREAKER_PROBE_FIRST_MS);
    assert_int_equal(get(http, pool, server).rc, HTTP_ANSWERED);
}

/* F-18, shorter: few attempts while it lasts, and soon back. */
static void an_outage_and_its_end(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    http_port *http = port_of(state);
    wire_server *server = wire_start(pool, slam, NULL);
    int64_t began = wire_now();
    while (wire_now() - began < 2500) {
        assert_int_not_equal(get(http, pool, server).rc, HTTP_ANSWERED);
        wire_rest(2);
    }
    int attempts = atomic_load(&server->connections); /* 3 at once, then after 0.5 s and 1 s */
    assert_true(attempts >= CURLBREAKER_FAILURES + 1 && attempts <= CURLBREAKER_FAILURES + 2);
    wire_play(server, wire_reply, REPLY("200 OK"));
    began = wire_now();
    while (get(http, pool, server).rc != HTTP_ANSWERED)
        wire_rest(2);
    assert_true(wire_now() - began < CURLBREAKER_PROBE_LAST_MS + 500);
    assert_int_equal(atomic_load(&server->connections), attempts + 1);
    assert_int_equal(get(http, pool, server).rc, HTTP_ANSWERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(nothing_is_sent_while_open), UNIT_TEST(what_does_not_open_it),
        UNIT_TEST(one_probe_for_all_threads),  UNIT_TEST(a_hanging_provider_holds_few),
        UNIT_TEST(an_outage_and_its_end),
    };
    return UNIT_MAIN(tests);
}
