/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef KINDTRY_H
#define KINDTRY_H

/* What the tests of kinds share: a line of a configuration, cut at '|' into arguments, read as a kind. */

#include "unit.h"

#include "flow/kind.h"

#define TRY_WORDS 100

/* A value that must be refused, and words that the sentence must have: what is wrong, and the cure. */
typedef struct wrong_case {
    const char *kind;
    const char *line;
    const char *fault;
    const char *cure;
} wrong_case;

/* Reads the line; an empty line has no arguments, and a bar alone two empty ones. */
static inline const char *try_read(apr_pool_t *pool, const char *kind, const char *line, void *field)
{
    const char *words[TRY_WORDS];
    text_t rest = *line == '\0' ? (text_t){NULL, 0} : text_of(line), word;
    size_t count = 0;
    while (rest.at != NULL && count < TRY_WORDS && text_cut(&rest, '|', &word))
        words[count++] = text_copy(pool, word).at;
    const kind_input input = {pool, count, words};
    assert_non_null(kind_find(kind));
    return kind_find(kind)->read(&input, field);
}

static inline void try_right(const char *sentence, const char *why)
{
    if (sentence != NULL)
        print_error("%s: %s\n", why, sentence);
    assert_null(sentence);
}

/* Every case is refused with both texts, and the field is left alone unless the kind is a list. */
static inline void try_wrong(apr_pool_t *pool, const wrong_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const wrong_case *one = &cases[i];
        uint64_t field[8] = {0};
        static const uint64_t untouched[8] = {0};
        const char *sentence = try_read(pool, one->kind, one->line, field);
        if (sentence == NULL || strstr(sentence, one->fault) == NULL || strstr(sentence, one->cure) == NULL)
            print_error("%s \"%s\": %s\n", one->kind, one->line, sentence == NULL ? "is accepted" : sentence);
        assert_non_null(sentence);
        assert_non_null(strstr(sentence, one->fault));
        assert_non_null(strstr(sentence, one->cure));
        assert_true(text_is_printable(text_of(sentence)));
        if (!kind_find(one->kind)->adds)
            assert_memory_equal(field, untouched, sizeof(field));
    }
}

#endif
