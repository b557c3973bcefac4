/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_AUTHZRESP_H
#define OIDC_AUTHZRESP_H

/* The authorization response in the callback's query (RFC 6749 section 4.1.2, RFC 9207). */

#include <apr_pools.h>

#include "base/fault.h"
#include "oidc/provider.h"

typedef struct authzresp {
    text_t state;
    text_t code;        /* empty when `error` is not */
    text_t iss;         /* `at` NULL when it was not sent */
    text_t error;       /* empty when there is none; a word of the RFC's alphabet, or "malformed" */
    text_t description; /* error_description, unchecked outside text, for the log only */
} authzresp_t;

/* Reads the query. FAULT_STATE_MISSING without a usable state. FAULT_CALLBACK_MALFORMED: state, code, iss or
 * error twice; neither code nor error; a code that is not VSCHAR (RFC 6749 A.11: 0x20 to 0x7e) of at most 4
 * kB; access_token, id_token, token_type or response present; too many parameters. Unknown parameters are
 * left alone. With error and code both, the error counts. A usable state is filled in even when the rest is
 * malformed. */
const fault_t *authzresp_read(apr_pool_t *pool, text_t query, authzresp_t *response) MUST_USE;

/* RFC 9207 section 2.4, by byte comparison: `iss` must be there when promised, and right when there.
 * FAULT_ISSUER_MISMATCH. */
const fault_t *authzresp_check_issuer(apr_pool_t *pool, const authzresp_t *response,
                                      const provider_t *provider) MUST_USE;

/* What an error response means: FAULT_LOGIN_UNAVAILABLE for temporarily_unavailable and server_error, else
 * FAULT_LOGIN_REFUSED. The detail has error and description, escaped and cut. NULL when it is no error. */
const fault_t *authzresp_error(apr_pool_t *pool, const authzresp_t *response) MUST_USE;

#endif
