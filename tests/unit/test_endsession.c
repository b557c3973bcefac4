/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* The logout URL: LO-02, LO-11. */

#include "unit.h"

#include "oidc/endsession.h"

#define TAIL "client_id=rp&post_logout_redirect_uri=https%3A%2F%2Frp.test%2Fsso%2Flogout%2Fdone&state=S"

static endsession_t usual(text_t hint)
{
    return (endsession_t){"https://op.test/end", "rp", hint, "https://rp.test/sso/logout/done", TEXT("S")};
}

static void urls(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    endsession_t request = usual(TEXT("a.b.c"));
    assert_text(endsession_make(pool, &request), "https://op.test/end?id_token_hint=a.b.c&" TAIL);
    request = usual((text_t){NULL, 0});
    assert_text(endsession_make(pool, &request), "https://op.test/end?" TAIL);
    request = usual(TEXT(""));
    assert_text(endsession_make(pool, &request), "https://op.test/end?" TAIL);
    request.endpoint = "https://op.test/end?p=policy";
    assert_text(endsession_make(pool, &request), "https://op.test/end?p=policy&" TAIL);
    request.post_logout_redirect_uri = NULL;
    request.state = (text_t){NULL, 0};
    assert_text(endsession_make(pool, &request), "https://op.test/end?p=policy&client_id=rp");
}

static void long_hint_is_left_out(void **state)
{
    apr_pool_t *pool = unit_pool(state);
    char *many = apr_palloc(pool, 12288);
    memset(many, 'x', 12288);
    size_t room = ENDSESSION_URL_MAX - (sizeof("https://op.test/end?id_token_hint=&" TAIL) - 1);
    endsession_t request = usual((text_t){many, 12288});
    assert_text(endsession_make(pool, &request), "https://op.test/end?" TAIL); /* LO-11 */
    request = usual((text_t){many, room});
    assert_int_equal(endsession_make(pool, &request).len, ENDSESSION_URL_MAX);
    request = usual((text_t){many, room + 1});
    assert_text(endsession_make(pool, &request), "https://op.test/end?" TAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(urls), UNIT_TEST(long_hint_is_left_out)};
    return UNIT_MAIN(tests);
}
