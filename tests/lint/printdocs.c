/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors
 *
 * Prints the pages that repeat a table of the code, so that page and code cannot part. Without an argument:
 * the names of the pages; with one of them: the page. `make docs` writes them all and the lint compares. A
 * program rather than a script that reads the headers, because the compiler knows what the rows say. */

#include <stdio.h>
#include <string.h>

#include "base/fault.h"

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

/* One row a page. docs/directives.md and conf/sso.conf.example join here, printed from the rows of
 * flow/settings.h. */
static const page pages[] = {
    {"docs/faults.md", print_faults},
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
