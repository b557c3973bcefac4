// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Do the laws bite? A small house in a temporary folder keeps all of them; each row spoils one thing in it and names the law that
// must say so, and how. A row that goes unnoticed is a problem, and so is a law that complains about the house as it was.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as banned from "./banned.mjs";
import * as caseids from "./caseids.mjs";
import * as cases from "./cases.mjs";
import * as docs from "./docs.mjs";
import * as headers from "./headers.mjs";
import * as names from "./names.mjs";
import * as prose from "./prose.mjs";
import * as rooms from "./rooms.mjs";
import * as sizes from "./sizes.mjs";
import * as tools from "./tools.mjs";
import * as toplevel from "./toplevel.mjs";
import { run } from "./work.mjs";

export const title = "selftest: each law notices what breaks it";

const LAWS = { banned, caseids, cases, docs, headers, names, prose, rooms, sizes, tools, toplevel };
const LICENSE = "/* SPDX-License-Identifier: Apache-2.0\n * Copyright the mod_sso authors";
const SCRIPT = "# SPDX-License-Identifier: Apache-2.0\n# Copyright the mod_sso authors\n";
const SOURCE = `${LICENSE}
 *
 * Twice a number. A file that keeps all laws; a complaint about it is a fault of the law. */

#include "base/thing.h"

int thing_twice(int number)
{
    return number * 2;
}
`;
const HEADER = `${LICENSE} */
#ifndef BASE_THING_H
#define BASE_THING_H

/* Twice the number. */
int thing_twice(int number);

#endif
`;
const HOUSE = {
  Makefile: SCRIPT,
  LICENSE: "",
  "mod_src/base/thing.c": SOURCE,
  "mod_src/base/thing.h": HEADER,
  "docs/cases.md": "| id | case | proven in |\n|---|---|---|\n| AR-01 | a \\| b | unit/test_thing.c; a remark |\n| F-01 | c | not yet: later |\n",
  "tests/unit/test_thing.c": `${LICENSE}\n * AR-01 */\nint cmocka_unit_test(void);\nint assert_thing(void);\n`,
  "docs/page.md": "what the code says\n",
  "build/printdocs": "#!/bin/sh\n[ $# = 0 ] && echo docs/page.md || echo what the code says\n",
};
const casesPage = (id, proof) => `| ${id} | x | ${proof} |\n`;
const withCode = (code) => SOURCE.replace("return number", `${code}\n    return number`);
const withInclude = (line, base = SOURCE) => base.replace("#include", `#include ${line}\n#include`);
const source = (path, include) => ({ [`mod_src/${path}`]: withInclude(include) });
const thing = (text) => ({ "mod_src/base/thing.c": text });
const header = (text) => ({ "mod_src/base/thing.h": text });

