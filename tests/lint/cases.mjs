// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: each .c of the rooms that hold rules has a unit test of its own, and each fuzz target has a corpus that is replayed.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { files, read, stem } from "./tree.mjs";

export const title = "cases: every file of rules has its tests";

const TESTED = /^mod_src\/(base|jose|oidc|session|flow)\/.*\.c$/;
const TESTS = /^tests\/(unit|flow|backend)\/test_.*\.c$/;

export function check(root) {
  const problems = [];
  const tests = new Map(files(root, TESTS).map((file) => [stem(file).replace("test_", ""), file]));
  for (const file of files(root, TESTED)) {
    if (!tests.has(stem(file))) problems.push(`${file}: there is no tests/unit/test_${stem(file)}.c`);
  }
  for (const file of tests.values()) {
    const source = read(root, file);
    if (!/cmocka_unit_test|UNIT_TEST/.test(source)) problems.push(`${file}: holds no cmocka test`);
    if (!/\bassert_|\bfail(_msg)?\(|\bunit_(?!pool)\w+\(/.test(source)) problems.push(`${file}: asserts nothing`);
  }
  for (const file of files(root, /^tests\/fuzz\/fuzz_.*\.c$/)) {
    const corpus = join(root, "tests/fuzz/corpus", stem(file).replace("fuzz_", ""));
    if (!existsSync(corpus) || readdirSync(corpus).length === 0) problems.push(`${file}: has no corpus`);
  }
  return { problems, note: `${tests.size} unit test programs` };
}
