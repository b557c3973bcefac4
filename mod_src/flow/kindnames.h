/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDNAMES_H
#define FLOW_KINDNAMES_H

/* Readers of kinds that name headers, variables and claims. Each is a kind_reader; the field has the type of
 * its name. */

#include "flow/kind.h"

/* A byte of a header name as everybody downstream may read it: a lower case letter, a digit, or '-' for
 * everything else. */
char kindnames_fold(char byte);

/* The same as a table, for the hot path. */
extern const char kindnames_folded[257];

/* Are two header names the same to somebody downstream? */
bool kindnames_same_header(const char *one, const char *other);

/* Are two variables the same to httpd, whose tables know no case? */
bool kindnames_same_variable(const char *one, const char *other);

/* What names begin with: a letter, then letters, digits, - and _, at least three; not the beginning of a name
 * that clients or httpd need, because everything that begins so is taken from clients. */
const char *kindnames_prefix(const kind_input *input, void *field);

/* NAME CLAIM [encoding] for a request header. */
const char *kindnames_headers(const kind_input *input, void *field);

/* NAME CLAIM for a variable. */
const char *kindnames_variables(const kind_input *input, void *field);

/* Names of request headers that are taken from clients. */
const char *kindnames_names(const kind_input *input, void *field);

/* CLAIM, or CLAIM REGEX SUBSTITUTION. */
const char *kindnames_user(const kind_input *input, void *field);

#endif
