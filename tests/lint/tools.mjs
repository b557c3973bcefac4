// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: clang-format, clang-tidy and cppcheck have nothing to say. The slow two look at a file again only when it, a header that it
// includes, or their settings changed.

import { join } from "node:path";
import { C_FILES, files, read } from "./tree.mjs";
import { HOUSE, closure, compilerFlags, hash, hashFiles, once, run, runInTurn } from "./work.mjs";

export const title = "tools: clang-format, clang-tidy, cppcheck";

const TIDIED = /^mod_src\/.*\.c$/;
const CPPCHECK = ["--quiet", "--std=c11", "--language=c", "--enable=warning,performance,portability", "--inline-suppr", "--error-exitcode=1",
  "--suppress=missingIncludeSystem", "--suppress=unknownMacro", "--suppress=unmatchedSuppression", "--max-configs=1", "-D__attribute__(x)=",
  "--template={file}:{line}: {severity}: {message} [{id}]"];

const BELIEF = "tests/lint/analyzer.h";
const DEFINES_FAULTS = "mod_src/base/fault.c";

const brief = (root, output) => output.split("\n").filter((line) => !/^\d+ warnings? (generated|treated)|^Suppressed|^Use -|^Error while/.test(line))
  .join("\n").replaceAll(`${root}/`, "").trim();

async function formatProblems(root) {
  const sources = files(root, C_FILES);
  if (sources.length === 0) return [];
  const style = `--style=file:${join(HOUSE, ".clang-format")}`;
  const result = await run("clang-format", ["--dry-run", "-Werror", style, ...sources], { cwd: root });
  const places = [...result.output.matchAll(/^(\S+?):(\d+):\d+: error: code should be clang-formatted/gm)];
  const first = new Map(places.reverse().map(([, file, line]) => [file, line]));
  if (!result.ok && first.size === 0) return [result.output];
  return [...first].map(([file, line]) => `${file}:${line}: is not formatted; run clang-format -i ${file}`);
}

async function tidyProblems(root, file) {
  const flags = compilerFlags().filter((flag) => !/^-f(cf-protection|stack-clash)|^-mbranch/.test(flag));
  const args = [`--config-file=${join(HOUSE, ".clang-tidy")}`, "--quiet", "--warnings-as-errors=*", file, "--", ...flags];
  if (file !== DEFINES_FAULTS) args.push(`-I${join(HOUSE, "mod_src")}`, "-include", join(HOUSE, BELIEF));
  const result = await runInTurn("clang-tidy", args, { cwd: root });
  return result.ok ? [] : [brief(root, result.output)];
}

async function cppcheckProblems(root, file) {
  const result = await runInTurn("cppcheck", [...CPPCHECK, "-Imod_src", file], { cwd: root });
  return result.ok ? [] : [brief(root, result.output)];
}

const CHECKERS = { "clang-tidy": tidyProblems, cppcheck: cppcheckProblems };

async function versions() {
  const names = ["clang-format", ...Object.keys(CHECKERS)];
  const answers = await Promise.all(names.map((name) => run(name, ["--version"])));
  return new Map(names.map((name, at) => [name, answers[at].missing ? null : answers[at].output]));
}

export async function check(root, { memory } = {}) {
  const version = await versions();
  const skipped = [...version].filter(([, text]) => text === null).map(([name]) => `${name} is not installed (make deps)`);
  const settings = hash(compilerFlags().join(" "), read(HOUSE, ".clang-tidy"), read(HOUSE, BELIEF), CPPCHECK.join(" "));
  const longestFirst = files(root, TIDIED).sort((one, other) => read(root, other).length - read(root, one).length);
  let looked = 0;
  const slow = Object.entries(CHECKERS).filter(([name]) => version.get(name)).flatMap(([name, checker]) => longestFirst.map((file) => {
    const key = hash(name, version.get(name), settings, hashFiles(root, closure(root, file)));
    return once(memory, key, () => (looked++, checker(root, file)));
  }));
  const format = version.get("clang-format") ? formatProblems(root) : [];
  const problems = (await Promise.all([format, ...slow])).flat();
  return { problems, skipped, note: `${looked} of ${slow.length} looked at anew` };
}
