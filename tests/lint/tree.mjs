// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// What the laws share: the files of a tree, C sources without comments or strings, and the declarations in them. A lexer of a
// few lines is enough because clang-format has laid the sources out; a real parser would be a dependency to install.

import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

const NOT_OURS = new Set([".git", "build", "node_modules", "corpus"]);

// All files below the root, as sorted paths with '/', without what is built or fetched.
export function files(root, pattern = /./, folder = "") {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...files(root, pattern, path));
    else if (entry.isFile() && pattern.test(path)) found.push(path);
  }
  return found.sort();
}

export const read = (root, path) => readFileSync(join(root, path), "utf8");
export const C_FILES = /^(mod_src|tests)\/.*\.[ch]$/;
export const MODULE_FILES = /^mod_src\/.*\.[ch]$/;
export const roomOf = (path) => path.split("/")[1];
export const stem = (path) => basename(path).replace(/\.[^.]*$/, "");

// The source with the same lines and columns, but blanks instead of comments and of what is within quotes (both on request).
export function blank(source, { comments = true, strings = true } = {}) {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g;
  const wipe = (text) => text.replace(/[^\n]/g, " ");
  return source.replace(token, (text) => {
    if (text.startsWith("/")) return comments ? wipe(text) : text;
    return strings ? text[0] + wipe(text.slice(1, -1)) + text[0] : text;
  });
}

// Blanks preprocessor lines, with their continuations.
export function withoutDirectives(source) {
  return source.replace(/^[ \t]*#(?:[^\n]*\\\n)*[^\n]*/gm, (text) => text.replace(/[^\n]/g, " "));
}

export const lineOf = (source, offset) => source.slice(0, offset).split("\n").length;

// Functions of a formatted source: name, first line, number of lines.
export function functions(source) {
  const lines = withoutDirectives(blank(source)).split("\n");
  const found = [];
  for (let open = 0; open < lines.length; open++) {
    if (lines[open] !== "{") continue;
    let first = open;
    while (first > 0 && lines[first - 1].trim() && !/[;}]\s*$/.test(lines[first - 1])) first--;
    const last = lines.indexOf("}", open);
    const head = lines.slice(first, open).join(" ");
    found.push({ name: /(\w+)\s*\(/.exec(head)?.[1] ?? "?", head, line: first + 1, lines: last - first + 1 });
  }
  return found;
}

// Statements at file scope that end with ';' and declare a function: name, text, line. Function pointers in structs are not.
export function prototypes(source) {
  const code = withoutDirectives(blank(source));
  const found = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < code.length; at++) {
    if (code[at] === "{") depth++;
    if (code[at] === "}") depth--;
    if (depth > 0 || code[at] !== ";") continue;
    const text = code.slice(start, at).trimStart();
    const name = /^(?!typedef\b)[\w\s*]*?\b(\w+)\s*\(/.exec(text)?.[1];
    if (name && !text.includes("{")) found.push({ name, text, line: lineOf(code, at - text.length) });
    start = at + 1;
  }
  return found;
}

// Number of parameters in the first parentheses behind the name.
export function parameters(declaration, name) {
  let depth = 0;
  let commas = 0;
  const from = declaration.indexOf("(", declaration.indexOf(name));
  for (let at = from; at < declaration.length; at++) {
    if ("([{".includes(declaration[at])) depth++;
    if (")]}".includes(declaration[at]) && --depth === 0) {
      return /^\(\s*(void)?\s*\)$/.test(declaration.slice(from, at + 1)) ? 0 : commas + 1;
    }
    if (declaration[at] === "," && depth === 1) commas++;
  }
  return 0;
}

// #include lines: what, whether with <>, line.
export function includes(source) {
  const code = blank(source, { strings: false });
  return [...code.matchAll(/^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]/gm)].map((found) => ({
    system: found[1] === "<",
    path: found[2],
    line: lineOf(code, found.index),
  }));
}

export function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : 0;
}
