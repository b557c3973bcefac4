/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/syscall.h>

#include <curl/curl.h>

#include "backend/curlhttp.h"
#include "wire.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

/* Stand in front of the C library's functions for libcurl too. */
static atomic_bool connect_forbidden;
static atomic_bool no_more_handles;
static atomic_int resolvers_hanging;
static atomic_int sockets_not_cloexec;

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
        atomic_fetch_add(&sockets_not_cloexec, 1);
    if (atomic_load(&connect_forbidden)) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, address, len);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **result)
{
    (void)service;
    (void)hints;
    *result = NULL;
    if (strcmp(node, "hanging.example") == 0) {
        atomic_fetch_add(&resolvers_hanging, 1);
        wire_rest(1500);
        atomic_fetch_sub(&resolvers_hanging, 1);
    }
    return EAI_NONAME;
}

CURL *curl_easy_init(void)
{
    CURL *(*real)(void) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_init");
    return atomic_load(&no_more_handles) ? NULL : real();
}

static http_port *port_of(void **state)
{
    return curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = 0});
}

static wire_asked get(http_port *http, apr_pool_t *pool, const wire_server *server)
{
    return wire_ask(http, pool, (http_request){.url = wire_url(pool, server, "http://127.0.0.1", "/x")});
}

static void refuses_what_must_not_be_sent(void **state)
{
    static const struct {
        http_request request;
        http_rc rc;
        const char *why;
    } cases[] = {
        {{.url = "http://example.com/"}, HTTP_REFUSED, "plain http to another host"},
        {{.url = "http://10.0.0.1/"}, HTTP_REFUSED, "plain http to another address"},
        {{.url = "http://localhost.example.com/"}, HTTP_REFUSED, "a name that begins like loopback"},
        {{.url = "http://user:pw@127.0.0.1/"}, HTTP_REFUSED, "userinfo"},
        {{.url = "file:///etc/passwd"}, HTTP_REFUSED, "another scheme"},
        {{.url = "127.0.0.1/x"}, HTTP_REFUSED, "no scheme"},
        {{.url = ""}, HTTP_REFUSED, "nothing"},
        {{.url = NULL}, HTTP_REFUSED, "no URL"},
        {{.url = "http://127.0.0.1/\r\nX: y"}, HTTP_REFUSED, "a header in the URL"},
        {{.url = "https://127.0.0.1/", .authorization = "Basic x\r\nX: y"},
         HTTP_REFUSED,
         "a header in the authorization"},
        {{.url = "https://127.0.0.1/", .authorization = "Basic x\n"},
         HTTP_REFUSED,
         "a line end in the authorization"},
        {{.url = "https://127.0.0.1/", .accept = "a\rb"}, HTTP_REFUSED, "a CR in accept"},
        {{.url = "https://127.0.0.1:1/", .deadline_ms = -1},
         HTTP_UNREACHABLE,
         "no time left is not endless time"},
        {{.url = "https://127.0.0.1:1/"}, HTTP_UNREACHABLE, "a closed port"},
        {{.url = "https://no-such-host.example/"}, HTTP_UNREACHABLE, "a name that does not resolve"},
    };
    http_port *http = port_of(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        wire_asked one = wire_ask(http, unit_pool(state), cases[i].request);
        assert_case(one.rc == cases[i].rc, cases[i].why);
        assert_case(strstr(one.problem, "pw") == NULL && strstr(one.problem, "Basic") == NULL,
                    "no secrets in the problem");
    }
}

static void says_when_the_host_forbids(void **state)
{
    http_port *http = port_of(state);
    atomic_store(&connect_forbidden, true);
    wire_asked one = wire_ask(http, unit_pool(state), (http_request){.url = "https://127.0.0.1:443/"});
    atomic_store(&connect_forbidden, false);
    assert_int_equal(one.rc, HTTP_UNREACHABLE);
    assert_non_null(strstr(one.problem, "httpd_can_network_connect"));
    one = wire_ask(http, unit_pool(state), (http_request){.url = "https://127.0.0.1:1/"});
    assert_null(strstr(one.problem, "httpd_can_network_connect"));
}

