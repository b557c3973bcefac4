/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* HTTP as a table of functions: what a URL's path ends with decides who answers. */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "fakes.h"

static bool leads_to(const char *url, const char *suffix)
{
    size_t len = strcspn(url, "?#"), wanted = strlen(suffix);
    return len >= wanted && memcmp(url + len - wanted, suffix, wanted) == 0;
}

static void write_down(fakes_http *http, const http_request *request)
{
    fakes_sent *sent = apr_array_push(http->sent);
    http->calls++;
    *sent = (fakes_sent){.url = apr_pstrdup(http->pool, request->url),
                         .form = text_copy(http->pool, request->form).at,
                         .authorization = apr_pstrdup(http->pool, request->authorization),
                         .deadline_ms = request->deadline_ms};
}

/* Handlers run outside the lock: they may take as long as they like, or start requests themselves. */
static http_rc call(http_port *port, const http_request *request, apr_pool_t *pool, http_answer *answer,
                    const char **problem)
{
    fakes_http *http = (fakes_http *)port;
    fakes_route *route = NULL;
    fakes_route now = {.suffix = NULL};
    *problem = "the fake says so";
    pthread_mutex_lock(&http->lock);
    write_down(http, request);
    for (size_t i = 0; route == NULL && i < http->count; i++)
        route = leads_to(request->url, http->routes[i].suffix) ? &http->routes[i] : NULL;
    if (route != NULL) {
        route->calls++;
        now = *route;
        if (route->odd > 0)
            route->odd--;
    }
    pthread_mutex_unlock(&http->lock);
    *answer = (http_answer){.status = 200, .content_type = "application/json", .retry_after = -1};
    if (route == NULL)
        return HTTP_UNREACHABLE;
    if (now.before != NULL)
        now.before(now.before_data);
    if (now.odd > 0 && !now.lost) {
        *answer = now.odd_answer;
        answer->body = text_copy(pool, now.odd_answer.body);
        answer->sent =
            now.odd_rc == HTTP_ANSWERED || now.odd_rc == HTTP_BROKEN || now.odd_rc == HTTP_TOO_LARGE;
        return now.odd_rc;
    }
    http_rc rc = now.handler(now.data, request, pool, answer);
    answer->sent = true;
    return now.odd > 0 ? HTTP_BROKEN : rc;
}

static bool rests(http_port *port, const char *url, apr_pool_t *pool)
{
    const fakes_http *http = (fakes_http *)port;
    (void)url;
    (void)pool;
    return http->rests;
}

static int64_t served_ago(http_port *port, const char *url, apr_pool_t *pool)
{
    const fakes_http *http = (fakes_http *)port;
    (void)url;
    (void)pool;
    return http->served_ago;
}

void fakes_http_init(fakes_http *http, apr_pool_t *pool)
{
    memset(http, 0, sizeof *http);
    http->port = (http_port){call, rests, served_ago};
    http->served_ago = -1;
    http->pool = pool;
    http->sent = apr_array_make(pool, 64, sizeof(fakes_sent));
    (void)pthread_mutex_init(&http->lock, NULL);
}

void fakes_http_serve(fakes_http *http, const char *suffix, fakes_handler handler, void *data)
{
    if (http->count == FAKES_ROUTES)
        abort();
    http->routes[http->count++] = (fakes_route){.suffix = suffix, .handler = handler, .data = data};
}

fakes_route *fakes_http_route(fakes_http *http, const char *suffix)
{
    for (size_t i = 0; i < http->count; i++) {
        if (strcmp(http->routes[i].suffix, suffix) == 0)
            return &http->routes[i];
    }
    abort();
}

void fakes_http_odd(fakes_http *http, const char *suffix, unsigned times, const http_answer *answer)
{
    fakes_route *route = fakes_http_route(http, suffix);
    route->odd = times;
    route->lost = false;
    route->odd_rc = HTTP_ANSWERED;
    route->odd_answer = *answer;
    if (answer->content_type == NULL)
        route->odd_answer.content_type = "application/json";
}

void fakes_http_fail(fakes_http *http, const char *suffix, unsigned times, http_rc rc)
{
    fakes_route *route = fakes_http_route(http, suffix);
    route->odd = times;
    route->lost = false;
    route->odd_rc = rc;
    route->odd_answer = (http_answer){.content_type = "", .retry_after = -1};
}

void fakes_http_lose(fakes_http *http, const char *suffix, unsigned times)
{
    fakes_route *route = fakes_http_route(http, suffix);
    route->odd = times;
    route->lost = true;
}

const fakes_sent *fakes_http_last(const fakes_http *http, const char *suffix)
{
    const fakes_sent *all = (const fakes_sent *)(const void *)http->sent->elts;
    for (int i = http->sent->nelts; i > 0; i--) {
        if (leads_to(all[i - 1].url, suffix))
            return &all[i - 1];
    }
    return NULL;
}
