/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The callback's query. Security parameters that are there twice refuse it, since the provider, a proxy and
 * the module could each pick another one (AR-08 to AR-10). Tokens in the query are refused and not ignored:
 * they were not asked for, and somebody who sends them tries another flow (AR-22, AR-23). */

#include "oidc/authzresp.h"

#include "base/url.h"

#define STATE_MAX       512 /* bytes; ours has 43 */
#define CODE_MAX        4096
#define ERROR_MAX       100 /* bytes of an error word */
#define DESCRIPTION_MAX 300 /* bytes of a description in the log */

static const fault_t *malformed(apr_pool_t *pool, const char *why, const char *name)
{
    return fault_make(pool, FAULT_CALLBACK_MALFORMED, "%s %s", name, why);
}

/* A parameter that may stand once: empty `at` NULL where it is not there, otherwise never NULL. */
static const fault_t *read_once(apr_pool_t *pool, text_t query, const char *name, text_t *value)
{
    switch (url_parameter(pool, query, name, value)) {
    case URL_FOUND:
        if (value->at == NULL)
            *value = TEXT("");
        return NULL;
    case URL_ABSENT:
        *value = (text_t){NULL, 0};
        return NULL;
    case URL_REFUSED:
        break;
    }
    *value = (text_t){NULL, 0};
    return malformed(pool, "is there twice or not encoded properly, or there are too many parameters", name);
}

static const fault_t *read_state(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    text_t state;
    const fault_t *fault = read_once(pool, query, "state", &state);
    if (fault != NULL)
        return fault;
    if (state.len > STATE_MAX || !text_is_token(state))
        return fault_make(pool, FAULT_STATE_MISSING,
                          state.at == NULL ? "no state" : "state is empty or not ours");
    response->state = state;
    return NULL;
}

static const fault_t *refuse_tokens(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    static const char *const names[] = {"access_token", "id_token", "token_type", "response"};
    (void)response;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        text_t value;
        if (url_parameter(pool, query, names[i], &value) != URL_ABSENT)
            return malformed(pool, "does not belong into the callback", names[i]);
    }
    return NULL;
}

static const fault_t *read_iss(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    return read_once(pool, query, "iss", &response->iss);
}

/* RFC 6749 section 4.1.2.1: printable ASCII without quote and backslash. */
static bool is_error_word(text_t error)
{
    return error.len > 0 && error.len <= ERROR_MAX && text_is_printable(error) &&
           text_find(error, '"') == error.len && text_find(error, '\\') == error.len;
}

static const fault_t *read_error(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    text_t error;
    const fault_t *fault = read_once(pool, query, "error", &error);
    if (fault != NULL || error.at == NULL)
        return fault;
    response->error = is_error_word(error) ? error : TEXT("malformed");
    if (url_parameter(pool, query, "error_description", &response->description) != URL_FOUND)
        response->description = (text_t){NULL, 0};
    return NULL;
}

static const fault_t *read_code(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    text_t code;
    const fault_t *fault = read_once(pool, query, "code", &code);
    if (fault != NULL || response->error.len > 0)
        return fault;
    if (code.at == NULL)
        return fault_make(pool, FAULT_CALLBACK_MALFORMED, "neither code nor error");
    if (code.len == 0 || code.len > CODE_MAX || !text_is_printable(code))
        return malformed(pool, "is empty, too long, or has bytes that do not belong there", "code");
    response->code = code;
    return NULL;
}

const fault_t *authzresp_read(apr_pool_t *pool, text_t query, authzresp_t *response)
{
    typedef const fault_t *(*reader)(apr_pool_t *, text_t, authzresp_t *);
    /* State first, so that the caller can end the login that a malformed callback belongs to; error before
     * code, which it outdoes. */
    static const reader readers[] = {read_state, refuse_tokens, read_iss, read_error, read_code};
    const fault_t *fault = NULL;
    *response = (authzresp_t){.state = {NULL, 0}};
    for (size_t i = 0; fault == NULL && i < sizeof(readers) / sizeof(readers[0]); i++)
        fault = readers[i](pool, query, response);
    return fault;
}

const fault_t *authzresp_check_issuer(apr_pool_t *pool, const authzresp_t *response,
                                      const provider_t *provider)
{
    if (response->iss.at == NULL && !provider->iss_promised)
        return NULL;
    if (response->iss.at == NULL)
        return fault_make(pool, FAULT_ISSUER_MISMATCH, "iss is missing, though the metadata promise it");
    if (text_equal(response->iss, text_of(provider->issuer)))
        return NULL;
    return fault_make(pool, FAULT_ISSUER_MISMATCH, "iss is '%s', expected '%s'",
                      text_loggable(pool, response->iss, DESCRIPTION_MAX),
                      text_loggable(pool, text_of(provider->issuer), DESCRIPTION_MAX));
}

const fault_t *authzresp_error(apr_pool_t *pool, const authzresp_t *response)
{
    if (response->error.len == 0)
        return NULL;
    bool passing = text_equal(response->error, TEXT("temporarily_unavailable")) ||
                   text_equal(response->error, TEXT("server_error"));
    return fault_make(pool, passing ? FAULT_LOGIN_UNAVAILABLE : FAULT_LOGIN_REFUSED,
                      "error '%s', description '%s'", text_loggable(pool, response->error, ERROR_MAX),
                      text_loggable(pool, response->description, DESCRIPTION_MAX));
}
