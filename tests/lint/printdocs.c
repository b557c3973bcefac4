/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors
 *
 * Prints the pages that repeat a table of the code, so that page and code cannot part. Without an argument:
 * the names of the pages; with one of them: the page. `make docs` writes them all and the lint compares. A
 * program rather than a script that reads the headers, because the compiler knows what the rows say. */

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "flow/settings.h"

typedef struct page {
    const char *path;
    void (*print)(void);
} page;

static const char faults_intro[] =
    "# Reason codes\n"
    "\n"
    "Whenever mod_sso refuses a request, the page that the user sees, the JSON that a script gets and the "
    "line in httpd's error log\n"
    "carry the same two things: a *reason code* from this page, which never changes its meaning, and an "
    "*incident id*, which is new\n"
    "each time. Ask the user for the incident id and look it up:\n"
    "\n"
    "    grep INCIDENT /var/log/apache2/error.log\n"
    "\n"
    "There is exactly one such line a refused request. It names the reason code and the detail that the user "
    "does not get to see, such\n"
    "as what the provider answered. It never holds a token, a code, a cookie or a secret; a session is named "
    "by eight hexadecimal\n"
    "digits of a hash, the same in every line about it.\n"
    "\n"
    "This page is printed from `mod_src/base/faultcodes.h` by `make docs`; change it there.\n";

static void print_faults(void)
{
    printf("%s\n| code | status | usual cause |\n|---|---|---|\n", faults_intro);
    for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
        const char *word = fault_word((fault_code)code);
        printf("| [`%s`](#%s) | %d | %s |\n", word, word, fault_status((fault_code)code),
               fault_cause((fault_code)code));
    }
    for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++) {
        printf("\n## %s\n\nStatus %d. The user reads: \"%s\"\n\n", fault_word((fault_code)code),
               fault_status((fault_code)code), fault_sentence((fault_code)code));
        printf("- **Cause:** %s\n- **Cure:** %s\n", fault_cause((fault_code)code),
               fault_cure((fault_code)code));
    }
}

/* The groups of directives, in the order in which an administrator meets them. */
typedef struct group {
    const char *title;
    const char *directives;
} group;

static const group groups[] = {
    {"Provider and client",
     "SSOIssuer SSOClientID SSOClientSecret SSOClientAuth SSOScopes SSOAuthParam SSOEndpoint SSOUserinfo "
     "SSOClaimsFrom SSORequireScope SSOClockSkew SSOIatAge SSOTokenLifetime SSOOutbound SSOIdTokenAlg "
     "SSOProviderCA SSOHTTPTimeout SSOHTTPProxy"},
    {"Own addresses and cookies", "SSOPath SSOBaseURL SSOTrustProxy SSOCookie"},
    {"Sessions", "SSOStore SSONearCache SSOStoreGrace SSOMaxSession SSOMaxSessionsPerUser SSOSessionIdle "
                 "SSOSessionMax SSOSlide "
                 "SSOMaxAge SSOAcr SSORefresh SSORefreshAhead SSOKey"},
    {"What applications see",
     "SSOUser SSOHeader SSOEnv SSOClaims SSOClaimPrefix SSOPassToken SSOStripHeader SSOStripCookie "
     "SSOCacheControl"},
    {"Strangers and the way out", "SSOUnauth SSOLogoutURL SSOAfterLogout SSOPage"},
};
#define GROUPS (sizeof groups / sizeof groups[0])

/* Rows that may also stand in .htaccess files, as httpd/conf.c has it. */
static const char htaccess[] = "SSOSlide SSOUnauth";

static int is_word_of(const char *word, const char *words)
{
    size_t len = strlen(word);
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return 1;
    return 0;
}

/* The row of a directive; *place: of a place. NULL: there is none (yet). */
static const setting_row *find_row(const char *name, size_t len, int *place)
{
    for (int i = 0; i < SERVER_COUNT + PLACE_COUNT; i++) {
        *place = i >= SERVER_COUNT;
        const setting_row *row = *place ? &settings_place_rows[i - SERVER_COUNT] : &settings_server_rows[i];
        if (strlen(row->directive) == len && strncmp(row->directive, name, len) == 0)
            return row;
    }
    return NULL;
}

/* Prints the rows of a group one behind the other. */
static void print_group(const group *one, void (*print)(const setting_row *row, int place))
{
    for (const char *at = one->directives; *at != '\0';) {
        int place = 0;
        size_t len = strcspn(at, " ");
        const setting_row *row = find_row(at, len, &place);
        if (row != NULL)
            print(row, place);
        at += len + strspn(at + len, " ");
    }
}

