// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: the pages that repeat tables of the code are what the code prints. `make docs` puts them right.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { read } from "./tree.mjs";
import { run } from "./work.mjs";

export const title = "docs: pages printed from rows are up to date";

export async function check(root, { build }) {
  const printer = join(build, "printdocs");
  const list = await run(printer, []);
  if (!list.ok) return { problems: [`${printer}: does not run: ${list.output}`] };
  const problems = [];
  const pages = list.stdout.trim().split("\n");
  for (const page of pages) {
    const { ok, stdout } = await run(printer, [page]);
    if (!ok) problems.push(`${page}: ${printer} cannot print it`);
    else if (!existsSync(join(root, page))) problems.push(`${page}: is missing; run make docs`);
    else if (read(root, page) !== stdout) problems.push(`${page}: differs from the rows in the code; run make docs`);
  }
  return { problems, note: `${pages.length} pages` };
}
