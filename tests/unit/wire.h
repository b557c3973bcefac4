/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef WIRE_H
#define WIRE_H

/* A small scripted server on a free port of loopback, one thread a connection, with or without TLS. It counts
 * what it sees, so that tests can say "exactly once". Include it after unit.h. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/ssl.h>

#include "port/http.h"

#define WIRE_PEERS_MAX   256
#define WIRE_REQUEST_MAX 1500000

typedef struct wire_server wire_server;

typedef struct wire_peer {
    wire_server *server;
    int fd;
    SSL *ssl; /* NULL without TLS */
} wire_peer;

/* What the server does with one connection; it is closed afterwards. */
typedef void (*wire_script)(wire_peer *peer);

struct wire_server {
    wire_script script; /* under the lock, as the next one */
    text_t reply;       /* for scripts that send a fixed one */
    SSL_CTX *tls;
    int fd;
    int port;
    atomic_bool stop;
    atomic_int connections;
    atomic_int requests; /* complete ones */
    atomic_int bytes;    /* of requests, complete or not, after TLS */
    pthread_t thread;
    int peer_count;
    wire_peer peers[WIRE_PEERS_MAX];
    pthread_t threads[WIRE_PEERS_MAX];
    pthread_mutex_t lock;
    char last[WIRE_REQUEST_MAX + 1]; /* the last complete request, under the lock */
};

static inline int64_t wire_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void wire_rest(long milliseconds)
{
    struct timespec rest = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    nanosleep(&rest, NULL);
}

/* Waits for bytes; false when the server stops. */
static inline bool wire_readable(wire_server *server, int fd)
{
    while (!atomic_load(&server->stop)) {
        struct pollfd one = {fd, POLLIN, 0};
        if (poll(&one, 1, 20) > 0)
            return true;
    }
    return false;
}

/* Bytes read, 0 at the end or when the server stops. */
static inline size_t wire_receive(wire_peer *peer, char *room, size_t len)
{
    ssize_t got = 0;
    if ((peer->ssl == NULL || SSL_pending(peer->ssl) == 0) && !wire_readable(peer->server, peer->fd))
        return 0;
    got = peer->ssl == NULL ? recv(peer->fd, room, len, 0) : SSL_read(peer->ssl, room, (int)len);
    if (got > 0)
        atomic_fetch_add(&peer->server->bytes, (int)got);
    return got > 0 ? (size_t)got : 0;
}

/* False when the other side is gone or the server stops. */
static inline bool wire_send(wire_peer *peer, text_t bytes)
{
    while (bytes.len > 0 && !atomic_load(&peer->server->stop)) {
        ssize_t sent = peer->ssl == NULL ? send(peer->fd, bytes.at, bytes.len, MSG_NOSIGNAL)
                                         : SSL_write(peer->ssl, bytes.at, (int)bytes.len);
        if (sent <= 0)
            return false;
        bytes = (text_t){bytes.at + sent, bytes.len - (size_t)sent};
    }
    return bytes.len == 0;
}

/* Is this a whole request, with the body that its Content-Length promises? */
static inline bool wire_complete(const char *request, size_t len)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strcasestr(request, "\r\nContent-Length:");
    size_t body = 0;
    if (end == NULL)
        return false;
    if (length != NULL && length < end)
        body = (size_t)strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);
    return len >= (size_t)(end + 4 - request) + body;
}

/* Reads one request and remembers it. False at the end of the connection. */
static inline bool wire_request(wire_peer *peer)
{
    char *room = calloc(1, WIRE_REQUEST_MAX + 1);
    size_t len = 0;
    size_t got = 0;
    bool complete = false;
    while (!complete && len < WIRE_REQUEST_MAX &&
           (got = wire_receive(peer, room + len, WIRE_REQUEST_MAX - len)) > 0) {
        len += got;
        complete = wire_complete(room, len);
    }
    if (complete) {
        pthread_mutex_lock(&peer->server->lock);
        memcpy(peer->server->last, room, WIRE_REQUEST_MAX + 1);
        pthread_mutex_unlock(&peer->server->lock);
        atomic_fetch_add(&peer->server->requests, 1);
    }
    free(room);
    return complete;
}

/* Does the last request contain the bytes? */
static inline bool wire_saw(wire_server *server, const char *bytes)
{
    pthread_mutex_lock(&server->lock);
    bool saw = strstr(server->last, bytes) != NULL;
    pthread_mutex_unlock(&server->lock);
    return saw;
}

