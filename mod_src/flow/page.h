/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_PAGE_H
#define FLOW_PAGE_H

/* The module's own pages: one template, clean HTML without scripts, everything escaped. A template has the
 * placeholders {{title}}, {{sentence}} and {{link}}, and may have {{reason}} (small print: reason code and
 * incident id), {{incident}} (the id alone) and {{refresh}}; anything else in double braces is refused. */

#include <apr_pools.h>

#include "base/fault.h"
#include "base/text.h"

typedef struct page {
    const char *title;
    const char *sentence; /* one sentence that a user understands */
    const char *reason;   /* reason code, or NULL */
    const char *incident; /* incident id, or NULL */
    text_t link;          /* where the button leads; empty: no button */
    const char *link_text;
    bool at_once; /* the browser follows the link by itself (meta refresh) */
} page_t;

/* The built-in template. */
text_t page_template(void);

/* NULL, or a sentence that says what is wrong with a template and what would be right. */
const char *page_check(apr_pool_t *pool, text_t source);

/* The value of the Content-Security-Policy for a template: nothing but its own style elements, by hash. In
 * the pool; NULL when the hash fails. */
const char *page_policy(apr_pool_t *pool, text_t source);

/* The page as HTML, in the pool. */
text_t page_make(apr_pool_t *pool, text_t source, const page_t *page);

#endif
