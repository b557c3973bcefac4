/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Discovery documents. What is accepted has our issuer, and endpoints that are https without userinfo and
 * fragment; what is refused says why. */

#include "fuzz.h"

#include "base/url.h"
#include "oidc/provider.h"

#define ISSUER "https://op.test"

static void check_endpoint(apr_pool_t *pool, const char *endpoint)
{
    url_t url;
    if (endpoint == NULL)
        return;
    FUZZ_HOLDS(url_read(pool, text_of(endpoint), &url) && url.https && url.fragment.at == NULL);
    FUZZ_HOLDS(text_is_printable(text_of(endpoint)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    provider_t provider;
    const fault_t *fault = provider_read(pool, fuzz_input(pool, data, size), ISSUER, &provider);
    FUZZ_HOLDS(fault == NULL || (fault->code == FAULT_METADATA_INVALID && fault->detail != NULL));
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    if (fault == NULL) {
        FUZZ_HOLDS(strcmp(provider.issuer, ISSUER) == 0);
        FUZZ_HOLDS((provider.idtoken_algs & ~alg_all()) == 0);
        check_endpoint(pool, provider.authorization);
        check_endpoint(pool, provider.token);
        check_endpoint(pool, provider.userinfo);
        check_endpoint(pool, provider.jwks);
        check_endpoint(pool, provider.end_session);
        check_endpoint(pool, provider.revocation);
    }
    return fuzz_done(pool);
}
