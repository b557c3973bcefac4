/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The token endpoint's answer. First the status says which kind of answer it is, then each member has a
 * reader of its own. Only a proper OAuth error body can say invalid_grant, since that ends sessions: a
 * proxy's HTML page with status 400 must not. */

#include "oidc/tokenresp.h"

#include "base/jval.h"
#include "base/secret.h"

#define ANSWER_MAX      ((size_t)1024 * 1024)
#define LIFETIME_MAX    ((int64_t)365 * 24 * 3600) /* seconds */
#define ERROR_MAX       100                        /* bytes in a detail */
#define DESCRIPTION_MAX 300

/* "error 'x', description 'y'" of an error body. */
static const fault_t *refused(apr_pool_t *pool, fault_code code, const answer_t *answer, const jval_t *object)
{
    text_t error = {NULL, 0}, description = {NULL, 0};
    if (jval_text(object, "error", &error) != JVAL_FOUND)
        error = TEXT("(none)");
    if (jval_text(object, "error_description", &description) != JVAL_FOUND)
        description = TEXT("");
    return fault_make(pool, code, "status %d, error '%s', description '%s'", answer->status,
                      text_loggable(pool, error, ERROR_MAX),
                      text_loggable(pool, description, DESCRIPTION_MAX));
}

static fault_code code_of_error(int status, text_t error)
{
    if (text_equal(error, TEXT("invalid_grant")))
        return status == 400 || status == 401 ? FAULT_GRANT_REFUSED : FAULT_TOKEN_REFUSED;
    if (text_equal(error, TEXT("invalid_client")) || text_equal(error, TEXT("unauthorized_client")))
        return FAULT_CLIENT_REFUSED;
    return FAULT_TOKEN_REFUSED;
}

static const fault_t *read_failure(apr_pool_t *pool, const answer_t *answer)
{
    if (answer->status == 429)
        return fault_make(pool, FAULT_PROVIDER_BUSY, "the token endpoint answered 429");
    if (answer->status >= 500 && answer->status <= 599)
        return fault_make(pool, FAULT_PROVIDER_DOWN, "the token endpoint answered %d", answer->status);
    if (answer->status < 400 || answer->status > 499)
        return fault_make(pool, FAULT_TOKEN_ANSWER, "the token endpoint answered %d", answer->status);
    const jval_t *object = NULL;
    if (!answer_is_json(answer) ||
        jval_read(pool, answer->body, ANSWER_MAX, FAULT_TOKEN_REFUSED, &object) != NULL)
        return fault_make(pool, FAULT_TOKEN_REFUSED, "the token endpoint answered %d without a JSON error",
                          answer->status);
    text_t error = {NULL, 0};
    if (jval_text(object, "error", &error) != JVAL_FOUND)
        error = (text_t){NULL, 0};
    return refused(pool, code_of_error(answer->status, error), answer, object);
}

static const fault_t *unusable(apr_pool_t *pool, const char *member, const char *why)
{
    return fault_make(pool, FAULT_TOKEN_ANSWER, "%s %s", member, why);
}

static const fault_t *check_no_error(apr_pool_t *pool, const answer_t *answer, const jval_t *object)
{
    const jval_t *error = NULL;
    if (jval_member(object, "error", &error) == JVAL_ABSENT)
        return NULL;
    return refused(pool, FAULT_TOKEN_ANSWER, answer, object);
}

/* RFC 6749 section 5.1: the type is compared whatever its case. */
static const fault_t *check_type(apr_pool_t *pool, const jval_t *object)
{
    text_t type = {NULL, 0};
    if (jval_text(object, "token_type", &type) != JVAL_FOUND || !text_equal_nocase(type, TEXT("Bearer")))
        return unusable(pool, "token_type", "is not Bearer");
    return NULL;
}

