/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Queries and forms. The first line of the input is a name, the rest a query in which it is looked up. What
 * was found and is written as a form is found again; beside a second one of the same name it is refused. */

#include "fuzz.h"

#include "base/url.h"

static void check_rewritten(apr_pool_t *pool, const char *name, text_t value)
{
    text_t again;
    url_pair pairs[3] = {
        {TEXT("other&name="), TEXT("=&%\0")}, {text_of(name), value}, {text_of(name), {NULL, 0}}};
    text_t form = url_form(pool, pairs, 3);
    FUZZ_HOLDS(text_is_printable(form));
    url_rc rc = url_parameter(pool, form, name, &again);
    if (text_equal(text_of(name), pairs[0].name)) {
        FUZZ_HOLDS(rc == URL_REFUSED);
        return;
    }
    FUZZ_HOLDS(rc == URL_FOUND && text_equal(again, value));
    pairs[2].value = TEXT("second");
    FUZZ_HOLDS(url_parameter(pool, url_form(pool, pairs, 3), name, &again) == URL_REFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    text_t query = fuzz_input(pool, data, size);
    text_t line = {"", 0};
    text_t value;
    (void)text_cut(&query, '\n', &line);
    const char *name = text_string(pool, line);
    if (name != NULL) {
        url_rc rc = url_parameter(pool, query, name, &value);
        FUZZ_HOLDS((rc == URL_FOUND) == (value.at != NULL));
        if (rc == URL_FOUND)
            check_rewritten(pool, name, value);
    }
    return fuzz_done(pool);
}
