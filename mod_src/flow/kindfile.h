/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KINDFILE_H
#define FLOW_KINDFILE_H

/* Files that the configuration names. They are read once, when httpd reads its configuration and may still be
 * root. */

#include "flow/kind.h"

#define KINDFILE_MAX ((size_t)64 * 1024) /* bytes of a file that is read */

/* Absolute path of a regular file that can be opened: a kind_reader, the field is a kind_file. */
const char *kindfile_file(const kind_input *input, void *field);

/* Absolute path of a folder with a page.html that page_check accepts: a kind_reader, the field is a
 * kind_template. */
const char *kindfile_template(const kind_input *input, void *field);

/* Reads a regular file of 1 to KINDFILE_MAX bytes at an absolute path into the pool, without one line end
 * behind its last line. A secret one must be closed to others than owner and group, and its bytes are wiped
 * with the pool. NULL, or a sentence that quotes the path but nothing of the content. */
const char *kindfile_read(const kind_input *input, text_t path, bool secret, text_t *content);

#endif
