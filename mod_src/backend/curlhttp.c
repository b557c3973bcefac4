/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Calls to providers over libcurl's easy interface: one blocking call a thread, under permits
 * (curlhandles.c) and a breaker an origin (curlbreaker.c), the answer under ceilings
 * (curlanswer.c), a failure put into one of our words (curlfail.c). The multi interface was rejected: a loop
 * of our own for nothing.
 *
 * Where the request goes is decided by base/url alone: libcurl gets a URL that is put together again from the
 * parts that were read, so that two parsers cannot disagree. Whether the request was sent is known from
 * CURLOPT_PREREQFUNCTION, which runs between the finished handshake and the first byte; guessing from error
 * codes was rejected.
 *
 * The breaker is asked before the permit, so that a provider that is known to be sick takes none from the
 * others; its probe need not wait for one.
 *
 * Limits: copies of a request inside libcurl's own buffers are not wiped, since its allocator could be
 * replaced only for the whole process. An answer without a length that ends with the connection counts as
 * whole (libcurl does not tell a cut stream from an end there); what providers say is JSON or signed, and
 * shows that it was cut. */

#include "backend/curlhttp.h"

#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "backend/curlanswer.h"
#include "backend/curlbreaker.h"
#include "backend/curlfail.h"
#include "backend/curlhandles.h"
#include "backend/hostclock.h"
#include "base/secret.h"
#include "base/url.h"

#define CONNECTIONS_PER_HANDLE 2L
#define CONNECTION_AGE_MAX     15L /* seconds without use; servers close sooner or later, and few keep less */
#define CONNECT_MS_MAX         2000L
#define DEADLINE_MS_MAX        ((int64_t)10 * 60 * 1000)
#define HEADERS_MAX            4

typedef struct curlhttp {
    http_port port; /* first: the port's address is ours */
    const char *ca_file;
    const char *proxy;
    curlhandles_t *handles;
    curlbreaker_t *breakers;
    int scope;
} curlhttp;

/* One call. */
typedef struct exchange {
    const curlhttp *http;
    const http_request *request;
    apr_pool_t *scratch; /* ends with the call and wipes what was secret */
    CURL *handle;
    url_t url;
    bool sent; /* the first byte of the request was about to go */
    curlbreaker_pass pass;
    size_t header_count;
    struct curl_slist headers[HEADERS_MAX];
    curlanswer_t answer;
    char error[CURL_ERROR_SIZE];
} exchange;

/* libcurl's sockets would be inherited by CGI programs. */
static curl_socket_t open_socket(void *unused, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)unused;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Runs after libcurl has set the context up: takes the key log of SSLKEYLOGFILE away again. */
static CURLcode harden_tls(CURL *handle, void *context, void *unused)
{
    (void)handle;
    (void)unused;
    SSL_CTX_set_keylog_callback(context, NULL);
    (void)SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    return CURLE_OK;
}

static int before_request(void *data, char *peer, char *local, int peer_port, int local_port)
{
    exchange *one = data;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (!one->url.https && strncmp(peer, "127.", 4) != 0 && strcmp(peer, "::1") != 0) {
        return CURL_PREREQFUNC_ABORT;
    }
    one->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* What holds for every call. */
static const struct {
    CURLoption option;
    long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_QUICK_EXIT, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_PROXY_SSL_VERIFYPEER, 1},
    {CURLOPT_PROXY_SSL_VERIFYHOST, 2},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_MAXCONNECTS, CONNECTIONS_PER_HANDLE},
    {CURLOPT_MAXAGE_CONN, CONNECTION_AGE_MAX},
};

/* Adds up results: an option that cannot be set must stop the call, not weaken it. */
static void keep_first(CURLcode *first, CURLcode code)
{
    if (*first == CURLE_OK) {
        *first = code;
    }
}

/* The empty proxy keeps libcurl from reading the environment. Plain http never leaves this host, so it never
 * goes to a proxy. */
static CURLcode set_trust(exchange *one)
{
    CURL *curl = one->handle;
    const curlhttp *http = one->http;
    CURLcode rc = CURLE_OK;
    bool proxied = http->proxy != NULL && one->url.https;
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, one->url.https ? "https" : "http"));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https"));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_PROXY, proxied ? http->proxy : ""));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_NOPROXY, ""));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, harden_tls));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_PREREQDATA, one));
    if (http->ca_file != NULL) {
        /* Without the second line the system's authorities stay trusted beside the file. */
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_CAINFO, http->ca_file));
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_CAPATH, NULL));
    }
    return rc;
}

