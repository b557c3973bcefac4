/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Claims from ID token, access token and userinfo, in that order of trust: what the ID token says is never
 * overridden. */

#include "flow/gather.h"

#include <string.h>

#include <apr_strings.h>

#include "oidc/claims.h"
#include "oidc/userinfo.h"

#define USER_MAX 255 /* bytes of REMOTE_USER */

static bool is_missing(const claim_list *claims, const char *name)
{
    const claim_t *first;
    text_t path = text_of(name);
    return claim_find(claims, path) == NULL && claim_below(claims, path, &first) == 0;
}

bool gather_wants_userinfo(const rp_t *rp, const claim_list *claims)
{
    const server_settings *settings = rp->settings;
    if (!(settings->claims_from & KIND_FROM_USERINFO) || settings->userinfo == KIND_USERINFO_OFF)
        return false;
    if (rp->plain_oauth || settings->userinfo == KIND_USERINFO_ALWAYS)
        return true;
    for (int i = 0; rp->wanted != NULL && i < rp->wanted->nelts; i++) {
        if (is_missing(claims, ((const char **)rp->wanted->elts)[i]))
            return true;
    }
    return false;
}

static const fault_t *ask_userinfo(walk_t *walk, const gather_t *from, const jval_t **claims)
{
    const text_t bearer[] = {TEXT("Bearer "), from->tokens->access_token, {NULL, 0}};
    const http_request request = {.url = from->provider->userinfo,
                                  .authorization = text_join(walk->pool, bearer).at,
                                  .body_max = USERINFO_MAX,
                                  .deadline_ms = walk->rp->http_ms};
    http_answer answer;
    const fault_t *fault = issuer_call(walk, &request, &answer);
    if (fault != NULL)
        return fault->code == FAULT_TOKEN_ANSWER ? fault_as(walk->pool, FAULT_USERINFO_REFUSED, fault)
                                                 : fault;
    const answer_t read = {answer.status, answer.content_type, answer.body};
    text_t sub = from->idtoken != NULL ? from->idtoken->sub : (text_t){NULL, 0};
    return userinfo_read(walk->pool, &read, sub, claims);
}

/* Does an answer point elsewhere for a claim that the configuration wants (Entra's group overage)? */
static const fault_t *check_overage(walk_t *walk, const claims_source *sources, size_t count,
                                    const claim_list *claims)
{
    const apr_array_header_t *wanted = walk->rp->wanted;
    for (int i = 0; wanted != NULL && i < wanted->nelts; i++) {
        const char *name = ((const char **)wanted->elts)[i];
        for (size_t s = 0; s < count; s++) {
            if (sources[s].object != NULL && is_missing(claims, name) &&
                claims_points_elsewhere(sources[s].object, text_of(name)))
                return fault_make(walk->pool, FAULT_CLAIMS_OVERAGE, "the provider left out the claim %s",
                                  text_loggable(walk->pool, text_of(name), 100));
        }
    }
    return NULL;
}

const fault_t *gather_claims(walk_t *walk, const gather_t *from, claim_list *claims)
{
    const rp_t *rp = walk->rp;
    claims_source sources[] = {{CLAIMS_FROM_IDTOKEN, from->idtoken != NULL ? from->idtoken->claims : NULL},
                               {CLAIMS_FROM_ACCESS, NULL},
                               {CLAIMS_FROM_USERINFO, NULL}};
    const size_t count = sizeof sources / sizeof *sources;
    const fault_t *fault = NULL;
    if (from->idtoken != NULL && (rp->settings->claims_from & KIND_FROM_ACCESS))
        fault = verify_accesstoken(walk, from->provider, from->tokens->access_token, from->idtoken->sub,
                                   &sources[1].object);
    if (fault == NULL)
        fault = claims_collect(walk->pool, sources, count, claims);
    if (fault != NULL)
        return fault;
    if (!from->without_userinfo && gather_wants_userinfo(rp, claims)) {
        if (from->provider->userinfo != NULL)
            fault = ask_userinfo(walk, from, &sources[2].object);
        else if (rp->plain_oauth)
            fault = fault_make(walk->pool, FAULT_PROVIDER_UNSUITABLE,
                               "no userinfo endpoint; see SSOEndpoint userinfo=");
        if (fault == NULL && sources[2].object != NULL)
            fault = claims_collect(walk->pool, sources, count, claims);
    }
    return fault != NULL ? fault : check_overage(walk, sources, count, claims);
}

const char *gather_user(const rp_t *rp, const env_t *env, apr_pool_t *pool, const claim_list *claims)
{
    const kind_user *settings = &rp->settings->user;
    const claim_t *claim = claim_find(claims, text_of(settings->claim));
    if (claim == NULL)
        return NULL;
    text_t user = claim_as_text(pool, claim, ',');
    if (rp->user_pattern != NULL)
        user = env->pattern->replace(env->pattern, rp->user_pattern, user, settings->substitution, pool);
    if (user.len == 0 || user.len > USER_MAX || text_has_control(user))
        return NULL;
    return text_string(pool, user);
}
