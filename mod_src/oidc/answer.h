/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef OIDC_ANSWER_H
#define OIDC_ANSWER_H

/* An HTTP answer of the provider, as the readers of this room take it: no connection, no headers but the two
 * that matter. */

#include "base/fault.h"
#include "base/text.h"

typedef struct answer {
    int status;
    const char *content_type; /* "" when there is none */
    text_t body;
} answer_t;

/* Is the media type application/json, or ends in +json, whatever the case and parameters? */
bool answer_is_json(const answer_t *answer);

#endif
