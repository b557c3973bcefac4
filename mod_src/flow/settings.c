/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Rows as data, and what is done with any row: default, reading, merging. The rows know offset and size of
 * their field, so one function serves all; a setter a directive was rejected, because that is where the
 * differences creep in. */

#include "flow/settings.h"

#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "flow/kindinput.h"
#include "flow/kindnames.h"

#define ROW_SERVER(directive, field, kind, initial, help)                                                    \
    {#directive, #kind, initial, help, offsetof(server_settings, field), sizeof(kind_##kind), SERVER_##field},
#define ROW_PLACE(directive, field, kind, initial, help)                                                     \
    {#directive, #kind, initial, help, offsetof(place_settings, field), sizeof(kind_##kind), PLACE_##field},

const setting_row settings_server_rows[SERVER_COUNT] = {SERVER_SETTINGS(ROW_SERVER)};
const setting_row settings_place_rows[PLACE_COUNT] = {PLACE_SETTINGS(ROW_PLACE)};

/* A default is written as in a configuration and read as from one; test_settings reads them all. */
static void set_defaults(apr_pool_t *pool, const setting_row *rows, size_t count, void *settings)
{
    for (size_t i = 0; i < count; i++) {
        const char *words[] = {rows[i].initial};
        const kind_input input = {pool, 1, words};
        if (rows[i].initial[0] != '\0')
            (void)kind_find(rows[i].kind)->read(&input, (char *)settings + rows[i].offset);
    }
}

server_settings *settings_server_new(apr_pool_t *pool)
{
    server_settings *settings = apr_pcalloc(pool, sizeof(*settings));
    set_defaults(pool, settings_server_rows, SERVER_COUNT, settings);
    return settings;
}

place_settings *settings_place_new(apr_pool_t *pool)
{
    place_settings *settings = apr_pcalloc(pool, sizeof(*settings));
    set_defaults(pool, settings_place_rows, PLACE_COUNT, settings);
    return settings;
}

static const char *read_row(const setting_row *row, const kind_input *input, void *settings, bool *given)
{
    const kind_t *kind = kind_find(row->kind);
    if (*given && !kind->adds)
        return kindinput_wrong(input, "%s is there twice; keep one of the lines", row->directive);
    const char *wrong = kind->read(input, (char *)settings + row->offset);
    if (wrong != NULL)
        return kindinput_wrong(input, "%s: %s", row->directive, wrong);
    *given = true;
    return NULL;
}

const char *settings_read_server(server_settings *settings, const setting_row *row, const kind_input *input)
{
    return read_row(row, input, settings, &settings->given[row->index]);
}

const char *settings_read_place(place_settings *settings, const setting_row *row, const kind_input *input)
{
    return read_row(row, input, settings, &settings->given[row->index]);
}

static void take(void *merged, const void *inner, const setting_row *row)
{
    memcpy((char *)merged + row->offset, (const char *)inner + row->offset, row->size);
}

static bool differs(const char *outer, const char *inner)
{
    return outer != NULL && inner != NULL && strcmp(outer, inner) != 0;
}

server_settings *settings_merge_server(apr_pool_t *pool, const server_settings *outer,
                                       const server_settings *inner)
{
    server_settings *merged = apr_pmemdup(pool, outer, sizeof(*outer));
    bool other_issuer = differs(outer->issuer, inner->issuer), own[SERVER_COUNT] = {false};
    own[SERVER_client_id] = other_issuer;
    own[SERVER_endpoints] = other_issuer;
    own[SERVER_client_secret] = other_issuer || differs(outer->client_id, inner->client_id);
    for (size_t i = 0; i < SERVER_COUNT; i++) {
        if (!inner->given[i] && !own[i])
            continue;
        take(merged, inner, &settings_server_rows[i]);
        merged->given[i] = inner->given[i];
    }
    return merged;
}

static bool is_named(const apr_array_header_t *rows, const char *name,
                     bool (*same)(const char *one, const char *other))
{
    for (int i = 0; i < rows->nelts; i++)
        if (same(APR_ARRAY_IDX(rows, i, claim_row).name, name))
            return true;
    return false;
}

/* The outer rows whose names the inner ones do not have, then the inner ones. */
static apr_array_header_t *add_up(apr_pool_t *pool, apr_array_header_t *outer, apr_array_header_t *inner,
                                  bool (*same)(const char *one, const char *other))
{
    if (outer == NULL || inner == NULL)
        return inner != NULL ? inner : outer;
    apr_array_header_t *all = apr_array_make(pool, outer->nelts + inner->nelts, sizeof(claim_row));
    for (int i = 0; i < outer->nelts; i++)
        if (!is_named(inner, APR_ARRAY_IDX(outer, i, claim_row).name, same))
            APR_ARRAY_PUSH(all, claim_row) = APR_ARRAY_IDX(outer, i, claim_row);
    apr_array_cat(all, inner);
    return all;
}

place_settings *settings_merge_place(apr_pool_t *pool, const place_settings *outer,
                                     const place_settings *inner)
{
    place_settings *merged = apr_pmemdup(pool, outer, sizeof(*outer));
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (!inner->given[i])
            continue;
        take(merged, inner, &settings_place_rows[i]);
        merged->given[i] = true;
    }
    merged->headers = add_up(pool, outer->headers, inner->headers, kindnames_same_header);
    merged->variables = add_up(pool, outer->variables, inner->variables, kindnames_same_variable);
    return merged;
}

bool settings_any_given(const server_settings *settings)
{
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (settings->given[i])
            return true;
    return false;
}
