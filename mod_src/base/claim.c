/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Lookup in the flat list of claims, and its rendering. The list is sorted as if CLAIM_STEP were a dot, so
 * that one binary search by the name that a directive has finds nested members and top level names with dots
 * alike. The price: a name with literal dots may stand between the members of an object, so whoever gathers
 * an object compares prefixes byte for byte. Keeping the JSON tree instead was rejected: every request would
 * have to parse it. */

#include "base/claim.h"

#include <string.h>

#include <apr_tables.h>

#include "base/codec.h"

#define ITEM_HEAD 4  /* bytes before an item: its type and its length in 3 bytes, big endian */
#define LEVELS    32 /* of an object that is printed; jval_read lets no deeper one in */

static unsigned char folded(char byte)
{
    return byte == CLAIM_STEP ? '.' : (unsigned char)byte;
}

static int folded_order(text_t one, text_t other)
{
    size_t shared = one.len < other.len ? one.len : other.len;
    for (size_t i = 0; i < shared; i++) {
        int difference = folded(one.at[i]) - folded(other.at[i]);
        if (difference != 0)
            return difference;
    }
    return one.len == other.len ? 0 : one.len < other.len ? -1 : 1;
}

int claim_order(const claim_t *one, const claim_t *other)
{
    int order = folded_order(one->path, other->path);
    for (size_t i = 0; order == 0 && i < one->path.len; i++)
        if (one->path.at[i] != other->path.at[i])
            order = one->path.at[i] == '.' ? -1 : 1;
    return order;
}

