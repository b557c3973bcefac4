/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FLOW_KIND_H
#define FLOW_KIND_H

/* Kinds of directive values: one C type and one parser each. A parser reads the arguments of one line into a
 * field and answers NULL, or a sentence without the directive's name that says what is wrong and what would
 * be right ("'10x' is not a time; write a number with s, m, h or d, such as 30m"). Secrets are never quoted.
 * Defaults go through the same parsers. */

#include <stdbool.h>
#include <stdint.h>

#include <apr_pools.h>
#include <apr_tables.h>

#include "base/text.h"
#include "base/url.h"

typedef const char *kind_url;    /* https URL, or http on loopback */
typedef const char *kind_origin; /* scheme://host[:port], no path */
typedef const char *kind_word;   /* one argument without blanks or control bytes */
typedef const char *kind_words;  /* arguments joined by one blank */
typedef const char *kind_path;   /* "/sso": one or more segments of unreserved characters, no final slash */
typedef const char *kind_target; /* path on this origin, or absolute URL */
typedef const char *kind_file;   /* absolute path of a file that can be read */
typedef const char *kind_text;   /* one argument, printable */
typedef const char *kind_prefix; /* what names begin with: "SSO_CLAIM_" */
typedef const char *kind_store; /* memcached://..., memcached:///path, lmdb:...; the backend reads the rest */
typedef int64_t kind_span;      /* as kind_seconds, or 0 for none */
typedef int64_t kind_seconds;   /* 30s 10m 12h 7d; 1 s to 400 d */
typedef int64_t kind_bytes;     /* 4096 64k 1m */
typedef int64_t kind_count;     /* 1 to 1000 */
typedef bool kind_flag;         /* on, off */

typedef text_t kind_secret;   /* literal | file:PATH | exec:COMMAND | env:NAME, resolved when httpd starts */
typedef text_t kind_keyfile;  /* content of a file that only its owner may read */
typedef text_t kind_template; /* content of page.html in a folder; at most 64 kB, checked by page_check */

typedef struct kind_ahead {
    int64_t percent; /* -1 where seconds are given */
    int64_t seconds; /* -1 where a percentage is given */
} kind_ahead;

typedef enum {
    KIND_CLIENTAUTH_AUTO,
    KIND_CLIENTAUTH_BASIC,
    KIND_CLIENTAUTH_POST,
    KIND_CLIENTAUTH_NONE
} kind_clientauth;
typedef enum { KIND_USERINFO_OFF, KIND_USERINFO_AUTO, KIND_USERINFO_ALWAYS } kind_userinfo;
typedef enum { KIND_REFRESH_OFF, KIND_REFRESH_AUTO } kind_refresh;
typedef enum { KIND_CLAIMS_OFF, KIND_CLAIMS_ENV, KIND_CLAIMS_HEADERS, KIND_CLAIMS_BOTH } kind_export;
typedef enum {
    KIND_UNAUTH_AUTO,
    KIND_UNAUTH_LOGIN,
    KIND_UNAUTH_401,
    KIND_UNAUTH_403,
    KIND_UNAUTH_PASS
} kind_unauth;

/* Bits: where claims come from. */
enum { KIND_FROM_IDTOKEN = 1, KIND_FROM_USERINFO = 2, KIND_FROM_ACCESS = 4 };
typedef unsigned kind_sources;

/* Bits: which tokens an application gets. */
enum { KIND_PASS_ACCESS = 1, KIND_PASS_ID = 2 };
typedef unsigned kind_tokens;

typedef struct kind_cookie {
    const char *name;      /* NULL: by scheme */
    const char *same_site; /* "Lax", "Strict", "None" */
    const char *domain;    /* NULL: host-only */
    const char *path;      /* "/" */
    bool persistent;
} kind_cookie;

typedef struct kind_user {
    const char *claim;
    const char *expression; /* NULL: as it is */
    const char *substitution;
} kind_user;

typedef enum { HEADER_UTF8, HEADER_URL, HEADER_BASE64, HEADER_RFC8187, HEADER_JSON } header_encoding;

/* One claim under one name, for a header or a variable. */
typedef struct claim_row {
    const char *name;
    const char *claim;
    header_encoding encoding;
} claim_row;

typedef apr_array_header_t *kind_headers;   /* of claim_row; NULL when empty, as all lists */
typedef apr_array_header_t *kind_variables; /* of claim_row */
typedef apr_array_header_t *kind_names;     /* of const char *: header names */
typedef apr_array_header_t *kind_targets;   /* of const char *: absolute URLs, or paths */
typedef apr_array_header_t *kind_pairs;     /* of url_pair: parameters that authzreq_owns does not claim */
typedef apr_array_header_t *kind_addresses; /* of const char *: IP addresses and networks */
typedef uint32_t kind_algs;                 /* an alg_set; 0: from metadata */

typedef struct kind_endpoints {
    const char *authorization, *token, *userinfo, *jwks, *end_session, *revocation;
} kind_endpoints;

/* The arguments of one directive line. */
typedef struct kind_input {
    apr_pool_t *pool;
    size_t count;
    const char *const *words;
} kind_input;

typedef const char *(*kind_reader)(const kind_input *input, void *field);

/* What a kind is: its name, how its value is written (for the manual), whether a second line adds to the
 * first, its reader. */
typedef struct kind {
    const char *name;
    const char *syntax;
    bool adds;
    kind_reader read;
} kind_t;

/* The kind of this name, as it stands in a row of settings.h. Never NULL for a kind that exists. */
const kind_t *kind_find(const char *name);

#endif
