/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDVALUE_H
#define FLOW_KINDVALUE_H

/* Readers of single values: addresses, times, sizes. Each is a kind_reader; the field has the type of its
 * name (flow/kind.h). */

#include "base/url.h"
#include "flow/kind.h"

/* https URL, or http on loopback, without query and fragment (OpenID Connect Discovery 1.0 section 3). */
const char *kindvalue_url(const kind_input *input, void *field);

/* Origin, kept as url_origin writes it: lower case host, no default port. */
const char *kindvalue_origin(const kind_input *input, void *field);

/* Path of one or more segments of unreserved characters, none of them "." or "..". */
const char *kindvalue_path(const kind_input *input, void *field);

/* Path on this origin, or absolute URL as in kindvalue_address. */
const char *kindvalue_target(const kind_input *input, void *field);

/* Number with the unit s, m, h or d; 1 s to 400 d. */
const char *kindvalue_seconds(const kind_input *input, void *field);
const char *kindvalue_span(const kind_input *input, void *field);

/* Number of bytes, with k or m for 1024 and 1024 * 1024 of them; 1k to 64m. */
const char *kindvalue_bytes(const kind_input *input, void *field);

/* Whole number, 1 to 1000. */
const char *kindvalue_count(const kind_input *input, void *field);

/* 1% to 90%, or a time. */
const char *kindvalue_ahead(const kind_input *input, void *field);

/* Reads an absolute URL that browsers or this module may be sent to: https, or http on loopback; no fragment,
 * no wildcard. NULL or a sentence. */
const char *kindvalue_address(const kind_input *input, text_t value, url_t *url);

/* Checks one target as kindvalue_target takes it. NULL or a sentence. */
const char *kindvalue_target_check(const kind_input *input, text_t value);

#endif
