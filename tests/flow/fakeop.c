/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The provider. A refresh token is "rt.FAMILY.GENERATION": whoever sends one that is not the newest of its
 * family is a thief to it, and the family is revoked (RFC 9700 section 4.14.2). */

#include "unit.h"

#include "fakeop.h"
#include "signer.h"

#include "base/url.h"
#include "jose/digest.h"

static EVP_PKEY *key_of_process(void)
{
    static EVP_PKEY *key = NULL;
    if (key == NULL)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_non_null(key);
    return key;
}

void fakeop_rotate_key(fakeop_t *op, const char *alg, const char *kid)
{
    op->key = signer_key_for(op->pool, alg);
    op->alg = alg;
    op->kid = kid;
}

static const char *bent(const fakeop_claim *claims, const char *name, const char *usual)
{
    for (; claims != NULL && claims->name != NULL; claims++) {
        if (strcmp(claims->name, name) == 0)
            return claims->json;
    }
    return usual;
}

static bool is_usual(const char *name)
{
    static const char *const names[] = {"iss", "aud", "sub", "iat", "exp"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static text_t member(apr_pool_t *pool, text_t before, const char *name, const char *json)
{
    if (json == NULL)
        return before;
    return text_format(pool, "%s%s\"%s\":%s", before.at, before.len > 1 ? "," : "", name, json);
}

text_t fakeop_payload(fakeop_t *op, apr_pool_t *pool, const fakeop_claim *claims)
{
    int64_t now = op->clock->wall(op->clock);
    const char *const usual[][2] = {{"iss", apr_psprintf(pool, "\"%s\"", op->issuer)},
                                    {"aud", apr_psprintf(pool, "\"%s\"", op->client_id)},
                                    {"sub", apr_psprintf(pool, "\"%s\"", op->sub)},
                                    {"iat", apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)now)},
                                    {"exp", apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)now + 300)}};
    text_t made = TEXT("{");
    for (size_t i = 0; i < COUNT(usual); i++)
        made = member(pool, made, usual[i][0], bent(claims, usual[i][0], usual[i][1]));
    for (; claims != NULL && claims->name != NULL; claims++) {
        if (!is_usual(claims->name))
            made = member(pool, made, claims->name, claims->json);
    }
    return text_format(pool, "%s}", made.at);
}