// Law, files changed, what it must say.
const SPOILS = [
  ["rooms", source("base/thing.c", '"port/store.h"'), /thing\.c:6: base may not look into port/],
  ["rooms", source("oidc/token.c", '"session/vault.h"'), /oidc may not look into session/],
  ["rooms", source("session/vault.c", '"oidc/idtoken.h"'), /session may not look into oidc/],
  ["rooms", source("backend/mc.c", '"flow/gate.h"'), /backend may not look into flow/],
  ["rooms", source("httpd/conf.c", '"jose/jws.h"'), /httpd may not look into jose/],
  ["rooms", source("flow/gate.c", '"backend/mcstore.h"'), /flow may not look into backend/],
  ["rooms", source("flow/gate.c", '"gate.h"'), /write "room\/file\.h"/],
  ["rooms", source("flow/gate.c", "<httpd.h>"), /flow may not use <httpd\.h>/],
  ["rooms", source("backend/mc.c", "<http_log.h>"), /backend may not use <http_log\.h>/],
  ["rooms", source("base/text.c", "<jansson.h>"), /base may not use <jansson\.h>/],
  ["rooms", source("backend/mc.c", "<jansson.h>"), /backend may not use <jansson\.h>/],
  ["rooms", source("oidc/token.c", "<openssl/evp.h>"), /oidc may not use <openssl\/evp\.h>/],
  ["rooms", source("backend/mc.c", "<openssl/ssl.h>"), /backend may not use <openssl\/ssl\.h>/],
  ["rooms", source("jose/jws.c", "<time.h>"), /jose may not use <time\.h>/],
  ["rooms", source("flow/gate.c", "<curl/curl.h>"), /flow may not use <curl\/curl\.h>/],
  ["rooms", source("session/vault.c", "<libmemcached/memcached.h>"), /session may not use/],
  ["rooms", source("flow/gate.c", "<pthread.h>"), /flow may not use <pthread\.h>/],
  ["rooms", source("httpd/conf.c", "<lmdb.h>"), /httpd may not use <lmdb\.h>/],
  ["rooms", source("oidc/token.c", "<apr_time.h>"), /oidc may not use <apr_time\.h>/],
  ["rooms", { "mod_src/attic/thing.c": SOURCE }, /no room attic/],
  ["banned", thing(withCode("strcpy(a, b);")), /thing\.c:10: strcpy may not be called/],
  ["banned", thing(withCode("sprintf (a, b);")), /sprintf/],
  ["banned", thing(withCode("number = atoi(text);")), /atoi/],
  ["banned", thing(withCode("number = (int)time(NULL);")), /time may not/],
  ["banned", thing(withCode("number = (int)apr_time_now();")), /apr_time_now/],
  ["banned", thing(withCode("RAND_bytes(room, 32);")), /RAND_bytes/],
  ["banned", thing(withCode("free(malloc(3));")), /malloc/],
  ["banned", thing(withCode('printf("%d", number);')), /printf/],
  ["banned", thing(withCode("system(text);")), /system/],
  ["banned", thing(withCode("exit(1);")), /exit/],
  ["banned", { "mod_src/httpd/apply.c": withCode("ap_log_rerror(APLOG_MARK, 0, 0, r, text);") }, /ap_log_rerror/],
  ["banned", { "tests/unit/test_thing.c": withCode("strcat(a, b);") }, /test_thing\.c:10: strcat/],
  ["banned", thing(withCode("/* TO" + "DO: later */")), /left behind/],
  ["banned", { "tests/e2e/case.mjs": "// FIX" + "ME\n" }, /left behind/],
  ["sizes", thing(SOURCE + "\n".repeat(400)), /thing\.c: \d+ lines, more than 400/],
  ["sizes", thing(withCode("number++;\n".repeat(60))), /thing\.c:8: thing_twice has \d\d lines/],
  ["sizes", thing(withCode("number++;\n".repeat(14))), /median function/],
  ["sizes", header(HEADER.replace("int number", "int a, int b, int c,\n int d, int (*e)(int x, int y), int f")), /thing\.h:7: thing_twice has 6 param/],
  ["sizes", thing(SOURCE.replace("int number", "int a, int b, int c, int d, int e, int f")), /thing\.c:8: thing_twice has 6/],
  ["prose", thing(SOURCE.replace(/.*SPDX.*/, "/*")), /licence/],
  ["prose", { "tests/e2e/case.mjs": "#!/usr/bin/env node\n" }, /case\.mjs: .*licence/],
  ["prose", { "tests/go.sh": "#!/bin/sh\n" }, /go\.sh: .*licence/],
  ["prose", thing(SOURCE.replace(/Twice a number[^*]*/, "")), /no opening paragraph/],
  ["prose", header(HEADER.replace("#endif", "int thing_half(int number);\n\n#endif")), /thing\.h:9: thing_half is not documented/],
  ["prose", header(HEADER.replace("/* Twice the number. */\n", "")), /thing_twice is not documented/],
  ["cases", { "mod_src/oidc/token.c": SOURCE }, /no tests\/unit\/test_token\.c/],
  ["cases", { "tests/unit/test_thing.c": "int assert_thing(void);" }, /holds no cmocka test/],
  ["cases", { "tests/unit/test_thing.c": "int cmocka_unit_test(void);" }, /asserts nothing/],
  ["cases", { "tests/fuzz/fuzz_thing.c": SOURCE }, /has no corpus/],
  ["caseids", { "docs/cases.md": casesPage("AR-01", "unit/test_other.c") }, /AR-01: there is no tests\/unit\/test_other\.c/],
  ["caseids", { "docs/cases.md": `${casesPage("AR-01", "unit/test_thing.c")}${casesPage("ST-02", "unit/test_thing.c")}` }, /test_thing\.c does not name ST-02/],
  ["caseids", { "docs/cases.md": casesPage("AR-01", "") }, /AR-01 says neither/],
  ["caseids", { "docs/cases.md": casesPage("AR-01", "not yet:") }, /there is no tests\/not yet:/],
  ["caseids", { "docs/cases.md": casesPage("AR-01", "not applicable: none").repeat(2) }, /cases\.md:2: AR-01 has a row already/],
  ["caseids", { "tests/e2e/case.mjs": `${SCRIPT.replaceAll("#", "//")}test("CK-07 x")\n` }, /case\.mjs: names CK-07, which has no row/],
  ["caseids", { "../shared/cases/attacks.md": "| MX-09 | x | y |\n" }, /attacks\.md: MX-09 has no row/],
  ["headers", header(HEADER.replaceAll("BASE_THING_H", "THING_H")), /is not guarded by BASE_THING_H/],
  ["headers", header(HEADER.replace("int number", "text_t number")), /does not compile alone/],
  ["names", thing(SOURCE.replaceAll("thing_twice", "twice").replace('#include "base/thing.h"', "int twice(int);")), /twice does not start with thing_/],
  ["names", { "mod_src/base/json.c": SOURCE.replaceAll("thing_twice", "json_object").replace('#include "base/thing.h"', "int json_object(int);") },
    /json_object is a symbol of .*jansson/],
  ["names", { "build/link": "-shared" }, /mod_sso\.so: shows thing_twice instead of sso_module/],
  ["names", { "build/link": "-shared -Wl,-z,lazy" }, /without full RELRO/],
  ["names", { "build/link": "-shared -Wl,-z,execstack" }, /executable stack/],
  ["names", { "build/link": "-shared -Wl,-rpath,/tmp" }, /library path of its own/],
  ["docs", { "docs/page.md": "what the code said once\n" }, /page\.md: differs/],
  ["docs", { "build/printdocs": "#!/bin/sh\necho docs/other.md\n" }, /other\.md: is missing/],
  ["tools", thing(SOURCE.replace("    return", "  return")), /thing\.c:\d+: is not formatted/],
  ["tools", thing(withCode("if (number)\n        ;")), /bugprone-suspicious-semicolon/],
  ["tools", thing(withCode("int table[2] = {0, 0};\n    number = table[2];")), /arrayIndexOutOfBounds/],
  ["toplevel", { "notes.txt": "" }, /notes\.txt: does not belong/],
  ["toplevel", { "mod_src/base/thing.c.orig": "" }, /leftover/],
  ["toplevel", { "mod_src/flow/thing.c": SOURCE }, /has the same name/],
];

