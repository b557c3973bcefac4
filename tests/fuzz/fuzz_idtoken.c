/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Payloads of ID tokens, as if their signature had verified. What passes the rules has the claims that the
 * rules promise; the same payload is then recalled with the same fields, and is its own good successor at a
 * refresh. */

#include "fuzz.h"

#include "oidc/accesstoken.h"
#include "oidc/idtoken.h"

#define NOW 1700000000

static const idtoken_rules rules = {.issuer = "https://op.test",
                                    .client_id = "rp",
                                    .now = NOW,
                                    .skew = 60,
                                    .iat_age = 600,
                                    .nonce = {"N", 1},
                                    .access_token = {"at", 2}};

static void check_accepted(apr_pool_t *pool, text_t payload, const idtoken_t *idtoken)
{
    idtoken_t recalled;
    const jval_t *claims = NULL;
    FUZZ_HOLDS(idtoken->sub.len > 0 && idtoken->sub.len <= IDTOKEN_SUB_MAX &&
               text_is_printable(idtoken->sub));
    FUZZ_HOLDS(text_equal(idtoken->nonce, TEXT("N")));
    FUZZ_HOLDS(idtoken->exp > NOW - 60 && idtoken->iat >= NOW - 600 && idtoken->iat <= NOW + 60);
    FUZZ_HOLDS(idtoken->auth_time >= -1);
    FUZZ_HOLDS(idtoken_recall(pool, payload, &recalled) == NULL);
    FUZZ_HOLDS(text_equal(recalled.sub, idtoken->sub) && recalled.exp == idtoken->exp &&
               recalled.iat == idtoken->iat);
    FUZZ_HOLDS(recalled.auth_time == idtoken->auth_time);
    FUZZ_HOLDS(idtoken_check_refreshed(pool, &recalled, idtoken) == NULL);
    FUZZ_HOLDS(accesstoken_check(pool, payload, &rules, idtoken->sub, &claims) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t payload = fuzz_input(pool, data, size);
    idtoken_t idtoken, recalled;
    const jval_t *claims = NULL;
    idtoken_rules with = rules;
    with.alg = alg_find(TEXT("RS256"));
    const fault_t *fault = idtoken_check(pool, payload, &with, &idtoken);
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    if (fault == NULL)
        check_accepted(pool, payload, &idtoken);
    fault = accesstoken_check(pool, payload, &rules, TEXT("alice"), &claims);
    FUZZ_HOLDS((fault == NULL) == (claims != NULL));
    FUZZ_HOLDS(fault == NULL || fault->code == FAULT_ACCESSTOKEN_REFUSED);
    fault = idtoken_recall(pool, payload, &recalled);
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    return fuzz_done(pool);
}
