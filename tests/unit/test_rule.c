/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Rules of Require sso-claim: how they are read, and what holds. A part of a value never counts. */

#include "unit.h"

#include <regex.h>

#include "flow/rule.h"

struct pattern {
    regex_t compiled;
};

static apr_status_t release(void *compiled)
{
    regfree(compiled);
    return APR_SUCCESS;
}

static const char *compile(const pattern_port *port, apr_pool_t *pool, const char *expression,
                           const pattern_t **pattern)
{
    (void)port;
    pattern_t *made = apr_pcalloc(pool, sizeof(*made));
    if (regcomp(&made->compiled, expression, REG_EXTENDED | REG_NOSUB) != 0)
        return "no expression";
    apr_pool_cleanup_register(pool, &made->compiled, release, apr_pool_cleanup_null);
    *pattern = made;
    return NULL;
}

static bool matches(const pattern_port *port, const pattern_t *pattern, text_t subject)
{
    char string[200];
    (void)port;
    assert_true(subject.len < sizeof(string));
    memcpy(string, subject.at, subject.len);
    string[subject.len] = '\0';
    return regexec(&pattern->compiled, string, 0, NULL, 0) == 0;
}

static const pattern_port port = {compile, matches, NULL};

/* A user: sorted by path, as at login. */
static claim_list user(apr_pool_t *pool)
{
    static claim_t claims[6];
    char *list = apr_palloc(pool, 200), *end = list;
    claim_add_item(&end, CLAIM_TEXT, TEXT("administrators"));
    claim_add_item(&end, CLAIM_TEXT, TEXT("staff,admin"));
    claim_add_item(&end, CLAIM_TEXT, TEXT("two words"));
    claim_add_item(&end, CLAIM_NUMBER, TEXT("7"));
    claim_add_item(&end, CLAIM_JSON, TEXT("{\"a\":\"boss\"}"));
    claims[0] = (claim_t){TEXT("age"), CLAIM_NUMBER, TEXT("41")};
    claims[1] = (claim_t){TEXT("groups"), CLAIM_LIST, {list, (size_t)(end - list)}};
    claims[2] = (claim_t){TEXT("name"), CLAIM_TEXT, TEXT("Ada \"L\" B\\C")};
    claims[3] = (claim_t){TEXT("odd"), CLAIM_JSON, TEXT("{}")};
    claims[4] = (claim_t){TEXT("realm\x1frole"), CLAIM_TEXT, TEXT("user")};
    claims[5] = (claim_t){TEXT("verified"), CLAIM_TRUE, TEXT("true")};
    return (claim_list){claims, COUNT(claims)};
}

static void holds(void **state)
{
    static const struct {
        const char *words;
        bool holds;
        const char *why;
    } cases[] = {
        {"age 41", true, "a number by its text"},
        {"age 4", false, "a part of a number"},
        {"age 41.0", false, "the same number, another text"},
        {"groups administrators", true, "an item of a list"},
        {"groups admin", false, "a part of an item, also behind a comma"},
        {"groups staff", false, "the part before a comma"},
        {"groups staff,admin", true, "the item with its comma"},
        {"groups Administrators", false, "another case"},
        {"groups nobody 7", true, "one of several values"},
        {"groups \"two words\"", true, "a quoted value"},
        {"groups two words", false, "without quotes they are two values"},
        {"groups 'two words'", true, "the other quote"},
        {"groups boss", false, "an object in a list has no text"},
        {"groups {\"a\":\"boss\"}", false, "not even its JSON"},
        {"name \"Ada \\\"L\\\" B\\\\C\"", true, "escaped quote and backslash"},
        {"realm.role user", true, "a nested claim"},
        {"realm user", false, "an object is no value"},
        {"verified true", true, "a boolean"},
        {"verified 1", false, "not a number"},
        {"missing x", false, "a claim that is not there"},
        {"odd {}", false, "JSON never counts"},
        {"groups~^admin", true, "an expression"},
        {"groups~^admin$", false, "an anchored one"},
        {"groups~,admin$", true, "somewhere in an item"},
        {"groups~boss", false, "an object in a list has no text"},
        {"\"groups~two w\"", true, "an expression with a blank"},
        {"realm.role~^us", true, "of a nested claim"},
        {"age~^4", true, "of a number"},
        {"missing~.*", false, "of a claim that is not there"},
        {"odd~.", false, "of JSON"},
        {"  groups \t 7  ", true, "blanks around"},
        {"groups~a~b", false, "the first tilde parts"},
    };
    apr_pool_t *pool = unit_pool(state);
    const claim_list claims = user(pool);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const rule_t *rule = NULL;
        const char *wrong = rule_read(pool, &port, cases[i].words, &rule);
        assert_case(wrong == NULL, wrong == NULL ? cases[i].why : wrong);
        assert_case(rule_holds(rule, &port, &claims) == cases[i].holds, cases[i].why);
    }
}

static void refuses(void **state)
{
    static const struct {
        const char *words, *fault, *cure;
    } cases[] = {
        {"", "there is no claim", "such as groups admin"},
        {"  \t", "there is no claim", "such as groups admin"},
        {"groups", "no value stands behind 'groups'", "groups~REGEX"},
        {"~x", "there is no name", "such as groups admin"},
        {"\"\" x", "there is no name", "such as groups admin"},
        {"groups~", "the expression behind 'groups'~ is empty", "groups~^admin"},
        {"groups~( x", "'(' is not a regular expression (no expression)", "such as ^admin"},
        {"groups~a b", "'b' stands behind an expression", "in quotes"},
        {"groups \"\"", "an empty value stands behind 'groups'", "write a value"},
        {"groups \"admin", "a quote is not closed behind 'groups'", "close it"},
        {"\"groups", "a quote is not closed", "close it"},
        {"groups admin 'x\\", "a quote is not closed", "close it"},
    };
    apr_pool_t *pool = unit_pool(state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const rule_t *rule = NULL;
        const char *wrong = rule_read(pool, &port, cases[i].words, &rule);
        assert_case(wrong != NULL && rule == NULL, cases[i].words);
        assert_case(strstr(wrong, cases[i].fault) != NULL && strstr(wrong, cases[i].cure) != NULL, wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT_TEST(holds), UNIT_TEST(refuses)};
    return UNIT_MAIN(tests);
}
