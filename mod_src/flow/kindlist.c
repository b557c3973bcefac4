/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Lists. A line may hold several items and a directive several lines; both come out the same. What a list
 * refuses it refuses by the item, so that a long line says which of its words is meant. */

#include "flow/kindlist.h"

#include <apr_network_io.h>

#include "flow/kindinput.h"
#include "flow/kindvalue.h"
#include "jose/alg.h"
#include "oidc/authzreq.h"

#define LIST_MAX 64 /* items of a list */

typedef struct named_bit {
    const char *name;
    unsigned bit;
} named_bit;

/* The bits of all words; `names` is what a sentence lists. */
static const char *read_bits(const kind_input *input, const named_bit *table, const char *names,
                             unsigned *bits)
{
    kindinput_walk walk = {0};
    unsigned found = 0;
    while (kindinput_next(input, ',', &walk)) {
        const named_bit *row = table;
        while (row->name != NULL && !text_equal_nocase(walk.word, text_of(row->name)))
            row++;
        if (row->name == NULL)
            return kindinput_wrong(input, "'%s' is not known here; write some of %s",
                                   kindinput_shown(input, walk.word), names);
        found |= row->bit;
    }
    if (found == 0)
        return kindinput_wrong(input, "there is no value; write some of %s", names);
    *bits = found;
    return NULL;
}

const char *kindlist_sources(const kind_input *input, void *field)
{
    static const named_bit table[] = {{"idtoken", KIND_FROM_IDTOKEN},
                                      {"userinfo", KIND_FROM_USERINFO},
                                      {"access", KIND_FROM_ACCESS},
                                      {NULL, 0}};
    return read_bits(input, table, "idtoken, userinfo, access", field);
}

const char *kindlist_tokens(const kind_input *input, void *field)
{
    static const named_bit table[] = {{"access", KIND_PASS_ACCESS}, {"id", KIND_PASS_ID}, {NULL, 0}};
    if (input->count == 1 && text_equal_nocase(text_of(input->words[0]), TEXT("off"))) {
        *(kind_tokens *)field = 0;
        return NULL;
    }
    return read_bits(input, table, "access, id (or off alone)", field);
}

const char *kindlist_algs(const kind_input *input, void *field)
{
    kindinput_walk walk = {0};
    alg_set all = 0;
    while (kindinput_next(input, ',', &walk)) {
        const alg_t *alg = alg_find(walk.word);
        if (alg == NULL)
            return kindinput_wrong(
                input, "'%s' is not an accepted algorithm; write names such as RS256, PS256, ES256 or EdDSA",
                kindinput_shown(input, walk.word));
        all |= alg->bit;
    }
    if (all == 0)
        return "there is no value; write names such as RS256 or ES256";
    *(kind_algs *)field = all;
    return NULL;
}

/* Room for one more item of this size; NULL when the list is full. */
static void *more(const kind_input *input, apr_array_header_t **list, size_t size)
{
    if (*list == NULL)
        *list = apr_array_make(input->pool, 4, (int)size);
    return (*list)->nelts == LIST_MAX ? NULL : apr_array_push(*list);
}

static const char *too_many(const kind_input *input)
{
    return kindinput_wrong(input, "there are too many values; write %d at most", LIST_MAX);
}

/* Appends each word to a list of strings, when the check has nothing against it. */
static const char *read_strings(const kind_input *input, apr_array_header_t **list,
                                const char *(*check)(const kind_input *input, text_t word))
{
    kindinput_walk walk = {0};
    while (kindinput_next(input, '\0', &walk)) {
        const char *wrong = check(input, walk.word);
        if (wrong != NULL)
            return wrong;
        const char **item = more(input, list, sizeof(*item));
        if (item == NULL)
            return too_many(input);
        *item = kindinput_keep(input, walk.word);
    }
    return walk.word.len > 0 ? NULL : "there is no value; write one or more";
}

const char *kindlist_targets(const kind_input *input, void *field)
{
    return read_strings(input, field, kindvalue_target_check);
}

/* apr_ipsubnet_create takes "10" for a network; url_read wants all four numbers. */
static bool is_whole_address(const kind_input *input, text_t address)
{
    url_t url;
    bool v6 = text_find(address, ':') < address.len;
    text_t text =
        text_format(input->pool, v6 ? "https://[%.*s]/" : "https://%.*s/", (int)address.len, address.at);
    return address.len > 0 && url_read(input->pool, text, &url) && url.path.len == 1 &&
           url.host.len == address.len + (v6 ? 2 : 0);
}