/* What the server does from now on with new connections, and what it replies. */
static inline void wire_play(wire_server *server, wire_script script, text_t reply)
{
    pthread_mutex_lock(&server->lock);
    server->script = script;
    server->reply = reply;
    pthread_mutex_unlock(&server->lock);
}

static inline void *wire_serve_peer(void *data)
{
    wire_peer *peer = data;
    bool ready = true;
    pthread_mutex_lock(&peer->server->lock);
    wire_script script = peer->server->script;
    pthread_mutex_unlock(&peer->server->lock);
    if (peer->server->tls != NULL) {
        peer->ssl = SSL_new(peer->server->tls);
        SSL_set_fd(peer->ssl, peer->fd);
        ready = SSL_accept(peer->ssl) == 1;
    }
    if (ready)
        script(peer);
    SSL_free(peer->ssl);
    close(peer->fd);
    return NULL;
}

static inline void *wire_listen(void *data)
{
    wire_server *server = data;
    while (server->peer_count < WIRE_PEERS_MAX && wire_readable(server, server->fd)) {
        wire_peer *peer = &server->peers[server->peer_count];
        *peer = (wire_peer){server, accept(server->fd, NULL, NULL), NULL};
        if (peer->fd < 0)
            break;
        atomic_fetch_add(&server->connections, 1);
        if (pthread_create(&server->threads[server->peer_count], NULL, wire_serve_peer, peer) == 0)
            server->peer_count++;
    }
    return NULL;
}

static inline apr_status_t wire_stop(void *data)
{
    wire_server *server = data;
    if (atomic_exchange(&server->stop, true))
        return APR_SUCCESS;
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->peer_count; i++)
        pthread_join(server->threads[i], NULL);
    close(server->fd);
    return APR_SUCCESS;
}

static inline int wire_bind(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A running server; it stops with the pool. */
static inline wire_server *wire_start(apr_pool_t *pool, wire_script script, SSL_CTX *tls)
{
    wire_server *server = apr_pcalloc(pool, sizeof(*server));
    server->script = script;
    server->tls = tls;
    server->fd = wire_bind(&server->port);
    pthread_mutex_init(&server->lock, NULL);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, wire_listen, server), 0);
    apr_pool_cleanup_register(pool, server, wire_stop, apr_pool_cleanup_null);
    return server;
}

/* "scheme://host:port/path" of the server, in the pool. */
static inline const char *wire_url(apr_pool_t *pool, const wire_server *server, const char *origin,
                                   const char *path)
{
    return text_format(pool, "%s:%d%s", origin, server->port, path).at;
}

static inline bool wire_send_reply(wire_peer *peer)
{
    pthread_mutex_lock(&peer->server->lock);
    text_t reply = peer->server->reply;
    pthread_mutex_unlock(&peer->server->lock);
    return wire_send(peer, reply);
}

/* Reads one request, sends the fixed reply, closes. */
static inline void wire_reply(wire_peer *peer)
{
    if (wire_request(peer))
        (void)wire_send_reply(peer);
}

/* Answers every request of the connection with the fixed reply. */
static inline void wire_reply_always(wire_peer *peer)
{
    while (wire_request(peer) && wire_send_reply(peer)) {
    }
}

/* Reads one request and says nothing. */
static inline void wire_silent(wire_peer *peer)
{
    char room[64];
    if (wire_request(peer))
        (void)wire_receive(peer, room, sizeof(room));
}

/* One call of a port, and how long it took. */
typedef struct wire_asked {
    http_rc rc;
    http_answer answer;
    const char *problem;
    int64_t took; /* milliseconds */
} wire_asked;

/* Calls with 1000 bytes and five seconds where the request names none, and checks what always holds. */
static inline wire_asked wire_ask(http_port *http, apr_pool_t *pool, http_request request)
{
    wire_asked one = {.problem = "untouched"};
    int64_t before = wire_now();
    if (request.body_max == 0)
        request.body_max = 1000;
    if (request.deadline_ms == 0)
        request.deadline_ms = 5000;
    one.rc = http->call(http, &request, pool, &one.answer, &one.problem);
    one.took = wire_now() - before;
    if (one.rc == HTTP_ANSWERED)
        assert_null(one.problem);
    else
        assert_true(one.problem != NULL && one.problem[0] != '\0' && text_is_printable(text_of(one.problem)));
    return one;
}

#endif
