/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* JSON objects flattened into the sorted list of base/claim.h. Whether an earlier source has a claim is asked
 * of that source itself, so nothing is kept but the result. Objects are taken whole from one source: a deep
 * merge of, say, realm_access from two tokens would make a set of roles that nobody issued. */

#include "oidc/claims.h"

#include <stdlib.h>

#include <apr_tables.h>

/* Claims that say something of the token and not of the user. */
static const char *const left_out[] = {"exp",    "iat",           "nbf",          "nonce",
                                       "jti",    "typ",           "at_hash",      "c_hash",
                                       "s_hash", "session_state", "_claim_names", "_claim_sources"};
static const char *const vouched[] = {"iss", "sub", "aud", "azp", "sid", "auth_time", "acr", "amr"};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

typedef struct collector {
    apr_pool_t *pool;
    const claims_source *sources;
    size_t count;
    apr_array_header_t *entries; /* claim_t */
    const char *origin;          /* of the source that is being read, for details */
} collector;

static const char *origin_name(claims_origin origin)
{
    switch (origin) {
    case CLAIMS_FROM_IDTOKEN:
        return "ID token";
    case CLAIMS_FROM_USERINFO:
        return "userinfo";
    case CLAIMS_FROM_ACCESS:
        return "access token";
    }
    return "";
}

static bool is_one_of(text_t name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, text_of(names[i])))
            return true;
    return false;
}

static const fault_t *add(collector *to, text_t path, claim_type type, text_t text)
{
    if (to->entries->nelts >= CLAIMS_MAX)
        return fault_make(to->pool, FAULT_IDTOKEN_CLAIMS, "more than %d claims", CLAIMS_MAX);
    APR_ARRAY_PUSH(to->entries, claim_t) = (claim_t){path, type, text};
    return NULL;
}

/* A value as type and text. Lists and objects are JSON here; null must not come. */
static claim_type scalar(apr_pool_t *pool, const jval_t *value, text_t *text)
{
    switch (jval_kind_of(value)) {
    case JVAL_TEXT:
        *text = jval_as_text(value);
        return CLAIM_TEXT;
    case JVAL_INTEGER:
    case JVAL_REAL:
        *text = jval_print(pool, value);
        return CLAIM_NUMBER;
    case JVAL_TRUE:
        *text = TEXT("true");
        return CLAIM_TRUE;
    case JVAL_FALSE:
        *text = TEXT("false");
        return CLAIM_FALSE;
    case JVAL_OBJECT:
    case JVAL_LIST:
    case JVAL_NULL:
        break;
    }
    *text = jval_print(pool, value);
    return CLAIM_JSON;
}

typedef struct item {
    claim_type type;
    text_t text;
} item;

/* The text of a CLAIM_LIST. */
static text_t pack_list(apr_pool_t *pool, const jval_t *list)
{
    size_t count = jval_count(list), used = 0, room = 0;
    item *items = apr_palloc(pool, (count + 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        if (jval_kind_of(jval_at(list, i)) == JVAL_NULL)
            continue;
        items[used].type = scalar(pool, jval_at(list, i), &items[used].text);
        room += claim_item_size(items[used++].text.len);
    }
    char *start = apr_palloc(pool, room + 1), *end = start;
    for (size_t i = 0; i < used; i++)
        claim_add_item(&end, items[i].type, items[i].text);
    return (text_t){start, room};
}

static const fault_t *check_name(const collector *to, text_t name)
{
    if (!text_has_control(name))
        return NULL;
    return fault_make(to->pool, FAULT_IDTOKEN_CLAIMS, "a claim's name has control bytes (%s): '%s'",
                      to->origin, text_loggable(to->pool, name, 100));
}

static const fault_t *flatten(collector *to, text_t path, const jval_t *value, int depth);

/* An object without members that count is an entry of its own, so that it does not vanish. */
static const fault_t *flatten_members(collector *to, text_t path, const jval_t *object, int depth)
{
    static const char step[] = {CLAIM_STEP};
    const fault_t *fault = NULL;
    jval_cursor cursor = {.position = NULL};
    int before = to->entries->nelts;
    while (fault == NULL && jval_next(object, &cursor)) {
        fault = check_name(to, cursor.name);
        if (fault != NULL)
            break;
        text_t parts[] = {path, {step, 1}, cursor.name, {NULL, 0}};
        fault = flatten(to, text_join(to->pool, parts), cursor.value, depth + 1);
    }
    if (fault == NULL && to->entries->nelts == before)
        fault = add(to, path, CLAIM_JSON, TEXT("{}"));
    return fault;
}

static const fault_t *flatten(collector *to, text_t path, const jval_t *value, int depth)
{
    text_t text;
    if (depth > JVAL_DEPTH_MAX)
        return fault_make(to->pool, FAULT_IDTOKEN_CLAIMS, "claims are nested too deeply (%s)", to->origin);
    switch (jval_kind_of(value)) {
    case JVAL_NULL:
        return NULL;
    case JVAL_OBJECT:
        return flatten_members(to, path, value, depth);
    case JVAL_LIST:
        return add(to, path, CLAIM_LIST, pack_list(to->pool, value));
    case JVAL_TEXT:
    case JVAL_INTEGER:
    case JVAL_REAL:
    case JVAL_TRUE:
    case JVAL_FALSE:
        break;
    }
    claim_type type = scalar(to->pool, value, &text);
    return add(to, path, type, text);
}

/* The source that vouches for the token: the ID token, else the first one that is there. */
static size_t voucher(const claims_source *sources, size_t count)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++) {
        if (sources[i].object == NULL)
            continue;
        if (sources[i].origin == CLAIMS_FROM_IDTOKEN)
            return i;
        if (first == count)
            first = i;
    }
    return first;
}

