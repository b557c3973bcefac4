/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* JSON values, which are jansson's json_t behind another name: the cast costs nothing and keeps jansson.h in
 * this file. A scan of our own runs first, because jansson recurses up to 2048 levels deep. jansson's writer
 * is not used: its reals have 17 digits whether they need them or not, and its reading errors quote the
 * document. */

#include "base/jval.h"

#include <stdlib.h>

#include <apr_tables.h>

#include <jansson.h>

#include "base/codec.h"

/* jansson takes some values as non-const that it does not change. */
static json_t *unwrap(const jval_t *value)
{
    return (json_t *)(uintptr_t)value;
}

static const jval_t *wrap(const json_t *value)
{
    return (const jval_t *)value;
}

/* The place behind the string whose opening quote stands before `i`, or 0 with *problem set. */
static size_t skip_string(text_t source, size_t i, const char **problem)
{
    while (i < source.len && source.at[i] != '"') {
        if (source.at[i] != '\\') {
            i++;
            continue;
        }
        if (text_starts(text_from(source, i + 1), TEXT("u0000"))) {
            *problem = "contains \\u0000";
            return 0;
        }
        i += 2;
    }
    if (i >= source.len) {
        *problem = "ends within a string";
        return 0;
    }
    return i + 1;
}

/* One pass over the structure alone. Answers what is wrong with it, NULL when jansson may see it. */
static const char *scan(text_t source)
{
    const char *problem = NULL;
    size_t depth = 0;
    for (size_t i = 0; i < source.len && problem == NULL;) {
        switch (source.at[i++]) {
        case '"':
            i = skip_string(source, i, &problem);
            break;
        case '{':
        case '[':
            if (++depth > JVAL_DEPTH_MAX)
                problem = "is nested too deeply";
            break;
        case '}':
        case ']':
            if (depth-- == 0)
                problem = "closes more than it opens";
            break;
        default:
            break;
        }
    }
    if (problem != NULL)
        return problem;
    return depth > 0 ? "ends too early" : NULL;
}

/* Everything that can be said about the bytes before they are parsed. */
static const char *inspect(text_t source, size_t ceiling)
{
    if (source.len > ceiling)
        return "is too large";
    if (source.len == 0)
        return "is empty";
    if (text_starts(source, TEXT("\xef\xbb\xbf")))
        return "starts with a byte order mark";
    if (text_find(source, '\0') < source.len)
        return "contains a NUL byte";
    if (!text_is_utf8(source))
        return "is not UTF-8";
    size_t start = 0;
    while (start < source.len && (text_find(TEXT(" \t\r\n"), source.at[start]) < 4))
        start++;
    if (start == source.len || source.at[start] != '{')
        return "is not an object";
    return scan(source);
}

static const char *parse_problem(const json_error_t *error)
{
    switch ((int)json_error_code(error)) {
    case json_error_duplicate_key:
        return "names a member twice";
    case json_error_numeric_overflow:
        return "contains a number out of range";
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_end_of_input_expected:
        return "goes on behind its end";
    case json_error_out_of_memory:
        return "does not fit into memory";
    case json_error_invalid_utf8:
        return "contains a broken surrogate pair or is not UTF-8";
    default:
        return "is not valid JSON";
    }
}

static apr_status_t release(void *value)
{
    json_decref(value);
    return APR_SUCCESS;
}