/* One request header; libcurl copies nothing, and the copy here is wiped with the scratch pool. */
static void add_header(exchange *one, const char *name, const char *value)
{
    struct curl_slist *node = &one->headers[one->header_count];
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);
    node->data = (char *)secret_room(one->scratch, name_len + value_len);
    memcpy(node->data, name, name_len);
    memcpy(node->data + name_len, value, value_len);
    node->next = NULL;
    if (one->header_count > 0) {
        one->headers[one->header_count - 1].next = node;
    }
    one->header_count++;
}

/* A POST gets a connection that nobody used or will use: on a reused one libcurl may send it twice. */
static CURLcode set_request(exchange *one)
{
    CURL *curl = one->handle;
    const http_request *request = one->request;
    CURLcode rc = CURLE_OK;
    add_header(one, "Accept: ", request->accept != NULL ? request->accept : "application/json");
    if (request->authorization != NULL) {
        add_header(one, "Authorization: ", request->authorization);
    }
    if (request->form.at != NULL) {
        add_header(one, "Content-Type: ", "application/x-www-form-urlencoded");
        add_header(one, "Expect:", "");
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_POST, 1L));
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->form.len));
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form.at));
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L));
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L));
    } else {
        keep_first(&rc, curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L));
    }
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_HTTPHEADER, one->headers));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_USERAGENT, "mod_sso"));
    return rc;
}

static CURLcode set_target(exchange *one)
{
    CURL *curl = one->handle;
    int64_t deadline = one->request->deadline_ms;
    long deadline_ms = (long)(deadline < DEADLINE_MS_MAX ? deadline : DEADLINE_MS_MAX);
    CURLcode rc = CURLE_OK;
    text_t parts[] = {url_origin(one->scratch, &one->url),
                      one->url.path,
                      one->url.query.at != NULL ? TEXT("?") : TEXT(""),
                      one->url.query.at != NULL ? one->url.query : TEXT(""),
                      {NULL, 0}};
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_URL, text_join(one->scratch, parts).at));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, deadline_ms));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                                     deadline_ms < CONNECT_MS_MAX ? deadline_ms : CONNECT_MS_MAX));
    return rc;
}

static CURLcode set_reading(exchange *one)
{
    CURL *curl = one->handle;
    CURLcode rc = CURLE_OK;
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, one->error));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, curlanswer_header));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_HEADERDATA, &one->answer));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, curlanswer_body));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_WRITEDATA, &one->answer));
    keep_first(&rc, curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)one->answer.body_max));
    return rc;
}

static CURLcode set_options(exchange *one)
{
    CURLcode rc = CURLE_OK;
    for (size_t i = 0; i < sizeof fixed_options / sizeof fixed_options[0]; i++) {
        keep_first(&rc, curl_easy_setopt(one->handle, fixed_options[i].option, fixed_options[i].value));
    }
    keep_first(&rc, set_trust(one));
    keep_first(&rc, set_request(one));
    keep_first(&rc, set_target(one));
    keep_first(&rc, set_reading(one));
    return rc;
}

static http_rc hand_over(exchange *one, apr_pool_t *pool, http_answer *answer, const char **problem)
{
    long status = 0;
    (void)curl_easy_getinfo(one->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 999) {
        *problem = "the answer has no usable status";
        return HTTP_BROKEN;
    }
    answer->status = (int)status;
    answer->body = secret_copy(pool, (text_t){one->answer.body, one->answer.body_len});
    answer->content_type = text_copy(pool, text_of(one->answer.content_type)).at;
    answer->retry_after = one->answer.retry_after;
    return HTTP_ANSWERED;
}

/* NULL when the request may be sent; it fills the URL. */
static const char *refuse(exchange *one)
{
    const http_request *request = one->request;
    if (!url_read(one->scratch, text_of(request->url), &one->url)) {
        return "this is no absolute http or https URL that can be used";
    }
    if (!one->url.https && !url_is_loopback(&one->url)) {
        return "plain http is for loopback only";
    }
    if (text_has_control(text_of(request->authorization)) || text_has_control(text_of(request->accept))) {
        return "a request header contains a control byte";
    }
    return NULL;
}

static http_rc perform(exchange *one, apr_pool_t *pool, http_answer *answer, const char **problem)
{
    CURLcode code = set_options(one);
    if (code != CURLE_OK) {
        *problem = text_format(pool, "libcurl refuses an option: %s", curl_easy_strerror(code)).at;
        return HTTP_UNREACHABLE;
    }
    code = curl_easy_perform(one->handle);
    if (code == CURLE_OK) {
        return hand_over(one, pool, answer, problem);
    }
    if (one->answer.problem != NULL) {
        *problem = one->answer.problem;
        return one->answer.gave_up;
    }
    *problem = curlfail_text(one->handle, code, one->error, pool);
    return curlfail_meaning(code, one->sent);
}

