/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Headers and variables of a request. Rows that somebody wrote come first and are strict: what they cannot
 * carry is refused, since an application may decide by it. The export of all claims comes last and takes only
 * what fits and is free: it is a convenience, and one odd claim that nobody reads must not lock a user out.
 * Nothing is ever cut. */

#include "flow/inject.h"

#include <string.h>

#include <apr_strings.h>

#include "base/codec.h"
#include "flow/kindnames.h"

#define NAME_LEN_MAX ((size_t)200) /* bytes of a claim's name; a longer one is not exported */

/* One of the two things that are filled: request headers, or variables. */
typedef struct target {
    apr_pool_t *pool;
    const claim_list *claims;
    apr_array_header_t *pairs;
    apr_array_header_t
        *marks; /* of uint32_t: a hash of each name's variant, so that few names are compared */
    bool (*same)(const char *one, const char *other);
    char joint; /* for bytes of a claim's name that are neither letter nor digit */
} target;

static char fold(char byte)
{
    return kindnames_folded[(unsigned char)byte];
}

/* The same for all names that somebody may take for one (FNV-1a over the folded bytes). */
static uint32_t mark_byte(uint32_t mark, char byte)
{
    return (mark ^ (unsigned char)fold(byte)) * 16777619u;
}

static uint32_t mark_of(const char *name)
{
    uint32_t mark = 2166136261u;
    for (; *name != '\0'; name++)
        mark = mark_byte(mark, *name);
    return mark;
}

static void put_marked(target *to, const char *name, const char *value, uint32_t mark)
{
    APR_ARRAY_PUSH(to->pairs, const char *) = name;
    APR_ARRAY_PUSH(to->pairs, const char *) = value;
    APR_ARRAY_PUSH(to->marks, uint32_t) = mark;
}

static void put(target *to, const char *name, const char *value)
{
    put_marked(to, name, value, mark_of(name));
}

/* No control byte but tab, and short enough? */
static bool is_usable(text_t value)
{
    if (value.len > INJECT_VALUE_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.at[i] < 0x20 && value.at[i] != '\t') || value.at[i] == 0x7f)
            return false;
    return true;
}

static text_t encoded(apr_pool_t *pool, text_t value, header_encoding encoding)
{
    switch (encoding) {
    case HEADER_UTF8:
    case HEADER_JSON:
        return value;
    case HEADER_URL:
        return codec_percent(pool, value);
    case HEADER_BASE64:
        return codec_base64(pool, value);
    case HEADER_RFC8187:
        return text_format(pool, "UTF-8''%s", codec_percent(pool, value).at);
    }
    return value;
}

/* The claim as the row wants it, NUL-terminated; empty: there is none, or it is. */
static text_t render(const target *to, text_t name, header_encoding encoding)
{
    const claim_t *claim = encoding == HEADER_JSON ? NULL : claim_find(to->claims, name);
    text_t value =
        claim != NULL ? claim_as_text(to->pool, claim, ',') : claim_as_json(to->pool, to->claims, name);
    return value.len == 0 ? value : encoded(to->pool, value, encoding);
}

static const fault_t *unusable(const target *to, const char *claim, text_t value)
{
    return fault_make(to->pool, FAULT_CLAIM_UNUSABLE, "%s %s", text_loggable(to->pool, text_of(claim), 100),
                      value.len > INJECT_VALUE_MAX ? "is too long" : "has a control byte");
}

static const fault_t *put_rows(target *to, const apr_array_header_t *rows)
{
    for (int i = 0; rows != NULL && i < rows->nelts; i++) {
        const claim_row *row = &APR_ARRAY_IDX(rows, i, claim_row);
        text_t value = render(to, text_of(row->claim), row->encoding);
        if (!is_usable(value))
            return unusable(to, row->claim, value);
        if (value.len > 0)
            put(to, row->name, value.at);
    }
    return NULL;
}

static const fault_t *put_token(target *to, const char *name, const char *scheme, text_t token)
{
    if (token.len == 0)
        return NULL;
    if (!text_is_token(token) || token.len > INJECT_VALUE_MAX)
        return unusable(to, name, token);
    put(to, name, apr_pstrcat(to->pool, scheme, apr_pstrmemdup(to->pool, token.at, token.len), NULL));
    return NULL;
}