/* Rows that no group has are printed at the end, so that none is forgotten. */
static void print_rest(void (*print)(const setting_row *row, int place))
{
    for (int i = 0; i < SERVER_COUNT + PLACE_COUNT; i++) {
        int place = i >= SERVER_COUNT, grouped = 0;
        const setting_row *row = place ? &settings_place_rows[i - SERVER_COUNT] : &settings_server_rows[i];
        for (size_t at = 0; at < GROUPS; at++)
            grouped |= is_word_of(row->directive, groups[at].directives);
        if (!grouped)
            print(row, place);
    }
}

static const char directives_intro[] =
    "# Directives\n"
    "\n"
    "The smallest configuration is five lines and a Location; everything else has a default that is safe. "
    "[conf/sso.conf.example](../conf/sso.conf.example) holds all of them as a file to copy.\n"
    "\n"
    "    LoadModule sso_module modules/mod_sso.so\n"
    "\n"
    "    SSOIssuer       https://keycloak.example.com/realms/demo\n"
    "    SSOClientID     legacy-apps\n"
    "    SSOClientSecret file:/etc/apache2/sso/client.secret\n"
    "    SSOStore        memcached://127.0.0.1:11211\n"
    "\n"
    "    <Location /wiki>\n"
    "        AuthType SSO\n"
    "        Require valid-user\n"
    "    </Location>\n"
    "\n"
    "## Values\n"
    "\n"
    "- TIME: a number with `s`, `m`, `h` or `d`, from `1s` to `400d`: `30s`, `10m`, `12h`, `7d`. The unit is "
    "never left out.\n"
    "- SIZE: a number of bytes, with `k` or `m` for 1024 and 1048576 of them, from `1k` to `64m`: `64k`.\n"
    "- NUMBER: from 1 to 1000. PERCENTAGE: from `1%` to `90%`.\n"
    "- SECRET: the value itself, or where it is. `file:/PATH` is the content of a file that others than "
    "owner and group can neither\n"
    "  read nor write (`chmod 600`); `exec:/PROGRAM ARGUMENT...` is the first line that a program writes "
    "within 10 seconds, run\n"
    "  without a shell; `env:NAME` is a variable of httpd's environment. All of them are read when httpd "
    "starts, and never printed.\n"
    "- URL: https; http only where the host is loopback. Targets are compared exactly; there are no "
    "wildcards.\n"
    "- CLAIM: the name of a claim. A dot leads into an object: `realm_access.roles`. A name that has a dot "
    "itself is found as well.\n"
    "- A value with blanks stands in quotes. Words of a fixed choice may be written in upper or lower case.\n"
    "\n"
    "A wrong value, an unknown name and a contradiction stop `httpd -t` with a sentence that names the "
    "directive, what is wrong and "
    "what would be right:\n"
    "\n"
    "    SSOSessionIdle: '10x' is not a time; write a number with s, m, h or d, such as 30m\n"
    "\n"
    "## Where directives stand\n"
    "\n"
    "Directives of a *server* stand outside of all sections or in a `<VirtualHost>`. A virtual host inherits "
    "each directive that it "
    "does not write itself, as a whole: its own SSOStripHeader lines replace the outer ones. Credentials are "
    "not inherited by "
    "accident: a host with another SSOIssuer inherits no SSOClientID, SSOClientSecret and SSOEndpoint, and "
    "one with another "
    "SSOClientID inherits no SSOClientSecret.\n"
    "\n"
    "Directives of a *place* stand there too, and in `<Location>`, `<Directory>`, `<Files>` and `<If>`; an "
    "inner place inherits what "
    "it does not write itself. SSOHeader and SSOEnv add up over places; where both name the same header or "
    "variable, the inner row "
    "counts. In `<If>` a condition must not depend on the user, because httpd evaluates it before anybody is "
    "signed in.\n"
    "\n"
    "In `.htaccess` files only SSOSlide and SSOUnauth (but not `SSOUnauth pass`) may stand, with "
    "`AllowOverride AuthConfig`.\n"
    "\n"
    "A directive that is written twice in one section is refused, unless it says \"more than one line\" "
    "below.\n"
    "\n"
    "## Who may come in\n"
    "\n"
    "`AuthType SSO` switches the sign-in on for a place, and `Require` says who may come in: `valid-user`, "
    "`user NAME...` (the value "
    "of SSOUser), or\n"
    "\n"
    "    Require sso-claim CLAIM VALUE...\n"
    "    Require sso-claim CLAIM~REGEX\n"
    "\n"
    "The first form holds when the claim is one of the values, exactly: `admin` is not `administrators`. A "
    "number is compared by its "
    "text, a boolean as `true` or `false`, and a list fulfils the rule when one of its items does. The "
    "second form holds when the "
    "regular expression matches somewhere in the claim or in one of its items; write `^` and `$` where all "
    "of it is meant. Rules "
    "combine in `<RequireAll>`, `<RequireAny>` and `<RequireNone>`:\n"
    "\n"
    "    <RequireAll>\n"
    "        Require sso-claim email_verified true\n"
    "        Require sso-claim realm_access.roles editor \"chief editor\"\n"
    "    </RequireAll>\n"
    "\n"
    "In httpd's expressions `sso_claim('CLAIM')` is the claim as text, or empty where nobody is signed in or "
    "the claim is missing. "
    "REMOTE_USER in the expression tells httpd that it needs a user: without it strangers would get 403 "
    "instead of the sign-in.\n"
    "\n"
    "    Require expr -n %{REMOTE_USER} && sso_claim('department') == 'R&D'\n"
    "\n"
    "## What an application reads\n"
    "\n"
    "REMOTE_USER holds the value of SSOUser. Claims come as variables `SSO_CLAIM_<name>` (SSOClaims), where "
    "each byte of the claim's "
    "name that is neither letter nor digit becomes `_` (`-` in headers). An empty claim and a missing one "
    "look the same: there is no "
    "header and no variable. A value that cannot be carried (a line end, more than 8000 bytes) refuses the "
    "request where SSOHeader or "
    "SSOEnv asks for it, and is left out of the export of all claims; nothing is ever cut. Blanks at the "
    "ends of a header are lost "
    "on its way: where they matter, use the encoding `url`, `base64` or `json`.\n"
    "\n"
    "This page is printed from `mod_src/flow/settings.h` by `make docs`; change it there.\n";