static void a_hanging_resolver_does_not_hold_the_thread(void **state)
{
    http_port *http = port_of(state);
    wire_asked one = wire_ask(http, unit_pool(state),
                              (http_request){.url = "https://hanging.example/", .deadline_ms = 200});
    assert_int_equal(one.rc, HTTP_UNREACHABLE);
    assert_true(one.took < 4 * 200);
    assert_int_equal(atomic_load(&resolvers_hanging), 1);
    while (atomic_load(&resolvers_hanging) > 0)
        wire_rest(10);
    wire_rest(50);
}

static void sends_what_was_asked(void **state)
{
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    server->reply = TEXT(OK_REPLY);
    const char *url = wire_url(unit_pool(state), server, "http://LOCALHOST", "/a/../b%2F?q=1&r=#frag");
    assert_int_equal(wire_ask(http, unit_pool(state), (http_request){.url = url}).rc, HTTP_ANSWERED);
    assert_true(wire_saw(server, "GET /a/../b%2F?q=1&r= HTTP/1.1\r\n"));
    assert_true(wire_saw(server, "\r\nAccept: application/json\r\n"));
    assert_true(wire_saw(server, "\r\nUser-Agent: mod_sso\r\n"));
    assert_false(wire_saw(server, "Authorization"));
    assert_false(wire_saw(server, "Accept-Encoding"));
    http_request post = {
        .url = url, .form = TEXT("a=1&b=%00"), .authorization = "Bearer abc", .accept = "application/jwt"};
    assert_int_equal(wire_ask(http, unit_pool(state), post).rc, HTTP_ANSWERED);
    assert_true(wire_saw(server, "POST /a/../b%2F?q=1&r= HTTP/1.1\r\n"));
    assert_true(wire_saw(server, "\r\nAuthorization: Bearer abc\r\n"));
    assert_true(wire_saw(server, "\r\nAccept: application/jwt\r\n"));
    assert_true(wire_saw(server, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_true(wire_saw(server, "\r\nContent-Length: 9\r\n"));
    assert_true(wire_saw(server, "\r\n\r\na=1&b=%00"));
    assert_false(wire_saw(server, "Expect"));
    assert_int_equal(wire_ask(http, unit_pool(state), (http_request){.url = url, .form = TEXT("")}).rc,
                     HTTP_ANSWERED);
    assert_true(wire_saw(server, "POST "));
    assert_true(wire_saw(server, "\r\nContent-Length: 0\r\n"));
    assert_int_equal(wire_ask(http, unit_pool(state), (http_request){.url = url}).rc, HTTP_ANSWERED);
    assert_true(wire_saw(server, "GET "));
    assert_false(wire_saw(server, "Authorization")); /* nothing of the call before is left on the handle */
}

static void a_large_form_goes_at_once(void **state)
{
    static char
        form[1100000]; /* above one megabyte libcurl would send Expect: 100-continue and wait a second */
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    server->reply = TEXT(OK_REPLY);
    memset(form, 'f', sizeof(form));
    wire_asked one =
        wire_ask(http, unit_pool(state),
                 (http_request){.url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/"),
                                .form = {form, sizeof(form)}});
    assert_int_equal(one.rc, HTTP_ANSWERED);
    assert_false(wire_saw(server, "Expect"));
    assert_true(one.took < 900);
}

/* Answers the first request of a connection, reads the second one and closes. */
static void answer_then_close(wire_peer *peer)
{
    if (wire_request(peer) && wire_send(peer, TEXT(OK_REPLY)))
        (void)wire_request(peer);
}

static void keeps_connections_for_get_only(void **state)
{
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply_always, NULL);
    http_request post = {.url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/"),
                         .form = TEXT("a=b")};
    server->reply = TEXT(OK_REPLY);
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
    assert_int_equal(atomic_load(&server->connections), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wire_ask(http, unit_pool(state), post).rc, HTTP_ANSWERED);
    assert_int_equal(atomic_load(&server->connections), 4);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
    assert_int_equal(atomic_load(&server->connections), 4); /* the POSTs left the kept one alone */
    assert_int_equal(atomic_load(&server->requests), 9);
    assert_int_equal(atomic_load(&sockets_not_cloexec), 0);
}

static void a_post_leaves_no_connection(void **state)
{
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply_always, NULL);
    http_request post = {.url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/"),
                         .form = TEXT("a=b")};
    server->reply = TEXT(OK_REPLY);
    assert_int_equal(wire_ask(http, unit_pool(state), post).rc, HTTP_ANSWERED);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
    assert_int_equal(atomic_load(&server->connections), 2);
}