/* The first entry that is not before the name. */
static size_t lower_bound(const claim_list *claims, text_t name)
{
    size_t low = 0, high = claims->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (folded_order(claims->at[middle].path, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const claim_t *claim_find(const claim_list *claims, text_t name)
{
    size_t index = lower_bound(claims, name);
    if (index < claims->count && folded_order(claims->at[index].path, name) == 0)
        return &claims->at[index];
    return NULL;
}

/* Does the path begin with the name, whichever way its steps are written? */
static bool folded_starts(text_t path, text_t name)
{
    return path.len >= name.len && folded_order((text_t){path.at, name.len}, name) == 0;
}

static bool steps_after(text_t path, size_t len)
{
    return path.len > len && path.at[len] == CLAIM_STEP;
}

/* The first member below the name, or the number of entries. Its path up to and with the step is how the name
 * is really spelled. */
static size_t first_below(const claim_list *claims, text_t name)
{
    for (size_t i = lower_bound(claims, name); i < claims->count; i++) {
        if (!folded_starts(claims->at[i].path, name))
            break;
        if (steps_after(claims->at[i].path, name.len))
            return i;
    }
    return claims->count;
}

size_t claim_below(const claim_list *claims, text_t name, const claim_t **first)
{
    size_t index = first_below(claims, name), count = 0;
    *first = index < claims->count ? &claims->at[index] : NULL;
    if (*first == NULL)
        return 0;
    text_t prefix = {(*first)->path.at, name.len + 1};
    for (; index < claims->count && folded_starts(claims->at[index].path, prefix); index++)
        count += text_starts(claims->at[index].path, prefix);
    return count;
}

size_t claim_item_size(size_t len)
{
    return ITEM_HEAD + len;
}

void claim_add_item(char **end, claim_type type, text_t text)
{
    char *at = *end;
    *at++ = (char)type;
    *at++ = (char)(text.len >> 16 & 0xff);
    *at++ = (char)(text.len >> 8 & 0xff);
    *at++ = (char)(text.len & 0xff);
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    *end = at + text.len;
}

static bool is_item_type(char byte)
{
    return byte == CLAIM_TEXT || byte == CLAIM_NUMBER || byte == CLAIM_TRUE || byte == CLAIM_FALSE ||
           byte == CLAIM_JSON;
}

bool claim_next_item(text_t *rest, claim_type *type, text_t *item)
{
    if (rest->len < ITEM_HEAD || !is_item_type(rest->at[0]))
        return false;
    const unsigned char *head = (const unsigned char *)rest->at;
    size_t len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (len > rest->len - ITEM_HEAD)
        return false;
    *type = (claim_type)head[0];
    *item = (text_t){rest->at + ITEM_HEAD, len};
    *rest = (text_t){rest->at + ITEM_HEAD + len, rest->len - ITEM_HEAD - len};
    return true;
}

static char *add_escaped(char *end, text_t item, char separator)
{
    for (size_t i = 0; i < item.len; i++) {
        if (item.at[i] == separator || item.at[i] == '\\')
            *end++ = '\\';
        *end++ = item.at[i];
    }
    return end;
}

static text_t list_as_text(apr_pool_t *pool, text_t list, char separator)
{
    /* An item's head is longer than the separator, and escaping doubles at most. */
    char *start = apr_palloc(pool, list.len * 2 + 1), *end = start;
    claim_type type;
    text_t item;
    for (bool first = true; claim_next_item(&list, &type, &item); first = false) {
        if (!first)
            *end++ = separator;
        end = add_escaped(end, item, separator);
    }
    *end = '\0';
    return (text_t){start, (size_t)(end - start)};
}

text_t claim_as_text(apr_pool_t *pool, const claim_t *claim, char separator)
{
    if (claim->type == CLAIM_LIST)
        return list_as_text(pool, claim->text, separator);
    return claim->text;
}

/* JSON that is being written, as parts that are joined at the end. */
typedef struct writer {
    apr_pool_t *pool;
    const claim_list *claims;
    apr_array_header_t *parts; /* text_t, none with a NULL `at` */
} writer;

static void put(writer *out, text_t part)
{
    if (part.len > 0)
        APR_ARRAY_PUSH(out->parts, text_t) = part;
}

static void put_scalar(writer *out, claim_type type, text_t text)
{
    put(out, type == CLAIM_TEXT ? codec_json(out->pool, text) : text);
}

static void put_claim(writer *out, const claim_t *claim)
{
    if (claim->type != CLAIM_LIST) {
        put_scalar(out, claim->type, claim->text);
        return;
    }
    text_t rest = claim->text, item;
    claim_type type;
    put(out, TEXT("["));
    for (bool first = true; claim_next_item(&rest, &type, &item); first = false) {
        put(out, first ? TEXT("") : TEXT(","));
        put_scalar(out, type, item);
    }
    put(out, TEXT("]"));
}

/* The first entry whose path begins with the prefix, byte for byte, or the number of entries. */
static size_t first_exact(const claim_list *claims, text_t prefix)
{
    size_t index = lower_bound(claims, prefix);
    while (index < claims->count && folded_starts(claims->at[index].path, prefix) &&
           !text_starts(claims->at[index].path, prefix))
        index++;
    return index;
}

/* Prints the members whose paths begin with the prefix, a step at its end. An object among them is printed
 * where its first member stands; its other members are passed over. False: too deep. */
static bool put_object(writer *out, text_t prefix, int level)
{
    if (level > LEVELS)
        return false;
    bool empty = true;
    put(out, TEXT("{"));
    for (size_t i = lower_bound(out->claims, prefix); i < out->claims->count; i++) {
        const claim_t *claim = &out->claims->at[i];
        if (!folded_starts(claim->path, prefix))
            break;
        if (!text_starts(claim->path, prefix))
            continue;
        text_t below = text_from(claim->path, prefix.len);
        text_t name = {below.at, text_find(below, CLAIM_STEP)};
        text_t inner = {claim->path.at, prefix.len + name.len + 1};
        bool nested = name.len < below.len;
        if (nested && first_exact(out->claims, inner) != i)
            continue;
        put(out, empty ? TEXT("") : TEXT(","));
        put(out, codec_json(out->pool, name));
        put(out, TEXT(":"));
        empty = false;
        if (!nested)
            put_claim(out, claim);
        else if (!put_object(out, inner, level + 1))
            return false;
    }
    put(out, TEXT("}"));
    return true;
}

static text_t written(writer *out)
{
    APR_ARRAY_PUSH(out->parts, text_t) = (text_t){NULL, 0};
    return text_join(out->pool, (const text_t *)out->parts->elts);
}

text_t claim_as_json(apr_pool_t *pool, const claim_list *claims, text_t name)
{
    writer out = {pool, claims, apr_array_make(pool, 16, sizeof(text_t))};
    const claim_t *claim = claim_find(claims, name);
    if (claim != NULL) {
        put_claim(&out, claim);
        return written(&out);
    }
    if (claim_below(claims, name, &claim) == 0)
        return (text_t){NULL, 0};
    if (!put_object(&out, (text_t){claim->path.at, name.len + 1}, 1))
        return (text_t){NULL, 0};
    return written(&out);
}

bool claim_has(const claim_t *claim, text_t value)
{
    if (claim->type == CLAIM_JSON)
        return false;
    if (claim->type != CLAIM_LIST)
        return text_equal(claim->text, value);
    text_t rest = claim->text, item;
    claim_type type;
    while (claim_next_item(&rest, &type, &item))
        if (type != CLAIM_JSON && text_equal(item, value))
            return true;
    return false;
}
