/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Claims from the sources that the configuration names, in their order of trust; and the user's name. */

#include "unit.h"

#include <apr_strings.h>

#include "flow/gather.h"
#include "world.h"

typedef struct bench {
    world_t *world;
    visit_t visit;
    walk_t walk;
    gather_t from;
    tokens_t tokens;
    idtoken_t idtoken;
    claim_list claims;
} bench_t;

static bench_t *bench_new(apr_pool_t *pool, const char *const *lines, const fakeop_claim *claims)
{
    bench_t *bench = apr_pcalloc(pool, sizeof *bench);
    bench->world = world_new(pool, lines);
    bench->visit = world_nav(bench->world, "/", NULL);
    bench->walk = walk_begin(bench->world->rp, &bench->world->env, &bench->visit);
    bench->tokens =
        (tokens_t){.access_token = TEXT("at.1"), .id_token = fakeop_idtoken(&bench->world->op, pool, claims)};
    bench->from = (gather_t){.tokens = &bench->tokens, .idtoken = &bench->idtoken};
    assert_no_fault(issuer_provider(&bench->walk, &bench->from.provider));
    assert_no_fault(verify_idtoken(&bench->walk, bench->from.provider, &bench->tokens, (text_t){NULL, 0},
                                   &bench->idtoken));
    return bench;
}

static const fault_t *gather(bench_t *bench)
{
    return gather_claims(&bench->walk, &bench->from, &bench->claims);
}

static text_t claim(const bench_t *bench, const char *name)
{
    const claim_t *found = claim_find(&bench->claims, text_of(name));
    return found != NULL ? found->text : (text_t){NULL, 0};
}

static unsigned asked(const bench_t *bench)
{
    return fakes_http_route(&bench->world->http, "/userinfo")->calls;
}

static void test_when_userinfo_is_asked(void **state)
{
    static const fakeop_claim with_email[] = {{"email", "\"a@b.c\""}, {NULL, NULL}};
    static const struct {
        const char *why, *lines[3];
        const fakeop_claim *claims;
        unsigned asked;
    } cases[] = {
        {"auto: nothing is missing", {NULL}, NULL, 0},
        {"auto: a scope promises what the ID token lacks", {"SSOScopes openid email", NULL}, NULL, 1},
        {"auto: the ID token has it", {"SSOScopes openid email", NULL}, with_email, 0},
        {"auto: SSOUser names a claim", {"SSOUser upn", NULL}, NULL, 1},
        {"off", {"SSOScopes openid email", "SSOUserinfo off", NULL}, NULL, 0},
        {"always", {"SSOUserinfo always", NULL}, NULL, 1},
        {"not among the sources", {"SSOUserinfo always", "SSOClaimsFrom idtoken", NULL}, NULL, 0},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench_t *bench = bench_new(pool, cases[i].lines, cases[i].claims);
        bench->world->op.userinfo = ",\"email\":\"info@b.c\"";
        assert_no_fault(gather(bench));
        assert_case(asked(bench) == cases[i].asked, cases[i].why);
    }
}

/* UI-03: the ID token is never overridden; UI-08: the token travels in the header alone. */
static void test_order_of_trust(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    static const fakeop_claim claims[] = {{"email", "\"id@b.c\""}, {"acr", "\"2\""}, {NULL, NULL}};
    bench_t *bench = bench_new(unit_pool(state), lines, claims);
    bench->world->op.userinfo =
        ",\"email\":\"info@b.c\",\"acr\":\"9\",\"iss\":\"https://evil.test\",\"aud\":\"x\",\"name\":\"A\"";
    assert_no_fault(gather(bench));
    assert_texts(claim(bench, "email"), TEXT("id@b.c"), "ID token first");
    assert_texts(claim(bench, "acr"), TEXT("2"), "UI-03");
    assert_texts(claim(bench, "iss"), TEXT(FAKEOP_ISSUER), "UI-03");
    assert_texts(claim(bench, "name"), TEXT("A"), "what only userinfo says");
    const fakes_sent *sent = fakes_http_last(&bench->world->http, "/userinfo");
    assert_string_equal(sent->authorization, "Bearer at.1");
    assert_string_equal(sent->url, FAKEOP_ISSUER "/userinfo");
    assert_string_equal(sent->form, "");
}