/* Does the claim come from this source? */
static bool is_taken(const collector *to, size_t index, text_t name)
{
    const jval_t *member = NULL;
    if (is_one_of(name, left_out, ROWS(left_out)))
        return false;
    if (is_one_of(name, vouched, ROWS(vouched)))
        return index == voucher(to->sources, to->count);
    for (size_t i = 0; i < index; i++)
        if (to->sources[i].object != NULL &&
            jval_member(to->sources[i].object, text_string(to->pool, name), &member) == JVAL_FOUND)
            return false;
    return true;
}

static const fault_t *collect_from(collector *to, size_t index)
{
    const fault_t *fault = NULL;
    jval_cursor cursor = {.position = NULL};
    to->origin = origin_name(to->sources[index].origin);
    while (fault == NULL && jval_next(to->sources[index].object, &cursor)) {
        fault = check_name(to, cursor.name);
        if (fault == NULL && is_taken(to, index, cursor.name))
            fault = flatten(to, cursor.name, cursor.value, 1);
    }
    return fault;
}

static int by_path(const void *one, const void *other)
{
    return claim_order(one, other);
}

const fault_t *claims_collect(apr_pool_t *pool, const claims_source *sources, size_t count,
                              claim_list *claims)
{
    collector to = {pool, sources, count, apr_array_make(pool, 64, sizeof(claim_t)), ""};
    const fault_t *fault = NULL;
    for (size_t i = 0; fault == NULL && i < count; i++)
        if (sources[i].object != NULL)
            fault = collect_from(&to, i);
    if (fault != NULL)
        return fault;
    qsort(to.entries->elts, (size_t)to.entries->nelts, sizeof(claim_t), by_path);
    *claims = (claim_list){(const claim_t *)(const void *)to.entries->elts, (size_t)to.entries->nelts};
    return NULL;
}

/* Is the top level member there, and not null? */
static bool is_there(const jval_t *object, text_t name)
{
    jval_cursor cursor = {.position = NULL};
    while (jval_next(object, &cursor))
        if (text_equal(cursor.name, name))
            return jval_kind_of(cursor.value) != JVAL_NULL;
    return false;
}

/* Is the name this member, or something below it? */
static bool leads_to(text_t member, text_t name)
{
    text_t below = text_from(name, member.len);
    return text_starts(name, member) && (below.len == 0 || below.at[0] == '.' || below.at[0] == CLAIM_STEP);
}

bool claims_points_elsewhere(const jval_t *object, text_t name)
{
    const jval_t *pointers = NULL;
    jval_cursor cursor = {.position = NULL};
    if (object == NULL || jval_object(object, "_claim_names", &pointers) != JVAL_FOUND)
        return false;
    while (jval_next(pointers, &cursor))
        if (leads_to(cursor.name, name) && !is_there(object, cursor.name))
            return true;
    return false;
}