static void print_directive(const setting_row *row, int place)
{
    const kind_t *kind = kind_find(row->kind);
    printf("\n### %s\n\n%s\n\n", row->directive, row->help);
    printf("- Value: %s%s\n", kind->syntax, kind->adds ? "; more than one line is possible" : "");
    if (row->initial[0] == '\0')
        printf("- Default: none\n");
    else
        printf("- Default: `%s`\n", row->initial);
    printf("- Stands in: server, virtual host%s%s\n", place ? ", places" : "",
           is_word_of(row->directive, htaccess) ? ", .htaccess" : "");
}

static void print_directives(void)
{
    fputs(directives_intro, stdout);
    for (size_t at = 0; at < GROUPS; at++) {
        printf("\n## %s\n", groups[at].title);
        print_group(&groups[at], print_directive);
    }
    print_rest(print_directive);
}

static const char example_intro[] =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Copyright the mod_sso authors\n"
    "#\n"
    "# mod_sso: five lines and a Location are enough. Below them stand all other directives with their "
    "defaults, commented out; where\n"
    "# there is no default, with what could be written. docs/directives.md explains the values.\n"
    "# This file is printed by `make docs`.\n"
    "\n"
    "LoadModule sso_module modules/mod_sso.so\n"
    "\n"
    "SSOIssuer       https://keycloak.example.com/realms/demo\n"
    "SSOClientID     legacy-apps\n"
    "SSOClientSecret file:/etc/apache2/sso/client.secret\n"
    "SSOStore        memcached://127.0.0.1:11211\n"
    "\n"
    "<Location /wiki>\n"
    "    AuthType SSO\n"
    "    Require valid-user\n"
    "</Location>\n";

/* The help as comment lines of at most 100 bytes. */
static void print_comment(const char *help)
{
    size_t used = 0;
    for (const char *at = help; *at != '\0';) {
        size_t len = strcspn(at, " ");
        if (used == 0 || used + 1 + len > 100)
            used = (size_t)printf("%s#", at == help ? "" : "\n") - (at != help);
        used += (size_t)printf(" %.*s", (int)len, at);
        at += len + strspn(at + len, " ");
    }
    printf("\n");
}

/* The syntax without the quotes that Markdown wants. */
static void print_plain(const char *syntax)
{
    for (; *syntax != '\0'; syntax++)
        if (*syntax != '`')
            putchar(*syntax);
}

static void print_example_row(const setting_row *row, int place)
{
    (void)place;
    printf("\n");
    print_comment(row->help);
    printf("#%s ", row->directive);
    if (row->initial[0] != '\0')
        printf("%s", row->initial);
    else
        print_plain(kind_find(row->kind)->syntax);
    printf("\n");
}

static void print_example(void)
{
    fputs(example_intro, stdout);
    for (size_t at = 0; at < GROUPS; at++) {
        printf("\n\n# ---- %s ----\n", groups[at].title);
        print_group(&groups[at], print_example_row);
    }
    print_rest(print_example_row);
}

/* One row a page. */
static const page pages[] = {
    {"docs/faults.md", print_faults},
    {"docs/directives.md", print_directives},
    {"conf/sso.conf.example", print_example},
};

int main(int argc, char **argv)
{
    for (size_t at = 0; at < sizeof pages / sizeof pages[0]; at++) {
        if (argc < 2) {
            printf("%s\n", pages[at].path);
        } else if (strcmp(argv[1], pages[at].path) == 0) {
            pages[at].print();
            return 0;
        }
    }
    return argc < 2 ? 0 : 1;
}
