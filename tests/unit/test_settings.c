/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Rows: every default reads, a line is read into its field, and what merging inherits and does not. */

#include "unit.h"

#include "flow/settings.h"

static const setting_row *row_of(const char *directive)
{
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (strcmp(settings_server_rows[i].directive, directive) == 0)
            return &settings_server_rows[i];
    for (size_t i = 0; i < PLACE_COUNT; i++)
        if (strcmp(settings_place_rows[i].directive, directive) == 0)
            return &settings_place_rows[i];
    fail();
    return NULL;
}

static const char *server_line(apr_pool_t *pool, server_settings *settings, const char *directive,
                               const char *value)
{
    const char *words[] = {value};
    const kind_input input = {pool, 1, words};
    return settings_read_server(settings, row_of(directive), &input);
}

static const char *place_line(apr_pool_t *pool, place_settings *settings, const char *directive,
                              const char *one, const char *two)
{
    const char *words[] = {one, two};
    const kind_input input = {pool, two == NULL ? 1 : 2, words};
    return settings_read_place(settings, row_of(directive), &input);
}

static void check_row(apr_pool_t *pool, const setting_row *row, size_t room, int index)
{
    uint64_t field[8] = {0};
    const char *words[] = {row->initial};
    const kind_input input = {pool, 1, words};
    assert_case(row->index == index && row->offset + row->size <= room, row->directive);
    assert_case(strncmp(row->directive, "SSO", 3) == 0 && strlen(row->help) > 10, row->directive);
    assert_case(row->size <= sizeof(field), row->directive);
    if (row->initial[0] != '\0')
        assert_case(kind_find(row->kind)->read(&input, field) == NULL, row->directive);
}

static void rows_are_right(void **state)
{
    for (int i = 0; i < SERVER_COUNT; i++)
        check_row(unit_pool(state), &settings_server_rows[i], sizeof(server_settings), i);
    for (int i = 0; i < PLACE_COUNT; i++)
        check_row(unit_pool(state), &settings_place_rows[i], sizeof(place_settings), i);
}

static void sets_defaults(void **state)
{
    const server_settings *server = settings_server_new(unit_pool(state));
    const place_settings *place = settings_place_new(unit_pool(state));
    assert_null(server->issuer);
    assert_null(server->auth_params);
    assert_string_equal(server->scopes, "openid");
    assert_string_equal(server->path, "/sso");
    assert_string_equal(server->store, "lmdb:");
    assert_string_equal(server->cookie.same_site, "Lax");
    assert_string_equal(server->cookie.path, "/");
    assert_string_equal(server->user.claim, "sub");
    assert_int_equal(server->session_idle, 1800);
    assert_int_equal(server->session_max, 43200);
    assert_int_equal(server->session_bytes, 131072);
    assert_int_equal(server->refresh_ahead.percent, 20);
    assert_int_equal(server->claims_from, KIND_FROM_IDTOKEN | KIND_FROM_USERINFO);
    assert_int_equal(server->refresh, KIND_REFRESH_AUTO);
    assert_true(server->strip_cookie);
    assert_false(settings_any_given(server));
    assert_int_equal(place->unauth, KIND_UNAUTH_AUTO);
    assert_true(place->slide);
    assert_int_equal(place->claims, KIND_CLAIMS_ENV);
    assert_string_equal(place->claim_prefix, "SSO_CLAIM_");
    assert_int_equal(place->pass_tokens, 0);
    for (size_t i = 0; i < PLACE_COUNT; i++)
        assert_false(place->given[i]);
}

static void reads_lines(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *server = settings_server_new(pool);
    assert_null(server_line(pool, server, "SSOSessionIdle", "10m"));
    assert_int_equal(server->session_idle, 600);
    assert_true(server->given[SERVER_session_idle]);
    assert_true(settings_any_given(server));
    assert_string_equal(server_line(pool, server, "SSOSessionIdle", "20m"),
                        "SSOSessionIdle is there twice; keep one of the lines");
    assert_int_equal(server->session_idle, 600);
    assert_string_equal(server_line(pool, server, "SSOSessionMax", "10x"),
                        "SSOSessionMax: '10x' is not a time; write a number with s, m, h or d, such as 30m");
    assert_false(server->given[SERVER_session_max]);
    assert_null(server_line(pool, server, "SSOStripHeader", "X-A"));
    assert_null(server_line(pool, server, "SSOStripHeader", "X-B"));
    assert_int_equal(server->strip_headers->nelts, 2);
    const char *wrong = server_line(pool, server, "SSOClientSecret", "hush\x01hush");
    assert_non_null(strstr(wrong, "SSOClientSecret: "));
    assert_null(strstr(wrong, "hush"));
}

static void default_of_a_list_is_replaced(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *server = settings_server_new(pool);
    assert_null(server_line(pool, server, "SSOClaimsFrom", "access"));
    assert_int_equal(server->claims_from, KIND_FROM_ACCESS);
    assert_null(server_line(pool, server, "SSOCookie", "portal"));
    assert_string_equal(server->cookie.name, "portal");
}

