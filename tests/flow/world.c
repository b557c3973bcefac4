/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Builds the world from directive lines, the way httpd would, and plays the browser. */

#include "unit.h"

#include "world.h"

#include <apr_strings.h>

#include "base/cookie.h"

/* Splits a line into words; double quotes hold one together. */
static kind_input split(apr_pool_t *pool, const char *line, const char **directive)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));
    const char *at = line;
    while (*at != '\0') {
        bool quoted = *at == '"';
        at += quoted;
        size_t len = strcspn(at, quoted ? "\"" : " ");
        *(const char **)apr_array_push(words) = apr_pstrndup(pool, at, len);
        at += len;
        at += *at == '"';
        at += *at == ' ';
    }
    *directive = ((const char **)words->elts)[0];
    return (kind_input){pool, (size_t)words->nelts - 1, (const char *const *)words->elts + 1};
}

static const setting_row *find_row(const setting_row *rows, int count, const char *directive)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(rows[i].directive, directive) == 0)
            return &rows[i];
    }
    return NULL;
}

static const char *read_line(apr_pool_t *pool, server_settings *server, place_settings *place,
                             const char *line)
{
    const char *directive = NULL;
    const kind_input input = split(pool, line, &directive);
    const setting_row *row = find_row(settings_server_rows, SERVER_COUNT, directive);
    if (row != NULL)
        return settings_read_server(server, row, &input);
    row = find_row(settings_place_rows, PLACE_COUNT, directive);
    return row != NULL ? settings_read_place(place, row, &input)
                       : apr_pstrcat(pool, "there is no directive ", directive, NULL);
}

static const char *read_lines(apr_pool_t *pool, const char *const *lines, server_settings *server,
                              place_settings *place)
{
    static const char *const usual[] = {"SSOIssuer " FAKEOP_ISSUER, "SSOClientID rp",
                                        "SSOClientSecret \"" WORLD_SECRET "\""};
    const char *problem = NULL;
    for (; lines != NULL && *lines != NULL && problem == NULL; lines++)
        problem = read_line(pool, server, place, *lines);
    for (size_t i = 0; i < COUNT(usual) && problem == NULL; i++) {
        const char *directive = NULL;
        (void)split(pool, usual[i], &directive);
        const setting_row *row = find_row(settings_server_rows, SERVER_COUNT, directive);
        bool is_public = i == 2 && server->client_auth == KIND_CLIENTAUTH_NONE;
        if (!server->given[row->index] && !is_public)
            problem = read_line(pool, server, place, usual[i]);
    }
    return problem;
}

static const char *make(apr_pool_t *pool, const char *const *lines, place_settings **place, const rp_t **rp)
{
    server_settings *server = settings_server_new(pool);
    const rp_site site = {"rp.test", true, fakes_pattern(), NULL};
    *place = settings_place_new(pool);
    const char *problem = read_lines(pool, lines, server, *place);
    return problem != NULL ? problem : rp_make(pool, server, &site, rp);
}

const char *world_refusal(apr_pool_t *pool, const char *const *lines)
{
    place_settings *place;
    const rp_t *rp;
    return make(pool, lines, &place, &rp);
}

const rp_t *world_rp(world_t *world, const char *const *lines)
{
    place_settings *place;
    const rp_t *rp = NULL;
    const char *problem = make(world->pool, lines, &place, &rp);
    if (problem != NULL)
        fail_msg("the configuration was refused: %s", problem);
    return rp;
}

world_t *world_new(apr_pool_t *pool, const char *const *lines)
{
    world_t *world = apr_pcalloc(pool, sizeof *world);
    world->pool = pool;
    fakes_clock_init(&world->clock, WORLD_START);
    fakes_random_init(&world->random);
    fakestore_init(&world->store, pool, &world->clock.port);
    fakes_http_init(&world->http, pool);
    fakes_shared_init(&world->shared, pool);
    fakeop_init(&world->op, &world->http, pool, &world->clock.port);
    fakes_later_init(&world->later, pool);
    world->env = (env_t){.clock = &world->clock.port,
                         .random = &world->random.port,
                         .pattern = fakes_pattern(),
                         .store = &world->store.port,
                         .http = &world->http.port,
                         .shared = &world->shared.port};
    const char *problem = make(pool, lines, &world->place, &world->rp);
    if (problem != NULL)
        fail_msg("the configuration was refused: %s", problem);
    return world;
}

