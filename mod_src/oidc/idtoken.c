/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The rules of an ID token as a table of small functions, each of which reads its claim, decides, and keeps
 * what later steps need. They run in the order of the text of OpenID Connect Core 3.1.3.7, but no result is
 * used before all of them have passed. */

#include "oidc/idtoken.h"

#include "jose/digest.h"
#include "jose/jws.h"

#define SHOWN_MAX 200 /* bytes of a claim's value in a detail */

typedef const fault_t *(*idtoken_rule)(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken);

static const fault_t *refuse(apr_pool_t *pool, fault_code code, const char *claim, const char *why)
{
    return fault_make(pool, code, "%s %s", claim, why);
}

/* A claim that may be left out but must be a string: `at` NULL where it is not there. */
static const fault_t *read_text(apr_pool_t *pool, const jval_t *claims, const char *name, fault_code code,
                                text_t *text)
{
    *text = (text_t){NULL, 0};
    if (jval_text(claims, name, text) == JVAL_WRONG)
        return refuse(pool, code, name, "is no string");
    return NULL;
}

static const fault_t *check_iss(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    text_t iss = {NULL, 0}, ours = text_of(rules->issuer);
    const fault_t *fault = read_text(pool, idtoken->claims, "iss", FAULT_IDTOKEN_ISSUER, &iss);
    if (fault != NULL || (iss.at != NULL && text_equal(iss, ours)))
        return fault;
    return fault_make(pool, FAULT_IDTOKEN_ISSUER, "iss is '%s', expected '%s'",
                      text_loggable(pool, iss, SHOWN_MAX), text_loggable(pool, ours, SHOWN_MAX));
}

/* Is azp there, and us? */
static bool azp_is_us(const idtoken_rules *rules, const idtoken_t *idtoken)
{
    text_t azp = {NULL, 0};
    return jval_text(idtoken->claims, "azp", &azp) == JVAL_FOUND &&
           text_equal(azp, text_of(rules->client_id));
}

static const fault_t *check_aud_list(apr_pool_t *pool, const idtoken_rules *rules, const idtoken_t *idtoken)
{
    const jval_t *list = NULL;
    bool has = false;
    if (jval_list_has(idtoken->claims, "aud", text_of(rules->client_id), &has) != JVAL_FOUND)
        return refuse(pool, FAULT_IDTOKEN_AUDIENCE, "aud",
                      "is missing, or neither string nor list of strings");
    if (!has)
        return refuse(pool, FAULT_IDTOKEN_AUDIENCE, "aud", "is a list without this client");
    if (jval_list(idtoken->claims, "aud", &list) == JVAL_FOUND && jval_count(list) > 1 &&
        !azp_is_us(rules, idtoken))
        return refuse(pool, FAULT_IDTOKEN_AUDIENCE, "aud",
                      "names others too, and azp does not name this client");
    return NULL;
}

static const fault_t *check_aud(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    text_t aud = {NULL, 0};
    if (jval_text(idtoken->claims, "aud", &aud) != JVAL_FOUND)
        return check_aud_list(pool, rules, idtoken);
    if (text_equal(aud, text_of(rules->client_id)))
        return NULL;
    return fault_make(pool, FAULT_IDTOKEN_AUDIENCE, "aud is '%s'", text_loggable(pool, aud, SHOWN_MAX));
}

static const fault_t *check_azp(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    text_t azp = {NULL, 0};
    const fault_t *fault = read_text(pool, idtoken->claims, "azp", FAULT_IDTOKEN_AUDIENCE, &azp);
    if (fault != NULL || azp.at == NULL || azp_is_us(rules, idtoken))
        return fault;
    return fault_make(pool, FAULT_IDTOKEN_AUDIENCE, "azp is '%s'", text_loggable(pool, azp, SHOWN_MAX));
}

/* A time that must be there. */
static const fault_t *read_time(apr_pool_t *pool, const jval_t *claims, const char *name, int64_t *seconds)
{
    if (jval_seconds(claims, name, seconds) == JVAL_FOUND)
        return NULL;
    return refuse(pool, FAULT_IDTOKEN_CLAIMS, name, "is missing or no number");
}

