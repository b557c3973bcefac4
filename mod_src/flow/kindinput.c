/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* Arguments of a line, and sentences about them. Every reader takes its arguments from here, so that "no
 * value" and "too many" read the same for all directives, and so that quoting is escaped in one place. */

#include "flow/kindinput.h"

#include <stdarg.h>

#define SHOWN_MAX ((size_t)80) /* bytes of a bad value that a sentence repeats */

const char *kindinput_wrong(const kind_input *input, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_t sentence = text_vformat(input->pool, format, arguments);
    va_end(arguments);
    return sentence.at;
}

const char *kindinput_shown(const kind_input *input, text_t value)
{
    return text_loggable(input->pool, value, SHOWN_MAX);
}

const char *kindinput_one(const kind_input *input, text_t *value)
{
    if (input->count > 1)
        return kindinput_wrong(input, "there are %d values; write one, in quotes where it has blanks",
                               (int)input->count);
    *value = input->count == 0 ? (text_t){NULL, 0} : text_of(input->words[0]);
    return value->len > 0 ? NULL : "there is no value; write one";
}

static bool is_break(char byte, char separator)
{
    return byte == ' ' || byte == '\t' || (separator != '\0' && byte == separator);
}

bool kindinput_next(const kind_input *input, char separator, kindinput_walk *walk)
{
    for (;;) {
        while (walk->rest.len > 0 && is_break(walk->rest.at[0], separator))
            walk->rest = text_from(walk->rest, 1);
        if (walk->rest.len > 0)
            break;
        if (walk->argument == input->count)
            return false;
        walk->rest = text_of(input->words[walk->argument++]);
    }
    size_t len = 0;
    while (len < walk->rest.len && !is_break(walk->rest.at[len], separator))
        len++;
    walk->word = (text_t){walk->rest.at, len};
    walk->rest = text_from(walk->rest, len);
    return true;
}

const char *kindinput_keep(const kind_input *input, text_t value)
{
    return text_copy(input->pool, value).at;
}
