/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Directives. httpd's command records are made from the rows of flow/settings.h, and one setter a kind of row
 * hands the arguments on; a function a directive, as httpd's examples have it, would say everything twice.
 * What only httpd can know is decided here: where a directive stands, and what of it mod_info may show. */

#include "httpd/conf.h"

#include <stdint.h>

#include <apr_strings.h>
#include <http_core.h>
#include <util_cfgtree.h>

/* mod_info and DUMP_CONFIG print the tree's arguments, after the setters have run. */
static void hide_secret(cmd_parms *cmd, const setting_row *row, const kind_input *input)
{
    if (strcmp(row->kind, "secret") != 0 || input->count == 0 || cmd->directive == NULL)
        return;
    static const char *const harmless[] = {"file:", "exec:", "env:"};
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (text_starts(text_of(input->words[0]), text_of(harmless[i])))
            return;
    cmd->directive->args = "(hidden)";
}

static const char *set_server(cmd_parms *cmd, void *place, int count, char *const words[])
{
    (void)place;
    const setting_row *row = &settings_server_rows[(intptr_t)cmd->info];
    const char *wrong = ap_check_cmd_context(cmd, NOT_IN_LIMIT);
    if (wrong != NULL)
        return wrong;
    conf_server *conf = conf_of_server(cmd->server);
    kind_input input = {cmd->pool, (size_t)count, (const char *const *)words};
    conf->own = true;
    wrong = settings_read_server(conf->settings, row, &input);
    hide_secret(cmd, row, &input);
    return wrong;
}

/* <If> is merged before access is decided, but its expression is read then too, when nobody is known yet. */
static const char *late_condition(const cmd_parms *cmd)
{
    static const char *const late[] = {"sso_claim", "REMOTE_USER", "REMOTE_IDENT",
                                       "AUTH_TYPE", "reqenv",      "SSO_"};
    for (const ap_directive_t *up = cmd->directive->parent; up != NULL; up = up->parent) {
        if (strcasecmp(up->directive, "<If") != 0 && strcasecmp(up->directive, "<ElseIf") != 0)
            continue;
        for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
            if (up->args != NULL && ap_strcasestr(up->args, late[i]) != NULL)
                return apr_pstrcat(
                    cmd->pool, cmd->cmd->name, " cannot depend on ", late[i], " in ", up->directive, " ",
                    up->args, ": httpd evaluates it before anybody is signed in; use Require instead", NULL);
    }
    return NULL;
}

static const char *opens_from_htaccess(const setting_row *row, const kind_input *input)
{
    if (row->index == PLACE_unauth && input->count > 0 && strcasecmp(input->words[0], "pass") == 0)
        return "SSOUnauth pass may not stand in .htaccess files, since it lets strangers in; write it into "
               "the server's "
               "configuration";
    return NULL;
}

/* The directives of one section come one behind the other. */
static void remember_place(apr_array_header_t *places, const place_settings *place)
{
    if (places->nelts == 0 || APR_ARRAY_IDX(places, places->nelts - 1, const place_settings *) != place)
        APR_ARRAY_PUSH(places, const place_settings *) = place;
}

static const char *set_place(cmd_parms *cmd, void *place, int count, char *const words[])
{
    const setting_row *row = &settings_place_rows[(intptr_t)cmd->info];
    kind_input input = {cmd->pool, (size_t)count, (const char *const *)words};
    const char *wrong = ap_check_cmd_context(cmd, NOT_IN_LIMIT);
    if (wrong == NULL)
        wrong = late_condition(cmd);
    bool in_file = ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
    if (wrong == NULL && in_file)
        wrong = opens_from_htaccess(row, &input);
    if (wrong != NULL)
        return wrong;
    if (!in_file) {
        conf_server *conf = conf_of_server(cmd->server);
        conf->own = true;
        remember_place(conf->places, place);
    }
    return settings_read_place(place, row, &input);
}

/* The few rows that those may write who own a directory but not the server. */
#define HTACCESS_slide        OR_AUTHCFG
#define HTACCESS_unauth       OR_AUTHCFG
#define HTACCESS_headers      0
#define HTACCESS_variables    0
#define HTACCESS_claims       0
#define HTACCESS_claim_prefix 0
#define HTACCESS_pass_tokens  0
#define CONF_INDEX(index)     ((void *)(intptr_t)(index))
#define SERVER_COMMAND(directive, field, kind, initial, help)                                                \
    AP_INIT_TAKE_ARGV(#directive, set_server, CONF_INDEX(SERVER_##field), RSRC_CONF, help),
#define PLACE_COMMAND(directive, field, kind, initial, help)                                                 \
    AP_INIT_TAKE_ARGV(#directive, set_place, CONF_INDEX(PLACE_##field),                                      \
                      RSRC_CONF | ACCESS_CONF | HTACCESS_##field, help),

const command_rec conf_commands[] = {SERVER_SETTINGS(SERVER_COMMAND) PLACE_SETTINGS(PLACE_COMMAND)
                                         AP_INIT_TAKE_ARGV(NULL, NULL, NULL, 0, NULL)};

void *conf_create_server(apr_pool_t *pool, server_rec *server)
{
    (void)server;
    conf_server *conf = apr_pcalloc(pool, sizeof(*conf));
    conf->settings = settings_server_new(pool);
    conf->places = apr_array_make(pool, 4, sizeof(const place_settings *));
    conf->wanted = apr_array_make(pool, 4, sizeof(const char *));
    return conf;
}

void *conf_merge_server(apr_pool_t *pool, void *outer, void *inner)
{
    const conf_server *base = outer;
    const conf_server *over = inner;
    conf_server *conf = apr_pcalloc(pool, sizeof(*conf));
    conf->settings = settings_merge_server(pool, base->settings, over->settings);
    conf->own = over->own;
    conf->places = apr_array_append(pool, base->places, over->places);
    conf->wanted = apr_array_append(pool, base->wanted, over->wanted);
    return conf;
}

void *conf_create_place(apr_pool_t *pool, char *path)
{
    (void)path;
    return settings_place_new(pool);
}

void *conf_merge_place(apr_pool_t *pool, void *outer, void *inner)
{
    return settings_merge_place(pool, outer, inner);
}

conf_server *conf_of_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &sso_module);
}

conf_server *conf_of(const request_rec *r)
{
    return conf_of_server(r->server);
}

const place_settings *conf_place(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &sso_module);
}
