/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BASE_JVAL_H
#define BASE_JVAL_H

/* JSON from outside: jansson with strict flags behind a scan of our own, values bound to a pool. jval.c is
 * the only file that includes jansson. A value is immutable and lives as long as the pool it was read into.
 */

#include <stdbool.h>

#include <apr_pools.h>

#include "base/fault.h"
#include "base/text.h"

#define JVAL_DEPTH_MAX 32 /* nested arrays and objects */

typedef struct jval jval_t;

typedef enum {
    JVAL_OBJECT,
    JVAL_LIST,
    JVAL_TEXT,
    JVAL_INTEGER,
    JVAL_REAL,
    JVAL_TRUE,
    JVAL_FALSE,
    JVAL_NULL
} jval_kind;

/* Three answers of every getter: absent is also `null`. The output is written when JVAL_FOUND, otherwise it
 * stays as it was. */
typedef enum { JVAL_FOUND, JVAL_ABSENT, JVAL_WRONG } jval_rc;

/* Reads one JSON object (RFC 8259), nothing before or after it: at most `ceiling` bytes, JVAL_DEPTH_MAX deep,
 * UTF-8 without BOM, no duplicate names, no \u0000, numbers within int64 and double. Anything else, also
 * another top level value, is a fault with `code` whose detail says what is wrong but quotes nothing of the
 * document. */
const fault_t *jval_read(apr_pool_t *pool, text_t source, size_t ceiling, fault_code code,
                         const jval_t **object) MUST_USE;

/* What kind of value it is. */
jval_kind jval_kind_of(const jval_t *value);

/* A string member. JVAL_WRONG when it is there but no string. Borrowed from the value. */
jval_rc jval_text(const jval_t *object, const char *name, text_t *text);

/* A member that counts seconds: an integer, or a real that is floored; saturates at int64. JVAL_WRONG for
 * everything else. */
jval_rc jval_seconds(const jval_t *object, const char *name, int64_t *seconds);

/* A boolean member. */
jval_rc jval_flag(const jval_t *object, const char *name, bool *flag);

/* An object or list member. */
jval_rc jval_object(const jval_t *object, const char *name, const jval_t **member);
jval_rc jval_list(const jval_t *object, const char *name, const jval_t **list);

/* Any member but null. */
jval_rc jval_member(const jval_t *object, const char *name, const jval_t **member);

/* Length of a list, and one of its values. */
size_t jval_count(const jval_t *list);
const jval_t *jval_at(const jval_t *list, size_t index);

/* The text of a JVAL_TEXT value; empty for other kinds. Borrowed. */
text_t jval_as_text(const jval_t *value);

/* Is the text one of the strings of the list member `name`? JVAL_WRONG when the member is no list of strings
 * only. JVAL_FOUND: yes or no, see *has. */
jval_rc jval_list_has(const jval_t *object, const char *name, text_t text, bool *has);

/* Walks the members of an object: start with a zeroed cursor, goes on until false. Order is that of the
 * document. */
typedef struct jval_cursor {
    text_t name;
    const jval_t *value;
    void *position; /* private */
} jval_cursor;
bool jval_next(const jval_t *object, jval_cursor *cursor);

/* The value as compact JSON in the pool; integers exact, reals with the fewest digits that read back the
 * same, '.' as decimal point whatever the locale. A JVAL_TEXT comes with its quotes. */
text_t jval_print(apr_pool_t *pool, const jval_t *value);

#endif
