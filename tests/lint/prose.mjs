// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: what must be written down. The licence at the top of each source, a paragraph at the top of each .c, a comment over each
// prototype (or over the group it stands in).

import { MODULE_FILES, blank, files, prototypes, read } from "./tree.mjs";

export const title = "prose: licence lines, opening paragraphs, documented prototypes";

const SOURCES = /^(Makefile|\.ci\/.*|(mod_src|tests|conf)\/.*\.(c|h|mjs|js|sh|map|php))$/;
const LICENSE = /^(?:#![^\n]*\n)?(?:<\?php\s)?(?:\/\*|\/\/|#) SPDX-License-Identifier: Apache-2\.0\n *(?:\*|\/\/|#) Copyright the mod_sso authors\b/;
const PARAGRAPH_MIN = 80; // bytes of comment; a sentence or two

function opening(source) {
  const firstCode = blank(source).search(/\S/);
  const comments = source.slice(0, firstCode < 0 ? undefined : firstCode);
  return comments.replace(/SPDX[^\n]*|Copyright[^\n]*/g, "").replace(/[\s*/]+/g, " ").trim();
}

// A prototype is covered by a comment that begins a line of its own in the block of lines without a gap that it stands in.
function covered(lines, line) {
  for (let at = line - 2; at >= 0 && lines[at].trim(); at--) {
    if (/^(\/\*|\/\/)/.test(lines[at])) return true;
  }
  return false;
}

export function check(root) {
  const problems = [];
  for (const file of files(root, SOURCES)) {
    if (!LICENSE.test(read(root, file))) problems.push(`${file}: does not begin with the two lines of the licence`);
  }
  for (const file of files(root, MODULE_FILES)) {
    const source = read(root, file);
    if (file.endsWith(".c") && opening(source).length < PARAGRAPH_MIN) {
      problems.push(`${file}: no opening paragraph (what, why this way, what was rejected)`);
    }
    if (!file.endsWith(".h")) continue;
    const lines = source.split("\n");
    for (const { name, line } of prototypes(source)) {
      if (!covered(lines, line)) problems.push(`${file}:${line}: ${name} is not documented`);
    }
  }
  return { problems };
}