text_t fakeop_sign(fakeop_t *op, apr_pool_t *pool, const char *header, text_t payload)
{
    const char *usual =
        apr_psprintf(pool, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", op->alg, op->kid);
    return signer_token(pool, op->key, op->alg, header != NULL ? header : usual, payload);
}

text_t fakeop_idtoken(fakeop_t *op, apr_pool_t *pool, const fakeop_claim *claims)
{
    return fakeop_sign(op, pool, NULL, fakeop_payload(op, pool, claims));
}

static http_rc serve_metadata(void *data, const http_request *request, apr_pool_t *pool, http_answer *answer)
{
    const fakeop_t *op = data;
    (void)request;
    answer->body = text_format(
        pool,
        "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth\",\"token_endpoint\":\"%s/token\","
        "\"userinfo_endpoint\":\"%s/userinfo\",\"jwks_uri\":\"%s/jwks\",\"end_session_endpoint\":\"%s/"
        "logout\","
        "\"revocation_endpoint\":\"%s/"
        "revoke\",\"id_token_signing_alg_values_supported\":[\"RS256\",\"ES256\"]%s}",
        op->issuer, op->issuer, op->issuer, op->issuer, op->issuer, op->issuer, op->issuer,
        op->metadata != NULL ? op->metadata : "");
    return HTTP_ANSWERED;
}

static http_rc serve_keys(void *data, const http_request *request, apr_pool_t *pool, http_answer *answer)
{
    const fakeop_t *op = data;
    (void)request;
    answer->body =
        op->jwks != NULL
            ? text_of(apr_pstrdup(pool, op->jwks))
            : text_format(pool, "{\"keys\":[%s]}",
                          signer_jwk(pool, op->key, apr_psprintf(pool, ",\"kid\":\"%s\"", op->kid)));
    return HTTP_ANSWERED;
}

static http_rc refuse(http_answer *answer, const char *body)
{
    answer->status = 400;
    answer->body = text_of(body);
    return HTTP_ANSWERED;
}

static text_t parameter(apr_pool_t *pool, text_t form, const char *name)
{
    text_t value;
    if (url_parameter(pool, form, name, &value) != URL_FOUND)
        return (text_t){NULL, 0};
    return value;
}

/* The success of the token endpoint, with the lock held. */
static void answer_tokens(fakeop_t *op, apr_pool_t *pool, http_answer *answer, text_t refresh, text_t idtoken)
{
    text_t body = text_format(pool, "{\"access_token\":\"at.%u\",\"token_type\":\"Bearer\"", ++op->serial);
    if (refresh.at != NULL)
        body = text_format(pool, "%s,\"refresh_token\":\"%s\"", body.at, refresh.at);
    if (idtoken.at != NULL)
        body = text_format(pool, "%s,\"id_token\":\"%s\"", body.at, idtoken.at);
    if (op->expires_in >= 0)
        body = text_format(pool, "%s,\"expires_in\":%d", body.at, op->expires_in);
    if (op->refresh_expires_in >= 0)
        body = text_format(pool, "%s,\"refresh_expires_in\":%d", body.at, op->refresh_expires_in);
    if (op->scope != NULL)
        body = text_format(pool, "%s,\"scope\":\"%s\"", body.at, op->scope);
    answer->body = text_format(pool, "%s}", body.at);
}

/* Reads "KIND.NUMBER[.NUMBER]"; what is not there stays -1. */
static bool read_name(text_t name, const char *kind, int64_t *first, int64_t *second)
{
    text_t rest = name, part;
    *first = *second = -1;
    if (name.at == NULL || !text_cut(&rest, '.', &part) || !text_equal(part, text_of(kind)))
        return false;
    if (!text_cut(&rest, '.', &part) || !text_number(part, INT32_MAX, first))
        return false;
    return rest.at == NULL || text_number(rest, INT32_MAX, second);
}

static text_t name_token(apr_pool_t *pool, unsigned family, unsigned generation)
{
    return text_format(pool, "rt.%u.%u", family, generation);
}

text_t fakeop_family_new(fakeop_t *op, apr_pool_t *pool)
{
    pthread_mutex_lock(&op->lock);
    assert_true(op->family_count < FAKEOP_FAMILIES);
    unsigned family = op->family_count++;
    pthread_mutex_unlock(&op->lock);
    return name_token(pool, family, 0);
}

static http_rc refresh(fakeop_t *op, apr_pool_t *pool, text_t form, http_answer *answer)
{
    int64_t number, generation;
    text_t token = parameter(pool, form, "refresh_token");
    text_t idtoken = op->refreshes_idtoken ? fakeop_idtoken(op, pool, op->claims) : (text_t){NULL, 0};
    op->refreshes++;
    if (!read_name(token, "rt", &number, &generation) || number >= op->family_count) {
        op->refused++;
        return refuse(answer, "{\"error\":\"invalid_grant\"}");
    }
    fakeop_family *family = &op->families[number];
    if (op->rotates && !family->revoked && generation != family->generation) {
        op->reuses++;
        family->revoked = true;
    }
    if (family->revoked) {
        op->refused++;
        return refuse(answer, "{\"error\":\"invalid_grant\",\"error_description\":\"Session not active\"}");
    }
    text_t next = op->rotates ? name_token(pool, (unsigned)number, ++family->generation) : (text_t){NULL, 0};
    if (op->refresh_token.at != NULL)
        next = op->refresh_token;
    op->refresh_token = (text_t){NULL, 0};
    answer_tokens(op, pool, answer, next, idtoken);
    return HTTP_ANSWERED;
}

static http_rc redeem(fakeop_t *op, apr_pool_t *pool, text_t form, http_answer *answer)
{
    int64_t number, none;
    text_t code = parameter(pool, form, "code");
    op->codes++;
    if (!read_name(code, "code", &number, &none) || number >= op->all_codes->nelts)
        return refuse(answer, "{\"error\":\"invalid_grant\"}");
    fakeop_code *given = (fakeop_code *)(void *)op->all_codes->elts + number;
    text_t challenge = digest_s256(pool, parameter(pool, form, "code_verifier"));
    bool fits = !given->used && text_equal(parameter(pool, form, "redirect_uri"), given->redirect_uri) &&
                text_equal(challenge, given->challenge);
    given->used = true;
    if (!fits)
        return refuse(answer, "{\"error\":\"invalid_grant\"}");
    const fakeop_claim usual[] = {{"nonce", apr_psprintf(pool, "\"%s\"", given->nonce.at)}, {NULL, NULL}};
    unsigned family = op->family_count++;
    bool openid = given->nonce.at != NULL;
    answer_tokens(op, pool, answer, name_token(pool, family, 0),
                  openid ? fakeop_idtoken(op, pool, op->claims != NULL ? op->claims : usual)
                         : (text_t){NULL, 0});
    return HTTP_ANSWERED;
}

static http_rc serve_tokens(void *data, const http_request *request, apr_pool_t *pool, http_answer *answer)
{
    fakeop_t *op = data;
    pthread_mutex_lock(&op->lock);
    text_t grant = parameter(pool, request->form, "grant_type");
    http_rc rc = text_equal(grant, TEXT("refresh_token")) ? refresh(op, pool, request->form, answer)
                 : text_equal(grant, TEXT("authorization_code"))
                     ? redeem(op, pool, request->form, answer)
                     : refuse(answer, "{\"error\":\"invalid_request\"}");
    pthread_mutex_unlock(&op->lock);
    return rc;
}

static http_rc serve_userinfo(void *data, const http_request *request, apr_pool_t *pool, http_answer *answer)
{
    const fakeop_t *op = data;
    if (request->authorization == NULL || strncmp(request->authorization, "Bearer ", 7) != 0)
        answer->status = 401;
    answer->body =
        text_format(pool, "{\"sub\":\"%s\"%s}", op->userinfo_sub != NULL ? op->userinfo_sub : op->sub,
                    op->userinfo != NULL ? op->userinfo : "");
    return HTTP_ANSWERED;
}

static http_rc serve_revocation(void *data, const http_request *request, apr_pool_t *pool,
                                http_answer *answer)
{
    fakeop_t *op = data;
    int64_t number, generation;
    pthread_mutex_lock(&op->lock);
    text_t token = parameter(pool, request->form, "token");
    op->revocations++;
    if (read_name(token, "rt", &number, &generation) && number < op->family_count)
        op->families[number].revoked = true;
    pthread_mutex_unlock(&op->lock);
    answer->body = (text_t){"", 0};
    return HTTP_ANSWERED;
}

text_t fakeop_authorize(fakeop_t *op, apr_pool_t *pool, const char *url)
{
    text_t query = text_from(text_of(url), text_find(text_of(url), '?') + 1);
    fakeop_code *code = apr_array_push(op->all_codes);
    *code = (fakeop_code){.nonce = parameter(op->pool, query, "nonce"),
                          .challenge = parameter(op->pool, query, "code_challenge"),
                          .redirect_uri = parameter(op->pool, query, "redirect_uri")};
    return text_format(pool, "code=code.%d&state=%s", op->all_codes->nelts - 1,
                       parameter(pool, query, "state").at);
}

void fakeop_init(fakeop_t *op, fakes_http *http, apr_pool_t *pool, const clock_port *clock)
{
    memset(op, 0, sizeof *op);
    *op = (fakeop_t){.pool = pool,
                     .http = http,
                     .clock = clock,
                     .issuer = FAKEOP_ISSUER,
                     .client_id = "rp",
                     .key = key_of_process(),
                     .alg = "ES256",
                     .kid = "k1",
                     .sub = "alice",
                     .expires_in = 300,
                     .refresh_expires_in = -1,
                     .rotates = true,
                     .all_codes = apr_array_make(pool, 8, sizeof(fakeop_code))};
    (void)pthread_mutex_init(&op->lock, NULL);
    fakes_http_serve(http, "/.well-known/openid-configuration", serve_metadata, op);
    fakes_http_serve(http, "/jwks", serve_keys, op);
    fakes_http_serve(http, "/token", serve_tokens, op);
    fakes_http_serve(http, "/userinfo", serve_userinfo, op);
    fakes_http_serve(http, "/revoke", serve_revocation, op);
}
