/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The callback's query. What is accepted has a state and either a code or an error, in the bytes that they
 * may have; an error's detail is one printable line. */

#include "fuzz.h"

#include "oidc/authzresp.h"

static void check_error(apr_pool_t *pool, const authzresp_t *response)
{
    const fault_t *fault = authzresp_error(pool, response);
    FUZZ_HOLDS((fault != NULL) == (response->error.len > 0));
    FUZZ_HOLDS(fault == NULL || text_is_printable(text_of(fault->detail)));
    FUZZ_HOLDS(fault == NULL || strlen(fault->detail) <= 512);
}

static void check_issuer(apr_pool_t *pool, const authzresp_t *response)
{
    provider_t provider;
    provider_without_document("https://op.test", &provider);
    const fault_t *lax = authzresp_check_issuer(pool, response, &provider);
    provider.iss_promised = true;
    const fault_t *strict = authzresp_check_issuer(pool, response, &provider);
    FUZZ_HOLDS((strict == NULL) == text_equal(response->iss, TEXT("https://op.test")));
    FUZZ_HOLDS((lax == NULL) == (strict == NULL || response->iss.at == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    authzresp_t response;
    const fault_t *fault = authzresp_read(pool, fuzz_input(pool, data, size), &response);
    if (fault == NULL) {
        FUZZ_HOLDS(text_is_token(response.state));
        FUZZ_HOLDS((response.code.len > 0) != (response.error.len > 0));
        FUZZ_HOLDS(text_is_printable(response.code) && response.code.len <= 4096);
        FUZZ_HOLDS(text_is_printable(response.error));
        check_issuer(pool, &response);
    }
    if (fault == NULL || fault->code == FAULT_CALLBACK_MALFORMED)
        check_error(pool, &response);
    return fuzz_done(pool);
}
