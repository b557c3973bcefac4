/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Sending. The body ends with the end of the stream and the hook returns DONE, so that httpd calls neither a
 * handler nor a content filter: a hook that writes and then says OK has the protected page appended to it
 * (CVE-2025-31492 of another module). The filters that httpd uses for its own error pages are in, hence
 * `Header always` works here too. Redirects are written the same way; a status returned to httpd would bring
 * a page of its own that repeats the address. */

#include "httpd/respond.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <util_filter.h>

#include "httpd/logbridge.h"
#include "httpd/reqstate.h"

#define DRAIN_MAX ((apr_off_t)1024 * 1024) /* bytes of a body that are read before an answer */

bool respond_may_write(const request_rec *r)
{
    return r->main == NULL && !reqstate_is_error_page(r);
}

/* A page of ours gives way to what the administrator wrote; JSON for scripts does not. */
static bool has_error_document(request_rec *r, const verdict_t *verdict)
{
    if (!ap_is_HTTP_ERROR(verdict->status))
        return false;
    if (verdict->content_type != NULL && !text_starts(text_of(verdict->content_type), TEXT("text/html")))
        return false;
    return ap_response_code_string(r, ap_index_of_response(verdict->status)) != NULL;
}

static void set_headers(request_rec *r, const verdict_t *verdict, bool foreign_page)
{
    apr_table_t *out = r->err_headers_out;
    apr_table_setn(out, "Cache-Control", "no-store");
    apr_table_setn(out, "Referrer-Policy", "no-referrer");
    apr_table_setn(out, "X-Content-Type-Options", "nosniff");
    if (verdict->retry_after >= 0)
        apr_table_setn(out, "Retry-After", apr_psprintf(r->pool, "%" APR_INT64_T_FMT, verdict->retry_after));
    for (int i = 0; verdict->headers != NULL && i + 1 < verdict->headers->nelts; i += 2) {
        const char *name = APR_ARRAY_IDX(verdict->headers, i, const char *);
        if (!foreign_page || strcasecmp(name, "Content-Security-Policy") != 0)
            apr_table_setn(out, name, APR_ARRAY_IDX(verdict->headers, i + 1, const char *));
    }
}

void respond_cookies(request_rec *r, const verdict_t *verdict)
{
    for (int i = 0; verdict->cookies != NULL && i < verdict->cookies->nelts; i++)
        apr_table_addn(r->err_headers_out, "Set-Cookie", APR_ARRAY_IDX(verdict->cookies, i, const char *));
}

static void set_reason(request_rec *r, const verdict_t *verdict)
{
    if (verdict->fault == NULL)
        return;
    apr_table_setn(r->subprocess_env, "SSO_REASON", fault_word(verdict->fault->code));
    if (verdict->incident != NULL)
        apr_table_setn(r->subprocess_env, "SSO_INCIDENT", verdict->incident);
}

/* HTTP/2 clients lose an answer that overtakes their request body; httpd's own ap_discard_request_body does
 * nothing on their connections. With HTTP/1 httpd reads the rest behind the answer. */
static void drain(request_rec *r)
{
    char room[8192];
    if (r->proto_num < HTTP_VERSION(2, 0) || r->expecting_100 || r->read_length > 0 ||
        ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK) != OK || !ap_should_client_block(r))
        return;
    for (apr_off_t len = 0; len < DRAIN_MAX;) {
        long count = ap_get_client_block(r, room, sizeof(room));
        if (count <= 0)
            return;
        len += count;
    }
}

static void write_answer(request_rec *r, const verdict_t *verdict)
{
    drain(r);
    r->status = verdict->status;
    r->status_line = NULL;
    r->output_filters = r->proto_output_filters;
    apr_table_unset(r->headers_in, "Range");
    apr_table_clear(r->headers_out);
    if (verdict->location != NULL)
        apr_table_setn(r->headers_out, "Location", verdict->location);
    if (verdict->content_type != NULL)
        ap_set_content_type(r, verdict->content_type);
    ap_set_content_length(r, (apr_off_t)verdict->body.len);
    ap_run_insert_error_filter(r);
    if (verdict->body.len > 0 && !r->header_only)
        (void)ap_rwrite(verdict->body.at, (int)verdict->body.len, r);
    ap_finalize_request_protocol(r);
}

int respond_with(request_rec *r, const verdict_t *verdict)
{
    logbridge_notes(r, verdict);
    logbridge_refusal(r, verdict);
    set_reason(r, verdict);
    if (!respond_may_write(r))
        return ap_is_HTTP_ERROR(verdict->status) ? verdict->status : HTTP_UNAUTHORIZED;
    respond_cookies(r, verdict);
    bool foreign_page = has_error_document(r, verdict);
    set_headers(r, verdict, foreign_page);
    if (foreign_page)
        return verdict->status;
    write_answer(r, verdict);
    return DONE;
}