static const fault_t *untimely(apr_pool_t *pool, const idtoken_rules *rules, const char *claim,
                               int64_t seconds)
{
    return fault_make(pool, FAULT_IDTOKEN_EXPIRED, "%s %lld is %s now %lld (skew %lld s)", claim,
                      (long long)seconds, seconds <= rules->now ? "before" : "after", (long long)rules->now,
                      (long long)rules->skew);
}

/* The moment of exp itself is too late (RFC 7519 section 4.1.4). */
static const fault_t *check_exp(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    const fault_t *fault = read_time(pool, idtoken->claims, "exp", &idtoken->exp);
    if (fault != NULL || idtoken->exp > rules->now - rules->skew)
        return fault;
    return untimely(pool, rules, "exp", idtoken->exp);
}

static const fault_t *check_nbf(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    int64_t nbf = INT64_MIN;
    if (jval_seconds(idtoken->claims, "nbf", &nbf) == JVAL_WRONG)
        return refuse(pool, FAULT_IDTOKEN_CLAIMS, "nbf", "is no number");
    return nbf > rules->now + rules->skew ? untimely(pool, rules, "nbf", nbf) : NULL;
}

static const fault_t *check_iat(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    const fault_t *fault = read_time(pool, idtoken->claims, "iat", &idtoken->iat);
    if (fault != NULL)
        return fault;
    if (idtoken->iat > rules->now + rules->skew)
        return untimely(pool, rules, "iat", idtoken->iat);
    if (idtoken->iat >= rules->now - rules->iat_age)
        return NULL;
    return fault_make(pool, FAULT_IDTOKEN_EXPIRED, "iat %lld is more than %lld s before now %lld",
                      (long long)idtoken->iat, (long long)rules->iat_age, (long long)rules->now);
}

static const fault_t *check_sub(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    (void)rules;
    const fault_t *fault = read_text(pool, idtoken->claims, "sub", FAULT_IDTOKEN_SUBJECT, &idtoken->sub);
    if (fault != NULL)
        return fault;
    if (idtoken->sub.len == 0)
        return refuse(pool, FAULT_IDTOKEN_SUBJECT, "sub", "is missing or empty");
    if (idtoken->sub.len > IDTOKEN_SUB_MAX || !text_is_printable(idtoken->sub))
        return refuse(pool, FAULT_IDTOKEN_SUBJECT, "sub", "is longer than 255 bytes or not printable ASCII");
    return NULL;
}

/* An expected nonce that is empty would be a mistake of ours, and fits nothing. */
static const fault_t *check_nonce(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    const fault_t *fault = read_text(pool, idtoken->claims, "nonce", FAULT_IDTOKEN_NONCE, &idtoken->nonce);
    if (fault != NULL || rules->nonce.at == NULL)
        return fault;
    if (idtoken->nonce.at == NULL)
        return refuse(pool, FAULT_IDTOKEN_NONCE, "nonce", "is missing");
    if (rules->nonce.len == 0 || !text_equal_secret(idtoken->nonce, rules->nonce))
        return refuse(pool, FAULT_IDTOKEN_NONCE, "nonce", "is not the one of this login");
    return NULL;
}

static const fault_t *check_at_hash(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    text_t claimed;
    const fault_t *fault = read_text(pool, idtoken->claims, "at_hash", FAULT_IDTOKEN_HASH, &claimed);
    if (fault != NULL || claimed.at == NULL || rules->access_token.len == 0)
        return fault;
    text_t computed = digest_half(pool, rules->alg, rules->access_token);
    if (computed.at == NULL)
        return fault_make(pool, FAULT_INTERNAL, "the hash for at_hash failed");
    if (!text_equal_secret(claimed, computed))
        return refuse(pool, FAULT_IDTOKEN_HASH, "at_hash", "does not fit the access token");
    return NULL;
}

static const fault_t *keep_auth_time(apr_pool_t *pool, const idtoken_rules *rules, idtoken_t *idtoken)
{
    (void)rules;
    int64_t auth_time = 0;
    jval_rc rc = jval_seconds(idtoken->claims, "auth_time", &auth_time);
    if (rc == JVAL_WRONG || auth_time < 0)
        return refuse(pool, FAULT_IDTOKEN_CLAIMS, "auth_time", "is no number of seconds");
    idtoken->auth_time = rc == JVAL_FOUND ? auth_time : -1;
    return NULL;
}

