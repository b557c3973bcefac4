/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The userinfo answer: plain JSON of the very subject that the ID token names. Without that comparison
 * another user's attributes could be slipped under a session (UI-01). */

#include "oidc/userinfo.h"

static const fault_t *check_status(apr_pool_t *pool, const answer_t *answer)
{
    if (answer->status == 429)
        return fault_make(pool, FAULT_PROVIDER_BUSY, "userinfo answered 429");
    if (answer->status >= 500 && answer->status <= 599)
        return fault_make(pool, FAULT_PROVIDER_DOWN, "userinfo answered %d", answer->status);
    if (answer->status != 200)
        return fault_make(pool, FAULT_USERINFO_REFUSED, "userinfo answered %d", answer->status);
    if (!answer_is_json(answer))
        return fault_make(pool, FAULT_USERINFO_REFUSED, "the answer is not application/json");
    return NULL;
}

static const fault_t *check_sub(apr_pool_t *pool, const jval_t *object, text_t sub)
{
    text_t named = {NULL, 0};
    if (sub.at == NULL)
        return NULL;
    if (jval_text(object, "sub", &named) != JVAL_FOUND)
        return fault_make(pool, FAULT_USERINFO_SUBJECT, "sub is missing or no string");
    if (!text_equal(named, sub))
        return fault_make(pool, FAULT_USERINFO_SUBJECT, "sub is not the one of the ID token");
    return NULL;
}

const fault_t *userinfo_read(apr_pool_t *pool, const answer_t *answer, text_t sub, const jval_t **claims)
{
    const jval_t *object = NULL;
    const fault_t *fault = check_status(pool, answer);
    if (fault == NULL)
        fault = jval_read(pool, answer->body, USERINFO_MAX, FAULT_USERINFO_REFUSED, &object);
    if (fault == NULL)
        fault = check_sub(pool, object, sub);
    if (fault == NULL)
        *claims = object;
    return fault;
}