static const fault_t *put_tokens(target *headers, target *variables, const identity_t *identity,
                                 kind_tokens which)
{
    const fault_t *fault = NULL;
    if ((which & KIND_PASS_ACCESS) != 0)
        fault = put_token(headers, "Authorization", "Bearer ", identity->access_token);
    if (fault == NULL && (which & KIND_PASS_ACCESS) != 0)
        fault = put_token(variables, "SSO_ACCESS_TOKEN", "", identity->access_token);
    if (fault == NULL && (which & KIND_PASS_ID) != 0)
        fault = put_token(headers, "X-SSO-ID-Token", "", identity->id_token);
    if (fault == NULL && (which & KIND_PASS_ID) != 0)
        fault = put_token(variables, "SSO_ID_TOKEN", "", identity->id_token);
    return fault;
}

/* What the names of exported claims begin with. */
typedef struct prefix {
    const char *at;
    size_t len;
    uint32_t mark;
} prefix_t;

/* A byte of a name that is neither letter nor digit becomes the joint. Case stays: it is all that some names
 * differ in. */
static const char *joined_name(const target *to, const prefix_t *prefix, text_t claim, uint32_t *mark)
{
    char *name = apr_palloc(to->pool, prefix->len + claim.len + 1);
    char *end = name + prefix->len;
    memcpy(name, prefix->at, prefix->len);
    *mark = prefix->mark;
    for (size_t i = 0; i < claim.len; i++) {
        *mark = mark_byte(*mark, claim.at[i]);
        *end++ = fold(claim.at[i]) == '-' ? to->joint : claim.at[i];
    }
    *end = '\0';
    return name;
}

static prefix_t prefix_of(const target *to, const char *begin)
{
    const prefix_t none = {"", 0, mark_of("")};
    prefix_t made = {.len = strlen(begin)};
    made.at = joined_name(to, &none, text_of(begin), &made.mark);
    return made;
}

static bool is_taken(const target *to, const char *name, uint32_t mark)
{
    for (int i = 0; i < to->marks->nelts; i++)
        if (APR_ARRAY_IDX(to->marks, i, uint32_t) == mark &&
            to->same(name, APR_ARRAY_IDX(to->pairs, 2 * i, const char *)))
            return true;
    return false;
}

/* All claims in their order, each top level name once: a scalar or list as text, an object as JSON. */
static void put_all(target *to, const char *begin)
{
    text_t last = {NULL, 0};
    const prefix_t prefix = prefix_of(to, begin);
    for (size_t i = 0; i < to->claims->count; i++) {
        const claim_t *claim = &to->claims->at[i];
        text_t top = {claim->path.at, text_find(claim->path, CLAIM_STEP)};
        bool whole = top.len == claim->path.len;
        if (top.len == 0 || top.len > NAME_LEN_MAX || (last.at != NULL && text_equal(top, last)))
            continue;
        last = top;
        uint32_t mark;
        const char *name = joined_name(to, &prefix, top, &mark);
        if (is_taken(to, name, mark))
            continue;
        text_t value = whole ? claim_as_text(to->pool, claim, ',') : claim_as_json(to->pool, to->claims, top);
        if (value.len > 0 && is_usable(value))
            put_marked(to, name, value.at, mark);
    }
}