static const idtoken_rule every_rule[] = {check_iss, check_aud, check_azp,   check_exp,     check_nbf,
                                          check_iat, check_sub, check_nonce, check_at_hash, keep_auth_time};
static const idtoken_rule origin_rules[] = {check_iss, check_exp, check_nbf, check_iat};

static const fault_t *apply(apr_pool_t *pool, const idtoken_rule *table, size_t count,
                            const idtoken_rules *rules, idtoken_t *idtoken)
{
    const fault_t *fault = NULL;
    for (size_t i = 0; fault == NULL && i < count; i++)
        fault = table[i](pool, rules, idtoken);
    return fault;
}

const fault_t *idtoken_check(apr_pool_t *pool, text_t payload, const idtoken_rules *rules, idtoken_t *idtoken)
{
    *idtoken = (idtoken_t){.auth_time = -1};
    const fault_t *fault = jval_read(pool, payload, JWS_TOKEN_MAX, FAULT_IDTOKEN_CLAIMS, &idtoken->claims);
    if (fault != NULL)
        return fault;
    return apply(pool, every_rule, sizeof(every_rule) / sizeof(every_rule[0]), rules, idtoken);
}

const fault_t *idtoken_check_origin(apr_pool_t *pool, const jval_t *claims, const idtoken_rules *rules)
{
    idtoken_t token = {.claims = claims};
    return apply(pool, origin_rules, sizeof(origin_rules) / sizeof(origin_rules[0]), rules, &token);
}

/* There in both or in neither, and then equal. */
static bool same_azp(const jval_t *before, const jval_t *after)
{
    text_t old = {NULL, 0}, new = {NULL, 0};
    jval_rc had = jval_text(before, "azp", &old), has = jval_text(after, "azp", &new);
    return had == has && text_equal(old, new);
}

const fault_t *idtoken_check_refreshed(apr_pool_t *pool, const idtoken_t *before, const idtoken_t *after)
{
    if (!text_equal(before->sub, after->sub))
        return refuse(pool, FAULT_IDTOKEN_SUBJECT, "sub", "is not the one of the session");
    if (after->iat < before->iat)
        return fault_make(pool, FAULT_IDTOKEN_EXPIRED, "iat %lld is before the one of the session, %lld",
                          (long long)after->iat, (long long)before->iat);
    if (after->auth_time >= 0 && before->auth_time >= 0 && after->auth_time != before->auth_time)
        return fault_make(pool, FAULT_IDTOKEN_CLAIMS, "auth_time %lld is not the one of the session, %lld",
                          (long long)after->auth_time, (long long)before->auth_time);
    if (after->nonce.at != NULL && !text_equal_secret(before->nonce, after->nonce))
        return refuse(pool, FAULT_IDTOKEN_NONCE, "nonce", "is not the one of the session");
    if (!same_azp(before->claims, after->claims))
        return refuse(pool, FAULT_IDTOKEN_AUDIENCE, "azp", "is not the one of the session");
    return NULL;
}

const fault_t *idtoken_recall(apr_pool_t *pool, text_t payload, idtoken_t *idtoken)
{
    *idtoken = (idtoken_t){.auth_time = -1};
    const fault_t *fault = jval_read(pool, payload, JWS_TOKEN_MAX, FAULT_IDTOKEN_CLAIMS, &idtoken->claims);
    if (fault != NULL)
        return fault;
    if (jval_text(idtoken->claims, "sub", &idtoken->sub) != JVAL_FOUND)
        return refuse(pool, FAULT_IDTOKEN_SUBJECT, "sub", "is missing or no string");
    if (jval_text(idtoken->claims, "nonce", &idtoken->nonce) != JVAL_FOUND)
        idtoken->nonce = (text_t){NULL, 0};
    if (jval_seconds(idtoken->claims, "exp", &idtoken->exp) != JVAL_FOUND)
        idtoken->exp = 0;
    if (jval_seconds(idtoken->claims, "iat", &idtoken->iat) != JVAL_FOUND)
        idtoken->iat = 0;
    if (jval_seconds(idtoken->claims, "auth_time", &idtoken->auth_time) != JVAL_FOUND)
        idtoken->auth_time = -1;
    return NULL;
}