function plant(root, tree) {
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: path.startsWith("build/") ? 0o755 : 0o644 });
  }
}

async function judge(law, tree) {
  const place = mkdtempSync(join(tmpdir(), "sso-lint-"));
  const root = join(place, "house"); /* a law may look beside the house */
  const build = join(root, "build");
  try {
    plant(root, tree);
    if (law === "names") await compile(root, build, tree);
    return (await LAWS[law].check(root, { build })).problems;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

// What names looks at: the objects and, where build/link says how, a module.
async function compile(root, build, tree) {
  const objects = [];
  for (const path of Object.keys(tree).filter((name) => /^mod_src.*\.c$/.test(name))) {
    const object = join(build, "obj", path.replace("mod_src/", "").replace(/c$/, "o"));
    mkdirSync(dirname(object), { recursive: true });
    await run("gcc", ["-fPIC", "-fno-builtin", "-I", join(root, "mod_src"), "-c", "-o", object, join(root, path)]);
    objects.push(object);
  }
  const link = tree["build/link"]?.split(" ");
  if (link) await run("gcc", ["-Wl,-z,relro,-z,now", ...link, "-o", join(build, "mod_sso.so"), ...objects]);
}

export async function check() {
  const peaceful = Object.keys(LAWS).map(async (law) => (await judge(law, HOUSE)).map((problem) => `${law} complains about a good house: ${problem}`));
  const bites = SPOILS.map(async ([law, change, saying], row) => {
    const problems = await judge(law, { ...HOUSE, ...change });
    if (problems.some((problem) => saying.test(problem))) return [];
    return [`row ${row} (${Object.keys(change)}): ${law} does not say ${saying}, but: ${problems.join("; ") || "nothing"}`];
  });
  return { problems: (await Promise.all([...peaceful, ...bites])).flat(), note: `${SPOILS.length} violations` };
}