static void test_userinfo_faults(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    static const struct {
        const char *why;
        http_rc rc;
        int status;
        const char *type, *body;
        fault_code code;
    } cases[] = {
        {"UI-01: another subject", HTTP_ANSWERED, 200, NULL, "{\"sub\":\"bob\"}", FAULT_USERINFO_SUBJECT},
        {"UI-02: none", HTTP_ANSWERED, 200, NULL, "{}", FAULT_USERINFO_SUBJECT},
        {"UI-04: HTML", HTTP_ANSWERED, 200, "text/html", "<html>", FAULT_USERINFO_REFUSED},
        {"UI-04: a list", HTTP_ANSWERED, 200, NULL, "[]", FAULT_USERINFO_REFUSED},
        {"UI-05: signed, though nobody asked", HTTP_ANSWERED, 200, "application/jwt", "a.b.c",
         FAULT_USERINFO_REFUSED},
        {"UI-10: 401", HTTP_ANSWERED, 401, NULL, "{\"error\":\"use_dpop_nonce\"}", FAULT_USERINFO_REFUSED},
        {"500", HTTP_ANSWERED, 500, NULL, "", FAULT_PROVIDER_DOWN},
        {"429", HTTP_ANSWERED, 429, NULL, "", FAULT_PROVIDER_BUSY},
        {"UI-09: endless", HTTP_TOO_LARGE, 0, "", "", FAULT_USERINFO_REFUSED},
        {"nobody there", HTTP_UNREACHABLE, 0, "", "", FAULT_PROVIDER_DOWN},
        {"TLS", HTTP_UNTRUSTED, 0, "", "", FAULT_PROVIDER_TLS},
    };
    bench_t *bench = bench_new(unit_pool(state), lines, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fakes_http_answer(&bench->world->http, "/userinfo", 1, cases[i].status, cases[i].type, cases[i].body);
        fakes_http_route(&bench->world->http, "/userinfo")->odd_rc = cases[i].rc;
        const fault_t *fault = gather(bench);
        assert_case(fault != NULL && fault->code == cases[i].code, cases[i].why);
    }
}

/* Plain OAuth 2.0: userinfo is all there is, and it says who the user is. */
static void test_plain_oauth(void **state)
{
    static const char *const lines[] = {"SSOScopes profile", "SSOUser login", NULL};
    bench_t *bench = bench_new(unit_pool(state), NULL, NULL);
    bench->world->rp = world_rp(bench->world, lines);
    bench->walk = walk_begin(bench->world->rp, &bench->world->env, &bench->visit);
    bench->from.idtoken = NULL;
    bench->world->op.userinfo = ",\"login\":\"alice7\"";
    assert_no_fault(gather(bench));
    assert_string_equal(gather_user(bench->world->rp, &bench->world->env, bench->world->pool, &bench->claims),
                        "alice7");
    provider_t blind = *bench->from.provider;
    blind.userinfo = NULL;
    bench->from.provider = &blind;
    assert_fault(gather(bench), FAULT_PROVIDER_UNSUITABLE);
}

static void test_provider_without_userinfo(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    bench_t *bench = bench_new(unit_pool(state), lines, NULL);
    provider_t blind = *bench->from.provider;
    blind.userinfo = NULL;
    bench->from.provider = &blind;
    assert_no_fault(gather(bench));
    assert_texts(claim(bench, "sub"), TEXT("alice"), "the ID token is enough");
}

/* SSOClaimsFrom access: a JWT that is ours adds claims, an opaque token is refused. */
static void test_access_token(void **state)
{
    static const char *const lines[] = {"SSOClaimsFrom idtoken access", NULL};
    static const fakeop_claim roles[] = {
        {"realm_access", "{\"roles\":[\"admin\"]}"}, {"acr", "\"9\""}, {NULL, NULL}};
    bench_t *bench = bench_new(unit_pool(state), lines, NULL);
    bench->tokens.access_token = fakeop_idtoken(&bench->world->op, bench->world->pool, roles);
    assert_no_fault(gather(bench));
    const claim_t *found = claim_find(&bench->claims, TEXT("realm_access.roles"));
    assert_true(found != NULL && claim_has(found, TEXT("admin")));
    assert_null(claim(bench, "acr").at); /* vouches for a token, so only the ID token says it */
    bench->tokens.access_token = TEXT("opaque");
    assert_fault(gather(bench), FAULT_ACCESSTOKEN_REFUSED);
}

