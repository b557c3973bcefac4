/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Userinfo answers: section UI of the attacks. */

#include "unit.h"

#include "oidc/userinfo.h"

#define JSON "application/json"

static void answers(void **state)
{
    static const struct {
        int status;
        const char *type, *body;
        fault_code code;
        const char *why;
    } cases[] = {
        {200, JSON, "{\"sub\":\"alice\",\"email\":\"a@b\"}", FAULT_NONE, "as usual"},
        {200, JSON, "{\"sub\":\"bob\"}", FAULT_USERINFO_SUBJECT, "UI-01"},
        {200, JSON, "{\"sub\":\"Alice\"}", FAULT_USERINFO_SUBJECT, "UI-01, IT-17 exact"},
        {200, JSON, "{\"sub\":\"alice \"}", FAULT_USERINFO_SUBJECT, "UI-01 exact"},
        {200, JSON, "{\"email\":\"a@b\"}", FAULT_USERINFO_SUBJECT, "UI-02"},
        {200, JSON, "{\"sub\":null}", FAULT_USERINFO_SUBJECT, "UI-02 null"},
        {200, JSON, "{\"sub\":[\"alice\"]}", FAULT_USERINFO_SUBJECT, "UI-02 list"},
        {200, JSON, "{\"sub\":\"alice\",\"sub\":\"alice\"}", FAULT_USERINFO_REFUSED, "JS-02"},
        {200, JSON, "[{\"sub\":\"alice\"}]", FAULT_USERINFO_REFUSED, "UI-04, JS-06"},
        {200, JSON, "\"alice\"", FAULT_USERINFO_REFUSED, "UI-04"},
        {200, JSON, "<html>", FAULT_USERINFO_REFUSED, "UI-04"},
        {200, "text/html", "{\"sub\":\"alice\"}", FAULT_USERINFO_REFUSED, "UI-04"},
        {200, "application/jwt", "a.b.c", FAULT_USERINFO_REFUSED, "UI-05 nobody asked for a signed one"},
        {200, JSON, "", FAULT_USERINFO_REFUSED, "empty"},
        {204, JSON, "", FAULT_USERINFO_REFUSED, "only 200"},
        {302, JSON, "{\"sub\":\"alice\"}", FAULT_USERINFO_REFUSED, "UI-09"},
        {401, JSON, "{\"error\":\"use_dpop_nonce\"}", FAULT_USERINFO_REFUSED, "UI-10"},
        {429, JSON, "{\"sub\":\"alice\"}", FAULT_PROVIDER_BUSY, "busy"},
        {502, JSON, "{\"sub\":\"alice\"}", FAULT_PROVIDER_DOWN, "down"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const jval_t *claims = NULL;
        answer_t answer = {cases[i].status, cases[i].type, text_of(cases[i].body)};
        const fault_t *fault = userinfo_read(unit_pool(state), &answer, TEXT("alice"), &claims);
        assert_case((fault == NULL ? FAULT_NONE : fault->code) == cases[i].code, cases[i].why);
        assert_case((claims != NULL) == (fault == NULL), cases[i].why);
    }
}

static void without_id_token(void **state)
{
    const jval_t *claims = NULL;
    answer_t answer = {200, JSON, TEXT("{\"id\":7}")};
    assert_no_fault(userinfo_read(unit_pool(state), &answer, (text_t){NULL, 0}, &claims));
    assert_non_null(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(answers), UNIT_TEST(without_id_token)};
    return UNIT_MAIN(tests);
}
