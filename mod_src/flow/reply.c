/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Answers of the module itself: redirects, pages, JSON. Whether a refusal is a page or JSON follows from the
 * request alone, so that a script never has to read HTML and a person never has to read JSON. */

#include "flow/reply.h"

#include <string.h>

#include <apr_strings.h>

#include "base/codec.h"
#include "base/cookie.h"

#define INCIDENT_BYTES 6
#define RETRY_AFTER    5 /* seconds, where nobody said otherwise */

static const char *incident_id(walk_t *walk)
{
    unsigned char bytes[INCIDENT_BYTES];
    if (!walk->env->random->fill(walk->env->random, bytes, sizeof bytes))
        return "none";
    return codec_hex(walk->pool, (text_t){(const char *)bytes, sizeof bytes}).at;
}

static verdict_t *answer(walk_t *walk, int status, const char *content_type, text_t body)
{
    verdict_t *verdict = walk->verdict;
    verdict->kind = VERDICT_ANSWER;
    verdict->identity = NULL;
    verdict->status = status;
    verdict->content_type = content_type;
    verdict->body = body;
    return verdict;
}

void reply_header(walk_t *walk, const char *name, const char *value)
{
    verdict_t *verdict = walk->verdict;
    if (verdict->headers == NULL)
        verdict->headers = apr_array_make(walk->pool, 4, sizeof(const char *));
    *(const char **)apr_array_push(verdict->headers) = name;
    *(const char **)apr_array_push(verdict->headers) = value;
}

verdict_t *reply_redirect(walk_t *walk, int status, text_t location)
{
    walk->verdict->location = apr_pstrmemdup(walk->pool, location.at, location.len);
    return answer(walk, status, NULL, (text_t){NULL, 0});
}

static verdict_t *page_answer(walk_t *walk, int status, const page_t *page)
{
    reply_header(walk, "Content-Security-Policy", walk->rp->page_policy);
    return answer(walk, status, "text/html; charset=utf-8", page_make(walk->pool, walk->rp->template, page));
}

verdict_t *reply_page(walk_t *walk, const page_t *page)
{
    return page_answer(walk, 200, page);
}

verdict_t *reply_json(walk_t *walk, int status, text_t json)
{
    return answer(walk, status, "application/json", json);
}

/* A browser that could not sign in gets a way to try again; one that came by itself to a wrong address does
 * not. */
static bool offers_login(fault_code code)
{
    return code != FAULT_ENDPOINT_UNKNOWN && code != FAULT_METHOD_REFUSED && code != FAULT_TARGET_REFUSED &&
           code != FAULT_FORBIDDEN && code != FAULT_CROSS_SITE && code != FAULT_HOST_UNKNOWN &&
           fault_status(code) != 500;
}

static const char *title_of(int status)
{
    switch (status) {
    case 401:
        return "Please sign in";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 503:
        return "Please try again shortly";
    default:
        return "That did not work";
    }
}

static verdict_t *fault_page(walk_t *walk, const fault_t *fault)
{
    int status = fault_status(fault->code);
    page_t page = {.title = title_of(status),
                   .sentence = fault_sentence(fault->code),
                   .reason = fault_word(fault->code),
                   .incident = walk->verdict->incident};
    if (offers_login(fault->code) && walk->visit->base_url != NULL) {
        page.link = status == 503 ? (text_t){walk->visit->base_url, strlen(walk->visit->base_url)}
                                  : text_of(walk_endpoint(walk, "login"));
        page.link_text = status == 503 ? "Try again" : "Sign in";
    }
    return page_answer(walk, status, &page);
}

static verdict_t *fault_json(walk_t *walk, const fault_t *fault)
{
    const char *login = walk->visit->base_url != NULL ? walk_endpoint(walk, "login") : NULL;
    text_t json =
        text_format(walk->pool, "{\"error\":\"%s\",\"incident\":\"%s\"%s%s%s}\n", fault_word(fault->code),
                    walk->verdict->incident, login ? ",\"login_url\":" : "",
                    login ? codec_json(walk->pool, text_of(login)).at : "", "");
    return answer(walk, fault_status(fault->code), "application/json", json);
}

verdict_t *reply_fault(walk_t *walk, const fault_t *fault)
{
    verdict_t *verdict = walk->verdict;
    int status = fault_status(fault->code);
    verdict->fault = fault;
    verdict->incident = incident_id(walk);
    if (status == 503 && verdict->retry_after < 0)
        verdict->retry_after = RETRY_AFTER;
    if (status == 401)
        reply_header(walk, "WWW-Authenticate", "SSO");
    return walk_is_navigation(walk) ? fault_page(walk, fault) : fault_json(walk, fault);
}

void reply_cookie(walk_t *walk, const char *name, text_t value, int64_t max_age)
{
    const kind_cookie *settings = &walk->rp->settings->cookie;
    bool is_session = strcmp(name, rp_cookie_name(walk->rp, walk->visit->https)) == 0;
    const cookie_rules rules = {.domain = settings->domain,
                                .path = settings->path,
                                .same_site = is_session ? settings->same_site : "Lax",
                                .secure = walk->visit->https};
    verdict_t *verdict = walk->verdict;
    if (verdict->cookies == NULL)
        verdict->cookies = apr_array_make(walk->pool, 4, sizeof(const char *));
    *(const char **)apr_array_push(verdict->cookies) = cookie_line(walk->pool, name, value, max_age, &rules);
}

void reply_expire(walk_t *walk, const char *name)
{
    reply_cookie(walk, name, (text_t){"", 0}, 0);
}