static void merges_servers(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *outer = settings_server_new(pool), *inner = settings_server_new(pool);
    assert_null(server_line(pool, outer, "SSOSessionIdle", "5m"));
    assert_null(server_line(pool, outer, "SSOScopes", "openid email"));
    assert_null(server_line(pool, outer, "SSOStripHeader", "X-A"));
    assert_null(server_line(pool, inner, "SSOScopes", "openid"));
    assert_null(server_line(pool, inner, "SSOStripHeader", "X-B"));
    const server_settings *merged = settings_merge_server(pool, outer, inner);
    assert_int_equal(merged->session_idle, 300);
    assert_true(merged->given[SERVER_session_idle]);
    assert_string_equal(merged->scopes, "openid");
    assert_int_equal(merged->strip_headers->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(merged->strip_headers, 0, const char *), "X-B");
    assert_int_equal(merged->session_max, 43200);
    assert_false(merged->given[SERVER_session_max]);
    assert_int_equal(outer->strip_headers->nelts, 1);
}

typedef struct owner_case {
    const char *issuer, *client, *secret; /* of the inner one; NULL: not given */
    const char *got_client;
    bool got_secret, got_endpoint;
    const char *why;
} owner_case;

/* CF-06: two hosts never share a secret by accident. */
static void credentials_stay_with_their_owner(void **state)
{
    static const owner_case cases[] = {
        {NULL, NULL, NULL, "app", true, true, "nothing of its own: all is inherited"},
        {"https://a.example", NULL, NULL, "app", true, true, "the same issuer again"},
        {"https://b.example", NULL, NULL, NULL, false, false, "another issuer"},
        {"https://b.example", "app", NULL, "app", false, false, "another issuer, the same client name"},
        {"https://b.example", "two", "s", "two", true, false, "another issuer and client"},
        {NULL, "two", NULL, "two", false, true, "another client"},
        {NULL, "app", NULL, "app", true, true, "the same client again"},
        {NULL, NULL, "s", "app", true, true, "another secret"},
    };
    apr_pool_t *pool = unit_pool(state);
    server_settings *outer = settings_server_new(pool);
    assert_null(server_line(pool, outer, "SSOIssuer", "https://a.example"));
    assert_null(server_line(pool, outer, "SSOClientID", "app"));
    assert_null(server_line(pool, outer, "SSOClientSecret", "hush"));
    assert_null(server_line(pool, outer, "SSOEndpoint", "token=https://a.example/t"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const owner_case *one = &cases[i];
        server_settings *inner = settings_server_new(pool);
        if (one->issuer != NULL)
            assert_null(server_line(pool, inner, "SSOIssuer", one->issuer));
        if (one->client != NULL)
            assert_null(server_line(pool, inner, "SSOClientID", one->client));
        if (one->secret != NULL)
            assert_null(server_line(pool, inner, "SSOClientSecret", one->secret));
        const server_settings *merged = settings_merge_server(pool, outer, inner);
        assert_texts(text_of(merged->client_id), text_of(one->got_client), one->why);
        assert_case((merged->client_secret.len > 0) == one->got_secret, one->why);
        assert_case(merged->given[SERVER_client_secret] == one->got_secret, one->why);
        assert_case((merged->endpoints.token != NULL) == one->got_endpoint, one->why);
    }
}

static void shared_credentials_above_hosts(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    server_settings *outer = settings_server_new(pool), *inner = settings_server_new(pool);
    assert_null(server_line(pool, outer, "SSOClientSecret", "hush"));
    assert_null(server_line(pool, inner, "SSOIssuer", "https://b.example"));
    assert_null(server_line(pool, inner, "SSOClientID", "app"));
    assert_int_equal(settings_merge_server(pool, outer, inner)->client_secret.len, 4);
}

static void merges_places(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    place_settings *outer = settings_place_new(pool), *inner = settings_place_new(pool);
    assert_null(place_line(pool, outer, "SSOUnauth", "401", NULL));
    assert_null(place_line(pool, outer, "SSOHeader", "X-User", "sub"));
    assert_null(place_line(pool, outer, "SSOHeader", "X-Mail", "email"));
    assert_null(place_line(pool, outer, "SSOEnv", "APP_USER", "sub"));
    assert_null(place_line(pool, outer, "SSOPassToken", "access", NULL));
    assert_null(place_line(pool, inner, "SSOHeader", "x_user", "name"));
    assert_null(place_line(pool, inner, "SSOPassToken", "off", NULL));
    const place_settings *merged = settings_merge_place(pool, outer, inner);
    assert_int_equal(merged->unauth, KIND_UNAUTH_401);
    assert_int_equal(merged->pass_tokens, 0);
    assert_int_equal(merged->headers->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(merged->headers, 0, claim_row).name, "X-Mail");
    assert_string_equal(APR_ARRAY_IDX(merged->headers, 1, claim_row).claim, "name");
    assert_int_equal(merged->variables->nelts, 1);
    assert_int_equal(outer->headers->nelts, 2);
    const place_settings *again = settings_merge_place(pool, merged, settings_place_new(pool));
    assert_int_equal(again->headers->nelts, 2);
    assert_int_equal(again->unauth, KIND_UNAUTH_401);
    assert_null(settings_merge_place(pool, settings_place_new(pool), settings_place_new(pool))->headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(rows_are_right),
        UNIT_TEST(sets_defaults),
        UNIT_TEST(reads_lines),
        UNIT_TEST(default_of_a_list_is_replaced),
        UNIT_TEST(merges_servers),
        UNIT_TEST(credentials_stay_with_their_owner),
        UNIT_TEST(shared_credentials_above_hosts),
        UNIT_TEST(merges_places),
    };
    return UNIT_MAIN(tests);
}
