/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The module record and its hooks. The order is where correctness lies: what may forge an identity goes
 * before anybody reads it, who somebody is is known before any rule asks, and what applications see is set
 * before mod_rewrite looks at it. */

#include "httpd/conf.h"
#include "httpd/cachecontrol.h"
#include "httpd/confcheck.h"
#include "httpd/gatehooks.h"
#include "httpd/lifecycle.h"
#include "httpd/require.h"
#include "httpd/scrub.h"

#include <http_protocol.h>
#include <http_request.h>

static void register_hooks(apr_pool_t *pool)
{
    /* Everybody else's access rules come first, then the question whether somebody known is let in, then
     * httpd's own asking. */
    static const char *const before_authz[] = {"mod_authz_core.c", NULL};

    (void)pool;
    ap_hook_check_config(confcheck_run, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_config(lifecycle_parent, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(lifecycle_child, NULL, NULL, APR_HOOK_MIDDLE);

    ap_hook_post_read_request(scrub_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_pre_translate_name(gatehooks_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(gatehooks_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(gatehooks_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access_ex(gatehooks_admit, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(gatehooks_authorize, NULL, before_authz, APR_HOOK_LAST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(gatehooks_authenticate, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(gatehooks_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_filter(cachecontrol_insert, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(cachecontrol_insert, NULL, NULL, APR_HOOK_LAST);

    cachecontrol_register();
    scrub_register();
    require_register(pool);
}

module sso_module = {STANDARD20_MODULE_STUFF, conf_create_place,          conf_merge_place,
                     conf_create_server,      conf_merge_server,          conf_commands,
                     register_hooks,          AP_MODULE_FLAG_ALWAYS_MERGE};
