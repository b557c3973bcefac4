// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: how long files and functions may be, and how many parameters a function may have.

import { C_FILES, files, functions, median, parameters, prototypes, read } from "./tree.mjs";

export const title = "sizes: files, functions, parameters";

const FILE_MAX = 400;
const FILE_MEDIAN = 180;
const FUNCTION_MAX = 60;
const FUNCTION_MEDIAN = 15;
const PARAMETERS_MAX = 5;
const MEASURED = /^(mod_src|tests)\/.*\.(c|h|mjs|sh)$/;
const MODULE = /^mod_src\/.*\.c$/;

function shape(root, file) {
  const source = read(root, file);
  const problems = [];
  const bodies = functions(source);
  for (const body of bodies) {
    if (body.lines > FUNCTION_MAX) problems.push(`${file}:${body.line}: ${body.name} has ${body.lines} lines, more than ${FUNCTION_MAX}`);
  }
  for (const { name, line, head, text = head } of [...bodies, ...prototypes(source)]) {
    const count = parameters(text, name);
    if (count > PARAMETERS_MAX) problems.push(`${file}:${line}: ${name} has ${count} parameters, more than ${PARAMETERS_MAX}; a struct is missing`);
  }
  return { problems, bodies };
}

export function check(root) {
  const problems = [];
  const lengths = [];
  for (const file of files(root, MEASURED)) {
    const lines = read(root, file).split("\n").length - 1;
    if (MODULE.test(file)) lengths.push(lines);
    if (lines > FILE_MAX) problems.push(`${file}: ${lines} lines, more than ${FILE_MAX}`);
  }
  const bodies = [];
  for (const file of files(root, C_FILES)) {
    const found = shape(root, file);
    problems.push(...found.problems);
    if (MODULE.test(file)) bodies.push(...found.bodies.map((body) => body.lines));
  }
  const [file, body] = [median(lengths), median(bodies)];
  if (file > FILE_MEDIAN) problems.push(`mod_src: the median file has ${file} lines, more than ${FILE_MEDIAN}`);
  if (body > FUNCTION_MEDIAN) problems.push(`mod_src: the median function has ${body} lines, more than ${FUNCTION_MEDIAN}`);
  const note = `${lengths.length} files, median ${file}, longest ${Math.max(0, ...lengths)}; ` +
    `${bodies.length} functions, median ${body}, longest ${Math.max(0, ...bodies)}`;
  return { problems, note };
}
