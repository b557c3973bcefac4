/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Revocation: a courtesy to the provider that must never hold up a user for long, nor fail what he asked for.
 */

#include "flow/revoke.h"

#include "oidc/tokenreq.h"

#define REVOKE_MS  2000
#define ANSWER_MAX 4096

void revoke_tokens(walk_t *walk, const provider_t *provider, const tokens_t *tokens)
{
    client_t client = walk->rp->client;
    bool has_refresh = tokens->refresh_token.len > 0;
    text_t token = has_refresh ? tokens->refresh_token : tokens->access_token;
    if (provider->revocation == NULL || token.len == 0 ||
        clientauth_choose(walk->pool, &client, provider, &client.method) != NULL)
        return;
    tokenreq_t form =
        tokenreq_revoke(walk->pool, &client, token, has_refresh ? "refresh_token" : "access_token");
    const http_request request = {.url = provider->revocation,
                                  .form = form.form,
                                  .authorization = form.authorization,
                                  .body_max = ANSWER_MAX,
                                  .deadline_ms = REVOKE_MS};
    http_answer answer;
    const fault_t *fault = issuer_call(walk, &request, &answer);
    if (fault != NULL)
        walk_note_fault(walk, NOTE_INFO, "tokens could not be revoked", fault);
}
