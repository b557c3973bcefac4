/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Rules of Require sso-claim, compiled when httpd starts. Words are cut with quotes as in the rest of httpd's
 * configuration. Values are compared whole: a rule that says "admin" must not hold for "administrators" or
 * for "admin,other", so there is no comparison by parts but an expression that somebody wrote on purpose. */

#include "flow/rule.h"

#include <apr_strings.h>
#include <apr_tables.h>

struct rule {
    text_t name;
    const apr_array_header_t *values; /* of text_t; NULL: the pattern decides */
    const pattern_t *pattern;
};

#define SHOWN_MAX ((size_t)80) /* bytes of a word that a sentence repeats */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The next word, unquoted, in the pool. False at the end, or with *open where a quote is not closed. */
static bool next_word(apr_pool_t *pool, text_t *rest, text_t *word, bool *open)
{
    *rest = text_trim(*rest);
    if (rest->len == 0)
        return false;
    char quote = rest->at[0] == '"' || rest->at[0] == '\'' ? rest->at[0] : '\0',
         *end = apr_palloc(pool, rest->len + 1);
    size_t at = quote != '\0' ? 1 : 0;
    *word = (text_t){end, 0};
    for (; at < rest->len && (quote != '\0' ? rest->at[at] != quote : !is_blank(rest->at[at])); at++) {
        bool escaped = quote != '\0' && rest->at[at] == '\\' && at + 1 < rest->len &&
                       (rest->at[at + 1] == quote || rest->at[at + 1] == '\\');
        at += escaped ? 1 : 0;
        *end++ = rest->at[at];
    }
    *end = '\0';
    word->len = (size_t)(end - word->at);
    *open = quote != '\0' && at == rest->len;
    *rest = text_from(*rest, quote != '\0' ? at + 1 : at);
    return !*open;
}

static const char *wrong(apr_pool_t *pool, const char *before, text_t word, const char *after)
{
    return apr_pstrcat(pool, before, "'", text_loggable(pool, word, SHOWN_MAX), "'", after, NULL);
}

static const char *read_expression(apr_pool_t *pool, const pattern_port *pattern, text_t expression,
                                   rule_t *rule)
{
    const char *string = text_string(pool, expression);
    if (string == NULL || expression.len == 0)
        return wrong(pool, "the expression behind ", rule->name,
                     "~ is empty; write one, such as groups~^admin");
    const char *problem = pattern->compile(pattern, pool, string, &rule->pattern);
    if (problem == NULL)
        return NULL;
    return wrong(
        pool, "", expression,
        apr_pstrcat(pool, " is not a regular expression (", problem, "); write one such as ^admin", NULL));
}

static const char *read_values(apr_pool_t *pool, text_t rest, rule_t *rule)
{
    apr_array_header_t *values = apr_array_make(pool, 4, sizeof(text_t));
    text_t word;
    bool open = false;
    while (next_word(pool, &rest, &word, &open)) {
        if (word.len == 0)
            return wrong(pool, "an empty value stands behind ", rule->name,
                         "; write a value, such as groups admin");
        if (rule->pattern != NULL)
            return wrong(
                pool, "", word,
                " stands behind an expression; write one expression alone, in quotes where it has blanks");
        APR_ARRAY_PUSH(values, text_t) = word;
    }
    if (open)
        return wrong(pool, "a quote is not closed behind ", rule->name, "; close it");
    if (values->nelts == 0 && rule->pattern == NULL)
        return wrong(pool, "no value stands behind ", rule->name,
                     "; write a value, such as groups admin, or groups~REGEX");
    rule->values = values;
    return NULL;
}

const char *rule_read(apr_pool_t *pool, const pattern_port *pattern, const char *words, const rule_t **rule)
{
    rule_t *made = apr_pcalloc(pool, sizeof(*made));
    text_t rest = text_of(words), expression;
    bool open = false;
    if (!next_word(pool, &rest, &expression, &open))
        return open ? "a quote is not closed; close it"
                    : "there is no claim; write its name and a value, such as groups admin";
    if (!text_cut(&expression, '~', &made->name) || made->name.len == 0 || text_has_control(made->name))
        return "there is no name of a claim; write it and a value, such as groups admin";
    const char *problem = expression.at == NULL ? NULL : read_expression(pool, pattern, expression, made);
    if (problem == NULL)
        problem = read_values(pool, rest, made);
    if (problem == NULL)
        *rule = made;
    return problem;
}

static bool has_value(const rule_t *rule, const claim_t *claim)
{
    for (int i = 0; i < rule->values->nelts; i++)
        if (claim_has(claim, APR_ARRAY_IDX(rule->values, i, text_t)))
            return true;
    return false;
}

static bool fits_pattern(const rule_t *rule, const pattern_port *pattern, const claim_t *claim)
{
    if (claim->type == CLAIM_JSON)
        return false;
    if (claim->type != CLAIM_LIST)
        return pattern->matches(pattern, rule->pattern, claim->text);
    text_t rest = claim->text, item;
    claim_type type;
    while (claim_next_item(&rest, &type, &item))
        if (type != CLAIM_JSON && pattern->matches(pattern, rule->pattern, item))
            return true;
    return false;
}

bool rule_holds(const rule_t *rule, const pattern_port *pattern, const claim_list *claims)
{
    const claim_t *claim = claim_find(claims, rule->name);
    if (claim == NULL)
        return false;
    return rule->pattern != NULL ? fits_pattern(rule, pattern, claim) : has_value(rule, claim);
}
