/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* What scripts of an application may ask: who is signed in, and for how long. Asking does not count as
 * activity, and tokens are not told. */

#include "flow/endpoints.h"

#include "base/codec.h"
#include "flow/gather.h"
#include "flow/reply.h"

static verdict_t *tell(walk_t *walk, const session_t *session, const char *user)
{
    int64_t left = session_left(session, walk->now, walk->rp->settings->session_idle);
    text_t json = text_format(
        walk->pool,
        "{\"user\":%s,\"seconds_left\":%" APR_INT64_T_FMT ",\"session_ends\":%" APR_INT64_T_FMT
        ",\"token_expires\":%" APR_INT64_T_FMT ",\"login_url\":%s,\"logout_url\":%s}\n",
        codec_json(walk->pool, text_of(user)).at, (apr_int64_t)left, (apr_int64_t)session->ends,
        (apr_int64_t)session->token_expires, codec_json(walk->pool, text_of(walk_endpoint(walk, "login"))).at,
        codec_json(walk->pool, text_of(walk_endpoint(walk, "logout"))).at);
    return reply_json(walk, 200, json);
}

verdict_t *whoami_endpoint(walk_t *walk)
{
    vault_record record;
    text_t cookie;
    if (walk->visit->base_url == NULL)
        return reply_fault(
            walk, fault_make(walk->pool, FAULT_HOST_UNKNOWN, "neither Host nor ServerName can be used"));
    if (!walk_cookie(walk, &cookie))
        return reply_fault(walk, fault_make(walk->pool, FAULT_LOGIN_REQUIRED, NULL));
    vault_rc rc = vault_load(&walk->vault, walk->pool, cookie, &record);
    if (rc == VAULT_DOWN)
        return reply_fault(walk, fault_make(walk->pool, FAULT_STORE_DOWN, NULL));
    if (rc == VAULT_BROKEN)
        return reply_fault(walk,
                           fault_make(walk->pool, FAULT_INTERNAL, "the session could not be looked up"));
    const char *user = NULL;
    if (rc == VAULT_OK &&
        session_life_at(&record.session, walk->now, walk->rp->settings->session_idle) == SESSION_LIVE)
        user = gather_user(walk->rp, walk->env, walk->pool, &record.session.claims);
    return user != NULL ? tell(walk, &record.session, user)
                        : reply_fault(walk, fault_make(walk->pool, FAULT_LOGIN_REQUIRED, NULL));
}
