/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDSECRET_H
#define FLOW_KINDSECRET_H

/* Readers of kinds that hold secrets. What they read is wiped with the pool, and no sentence quotes it. */

#include "flow/kind.h"

/* A literal, or file:PATH (kindfile_read), exec:PROGRAM with arguments (the first line that it writes within
 * 10 s, when it ends with status 0), env:NAME: a kind_reader, the field is a kind_secret. UTF-8 without
 * control bytes. */
const char *kindsecret_secret(const kind_input *input, void *field);

/* Content of a file that is closed to others: a kind_reader, the field is a kind_keyfile. */
const char *kindsecret_keyfile(const kind_input *input, void *field);

#endif
