/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Reading the configuration tree. httpd tells a module where its own directives stand, but AuthType and
 * SSLEngine are others', and their modules answer questions only for requests. Sections within sections are
 * searched like their contents: who protects a place inside <IfModule> has protected it. */

#include "httpd/conftree.h"

#include <http_core.h>

#include "base/text.h"

typedef bool (*test_t)(const ap_directive_t *node);

static bool is_host(const ap_directive_t *node)
{
    return strcasecmp(node->directive, "<VirtualHost") == 0;
}

/* First node that passes, depth first, not looking into virtual hosts. */
static const ap_directive_t *search(const ap_directive_t *node, test_t test)
{
    for (; node != NULL; node = node->next) {
        if (test(node))
            return node;
        const ap_directive_t *inside = is_host(node) ? NULL : search(node->first_child, test);
        if (inside != NULL)
            return inside;
    }
    return NULL;
}

/* The <VirtualHost> that a server was made from; it may stand in other sections. */
static const ap_directive_t *host_of(const ap_directive_t *node, const server_rec *server)
{
    for (; node != NULL; node = node->next) {
        if (is_host(node) && node->line_num == (int)server->defn_line_number && node->filename != NULL &&
            server->defn_name != NULL && strcmp(node->filename, server->defn_name) == 0)
            return node;
        const ap_directive_t *inside = host_of(node->first_child, server);
        if (inside != NULL)
            return inside;
    }
    return NULL;
}

static const ap_directive_t *search_server(const server_rec *server, test_t test)
{
    if (!server->is_virtual)
        return search(ap_conftree, test);
    const ap_directive_t *host = host_of(ap_conftree, server);
    return host == NULL ? NULL : search(host->first_child, test);
}

/* Is the node this directive, with this one argument, in quotes or not? */
static bool says(const ap_directive_t *node, const char *directive, const char *value)
{
    if (strcasecmp(node->directive, directive) != 0 || node->args == NULL)
        return false;
    text_t given = text_trim(text_of(node->args));
    if (given.len > 1 && (given.at[0] == '"' || given.at[0] == '\'') &&
        given.at[given.len - 1] == given.at[0])
        given = (text_t){given.at + 1, given.len - 2};
    return text_equal_nocase(given, text_of(value));
}

static bool is_auth_sso(const ap_directive_t *node)
{
    return says(node, "AuthType", "SSO");
}

static bool is_tls_on(const ap_directive_t *node)
{
    return says(node, "SSLEngine", "on");
}

const ap_directive_t *conftree_auth_sso(const server_rec *server)
{
    return search_server(server, is_auth_sso);
}

bool conftree_https(const server_rec *server)
{
    if (server->server_scheme != NULL)
        return strcasecmp(server->server_scheme, "https") == 0;
    return search_server(server, is_tls_on) != NULL || server->port == 443;
}
