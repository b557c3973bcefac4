// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: what may lie at the top of the repository, and that names of files are unique, so that a file is found by its name alone.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { files, stem } from "./tree.mjs";

export const title = "toplevel: nothing lies about, one noun a file";

const ALLOWED = ["Makefile", "mod_src", "conf", "tests", "docs", "README.md", "LICENSE", ".ci", ".git", ".gitignore", ".gitattributes",
  ".github", ".gitlab-ci.yml", ".clang-format", ".clang-tidy", ".editorconfig", "build"];
const REQUIRED = ["Makefile", "mod_src", "tests", "LICENSE"];
const LEFTOVERS = /(~|\.(orig|rej|bak|swp|o|so|a|log|tmp))$/;

export function check(root) {
  const problems = readdirSync(root).filter((name) => !ALLOWED.includes(name)).map((name) => `${name}: does not belong at the top level`);
  problems.push(...REQUIRED.filter((name) => !existsSync(join(root, name))).map((name) => `${name}: is missing`));
  problems.push(...files(root, LEFTOVERS).map((file) => `${file}: is a leftover`));
  const seen = new Map();
  for (const file of files(root, /^mod_src\/.*\.c$/)) {
    const other = seen.get(stem(file));
    if (other) problems.push(`${file}: has the same name as ${other}, so symbols and tests cannot tell them apart`);
    seen.set(stem(file), file);
  }
  return { problems };
}
