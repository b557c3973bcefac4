// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Runs the laws, or those named on the command line, over the working tree. Each is one file here with a `title` and a `check`
// that answers problems as lines of text. First come the samples of selftest.mjs: a law that lets its own violation pass is none.

import { join } from "node:path";
import * as banned from "./banned.mjs";
import * as caseids from "./caseids.mjs";
import * as cases from "./cases.mjs";
import * as docs from "./docs.mjs";
import * as headers from "./headers.mjs";
import * as names from "./names.mjs";
import * as prose from "./prose.mjs";
import * as rooms from "./rooms.mjs";
import * as selftest from "./selftest.mjs";
import * as sizes from "./sizes.mjs";
import * as tools from "./tools.mjs";
import * as toplevel from "./toplevel.mjs";
import { HOUSE, run } from "./work.mjs";

// What names and docs look at. `-k`: one file that does not compile must not hide what the laws say about the others.
const built = {
  title: "build: what the laws look at can be built",
  async check() {
    const made = await run("make", ["-k", "-j2", "--no-print-directory", "CC=gcc", "SAN=", "BUILD=build", "all", "build/printdocs"],
      { env: { ...process.env, MAKEFLAGS: "" } });
    return { problems: made.ok ? [] : [made.output.split("\n").filter((line) => /error: |undefined reference|\*\*\*/.test(line)).slice(0, 20).join("\n")] };
  },
};

const LAWS = { built, selftest, toplevel, rooms, banned, sizes, prose, cases, caseids, headers, names, docs, tools };

const wanted = process.argv.slice(2);
for (const unknown of wanted.filter((name) => !LAWS[name])) {
  console.error(`no law ${unknown}; there are ${Object.keys(LAWS).join(" ")}`);
  process.exit(2);
}
process.chdir(HOUSE);
const options = { build: join(HOUSE, "build"), memory: join(HOUSE, "build/lint") };
const sums = { passed: 0, failed: 0 };
const reasons = [];
for (const name of wanted.length ? wanted : Object.keys(LAWS)) {
  const begin = Date.now();
  const { problems, note = "", skipped = [] } = await LAWS[name].check(HOUSE, options);
  sums[problems.length ? "failed" : "passed"]++;
  reasons.push(...skipped.map((reason) => `${name}: ${reason}`));
  for (const problem of problems) console.log(`  ${problem.replaceAll("\n", "\n    ")}`);
  if (problems.length) console.log(`failed: ${name}: ${problems.length} problems`);
  console.log(`${problems.length ? "  BROKEN" : "  ok"} ${LAWS[name].title} (${Date.now() - begin} ms)${note && `: ${note}`}`);
}
for (const reason of reasons) console.log(`skipped: ${reason}`);
console.log(`${sums.passed} passed, ${sums.failed} failed, ${reasons.length} skipped`);
process.exit(sums.failed ? 1 : 0);