/* IT-39: pointers elsewhere are not followed; where a wanted claim hides behind one, the login is refused. */
static void test_overage(void **state)
{
    static const char *const lines[] = {"SSOUser groups", "SSOUserinfo off", NULL};
    static const fakeop_claim overage[] = {
        {"_claim_names", "{\"groups\":\"src1\"}"},
        {"_claim_sources", "{\"src1\":{\"endpoint\":\"http://169.254.169.254/\"}}"},
        {NULL, NULL}};
    bench_t *bench = bench_new(unit_pool(state), lines, overage);
    unsigned calls = bench->world->http.calls;
    assert_fault(gather(bench), FAULT_CLAIMS_OVERAGE);
    bench = bench_new(unit_pool(state), NULL, overage);
    assert_no_fault(gather(bench)); /* nobody wants groups here */
    assert_int_equal(bench->world->http.calls, calls);
}

static void test_without_userinfo(void **state)
{
    static const char *const lines[] = {"SSOUserinfo always", NULL};
    bench_t *bench = bench_new(unit_pool(state), lines, NULL);
    bench->from.without_userinfo = true;
    assert_no_fault(gather(bench));
    assert_int_equal(asked(bench), 0);
    assert_true(gather_wants_userinfo(bench->world->rp, &bench->claims));
}

static void test_user(void **state)
{
    static const struct {
        const char *why, *line;
        text_t value;
        const char *user; /* NULL: nobody */
    } cases[] = {
        {"as it is", "SSOUser sub", TEXT("alice"), "alice"},
        {"empty", "SSOUser sub", TEXT(""), NULL},
        {"IT-16: NUL", "SSOUser sub", TEXT("admin\0x"), NULL},
        {"IT-16: CR LF", "SSOUser sub", TEXT("a\r\nX-H: 1"), NULL},
        {"UTF-8 stays", "SSOUser sub", TEXT("Ren\xc3\xa9"), "Ren\xc3\xa9"},
        {"a pattern", "SSOUser sub ^([^@]+)@example\\.org$ $1", TEXT("bob@example.org"), "bob"},
        {"HD-25: the domain is the whole of it", "SSOUser sub ^([^@]+)@example\\.org$ $1",
         TEXT("a@evil.test@example.org"), NULL},
        {"a pattern that leaves nothing", "SSOUser sub ^x(.*)$ $1", TEXT("x"), NULL},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const lines[] = {cases[i].line, NULL};
        world_t *world = world_new(pool, lines);
        const claim_t sub = {TEXT("sub"), CLAIM_TEXT, cases[i].value};
        const claim_list claims = {&sub, 1};
        const char *user = gather_user(world->rp, &world->env, pool, &claims);
        assert_case((user == NULL) == (cases[i].user == NULL), cases[i].why);
        assert_case(user == NULL || strcmp(user, cases[i].user) == 0, cases[i].why);
    }
    world_t *world = world_new(pool, NULL);
    char *name = apr_pcalloc(pool, 257);
    memset(name, 'a', 256);
    claim_t sub = {TEXT("sub"), CLAIM_TEXT, {name, 255}};
    const claim_list claims = {&sub, 1};
    assert_non_null(gather_user(world->rp, &world->env, pool, &claims));
    sub.text.len = 256;
    assert_null(gather_user(world->rp, &world->env, pool, &claims));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(test_when_userinfo_is_asked),
        UNIT_TEST(test_order_of_trust),
        UNIT_TEST(test_userinfo_faults),
        UNIT_TEST(test_plain_oauth),
        UNIT_TEST(test_provider_without_userinfo),
        UNIT_TEST(test_access_token),
        UNIT_TEST(test_overage),
        UNIT_TEST(test_without_userinfo),
        UNIT_TEST(test_user),
    };
    return UNIT_MAIN(tests);
}
