// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// What the laws that run other programs share: commands side by side, the compiler's flags, and a memory of what was found good.
// A check that costs seconds is not repeated for bytes that have passed it before.

import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { includes, read } from "./tree.mjs";

export const HOUSE = join(dirname(fileURLToPath(import.meta.url)), "../..");
const CORES = Math.max(2, cpus().length);

// Runs a program without a shell; answers whether it went well and what it wrote.
export function run(command, args, options = {}) {
  return new Promise((done) => {
    execFile(command, args, { maxBuffer: 64 << 20, timeout: 300_000, ...options }, (error, stdout, stderr) =>
      done({ ok: !error, missing: error?.code === "ENOENT", stdout, output: (stdout + stderr).trim() }));
  });
}

let running = 0;
const waiting = [];

// As run, but no more at a time than there are processors.
export async function runInTurn(command, args, options) {
  if (running >= CORES) await new Promise((go) => waiting.push(go));
  else running++;
  try {
    return await run(command, args, options);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

let flags;

// The flags that the Makefile compiles with, without those that only one compiler or only a real build understands.
export function compilerFlags() {
  const environment = { ...process.env, MAKEFLAGS: "" };
  flags ??= execFileSync("make", ["-s", "--no-print-directory", "-C", HOUSE, "CC=gcc", "SAN=", "print-flags"], { encoding: "utf8", env: environment })
    .trim().split(/\s+/).filter((flag) => flag !== "-Werror" && flag !== "-g");
  return flags;
}

// The file and everything of ours that it includes, directly or not.
export function closure(root, file, found = new Set([file])) {
  for (const { path } of includes(read(root, file)).filter(({ system }) => !system)) {
    const target = [`mod_src/${path}`, join(dirname(file), path), `tests/unit/${path}`, `tests/flow/${path}`]
      .find((candidate) => existsSync(join(root, candidate)));
    if (target && !found.has(target)) {
      found.add(target);
      closure(root, target, found);
    }
  }
  return found;
}

export const hash = (...parts) => parts.reduce((sum, part) => sum.update(part).update("\0"), createHash("sha256")).digest("hex").slice(0, 40);
export const hashFiles = (root, list) => hash(...[...list].sort().flatMap((file) => [file, read(root, file)]));

// Asks whether a check has passed these bytes before; if not, makes it and remembers success.
export async function once(memory, key, check) {
  const mark = memory && join(memory, key);
  if (mark && existsSync(mark)) return [];
  const problems = await check();
  if (mark && problems.length === 0) {
    mkdirSync(memory, { recursive: true });
    writeFileSync(mark, "");
  }
  return problems;
}
