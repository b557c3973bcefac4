/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The media type of an answer. Compared in full and not by prefix or substring: "application/jsonp" and
 * "text/html;json" are no JSON (TE-07). */

#include "oidc/answer.h"

bool answer_is_json(const answer_t *answer)
{
    text_t type = text_of(answer->content_type);
    type.len = text_find(type, ';');
    type = text_trim(type);
    if (text_equal_nocase(type, TEXT("application/json")))
        return true;
    text_t suffix = TEXT("+json");
    size_t slash = text_find(type, '/');
    return slash > 0 && slash + 1 + suffix.len < type.len && text_find(type, ',') == type.len &&
           text_equal_nocase(text_from(type, type.len - suffix.len), suffix);
}
