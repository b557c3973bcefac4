/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_CLAIM_H
#define BASE_CLAIM_H

/* What is known about a user, flattened once at login so that a request only looks up: a list sorted by path.
 *
 * A nested member's path joins the names with CLAIM_STEP; directives write a dot there, and a lookup takes a
 * dot for either. An object has no entry of its own but the ones of its members; it is printed from them when
 * somebody wants it whole. A list is one entry whose text is its items one behind the other
 * (claim_next_item). null has no entry. */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/text.h"

#define CLAIM_STEP     '\x1f'
#define CLAIM_TEXT_MAX ((size_t)64 * 1024) /* bytes of one claim rendered for an application */

typedef enum {
    CLAIM_TEXT = 's',
    CLAIM_NUMBER = 'n', /* text as JSON has it */
    CLAIM_TRUE = 't',   /* text "true" */
    CLAIM_FALSE = 'f',  /* text "false" */
    CLAIM_LIST = 'l',   /* items, see claim_next_item */
    CLAIM_JSON = 'j'    /* an object or list inside a list, or an empty object: compact JSON */
} claim_type;

typedef struct claim {
    text_t path;
    claim_type type;
    text_t text; /* with a NUL behind its end in memory, so that a request can hand it on as it is */
} claim_t;

typedef struct claim_list {
    const claim_t *at; /* sorted by claim_order */
    size_t count;
} claim_list;

/* Order of paths, in which CLAIM_STEP and '.' are the same; among equal ones the top level name with dots
 * comes first. */
int claim_order(const claim_t *one, const claim_t *other);

/* The claim under a dotted name, or NULL. */
const claim_t *claim_find(const claim_list *claims, text_t name);

/* The claims below a name that is an object: first one and how many; none: 0. A top level name with literal
 * dots may stand among them: whoever walks on from *first counts only paths that begin with the bytes of its
 * path up to the step. */
size_t claim_below(const claim_list *claims, text_t name, const claim_t **first);

/* Appends one item to the text of a list that is being made: its type and bytes (at most 16 MB). */
void claim_add_item(char **end, claim_type type, text_t text);

/* Bytes that claim_add_item takes for an item of this length. */
size_t claim_item_size(size_t len);

/* Walks the items of a CLAIM_LIST text: start with *rest = the text; false at the end or where it is broken.
 */
bool claim_next_item(text_t *rest, claim_type *type, text_t *item);

/* For applications: a scalar as its text, a list joined with `separator` where a separator or backslash
 * inside an item gets a backslash before it. A list inside a list, or an object in one, is JSON. In the pool,
 * or the claim's own text; NUL-terminated. */
text_t claim_as_text(apr_pool_t *pool, const claim_t *claim, char separator);

/* For applications: the claim under the name as JSON, also an object rebuilt from its members. `at` NULL
 * where there is none. */
text_t claim_as_json(apr_pool_t *pool, const claim_list *claims, text_t name);

/* Does the claim equal the value, or does the list have an item that does? Exact and typed text: a number
 * equals its JSON text, a boolean "true" or "false"; a part of a string never counts. */
bool claim_has(const claim_t *claim, text_t value);

#endif
