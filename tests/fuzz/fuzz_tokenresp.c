/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The token endpoint's answer: the first two bytes choose status and media type, the rest is the body. Tokens
 * that come out can stand in a header; a fault of the wrong status never ends a session; details are
 * printable. */

#include "fuzz.h"

#include "oidc/tokenresp.h"

static const int statuses[] = {200, 200, 200, 400, 401, 403, 429, 500, 204, 302};
static const char *const types[] = {"application/json", "application/json;charset=utf-8", "text/html", ""};

static void check_tokens(const tokens_t *tokens)
{
    FUZZ_HOLDS(text_is_token(tokens->access_token));
    FUZZ_HOLDS(text_is_printable(tokens->refresh_token));
    FUZZ_HOLDS(tokens->id_token.len == 0 || text_is_token(tokens->id_token));
    FUZZ_HOLDS(text_is_printable(tokens->scope));
    FUZZ_HOLDS(tokens->expires_in >= -1 && tokens->expires_in <= 31536000);
    FUZZ_HOLDS(tokens->refresh_expires_in != 0 && tokens->refresh_expires_in >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    apr_pool_t *pool = fuzz_pool();
    tokens_t tokens;
    answer_t answer = {statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))],
                       types[data[1] % (sizeof(types) / sizeof(types[0]))],
                       fuzz_input(pool, data + 2, size - 2)};
    const fault_t *fault = tokenresp_read(pool, &answer, &tokens);
    if (fault == NULL) {
        FUZZ_HOLDS(answer.status == 200);
        check_tokens(&tokens);
    } else {
        FUZZ_HOLDS(fault->code != FAULT_GRANT_REFUSED || answer.status == 400 || answer.status == 401);
        FUZZ_HOLDS(text_is_printable(text_of(fault->detail)) && strlen(fault->detail) <= 512);
    }
    return fuzz_done(pool);
}
