/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Verifying tokens: the only place where signature and rules meet. An unknown key leads to one forced look at
 * the provider's keys. */

#include "flow/verify.h"

#include "jose/jws.h"
#include "oidc/accesstoken.h"

static alg_set accepted_algs(const walk_t *walk, const provider_t *provider)
{
    alg_set pinned = walk->rp->settings->idtoken_algs;
    return pinned != 0 ? pinned : provider->idtoken_algs;
}

/* Could newer keys help? An unknown kid, or no kid at all and keys that do not verify. */
static bool wants_new_keys(const fault_t *fault, const jws_t *jws)
{
    return fault->code == FAULT_IDTOKEN_KEY || (fault->code == FAULT_IDTOKEN_SIGNATURE && jws->kid.len == 0);
}

static const fault_t *verify_signature(walk_t *walk, const provider_t *provider, const jws_t *jws,
                                       text_t *payload)
{
    const jwks_t *keys = NULL;
    const fault_t *fault = issuer_keys(walk, provider, false, &keys);
    if (fault != NULL)
        return fault;
    fault = jws_verify(walk->pool, jws, keys, payload);
    if (fault == NULL || !wants_new_keys(fault, jws))
        return fault;
    const jwks_t *before = keys;
    if (issuer_keys(walk, provider, true, &keys) != NULL || keys == before)
        return fault;
    return jws_verify(walk->pool, jws, keys, payload);
}

static idtoken_rules rules_of(const walk_t *walk)
{
    const server_settings *settings = walk->rp->settings;
    return (idtoken_rules){.issuer = settings->issuer,
                           .client_id = settings->client_id,
                           .now = walk->env->clock->wall(walk->env->clock),
                           .skew = settings->skew,
                           .iat_age = settings->iat_age};
}

const fault_t *verify_idtoken(walk_t *walk, const provider_t *provider, const tokens_t *tokens, text_t nonce,
                              idtoken_t *idtoken)
{
    jws_t jws;
    text_t payload;
    const fault_t *fault = jws_read(walk->pool, tokens->id_token, accepted_algs(walk, provider), &jws);
    if (fault == NULL && jws.typ.len > 0 && !jws_typ_is(&jws, "JWT"))
        fault = fault_make(walk->pool, FAULT_IDTOKEN_MALFORMED, "typ is %s",
                           text_loggable(walk->pool, jws.typ, 40));
    if (fault == NULL)
        fault = verify_signature(walk, provider, &jws, &payload);
    if (fault != NULL)
        return fault;
    idtoken_rules rules = rules_of(walk);
    rules.nonce = nonce;
    rules.access_token = tokens->access_token;
    rules.alg = jws.alg;
    return idtoken_check(walk->pool, payload, &rules, idtoken);
}

const fault_t *verify_accesstoken(walk_t *walk, const provider_t *provider, text_t token, text_t sub,
                                  const jval_t **claims)
{
    jws_t jws;
    text_t payload;
    const fault_t *fault = jws_read(walk->pool, token, alg_all(), &jws);
    if (fault == NULL && jws.typ.len > 0 && !jws_typ_is(&jws, "JWT") && !jws_typ_is(&jws, "at+jwt"))
        fault = fault_make(walk->pool, FAULT_ACCESSTOKEN_REFUSED, "typ is %s",
                           text_loggable(walk->pool, jws.typ, 40));
    if (fault == NULL)
        fault = verify_signature(walk, provider, &jws, &payload);
    if (fault != NULL)
        return fault_status(fault->code) == 503 ? fault
                                                : fault_as(walk->pool, FAULT_ACCESSTOKEN_REFUSED, fault);
    const idtoken_rules rules = rules_of(walk);
    return accesstoken_check(walk->pool, payload, &rules, sub, claims);
}
