/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Regular expressions by httpd's ap_regex, so that PCRE is in the process only once. ap_regex knows no
 * bounds, but PCRE reads them from the head of an expression: a match that takes more steps than that is no
 * match, and an expression like (a+)+$ costs a claim's owner nothing but his own refusal. A library of our
 * own with a linear matcher was rejected: administrators know PCRE. */

#include "httpd/pattern.h"

#include <httpd.h>
#include <ap_regex.h>
#include <apr_strings.h>

#define PATTERN_EFFORT "(*LIMIT_MATCH=200000)"
#define PATTERN_GROUPS 10

struct pattern {
    ap_regex_t compiled;
};

static apr_status_t release(void *compiled)
{
    ap_regfree(compiled);
    return APR_SUCCESS;
}

static const char *compile(const pattern_port *port, apr_pool_t *pool, const char *expression,
                           const pattern_t **pattern)
{
    (void)port;
    pattern_t *made = apr_pcalloc(pool, sizeof(*made));
    int rc = ap_regcomp(&made->compiled, apr_pstrcat(pool, PATTERN_EFFORT, expression, NULL),
                        AP_REG_DEFAULT | AP_REG_NO_DEFAULT);
    if (rc != 0) {
        apr_size_t at = made->compiled.re_erroffset;
        at = at < sizeof(PATTERN_EFFORT) - 1 ? 0 : at - (sizeof(PATTERN_EFFORT) - 1);
        return apr_psprintf(pool, "it makes no sense at byte %" APR_SIZE_T_FMT, at + 1);
    }
    apr_pool_cleanup_register(pool, &made->compiled, release, apr_pool_cleanup_null);
    *pattern = made;
    return NULL;
}

static bool run(const pattern_t *pattern, text_t subject, ap_regmatch_t *groups)
{
    if (subject.len > PATTERN_SUBJECT_MAX)
        return false;
    const char *at = subject.at == NULL ? "" : subject.at;
    return ap_regexec_len(&pattern->compiled, at, subject.len, groups == NULL ? 0 : PATTERN_GROUPS, groups,
                          0) == 0;
}

static bool matches(const pattern_port *port, const pattern_t *pattern, text_t subject)
{
    (void)port;
    return run(pattern, subject, NULL);
}

/* What "$3" stands for; empty where the group took no part. */
static text_t group_text(const ap_regmatch_t *group, text_t subject)
{
    if (group->rm_so < 0 || group->rm_eo < group->rm_so || (size_t)group->rm_eo > subject.len)
        return (text_t){NULL, 0};
    return (text_t){subject.at + group->rm_so, (size_t)(group->rm_eo - group->rm_so)};
}

/* Walks the substitution: counts where `out` is NULL, otherwise writes. The length of the result. */
static size_t expand(const char *substitution, const ap_regmatch_t *groups, text_t subject, char *out)
{
    size_t len = 0;
    for (const char *at = substitution; *at != '\0'; at++) {
        text_t part = {at, 1};
        if (at[0] == '$' && at[1] >= '0' && at[1] <= '9') {
            part = group_text(&groups[at[1] - '0'], subject);
            at++;
        }
        if (out != NULL && part.len > 0)
            memcpy(out + len, part.at, part.len);
        len += part.len;
    }
    return len;
}

static text_t replace(const pattern_port *port, const pattern_t *pattern, text_t subject,
                      const char *substitution, apr_pool_t *pool)
{
    ap_regmatch_t groups[PATTERN_GROUPS];
    (void)port;
    if (!run(pattern, subject, groups))
        return (text_t){NULL, 0};
    size_t len = expand(substitution, groups, subject, NULL);
    char *out = apr_palloc(pool, len + 1);
    (void)expand(substitution, groups, subject, out);
    out[len] = '\0';
    return (text_t){out, len};
}

const pattern_port *pattern_port_get(void)
{
    static const pattern_port port = {compile, matches, replace};
    return &port;
}
