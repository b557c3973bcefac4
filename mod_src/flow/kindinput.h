/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDINPUT_H
#define FLOW_KINDINPUT_H

/* What the readers of kinds share: taking the one argument of a line, and sentences that quote it safely. */

#include "flow/kind.h"

/* A sentence in the input's pool, printf style. Text from the configuration goes through kindinput_shown
 * first. Never NULL. */
const char *kindinput_wrong(const kind_input *input, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A value as a sentence may quote it: printable ASCII, cut at 80 bytes. In the pool. Not for secrets. */
const char *kindinput_shown(const kind_input *input, text_t value);

/* The only argument of the line. NULL, or a sentence when there are none or several, or when it is empty; the
 * sentence quotes nothing. *value borrows. */
const char *kindinput_one(const kind_input *input, text_t *value);

/* Walks the words of a line: its arguments, cut at blanks and, where `separator` is not 0, at that byte too;
 * empty words are passed over. Start with a zeroed walk; false at the end. */
typedef struct kindinput_walk {
    size_t argument; /* private, as the next */
    text_t rest;
    text_t word;
} kindinput_walk;
bool kindinput_next(const kind_input *input, char separator, kindinput_walk *walk);

/* A NUL-terminated copy in the pool; the value has no NUL, as it was an argument. */
const char *kindinput_keep(const kind_input *input, text_t value);

#endif
