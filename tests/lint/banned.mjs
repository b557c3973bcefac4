// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: calls that are not made. Each row says where they may stand all the same, and what to use instead.

import { C_FILES, blank, files, lineOf, read } from "./tree.mjs";

export const title = "banned: no unsafe calls, no clock, luck, heap or log where it does not belong";

const NOWHERE = /^$/;
const TESTS = /^tests\//;
const CALLS = [
  ["strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets", NOWHERE, "apr_pstrcat, text_join, snprintf"],
  ["strtok strtok_r", NOWHERE, "text_cut"],
  ["atoi atol atoll sscanf", NOWHERE, "text_number, which refuses nonsense"],
  ["alloca", NOWHERE, "a pool"],
  ["system popen", NOWHERE, "fork and exec with a list of arguments"],
  ["tmpnam tempnam mktemp", NOWHERE, "mkdtemp"],
  ["rand srand random srandom rand_r drand48 lrand48", NOWHERE, "port/random.h"],
  ["localtime gmtime asctime ctime localtime_r strftime", TESTS, "seconds, and the Expires-free Max-Age"],
  ["setlocale uselocale setenv putenv", TESTS, "nothing: this process is httpd's"],
  ["getenv secure_getenv", /^(tests|mod_src\/(httpd|ctl))\//, "a setting"],
  ["time gettimeofday clock_gettime clock apr_time_now", /^(tests|mod_src\/(backend|ctl))\//, "port/clock.h"],
  ["getrandom getentropy RAND_bytes RAND_priv_bytes apr_generate_random_bytes arc4random", /^(tests|mod_src\/backend)\//, "port/random.h"],
  ["malloc calloc realloc free strdup strndup asprintf vasprintf", /^(tests|mod_src\/backend)\//, "a pool"],
  ["printf vprintf fprintf vfprintf puts fputs putchar perror", /^(tests|mod_src\/ctl)\//, "a fault or a verdict"],
  ["exit _exit quick_exit", /^(tests|mod_src\/ctl)\//, "a fault"],
  ["abort", /^(tests|mod_src\/(backend|ctl))\//, "a fault; only where a pool would abort too, without memory"],
  ["ap_log_error ap_log_rerror ap_log_cerror ap_log_perror ap_log_error_ ap_log_rerror_", /^mod_src\/httpd\/logbridge\.c$/, "httpd/logbridge.h"],
  ["curl_global_cleanup json_set_alloc_funcs OPENSSL_cleanup", NOWHERE, "nothing: others in the process use them too"],
];
// Behind `SKIP|` it is the word of the TAP format.
const PROMISES = /(?<!SKIP\|)\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/g;
const TEXTS = /(^|\/)(Makefile|.*\.(c|h|mjs|js|sh|md|php|py))$|^\.ci\//;

function calls(root, file) {
  const code = blank(read(root, file));
  const problems = [];
  for (const [names, where, instead] of CALLS) {
    if (where.test(file)) continue;
    const pattern = new RegExp(`(?<![\\w.>])(${names.replaceAll(" ", "|")})\\s*\\(`, "g");
    for (const found of code.matchAll(pattern)) {
      problems.push(`${file}:${lineOf(code, found.index)}: ${found[1]} may not be called here; use ${instead}`);
    }
  }
  return problems;
}

function promises(root, file) {
  const text = read(root, file);
  return [...text.matchAll(PROMISES)].map((found) => `${file}:${lineOf(text, found.index)}: ${found[1]} left behind`);
}

export function check(root) {
  return {
    problems: [
      ...files(root, C_FILES).flatMap((file) => calls(root, file)),
      ...files(root, TEXTS).flatMap((file) => promises(root, file)),
    ],
  };
}
