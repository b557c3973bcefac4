/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Claims in httpd's authorization. Rules are compiled when the configuration is read. For a stranger the
 * answer is "not without a user", so that httpd asks for a login before it refuses, in every combination of
 * RequireAny, RequireAll and RequireNone. */

#include "httpd/require.h"

#include <ap_expr.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_request.h>
#include <mod_auth.h>

#include "base/claim.h"
#include "flow/rule.h"
#include "httpd/conf.h"
#include "httpd/pattern.h"
#include "httpd/reqstate.h"

/* The first word, without the regular expression that may follow its name. */
static const char *claim_name(apr_pool_t *pool, const char *words)
{
    const char *word = ap_getword_conf(pool, &words);
    return apr_pstrmemdup(pool, word, text_find(text_of(word), '~'));
}

static const char *parse(cmd_parms *cmd, const char *words, const void **parsed)
{
    const rule_t *rule = NULL;
    const char *wrong = rule_read(cmd->pool, pattern_port_get(), words, &rule);
    *parsed = rule;
    if (wrong != NULL)
        return apr_pstrcat(cmd->pool, "Require sso-claim: ", wrong, NULL);
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL)
        APR_ARRAY_PUSH(conf_of_server(cmd->server)->wanted, const char *) = claim_name(cmd->pool, words);
    return NULL;
}

static authz_status decide(request_rec *r, const char *words, const void *parsed)
{
    (void)words;
    const identity_t *identity = reqstate_identity(r);
    if (identity == NULL || r->user == NULL)
        return AUTHZ_DENIED_NO_USER;
    return rule_holds(parsed, pattern_port_get(), &identity->claims) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

static const char *claim_value(ap_expr_eval_ctx_t *context, const void *data, const char *name)
{
    (void)data;
    const identity_t *identity = context->r == NULL ? NULL : reqstate_identity(context->r);
    const claim_t *claim = identity == NULL ? NULL : claim_find(&identity->claims, text_of(name));
    if (claim == NULL)
        return "";
    const char *value = text_string(context->p, claim_as_text(context->p, claim, ','));
    return value == NULL ? "" : value;
}

static int look_up(ap_expr_lookup_parms *lookup)
{
    static ap_expr_string_func_t *const function = claim_value;
    if (lookup->type != AP_EXPR_FUNC_STRING || strcasecmp(lookup->name, "sso_claim") != 0)
        return DECLINED;
    memcpy(lookup->func, &function, sizeof(function));
    *lookup->data = NULL;
    return OK;
}

void require_register(apr_pool_t *pool)
{
    static const authz_provider provider = {decide, parse};
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "sso-claim", AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_expr_lookup(look_up, NULL, NULL, APR_HOOK_MIDDLE);
}
