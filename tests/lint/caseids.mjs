// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: docs/cases.md tells the truth about the catalogue of attacks and faults. Each file of a row names the row's id, each id that
// a test names has a row, and where the catalogue itself lies beside the repository, each of its ids has a row.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { files, read } from "./tree.mjs";

export const title = "caseids: docs/cases.md and the tests name the same cases";

const PAGE = "docs/cases.md";
const CATALOGUE = ["../shared/cases/attacks.md", "../shared/cases/faults.md"];
const ID = /(?<![A-Z0-9-])(?:AR|ST|MX|CI|TE|IT|JW|JE|JS|DS|UI|RF|CK|MC|HD|RD|BP|LO|BL|FL|OE|DO|CF|FP|F)-\d{2}(?!\d)/g;
const TESTS = /^tests\/(unit|flow|fuzz|e2e|fault)\/.*\.(c|h|mjs)$/;
const OPEN = /^not (applicable|yet): \S/;

// Rows of the page: id, proof, line number.
function rows(page) {
  return page.split("\n").flatMap((text, at) => {
    const [, id, ...cells] = text.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return /^[A-Z]{1,2}-\d{2}$/.test(id ?? "") ? [{ id, proof: cells.at(-2) ?? "", line: at + 1 }] : [];
  });
}

const idsOf = (text) => new Set(text.match(ID) ?? []);

// What is wrong with the files, or the reason, of one row. Behind a semicolon may stand a remark.
function judge(root, { id, proof, line }) {
  if (OPEN.test(proof)) return [];
  const named = proof.split(";")[0].split(",").map((name) => name.trim()).filter(Boolean);
  if (named.length === 0) return [`${PAGE}:${line}: ${id} says neither where it is proven nor why it is not`];
  return named.flatMap((name) => {
    const path = `tests/${name}`;
    if (!existsSync(join(root, path))) return [`${PAGE}:${line}: ${id}: there is no ${path}`];
    const folder = statSync(join(root, path)).isDirectory();
    const held = folder ? files(root, TESTS).filter((file) => file.startsWith(`${path}/`)) : [path];
    return held.some((file) => idsOf(read(root, file)).has(id)) ? [] : [`${PAGE}:${line}: ${path} does not name ${id}`];
  });
}

export function check(root) {
  if (!existsSync(join(root, PAGE))) return { problems: [`${PAGE}: is missing`] };
  const table = rows(read(root, PAGE));
  const known = new Set();
  const problems = [];
  for (const row of table) {
    if (known.has(row.id)) problems.push(`${PAGE}:${row.line}: ${row.id} has a row already`);
    known.add(row.id);
    problems.push(...judge(root, row));
  }
  for (const file of files(root, TESTS)) {
    for (const id of idsOf(read(root, file))) if (!known.has(id)) problems.push(`${file}: names ${id}, which has no row in ${PAGE}`);
  }
  const beside = CATALOGUE.filter((path) => existsSync(join(root, path)));
  for (const path of beside) {
    for (const [, id] of read(root, path).matchAll(/^\| ([A-Z]{1,2}-\d{2}) \|/gm)) if (!known.has(id)) problems.push(`${path}: ${id} has no row in ${PAGE}`);
  }
  const open = table.filter(({ proof }) => OPEN.test(proof)).length;
  const catalogue = beside.length === CATALOGUE.length ? "compared with the catalogue" : "no catalogue beside the repository, so not compared with it";
  return { problems, note: `${table.length} rows, ${table.length - open} proven, ${catalogue}` };
}