static void a_post_is_never_sent_twice(void **state)
{
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), answer_then_close, NULL);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
    wire_play(server, wire_reply, TEXT("")); /* for new connections: read, send nothing, close */
    http_request post = {.url = wire_url(unit_pool(state), server, "http://127.0.0.1", "/"),
                         .form = TEXT("code=1")};
    wire_asked one = wire_ask(http, unit_pool(state), post);
    assert_int_equal(one.rc, HTTP_BROKEN);
    assert_int_equal(atomic_load(&server->requests), 2);
    assert_int_equal(atomic_load(&server->connections), 2);
}

static void the_environment_is_not_read(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    wire_server *proxy = wire_start(unit_pool(state), wire_reply, NULL);
    server->reply = TEXT(OK_REPLY);
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], wire_url(unit_pool(state), proxy, "http://127.0.0.1", ""), 1);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
    assert_int_equal(wire_ask(http, unit_pool(state), (http_request){.url = "https://127.0.0.1:1/"}).rc,
                     HTTP_UNREACHABLE);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    assert_int_equal(atomic_load(&proxy->connections), 0);
}

static void a_proxy_sees_no_secrets(void **state)
{
    wire_server *proxy = wire_start(unit_pool(state), wire_reply, NULL);
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    curlhttp_settings settings = {.proxy = wire_url(unit_pool(state), proxy, "http://127.0.0.1", "")};
    http_port *http = curlhttp_new(unit_pool(state), &settings);
    proxy->reply = TEXT("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    server->reply = TEXT(OK_REPLY);
    setenv("no_proxy", "*", 1);
    wire_asked one = wire_ask(http, unit_pool(state),
                              (http_request){.url = "https://op.example/x", .authorization = "Basic abc"});
    unsetenv("no_proxy");
    assert_int_equal(one.rc, HTTP_UNREACHABLE);
    assert_true(wire_saw(proxy, "CONNECT op.example:443 HTTP/1.1\r\n"));
    assert_false(wire_saw(proxy, "Authorization"));
    assert_int_equal(get(http, unit_pool(state), server).rc,
                     HTTP_ANSWERED); /* loopback in clear stays on the host */
    assert_int_equal(atomic_load(&proxy->connections), 1);
}

typedef struct caller {
    http_port *http;
    const char *url;
    http_rc rc;
} caller;

static void *call_alone(void *data)
{
    caller *one = data;
    apr_pool_t *pool = NULL;
    http_answer answer;
    const char *problem = NULL;
    http_request request = {.url = one->url, .body_max = 100, .deadline_ms = 1600};
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    one->rc = one->http->call(one->http, &request, pool, &answer, &problem);
    apr_pool_destroy(pool);
    return NULL;
}

static void run_callers(caller *callers, size_t count)
{
    pthread_t threads[64];
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_alone, &callers[i]), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void answer_slowly(wire_peer *peer)
{
    if (wire_request(peer)) {
        wire_rest(60);
        (void)wire_send_reply(peer);
    }
}

static void permits_are_counted(void **state)
{
    enum { CALLERS = 7, PERMITS = 3 };
    http_port *http = curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = PERMITS});
    wire_server *server = wire_start(unit_pool(state), wire_silent, NULL);
    caller callers[CALLERS];
    int busy = 0;
    for (size_t i = 0; i < CALLERS; i++)
        callers[i] =
            (caller){http, wire_url(unit_pool(state), server, "http://127.0.0.1", "/"), HTTP_ANSWERED};
    run_callers(callers, CALLERS);
    for (size_t i = 0; i < CALLERS; i++)
        busy += callers[i].rc == HTTP_BUSY ? 1 : 0;
    assert_int_equal(busy, CALLERS - PERMITS);
    assert_int_equal(atomic_load(&server->requests), PERMITS);
    wire_server *other = wire_start(unit_pool(state), wire_reply, NULL);
    other->reply = TEXT(OK_REPLY);
    for (int i = 0; i < 2 * PERMITS; i++)
        assert_int_equal(get(http, unit_pool(state), other).rc, HTTP_ANSWERED); /* all permits came back */
}