static const char *check_address(const kind_input *input, text_t word)
{
    text_t bits = word, address;
    apr_ipsubnet_t *network = NULL;
    int64_t number = 0;
    (void)text_cut(&bits, '/', &address);
    const char *shown = kindinput_shown(input, word);
    const char *mask = bits.at == NULL ? NULL : kindinput_keep(input, bits);
    bool known = is_whole_address(input, address) && (mask == NULL || text_number(bits, 128, &number));
    if (known && mask != NULL && number == 0)
        return kindinput_wrong(input, "'%s' is everybody; name the addresses of your proxies", shown);
    if (!known ||
        apr_ipsubnet_create(&network, kindinput_keep(input, address), mask, input->pool) != APR_SUCCESS)
        return kindinput_wrong(input,
                               "'%s' is not an address or network; write one like 192.0.2.1, 10.0.0.0/8 or "
                               "2001:db8::/32",
                               shown);
    return NULL;
}

const char *kindlist_addresses(const kind_input *input, void *field)
{
    return read_strings(input, field, check_address);
}

static const char *check_pair(const kind_input *input, const apr_array_header_t *list, text_t name,
                              text_t value)
{
    const char *shown = kindinput_shown(input, name);
    if (!text_is_token(name) || value.at == NULL)
        return kindinput_wrong(input, "'%s' is not a parameter; write name=value", shown);
    if (authzreq_owns(name))
        return kindinput_wrong(input, "'%s' is a parameter that the module sets itself; take it out", shown);
    if (text_has_control(value) || !text_is_utf8(value))
        return kindinput_wrong(
            input, "the value of '%s' has control bytes or is not UTF-8; write it without them", shown);
    for (int i = 0; list != NULL && i < list->nelts; i++)
        if (text_equal(APR_ARRAY_IDX(list, i, url_pair).name, name))
            return kindinput_wrong(input, "the parameter '%s' is there twice; keep one", shown);
    return NULL;
}

const char *kindlist_pairs(const kind_input *input, void *field)
{
    apr_array_header_t **list = field;
    for (size_t i = 0; i < input->count; i++) {
        /* A value may have blanks, so arguments are not cut further. */
        text_t value = text_of(input->words[i]), name = {NULL, 0};
        (void)text_cut(&value, '=', &name);
        const char *wrong = check_pair(input, *list, name, value);
        if (wrong != NULL)
            return wrong;
        url_pair *pair = more(input, list, sizeof(*pair));
        if (pair == NULL)
            return too_many(input);
        *pair = (url_pair){text_copy(input->pool, name), text_copy(input->pool, value)};
    }
    return input->count > 0 ? NULL : "there is no value; write name=value";
}

static const char **endpoint_of(kind_endpoints *endpoints, text_t name)
{
    const struct {
        const char *name;
        const char **field;
    } rows[] = {{"authorization", &endpoints->authorization}, {"token", &endpoints->token},
                {"userinfo", &endpoints->userinfo},           {"jwks", &endpoints->jwks},
                {"end_session", &endpoints->end_session},     {"revocation", &endpoints->revocation}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (text_equal(name, text_of(rows[i].name)))
            return rows[i].field;
    return NULL;
}

const char *kindlist_endpoints(const kind_input *input, void *field)
{
    kindinput_walk walk = {0};
    while (kindinput_next(input, '\0', &walk)) {
        text_t value = walk.word, name;
        url_t url;
        (void)text_cut(&value, '=', &name);
        const char **place = endpoint_of(field, name);
        if (place == NULL || value.at == NULL)
            return kindinput_wrong(
                input,
                "'%s' is not an endpoint; write name=URL with one of authorization, token, userinfo, jwks, "
                "end_session, revocation",
                kindinput_shown(input, name));
        if (*place != NULL)
            return kindinput_wrong(input, "the endpoint '%s' is there twice; keep one",
                                   kindinput_shown(input, name));
        const char *wrong = kindvalue_address(input, value, &url);
        if (wrong != NULL)
            return wrong;
        *place = kindinput_keep(input, value);
    }
    return walk.word.len > 0 ? NULL : "there is no value; write name=URL";
}
