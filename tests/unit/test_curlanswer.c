/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* backend/curlanswer.c behind the port that uses it, fed by libcurl from a scripted server. */

#include "unit.h"

#include "backend/curlhttp.h"
#include "wire.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

static http_port *port_of(void **state)
{
    return curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = 0});
}

static wire_asked get(http_port *http, apr_pool_t *pool, const wire_server *server)
{
    return wire_ask(http, pool, (http_request){.url = wire_url(pool, server, "http://127.0.0.1", "/x")});
}

#define HEAD "HTTP/1.1 200 OK\r\n"
static const struct {
    text_t reply;
    http_rc rc;
    int status;
    text_t body;
    const char *type;
    int64_t retry_after;
    const char *why;
} replies[] = {
    {TEXT(OK_REPLY), HTTP_ANSWERED, 200, TEXT("{}"), "application/json", -1, "the ordinary case"},
    {TEXT(HEAD "Content-Length: 7\r\n\r\na\0b\0\0c\n"), HTTP_ANSWERED, 200, TEXT("a\0b\0\0c\n"), "", -1,
     "NULs are bytes"},
    {TEXT(HEAD "\r\nto the end"), HTTP_ANSWERED, 200, TEXT("to the end"), "", -1,
     "no length, ended by close"},
    {TEXT(HEAD
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\nRetry-After: 9\r\n\r\n"),
     HTTP_ANSWERED, 200, TEXT("abcde"), "", -1, "chunks; a trailer is no header"},
    {TEXT("HTTP/1.1 204 No Content\r\n\r\n"), HTTP_ANSWERED, 204, TEXT(""), "", -1, "no body"},
    {TEXT("HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx"), HTTP_ANSWERED, 500, TEXT("x"), "", -1,
     "any status is an answer"},
    {TEXT("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED,
     401, TEXT(""), "", -1, "no second try with other credentials"},
    {TEXT("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 302,
     TEXT(""), "", -1, "a redirect is an answer"},
    {TEXT("HTTP/1.1 103 Early\r\nRetry-After: 7\r\nContent-Type: a/b\r\n\r\n" OK_REPLY), HTTP_ANSWERED, 200,
     TEXT("{}"), "application/json", -1, "interim answers say nothing"},
    {TEXT("HTTP/1.1 503 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 503, TEXT(""),
     "", 120, "seconds"},
    {TEXT("HTTP/1.1 429 No\r\nretry-after:  0 \r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 429, TEXT(""),
     "", 0, "zero"},
    {TEXT("HTTP/1.1 429 No\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 429, TEXT(""),
     "", 3600, "capped"},
    {TEXT("HTTP/1.1 429 No\r\nRetry-After: -1\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 429, TEXT(""),
     "", -1, "no number"},
    {TEXT("HTTP/1.1 429 No\r\nRetry-After: Fri, 31 Dec 2038 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"),
     HTTP_ANSWERED, 429, TEXT(""), "", -1, "a date depends on clocks"},
    {TEXT(HEAD "Content-Type: a/\x01z\r\nContent-Length: 0\r\n\r\n"), HTTP_ANSWERED, 200, TEXT(""), "", -1,
     "a type with control bytes"},
    {TEXT(HEAD "Content-Encoding: identity\r\nContent-Length: 1\r\n\r\nx"), HTTP_ANSWERED, 200, TEXT("x"), "",
     -1, "identity is none"},
    {TEXT(HEAD "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), HTTP_BROKEN, 0, TEXT(""), "", -1,
     "nobody wire_asked for gzip"},
    {TEXT(HEAD "content-encoding: br\r\nContent-Length: 1\r\n\r\nx"), HTTP_BROKEN, 0, TEXT(""), "", -1,
     "in any case"},
    {TEXT(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), HTTP_BROKEN, 0, TEXT(""), "", -1,
     "packed underway"},
    {TEXT(HEAD "Content-Length: 9\r\n\r\nshort"), HTTP_BROKEN, 0, TEXT(""), "", -1, "less than promised"},
    {TEXT(HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), HTTP_BROKEN, 0, TEXT(""), "", -1,
     "chunks without an end"},
    {TEXT(HEAD "Content-Length: -5\r\n\r\n"), HTTP_BROKEN, 0, TEXT(""), "", -1, "a negative length"},
    {TEXT("SSH-2.0-OpenSSH_9.2\r\n"), HTTP_BROKEN, 0, TEXT(""), "", -1, "another protocol"},
    {TEXT(HEAD "X: a\0b\r\nContent-Length: 0\r\n\r\n"), HTTP_BROKEN, 0, TEXT(""), "", -1, "NUL in a header"},
    {TEXT(""), HTTP_BROKEN, 0, TEXT(""), "", -1, "read and closed"},
    {TEXT(HEAD "Content-Length: 1001\r\n\r\n"), HTTP_TOO_LARGE, 0, TEXT(""), "", -1,
     "a promise above the ceiling"},
};

static void reads_answers(void **state)
{
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    for (size_t i = 0; i < COUNT(replies); i++) {
        http_port *http = port_of(state); /* one each: the failures here are many enough for the breaker */
        wire_play(server, wire_reply, replies[i].reply);
        wire_asked one = get(http, unit_pool(state), server);
        if (one.rc != replies[i].rc)
            print_error("%s: answered %d, %s\n", replies[i].why, (int)one.rc,
                        one.problem == NULL ? "-" : one.problem);
        assert_case(one.rc == replies[i].rc, replies[i].why);
        assert_case(one.answer.status == replies[i].status, replies[i].why);
        assert_case(one.answer.retry_after == replies[i].retry_after, replies[i].why);
        assert_texts(text_of(one.answer.content_type), text_of(replies[i].type), replies[i].why);
        assert_texts(one.answer.body, replies[i].body, replies[i].why);
        assert_case(atomic_load(&server->requests) == (int)i + 1, "each wire_asked exactly once");
    }
}

static void drip(wire_peer *peer)
{
    bool open = wire_request(peer) && wire_send(peer, TEXT("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"));
    while (open) {
        wire_rest(20);
        open = wire_send(peer, TEXT("x"));
    }
}

static void flood(wire_peer *peer, text_t head, text_t piece)
{
    bool open = wire_request(peer) && wire_send(peer, head);
    while (open)
        open = wire_send(peer, piece);
}

static void endless_lines(wire_peer *peer)
{
    flood(peer, TEXT("HTTP/1.1 200 OK\r\n"), TEXT("X: y\r\n"));
}

static void endless_line(wire_peer *peer)
{
    flood(peer, TEXT("HTTP/1.1 200 OK\r\nX: "),
          TEXT("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"));
}

static void endless_interim(wire_peer *peer)
{
    flood(peer, TEXT(""), TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void endless_body(wire_peer *peer)
{
    flood(peer, TEXT("HTTP/1.1 200 OK\r\n\r\n"), TEXT("0123456789012345678901234567890123456789"));
}

static void endless_trailers(wire_peer *peer)
{
    flood(peer, TEXT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), TEXT("X: y\r\n"));
}

static void bounds_hostile_servers(void **state)
{
    static const struct {
        wire_script script;
        http_rc rc;
        int64_t least;
        const char *why;
    } cases[] = {
        {wire_silent, HTTP_BROKEN, 380, "read, then silent: ends at the deadline"},
        {drip, HTTP_BROKEN, 380, "a byte now and then: ends at the deadline"},
        {endless_lines, HTTP_TOO_LARGE, 0, "header lines without end"},
        {endless_line, HTTP_TOO_LARGE, 0, "a header line without end"},
        {endless_interim, HTTP_TOO_LARGE, 0, "interim answers without end"},
        {endless_body, HTTP_TOO_LARGE, 0, "a body without end"},
        {endless_trailers, HTTP_TOO_LARGE, 0, "trailers without end"},
    };
    http_port *http = port_of(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        wire_server *server = wire_start(unit_pool(state), cases[i].script, NULL);
        wire_asked one =
            wire_ask(http, unit_pool(state),
                     (http_request){.url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/"),
                                    .deadline_ms = 400});
        if (one.rc != cases[i].rc)
            print_error("%s: answered %d, %s\n", cases[i].why, (int)one.rc, one.problem);
        assert_case(one.rc == cases[i].rc, cases[i].why);
        assert_case(one.took >= cases[i].least && one.took < 4 * 400, cases[i].why);
        assert_case(one.answer.body.len == 0, "half a body is not handed over");
        wire_stop(server);
    }
}

static void body_ceiling_is_exact(void **state)
{
    static const struct {
        size_t ceiling;
        http_rc rc;
        const char *why;
    } cases[] = {
        {9, HTTP_TOO_LARGE, "a byte too many"},
        {10, HTTP_ANSWERED, "exactly full"},
        {SIZE_MAX, HTTP_ANSWERED, "cut down to the port's ceiling"},
    };
    static const char *const heads[] = {"HTTP/1.1 200 OK\r\n\r\n0123456789",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"};
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    const char *url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/");
    for (size_t i = 0; i < COUNT(cases) * COUNT(heads); i++) {
        wire_play(server, wire_reply, text_of(heads[i % COUNT(heads)]));
        wire_asked one = wire_ask(http, unit_pool(state),
                                  (http_request){.url = url, .body_max = cases[i / COUNT(heads)].ceiling});
        assert_case(one.rc == cases[i / COUNT(heads)].rc, cases[i / COUNT(heads)].why);
    }
}

static void a_large_body_arrives_whole(void **state)
{
    static char reply[700000];
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    for (size_t i = 0; i < sizeof(reply); i++)
        reply[i] = (char)(i * 31 % 251);
    memcpy(reply, head, sizeof(head) - 1);
    server->reply = (text_t){reply, sizeof(reply)};
    wire_asked one =
        wire_ask(http, unit_pool(state),
                 (http_request){.url = wire_url(unit_pool(state), server, "http://localhost", "/"),
                                .body_max = HTTP_BODY_MAX});
    assert_int_equal(one.rc, HTTP_ANSWERED);
    assert_int_equal(one.answer.body.len, sizeof(reply) - (sizeof(head) - 1));
    assert_memory_equal(one.answer.body.at, reply + sizeof(head) - 1, one.answer.body.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(reads_answers),
        UNIT_TEST(bounds_hostile_servers),
        UNIT_TEST(body_ceiling_is_exact),
        UNIT_TEST(a_large_body_arrives_whole),
    };
    return UNIT_MAIN(tests);
}