/* RF-28: behind a provider that works, more callers than permits are all answered, one after the other. */
static void permits_are_waited_for(void **state)
{
    enum { CALLERS = 24, PERMITS = 3 };
    http_port *http = curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = PERMITS});
    wire_server *server = wire_start(unit_pool(state), answer_slowly, NULL);
    caller callers[CALLERS];
    server->reply = TEXT(OK_REPLY);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED); /* permits come and go */
    for (size_t i = 0; i < CALLERS; i++)
        callers[i] = (caller){http, wire_url(unit_pool(state), server, "http://127.0.0.1", "/"), HTTP_BUSY};
    run_callers(callers, CALLERS);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(callers[i].rc, HTTP_ANSWERED);
}

static void permits_survive_failures(void **state)
{
    http_port *http = curlhttp_new(unit_pool(state), &(curlhttp_settings){.max_calls = 1});
    wire_server *server = wire_start(unit_pool(state), wire_reply, NULL);
    server->reply = TEXT(OK_REPLY);
    atomic_store(&no_more_handles, true);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_UNREACHABLE);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_UNREACHABLE);
    atomic_store(&no_more_handles, false);
    assert_int_equal(wire_ask(http, unit_pool(state), (http_request){.url = "https://127.0.0.1:1/"}).rc,
                     HTTP_UNREACHABLE);
    assert_int_equal(get(http, unit_pool(state), server).rc, HTTP_ANSWERED);
}

static void many_threads_at_once(void **state)
{
    enum { CALLERS = 24 };
    http_port *http = port_of(state);
    wire_server *server = wire_start(unit_pool(state), wire_reply_always, NULL);
    caller callers[CALLERS];
    server->reply = TEXT(OK_REPLY);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < CALLERS; i++)
            callers[i] =
                (caller){http, wire_url(unit_pool(state), server, "http://127.0.0.1", "/"), HTTP_BUSY};
        run_callers(callers, CALLERS);
        for (size_t i = 0; i < CALLERS; i++)
            assert_int_equal(callers[i].rc, HTTP_ANSWERED);
    }
    assert_int_equal(atomic_load(&server->requests), 5 * CALLERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(refuses_what_must_not_be_sent),
        UNIT_TEST(says_when_the_host_forbids),
        UNIT_TEST(a_hanging_resolver_does_not_hold_the_thread),
        UNIT_TEST(sends_what_was_asked),
        UNIT_TEST(a_large_form_goes_at_once),
        UNIT_TEST(keeps_connections_for_get_only),
        UNIT_TEST(a_post_leaves_no_connection),
        UNIT_TEST(a_post_is_never_sent_twice),
        UNIT_TEST(the_environment_is_not_read),
        UNIT_TEST(a_proxy_sees_no_secrets),
        UNIT_TEST(permits_are_counted),
        UNIT_TEST(permits_are_waited_for),
        UNIT_TEST(permits_survive_failures),
        UNIT_TEST(many_threads_at_once),
    };
    return UNIT_MAIN(tests);
}
