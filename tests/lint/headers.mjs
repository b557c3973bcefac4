// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: each header has a guard ROOM_FILE_H and compiles alone, so that the order of includes never matters.

import { join } from "node:path";
import { blank, files, read } from "./tree.mjs";
import { closure, compilerFlags, hash, hashFiles, once, runInTurn } from "./work.mjs";

export const title = "headers: guards, and each compiles alone";

const HEADERS = /^mod_src\/.*\.h$/;

function guardProblems(root, file) {
  const guard = file.replace("mod_src/", "").replace(/\W/g, "_").toUpperCase();
  const code = blank(read(root, file)).trim();
  const right = code.startsWith(`#ifndef ${guard}\n#define ${guard}\n`) && code.endsWith("#endif");
  return right ? [] : [`${file}: is not guarded by ${guard} from its first to its last line`];
}

export async function check(root, { memory } = {}) {
  const checks = files(root, HEADERS).map(async (file) => {
    const flags = compilerFlags();
    const key = hash("header", flags.join(" "), hashFiles(root, closure(root, file)));
    const alone = await once(memory, key, async () => {
      const args = [...flags, "-Werror", "-fsyntax-only", "-x", "c", join(root, file)];
      const result = await runInTurn("gcc", args, { cwd: root });
      return result.ok ? [] : [`${file}: does not compile alone\n${result.output}`];
    });
    return [...guardProblems(root, file), ...alone];
  });
  return { problems: (await Promise.all(checks)).flat() };
}
