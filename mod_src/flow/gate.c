/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The gate: httpd's three questions become walks. The module's own endpoints are one table. */

#include "flow/gate.h"

#include <string.h>

#include "flow/admit.h"
#include "flow/endpoints.h"
#include "flow/reply.h"
#include "flow/returnurl.h"

enum { GET = 1 << METHOD_GET, HEAD = 1 << METHOD_HEAD, POST = 1 << METHOD_POST };

typedef struct endpoint {
    const char *name;
    unsigned methods;
    const char *allow; /* the same for the Allow header */
    verdict_t *(*run)(walk_t *walk);
} endpoint_t;

static const endpoint_t endpoints[] = {
    {"callback", GET, "GET", callback_endpoint},
    {"login", GET | HEAD, "GET, HEAD", login_endpoint},
    {"logout", GET | POST, "GET, POST", logout_endpoint},
    {"session", GET | HEAD, "GET, HEAD", whoami_endpoint},
};

verdict_t *gate_admit(const rp_t *rp, const env_t *env, const visit_t *visit)
{
    walk_t walk = walk_begin(rp, env, visit);
    return admit_visitor(&walk);
}

verdict_t *gate_endpoint(const rp_t *rp, const env_t *env, const visit_t *visit)
{
    walk_t walk = walk_begin(rp, env, visit);
    text_t name = text_from(visit->path, strlen(rp->settings->path) + 1);
    for (size_t i = 0; rp_owns(rp, visit->path) && i < sizeof endpoints / sizeof *endpoints; i++) {
        const endpoint_t *endpoint = &endpoints[i];
        if (!text_equal(name, text_of(endpoint->name)))
            continue;
        if (endpoint->methods & 1u << visit->method) {
            (void)endpoint->run(&walk);
            return walk.verdict;
        }
        reply_header(&walk, "Allow", endpoint->allow);
        return reply_fault(&walk, fault_make(walk.pool, FAULT_METHOD_REFUSED, "%s", endpoint->name));
    }
    return reply_fault(&walk, fault_make(walk.pool, FAULT_ENDPOINT_UNKNOWN, NULL));
}

/* Why somebody has to sign in: what ended the session, or just that there is none. */
static const fault_t *reason(const walk_t *walk, const verdict_t *admitted)
{
    return admitted->fault != NULL ? admitted->fault : fault_make(walk->pool, FAULT_LOGIN_REQUIRED, NULL);
}

verdict_t *gate_stranger(const rp_t *rp, const env_t *env, const visit_t *visit, const verdict_t *admitted)
{
    walk_t walk = walk_begin(rp, env, visit);
    walk.verdict->cookies = admitted->cookies;
    switch (visit->place->unauth) {
    case KIND_UNAUTH_PASS:
        return walk.verdict;
    case KIND_UNAUTH_403:
        return reply_fault(&walk, fault_make(walk.pool, FAULT_STRANGER_REFUSED, NULL));
    case KIND_UNAUTH_401:
        return reply_fault(&walk, reason(&walk, admitted));
    case KIND_UNAUTH_LOGIN:
        return login_start(&walk, returnurl_of(rp, visit), (text_t){NULL, 0});
    case KIND_UNAUTH_AUTO:
        break;
    }
    if (walk_is_navigation(&walk))
        return login_start(&walk, returnurl_of(rp, visit), (text_t){NULL, 0});
    return reply_fault(&walk, reason(&walk, admitted));
}

verdict_t *gate_refuse(const rp_t *rp, const env_t *env, const visit_t *visit, const fault_t *fault)
{
    walk_t walk = walk_begin(rp, env, visit);
    return reply_fault(&walk, fault != NULL ? fault : fault_make(walk.pool, FAULT_FORBIDDEN, NULL));
}
