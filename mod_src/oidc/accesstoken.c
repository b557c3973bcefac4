/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* An access token as a source of claims. Its audience is usually an API and not us, so the rule is weaker
 * than an ID token's: one of aud, azp or client_id must name us, since otherwise it could be a token that
 * somebody else obtained. */

#include "oidc/accesstoken.h"

#include "jose/jws.h"

static bool member_is(const jval_t *object, const char *name, text_t wanted)
{
    text_t text = {NULL, 0};
    return jval_text(object, name, &text) == JVAL_FOUND && text_equal(text, wanted);
}

static bool is_for_us(const jval_t *object, text_t client_id)
{
    bool listed = false;
    if (jval_list_has(object, "aud", client_id, &listed) == JVAL_FOUND && listed)
        return true;
    return member_is(object, "aud", client_id) || member_is(object, "azp", client_id) ||
           member_is(object, "client_id", client_id);
}

static const fault_t *check_party(apr_pool_t *pool, const jval_t *object, const idtoken_rules *rules,
                                  text_t sub)
{
    if (!is_for_us(object, text_of(rules->client_id)))
        return fault_make(pool, FAULT_ACCESSTOKEN_REFUSED,
                          "none of aud, azp and client_id names this client");
    if (sub.len == 0 || !member_is(object, "sub", sub))
        return fault_make(pool, FAULT_ACCESSTOKEN_REFUSED, "sub is missing or not the one of the session");
    return NULL;
}

const fault_t *accesstoken_check(apr_pool_t *pool, text_t payload, const idtoken_rules *rules, text_t sub,
                                 const jval_t **claims)
{
    const jval_t *object = NULL;
    const fault_t *fault = jval_read(pool, payload, JWS_TOKEN_MAX, FAULT_ACCESSTOKEN_REFUSED, &object);
    if (fault == NULL)
        fault = fault_as(pool, FAULT_ACCESSTOKEN_REFUSED, idtoken_check_origin(pool, object, rules));
    if (fault == NULL)
        fault = check_party(pool, object, rules, sub);
    if (fault == NULL)
        *claims = object;
    return fault;
}