static int64_t steady(void)
{
    const clock_port *clock = hostclock_port();
    return clock->steady(clock);
}

/* The call itself, with the breaker's leave. What goes wrong before anything could be sent says nothing about
 * the provider. The handle is still to be given back. */
static http_rc with_permit(exchange *one, apr_pool_t *pool, http_answer *answer, const char **problem)
{
    const curlhttp *http = one->http;
    http_rc rc = curlhandles_take(http->handles, one->pass.pass.probe, &one->handle, problem);
    if (one->handle == NULL) {
        return rc;
    }
    if (curlbreaker_is_late(http->breakers, &one->pass)) {
        *problem = "given up while this call waited for its turn";
        return HTTP_RESTING;
    }
    curlanswer_init(&one->answer, one->scratch, one->request->body_max);
    return perform(one, pool, answer, problem);
}

static curlbreaker_call watched(const curlhttp *http, const url_t *url, int64_t deadline_ms, apr_pool_t *pool)
{
    return (curlbreaker_call){http->scope, url_origin(pool, url), deadline_ms};
}

static http_rc with_leave(exchange *one, apr_pool_t *pool, http_answer *answer, const char **problem)
{
    curlbreaker_t *breakers = one->http->breakers;
    const curlbreaker_call this = watched(one->http, &one->url, one->request->deadline_ms, one->scratch);
    curlbreaker_end end;
    *problem = curlbreaker_enter(breakers, &this, steady(), pool, &one->pass);
    if (*problem != NULL) {
        return HTTP_RESTING;
    }
    http_rc rc = with_permit(one, pool, answer, problem);
    end = curlbreaker_sign(rc, answer->status);
    end.why = rc == HTTP_ANSWERED ? text_format(one->scratch, "it answered %d", answer->status).at : *problem;
    curlbreaker_leave(breakers, &one->pass, &end, steady());
    if (one->handle != NULL) { /* after the breaker knows, so that whoever waits for the permit does, too */
        curlhandles_give(one->http->handles, one->handle);
    }
    return rc;
}

static http_rc call(http_port *port, const http_request *request, apr_pool_t *pool, http_answer *answer,
                    const char **problem)
{
    curlhttp *http = (curlhttp *)port;
    exchange one = {.http = http, .request = request};
    http_rc rc = HTTP_REFUSED;
    memset(answer, 0, sizeof *answer);
    answer->content_type = "";
    answer->retry_after = -1;
    apr_pool_create(&one.scratch, pool);
    *problem = refuse(&one);
    if (*problem == NULL && request->deadline_ms <= 0) {
        *problem = "no time is left for the call";
        rc = HTTP_UNREACHABLE;
    } else if (*problem == NULL) {
        rc = with_leave(&one, pool, answer, problem);
    }
    answer->sent = one.sent;
    apr_pool_destroy(one.scratch);
    return rc;
}

static bool rests(http_port *port, const char *url, apr_pool_t *pool)
{
    const curlhttp *http = (curlhttp *)port;
    url_t parts;
    if (!url_read(pool, text_of(url), &parts)) {
        return false;
    }
    const curlbreaker_call this = watched(http, &parts, 0, pool);
    return curlbreaker_rests(http->breakers, &this, steady());
}

static int64_t served_ago(http_port *port, const char *url, apr_pool_t *pool)
{
    const curlhttp *http = (curlhttp *)port;
    url_t parts;
    if (!url_read(pool, text_of(url), &parts)) {
        return -1;
    }
    const curlbreaker_call this = watched(http, &parts, 0, pool);
    int64_t served = curlbreaker_served(http->breakers, &this);
    return served < 0 ? -1 : steady() - served;
}

http_port *curlhttp_new(apr_pool_t *pool, const curlhttp_settings *settings)
{
    curlhttp *http = apr_pcalloc(pool, sizeof *http);
    http->port = (http_port){call, rests, served_ago};
    http->ca_file = settings->ca_file != NULL ? text_copy(pool, text_of(settings->ca_file)).at : NULL;
    http->proxy = settings->proxy != NULL ? text_copy(pool, text_of(settings->proxy)).at : NULL;
    http->breakers = settings->breakers != NULL ? settings->breakers : curlbreaker_new(pool);
    http->scope = settings->scope;
    http->handles =
        curlhandles_new(pool, settings->max_calls > 0 ? settings->max_calls : CURLHTTP_CALLS_DEFAULT);
    return &http->port;
}