const fault_t *jval_read(apr_pool_t *pool, text_t source, size_t ceiling, fault_code code,
                         const jval_t **object)
{
    const char *problem = inspect(source, ceiling);
    if (problem != NULL)
        return fault_make(pool, code, "JSON %s", problem);
    json_error_t error = {.position = 0};
    json_t *value = json_loadb(source.at, source.len, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        return fault_make(pool, code, "JSON %s, near byte %d", parse_problem(&error), error.position);
    apr_pool_cleanup_register(pool, value, release, apr_pool_cleanup_null);
    *object = wrap(value);
    return NULL;
}

jval_kind jval_kind_of(const jval_t *value)
{
    switch (json_typeof(unwrap(value))) {
    case JSON_OBJECT:
        return JVAL_OBJECT;
    case JSON_ARRAY:
        return JVAL_LIST;
    case JSON_STRING:
        return JVAL_TEXT;
    case JSON_INTEGER:
        return JVAL_INTEGER;
    case JSON_REAL:
        return JVAL_REAL;
    case JSON_TRUE:
        return JVAL_TRUE;
    case JSON_FALSE:
        return JVAL_FALSE;
    case JSON_NULL:
        return JVAL_NULL;
    default:
        return JVAL_NULL;
    }
}

jval_rc jval_member(const jval_t *object, const char *name, const jval_t **member)
{
    const json_t *value = json_object_get(unwrap(object), name);
    if (value == NULL || json_is_null(value))
        return JVAL_ABSENT;
    *member = wrap(value);
    return JVAL_FOUND;
}

static jval_rc member_of_kind(const jval_t *object, const char *name, jval_kind kind, const jval_t **member)
{
    const jval_t *value = NULL;
    if (jval_member(object, name, &value) == JVAL_ABSENT)
        return JVAL_ABSENT;
    if (jval_kind_of(value) != kind)
        return JVAL_WRONG;
    *member = value;
    return JVAL_FOUND;
}

jval_rc jval_text(const jval_t *object, const char *name, text_t *text)
{
    const jval_t *member = NULL;
    jval_rc rc = member_of_kind(object, name, JVAL_TEXT, &member);
    if (rc == JVAL_FOUND)
        *text = jval_as_text(member);
    return rc;
}

static int64_t floored(double real)
{
    if (real >= 0x1p63)
        return INT64_MAX;
    if (real < -0x1p63)
        return INT64_MIN;
    int64_t whole = (int64_t)real;
    return (double)whole > real ? whole - 1 : whole;
}

jval_rc jval_seconds(const jval_t *object, const char *name, int64_t *seconds)
{
    const jval_t *member = NULL;
    if (jval_member(object, name, &member) == JVAL_ABSENT)
        return JVAL_ABSENT;
    jval_kind kind = jval_kind_of(member);
    if (kind != JVAL_INTEGER && kind != JVAL_REAL)
        return JVAL_WRONG;
    *seconds =
        kind == JVAL_INTEGER ? json_integer_value(unwrap(member)) : floored(json_real_value(unwrap(member)));
    return JVAL_FOUND;
}

jval_rc jval_flag(const jval_t *object, const char *name, bool *flag)
{
    const jval_t *member = NULL;
    if (jval_member(object, name, &member) == JVAL_ABSENT)
        return JVAL_ABSENT;
    jval_kind kind = jval_kind_of(member);
    if (kind != JVAL_TRUE && kind != JVAL_FALSE)
        return JVAL_WRONG;
    *flag = kind == JVAL_TRUE;
    return JVAL_FOUND;
}

jval_rc jval_object(const jval_t *object, const char *name, const jval_t **member)
{
    return member_of_kind(object, name, JVAL_OBJECT, member);
}

jval_rc jval_list(const jval_t *object, const char *name, const jval_t **list)
{
    return member_of_kind(object, name, JVAL_LIST, list);
}

size_t jval_count(const jval_t *list)
{
    return json_array_size(unwrap(list));
}

const jval_t *jval_at(const jval_t *list, size_t index)
{
    return wrap(json_array_get(unwrap(list), index));
}

text_t jval_as_text(const jval_t *value)
{
    const json_t *string = unwrap(value);
    if (!json_is_string(string))
        return (text_t){NULL, 0};
    return (text_t){json_string_value(string), json_string_length(string)};
}

jval_rc jval_list_has(const jval_t *object, const char *name, text_t text, bool *has)
{
    const jval_t *list = NULL;
    jval_rc rc = jval_list(object, name, &list);
    if (rc != JVAL_FOUND)
        return rc;
    bool found = false;
    for (size_t i = 0; i < jval_count(list); i++) {
        if (jval_kind_of(jval_at(list, i)) != JVAL_TEXT)
            return JVAL_WRONG;
        found = found || text_equal(jval_as_text(jval_at(list, i)), text);
    }
    *has = found;
    return JVAL_FOUND;
}

bool jval_next(const jval_t *object, jval_cursor *cursor)
{
    json_t *members = unwrap(object);
    cursor->position = cursor->position == NULL ? json_object_iter(members)
                                                : json_object_iter_next(members, cursor->position);
    if (cursor->position == NULL)
        return false;
    cursor->name = text_of(json_object_iter_key(cursor->position));
    cursor->value = wrap(json_object_iter_value(cursor->position));
    return true;
}

/* The locale's decimal point, whatever its bytes are, becomes '.'; ".0" is added to what would read back as
 * an integer. */
static text_t real_from_locale(apr_pool_t *pool, const char *printed)
{
    char out[64];
    size_t len = 0;
    bool integral = true;
    for (const char *from = printed; *from != '\0' && len < sizeof(out) - 2; from++) {
        if (text_find(TEXT("0123456789+-e"), *from) < 13) {
            integral = integral && *from != 'e';
            out[len++] = *from;
        } else if (len == 0 || out[len - 1] != '.') {
            integral = false;
            out[len++] = '.';
        }
    }
    if (integral) {
        out[len++] = '.';
        out[len++] = '0';
    }
    return text_copy(pool, (text_t){out, len});
}

static text_t print_real(apr_pool_t *pool, double real)
{
    text_t printed = {NULL, 0};
    for (int digits = 15; digits <= 17; digits++) {
        printed = text_format(pool, "%.*g", digits, real);
        double back = strtod(printed.at, NULL);
        if (!(back < real) && !(back > real))
            break;
    }
    return real_from_locale(pool, printed.at);
}

static text_t print_scalar(apr_pool_t *pool, const jval_t *value, jval_kind kind)
{
    switch (kind) {
    case JVAL_TEXT:
        return codec_json(pool, jval_as_text(value));
    case JVAL_INTEGER:
        return text_format(pool, "%lld", (long long)json_integer_value(unwrap(value)));
    case JVAL_REAL:
        return print_real(pool, json_real_value(unwrap(value)));
    case JVAL_TRUE:
        return TEXT("true");
    case JVAL_FALSE:
        return TEXT("false");
    case JVAL_OBJECT:
    case JVAL_LIST:
    case JVAL_NULL:
        break;
    }
    return TEXT("null");
}

static void add_part(apr_array_header_t *parts, text_t part)
{
    APR_ARRAY_PUSH(parts, text_t) = part;
}

static void print_into(apr_array_header_t *parts, const jval_t *value, int depth);

static void print_object(apr_array_header_t *parts, const jval_t *object, int depth)
{
    jval_cursor cursor = {.position = NULL};
    const char *opening = "{";
    while (jval_next(object, &cursor)) {
        add_part(parts, text_of(opening));
        opening = ",";
        add_part(parts, codec_json(parts->pool, cursor.name));
        add_part(parts, TEXT(":"));
        print_into(parts, cursor.value, depth + 1);
    }
    add_part(parts, *opening == '{' ? TEXT("{}") : TEXT("}"));
}

static void print_list(apr_array_header_t *parts, const jval_t *list, int depth)
{
    size_t count = jval_count(list);
    add_part(parts, TEXT("["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add_part(parts, TEXT(","));
        print_into(parts, jval_at(list, i), depth + 1);
    }
    add_part(parts, TEXT("]"));
}

/* Recursion of at most JVAL_DEPTH_MAX levels: jval_read lets nothing deeper in. */
static void print_into(apr_array_header_t *parts, const jval_t *value, int depth)
{
    jval_kind kind = jval_kind_of(value);
    if (kind == JVAL_OBJECT && depth <= JVAL_DEPTH_MAX)
        print_object(parts, value, depth);
    else if (kind == JVAL_LIST && depth <= JVAL_DEPTH_MAX)
        print_list(parts, value, depth);
    else
        add_part(parts, print_scalar(parts->pool, value, kind));
}

text_t jval_print(apr_pool_t *pool, const jval_t *value)
{
    apr_array_header_t *parts = apr_array_make(pool, 16, sizeof(text_t));
    print_into(parts, value, 0);
    add_part(parts, (text_t){NULL, 0});
    return text_join(pool, (const text_t *)(const void *)parts->elts);
}