const fault_t *inject_make(apr_pool_t *pool, const identity_t *identity, const place_settings *place,
                           injection_t *injection)
{
    bool env = place->claims == KIND_CLAIMS_ENV || place->claims == KIND_CLAIMS_BOTH;
    bool sent = place->claims == KIND_CLAIMS_HEADERS || place->claims == KIND_CLAIMS_BOTH;
    int room = 16, all = 16 + 2 * (int)identity->claims.count;
    target headers = {.pool = pool,
                      .claims = &identity->claims,
                      .pairs = apr_array_make(pool, sent ? all : room, sizeof(const char *)),
                      .marks = apr_array_make(pool, sent ? all / 2 : room, sizeof(uint32_t)),
                      .same = kindnames_same_header,
                      .joint = '-'};
    target variables = {.pool = pool,
                        .claims = &identity->claims,
                        .pairs = apr_array_make(pool, env ? all : room, sizeof(const char *)),
                        .marks = apr_array_make(pool, env ? all / 2 : room, sizeof(uint32_t)),
                        .same = kindnames_same_variable,
                        .joint = '_'};
    const fault_t *fault = put_tokens(&headers, &variables, identity, place->pass_tokens);
    if (fault == NULL)
        fault = put_rows(&headers, place->headers);
    if (fault == NULL)
        fault = put_rows(&variables, place->variables);
    if (fault != NULL)
        return fault;
    if (sent)
        put_all(&headers, place->claim_prefix);
    if (env)
        put_all(&variables, place->claim_prefix);
    *injection = (injection_t){headers.pairs, variables.pairs};
    return NULL;
}

const char *inject_variant(apr_pool_t *pool, const char *name)
{
    char *variant = apr_pstrdup(pool, name);
    for (char *at = variant; *at != '\0'; at++)
        *at = fold(*at);
    return variant;
}

/* As strcmp of the variants. */
static int variant_order(const char *name, const char *variant)
{
    for (; *name != '\0' && *variant != '\0'; name++, variant++) {
        int difference = fold(*name) - *variant;
        if (difference != 0)
            return difference;
    }
    return *name != '\0' ? 1 : *variant != '\0' ? -1 : 0;
}

/* Where the name is, or where it belongs. */
static int position(const apr_array_header_t *names, const char *name, bool *found)
{
    int low = 0, high = names->nelts;
    *found = false;
    while (low < high && !*found) {
        int middle = low + (high - low) / 2;
        int order = variant_order(name, APR_ARRAY_IDX(names, middle, const char *));
        *found = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

static void add_name(apr_array_header_t *names, const char *name)
{
    bool found;
    int at = position(names, name, &found);
    if (found)
        return;
    (void)apr_array_push(names);
    const char **elements = (const char **)names->elts;
    memmove(elements + at + 1, elements + at, (size_t)(names->nelts - 1 - at) * sizeof(*elements));
    elements[at] = inject_variant(names->pool, name);
}

/* What applications behind other gateways take for the user (HD-20). */
static const char *const well_known[] = {"x-forwarded-user",
                                         "x-forwarded-email",
                                         "x-forwarded-groups",
                                         "x-forwarded-preferred-username",
                                         "x-forwarded-access-token",
                                         "x-remote-user",
                                         "remote-user",
                                         "x-authenticated-user",
                                         "x-sso-id-token"};

/* And the families of such names. "sso-" covers every variable of our own that a header could pretend to be.
 */
static const char *const families[] = {"sso-", "x-auth-request-", "x-ssl-client-", "ssl-client-"};

void inject_collect(apr_array_header_t *names, const server_settings *server, const place_settings *place)
{
    for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
        add_name(names, well_known[i]);
    for (int i = 0; server->strip_headers != NULL && i < server->strip_headers->nelts; i++)
        add_name(names, APR_ARRAY_IDX(server->strip_headers, i, const char *));
    for (int i = 0; place->headers != NULL && i < place->headers->nelts; i++)
        add_name(names, APR_ARRAY_IDX(place->headers, i, claim_row).name);
    if ((place->pass_tokens & KIND_PASS_ACCESS) != 0)
        add_name(names, "authorization");
}

static bool begins_with(const char *header, const char *prefix)
{
    for (; *prefix != '\0'; header++, prefix++)
        if (*header == '\0' || fold(*header) != *prefix)
            return false;
    return true;
}

bool inject_is_forbidden(const apr_array_header_t *names, const apr_array_header_t *prefixes,
                         const char *header)
{
    bool found;
    (void)position(names, header, &found);
    for (size_t i = 0; !found && i < sizeof(families) / sizeof(families[0]); i++)
        found = begins_with(header, families[i]);
    for (int i = 0; !found && i < prefixes->nelts; i++)
        found = begins_with(header, APR_ARRAY_IDX(prefixes, i, const char *));
    return found;
}