env_t world_other_process(world_t *world, fakes_shared *shared)
{
    env_t other = world->env;
    fakes_shared_init(shared, world->pool);
    other.shared = &shared->port;
    return other;
}

static visit_t visit_of(world_t *world, visit_method method, const char *target, const char *cookies)
{
    text_t whole = text_of(apr_pstrdup(world->pool, target));
    size_t mark = text_find(whole, '?');
    return (visit_t){.pool = world->pool,
                     .method = method,
                     .base_url = WORLD_BASE,
                     .https = true,
                     .path = {whole.at, mark},
                     .query = mark < whole.len ? text_from(whole, mark + 1) : (text_t){NULL, 0},
                     .cookies = text_of(apr_pstrdup(world->pool, cookies)),
                     .place = world->place};
}

visit_t world_nav(world_t *world, const char *target, const char *cookies)
{
    visit_t visit = visit_of(world, METHOD_GET, target, cookies);
    visit.fetch_mode = TEXT("navigate");
    visit.fetch_dest = TEXT("document");
    visit.accept = TEXT("text/html,*/*;q=0.8");
    return visit;
}

visit_t world_xhr(world_t *world, const char *target, const char *cookies)
{
    visit_t visit = visit_of(world, METHOD_GET, target, cookies);
    visit.fetch_mode = TEXT("cors");
    visit.fetch_dest = TEXT("empty");
    visit.accept = TEXT("application/json");
    return visit;
}

visit_t world_post(world_t *world, const char *target, const char *cookies, const char *form)
{
    visit_t visit = world_nav(world, target, cookies);
    visit.method = METHOD_POST;
    visit.fetch_site = TEXT("same-origin");
    visit.origin = TEXT(WORLD_BASE);
    visit.form = text_of(form);
    return visit;
}

session_t world_session(world_t *world)
{
    const server_settings *settings = rp_settings(world->rp);
    int64_t now = world->env.clock->wall(world->env.clock);
    claim_t *claims = apr_pcalloc(world->pool, 3 * sizeof *claims);
    claims[0] = (claim_t){TEXT("email"), CLAIM_TEXT, TEXT("alice@example.org")};
    claims[1] = (claim_t){TEXT("name"), CLAIM_TEXT, TEXT("Alice")};
    claims[2] = (claim_t){TEXT("sub"), CLAIM_TEXT, TEXT("alice")};
    return (session_t){.created = now,
                       .seen = now,
                       .ends = now + settings->session_max,
                       .token_obtained = now,
                       .token_expires = now + world->op.expires_in,
                       .access_token = TEXT("at.first"),
                       .refresh_token = fakeop_family_new(&world->op, world->pool),
                       .id_token = fakeop_idtoken(&world->op, world->pool, NULL),
                       .scope = TEXT("openid"),
                       .claims = {claims, 3}};
}

static vault_t vault_of(world_t *world)
{
    const visit_t visit = world_nav(world, "/", NULL);
    return walk_begin(world->rp, &world->env, &visit).vault;
}

const char *world_store(world_t *world, const session_t *session)
{
    const vault_t vault = vault_of(world);
    vault_record record = {.session = *session};
    int64_t now = world->env.clock->wall(world->env.clock);
    int64_t ttl = session_ttl(session, now, rp_settings(world->rp)->session_idle);
    assert_int_equal(vault_create(&vault, world->pool, &record, ttl), VAULT_OK);
    return apr_pstrcat(world->pool, WORLD_COOKIE "=", record.cookie.at, NULL);
}