/* An empty refresh or ID token is none; `fits` says which bytes the token may have. */
static const fault_t *read_token(apr_pool_t *pool, const jval_t *object, const char *member,
                                 bool (*fits)(text_t), text_t *token)
{
    text_t value = {NULL, 0};
    jval_rc rc = jval_text(object, member, &value);
    if (rc == JVAL_WRONG)
        return unusable(pool, member, "is no string");
    if (rc == JVAL_ABSENT || value.len == 0)
        return NULL;
    if (!fits(value))
        return unusable(pool, member, "has bytes that do not belong there");
    *token = secret_copy(pool, value);
    return NULL;
}

static const fault_t *read_all_tokens(apr_pool_t *pool, const jval_t *object, tokens_t *tokens)
{
    const fault_t *fault = read_token(pool, object, "access_token", text_is_token, &tokens->access_token);
    if (fault == NULL && tokens->access_token.len == 0)
        fault = unusable(pool, "access_token", "is missing or empty");
    if (fault == NULL)
        fault = read_token(pool, object, "refresh_token", text_is_printable, &tokens->refresh_token);
    if (fault == NULL)
        fault = read_token(pool, object, "id_token", text_is_token, &tokens->id_token);
    return fault;
}

static const fault_t *read_scope(apr_pool_t *pool, const jval_t *object, tokens_t *tokens)
{
    text_t scope = {NULL, 0};
    jval_rc rc = jval_text(object, "scope", &scope);
    if (rc == JVAL_ABSENT)
        return NULL;
    if (rc == JVAL_WRONG || !text_is_printable(scope))
        return unusable(pool, "scope", "is no string of printable ASCII");
    tokens->scope = text_copy(pool, scope);
    return NULL;
}

/* A string of digits, saturated. */
static bool read_digits(text_t text, int64_t *seconds)
{
    *seconds = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        if (*seconds < LIFETIME_MAX)
            *seconds = *seconds * 10 + (text.at[i] - '0');
    }
    return text.len > 0;
}

static const fault_t *read_lifetime(apr_pool_t *pool, const jval_t *object, const char *member,
                                    int64_t *seconds)
{
    text_t text = {NULL, 0};
    jval_rc rc = jval_seconds(object, member, seconds);
    if (rc == JVAL_WRONG && jval_text(object, member, &text) == JVAL_FOUND && read_digits(text, seconds))
        rc = JVAL_FOUND;
    if (rc == JVAL_ABSENT) {
        *seconds = -1;
        return NULL;
    }
    if (rc == JVAL_WRONG || *seconds < 0)
        return unusable(pool, member, "is no number of seconds");
    if (*seconds > LIFETIME_MAX)
        *seconds = LIFETIME_MAX;
    return NULL;
}

static const fault_t *read_lifetimes(apr_pool_t *pool, const jval_t *object, tokens_t *tokens)
{
    const fault_t *fault = read_lifetime(pool, object, "expires_in", &tokens->expires_in);
    if (fault == NULL)
        fault = read_lifetime(pool, object, "refresh_expires_in", &tokens->refresh_expires_in);
    if (fault == NULL && tokens->refresh_expires_in == 0)
        tokens->refresh_expires_in = -1;
    return fault;
}

const fault_t *tokenresp_read(apr_pool_t *pool, const answer_t *answer, tokens_t *tokens)
{
    const jval_t *object = NULL;
    *tokens = (tokens_t){.expires_in = -1, .refresh_expires_in = -1};
    if (answer->status != 200)
        return read_failure(pool, answer);
    if (!answer_is_json(answer))
        return unusable(pool, "the answer", "is not application/json");
    const fault_t *fault = jval_read(pool, answer->body, ANSWER_MAX, FAULT_TOKEN_ANSWER, &object);
    if (fault == NULL)
        fault = check_no_error(pool, answer, object);
    if (fault == NULL)
        fault = check_type(pool, object);
    if (fault == NULL)
        fault = read_all_tokens(pool, object, tokens);
    if (fault == NULL)
        fault = read_scope(pool, object, tokens);
    if (fault == NULL)
        fault = read_lifetimes(pool, object, tokens);
    return fault;
}