const char *world_sign_in(world_t *world)
{
    const session_t session = world_session(world);
    return world_store(world, &session);
}

/* Its gets are not counted and cannot fail: tests look with it. */
vault_rc world_load(world_t *world, const char *cookies, vault_record *record)
{
    const vault_t vault = vault_of(world);
    fakestore_fault fault = world->store.faults[FAKESTORE_GET];
    unsigned calls = world->store.calls[FAKESTORE_GET];
    text_t cookie;
    assert_int_equal(cookie_find(text_of(cookies), TEXT(WORLD_COOKIE), &cookie), COOKIE_FOUND);
    fakestore_fail(&world->store, FAKESTORE_GET, 0, STORE_OK);
    vault_rc rc = vault_load(&vault, world->pool, cookie, record);
    world->store.faults[FAKESTORE_GET] = fault;
    world->store.calls[FAKESTORE_GET] = calls;
    return rc;
}

void world_change(world_t *world, const char *cookies, const session_t *session)
{
    const vault_t vault = vault_of(world);
    vault_record record;
    fakestore_fault fault = world->store.faults[FAKESTORE_CAS];
    unsigned calls = world->store.calls[FAKESTORE_CAS];
    assert_int_equal(world_load(world, cookies, &record), VAULT_OK);
    record.session = *session;
    fakestore_fail(&world->store, FAKESTORE_CAS, 0, STORE_OK);
    assert_int_equal(vault_swap(&vault, world->pool, &record, 3600), VAULT_OK);
    world->store.faults[FAKESTORE_CAS] = fault;
    world->store.calls[FAKESTORE_CAS] = calls;
}

const char *world_log_in(world_t *world, const char *target)
{
    visit_t visit = world_nav(world, target, NULL);
    const verdict_t *verdict =
        gate_stranger(world->rp, &world->env, &visit, gate_admit(world->rp, &world->env, &visit));
    assert_int_equal(verdict->status, 302);
    const char *cookies = world_cookies_after(world->pool, NULL, verdict);
    text_t query = fakeop_authorize(&world->op, world->pool, verdict->location);
    visit = world_nav(world, apr_pstrcat(world->pool, "/sso/callback?", query.at, NULL), cookies);
    verdict = gate_endpoint(world->rp, &world->env, &visit);
    if (verdict->status != 303)
        fail_msg("the login failed: %s %s", verdict->fault ? fault_word(verdict->fault->code) : "-",
                 verdict->fault && verdict->fault->detail ? verdict->fault->detail : "");
    return world_cookies_after(world->pool, cookies, verdict);
}

const char *world_cookies_after(apr_pool_t *pool, const char *cookies, const verdict_t *verdict)
{
    text_t jar = text_of(cookies);
    for (int i = 0; verdict->cookies != NULL && i < verdict->cookies->nelts; i++) {
        const char *line = ((const char **)verdict->cookies->elts)[i];
        size_t name = strcspn(line, "="), pair = strcspn(line, ";");
        jar = cookie_without(pool, jar, (text_t){line, name}, (text_t){NULL, 0});
        if (strstr(line, "Max-Age=0") != NULL)
            continue;
        jar = text_format(pool, "%s%s%s", text_copy(pool, jar).at, jar.len > 0 ? "; " : "",
                          apr_pstrndup(pool, line, pair));
    }
    return text_copy(pool, jar).at;
}

const char *world_set_cookie(const verdict_t *verdict, const char *prefix)
{
    for (int i = 0; verdict->cookies != NULL && i < verdict->cookies->nelts; i++) {
        const char *line = ((const char **)verdict->cookies->elts)[i];
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            return line;
    }
    return NULL;
}

bool world_noted(const verdict_t *verdict, const char *text)
{
    for (int i = 0; verdict->notes != NULL && i < verdict->notes->nelts; i++) {
        if (strstr(((const note_t *)verdict->notes->elts)[i].line, text) != NULL)
            return true;
    }
    return false;
}
