// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Runs the phases of `make test`, or those named on the command line, and adds up what they say. The last line of the output is
// `N passed, N failed, N skipped`; the skipped ones and their reasons stand above it. A phase never stops the ones behind it.

import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

const CORES = Math.max(2, cpus().length);
const UNIT_SECONDS = 180;
const E2E_SECONDS = 900;
const FAULT_SECONDS = 600;
const SANITIZED = {
  ASAN_OPTIONS: "detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1",
  UBSAN_OPTIONS: "print_stacktrace=1",
  LSAN_OPTIONS: `suppressions=${join(process.cwd(), "tests/unit/leaks.supp")}:print_suppressions=0`,
};

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];

function count(passed, failed = [], skipped = []) {
  total.passed += passed;
  total.failed += failed.length;
  total.skipped += skipped.length;
  failures.push(...failed);
  skips.push(...skipped);
}

// Temporary files of everything that is run lie in one folder that is removed at the end, whatever happens.
// httpd's children run as another user and must get through to what lies below.
const scratch = mkdtempSync(join(tmpdir(), "sso-test-"));
chmodSync(scratch, 0o711);
const environment = { ...process.env, TMPDIR: scratch };
for (const name of ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"]) delete environment[name];
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

// Runs a command in a process group of its own, so that a deadline ends its children too. With `live` its output is shown at once.
function run(command, args, { env = {}, seconds = 900, live = false } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { env: { ...environment, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const signal = (name) => {
      try {
        process.kill(-child.pid, name);
      } catch {
        // it has ended by itself
      }
    };
    const group = () => signal("SIGKILL");
    let output = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      signal("SIGTERM");
      setTimeout(group, 10_000).unref();
    }, seconds * 1000);
    process.on("exit", group);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        if (live) process.stdout.write(text);
      });
    }
    const finish = (code) => {
      clearTimeout(timer);
      process.off("exit", group);
      done({ ok: code === 0 && !late, code, output, why: late ? `took more than ${seconds} s` : `exit ${code}` });
    };
    child.on("error", (error) => ((output += error.message), finish(127)));
    child.on("close", (code, ended) => finish(code ?? ended));
  });
}

function tail(output, lines = 40) {
  return output.trimEnd().split("\n").slice(-lines).map((line) => `    ${line}`).join("\n");
}

async function make(what, args, seconds = 600) {
  const result = await run("make", ["-k", `-j${CORES}`, "--no-print-directory", ...args], { seconds });
  if (!result.ok) {
    const errors = result.output.split("\n").filter((line) => /error: |undefined reference|\*\*\*/.test(line));
    console.log(`${tail((errors.length ? errors : [result.output]).slice(0, 30).join("\n"))}\n  FAILED ${what}: ${result.why}`);
  }
  count(result.ok ? 1 : 0, result.ok ? [] : [what]);
  return result.ok;
}

// cmocka says one line a test; a program that breaks off in the middle has failed once more.
async function cmocka(binary, label, env) {
  const name = binary.split("/").pop();
  const result = await run(binary, [], { env, seconds: UNIT_SECONDS });
  const named = (mark) => [...result.output.matchAll(mark)].map((found) => `${name} (${label}): ${found[1]}`);
  const listed = (mark) => [...new Set(named(mark))];
  const passed = named(/^\[ +OK +\] (\S+)/gm).length;
  const skipped = listed(/^\[ +SKIPPED +\] (?!\w+: \d)(?!\d+ test)(\S+)/gm);
  const failed = listed(/^\[ +FAILED +\] (?!\w+: \d)(?!\d+ test)(\S+)/gm);
  if (!result.ok && failed.length === 0) failed.push(`${name} (${label}): ${result.why}`);
  if (result.ok && passed + skipped.length === 0) failed.push(`${name} (${label}): ran no tests`);
  if (failed.length) console.log(`  FAILED ${failed.join(", ")}\n${tail(result.output)}`);
  // A test says why in the line before it skips.
  const why = (test) => new RegExp(`^(?!\\[)(.+)\\n(?:\\[.*\\n)?\\[ +SKIPPED +\\] ${test.split(": ").pop()}`, "m").exec(result.output)?.[1];
  count(passed, failed, skipped.map((test) => `${test}: ${why(test) ?? "gives no reason"}`));
}

// A locale with a decimal comma for those who test numbers (JS-17); a machine rarely has one. LOCPATH names it.
async function commaLocale() {
  const folder = join(scratch, "locale");
  if (!existsSync("/usr/share/i18n/locales/de_DE")) return {};
  mkdirSync(folder, { recursive: true });
  await run("localedef", ["-i", "de_DE", "-f", "UTF-8", join(folder, "de_DE.UTF-8")], { seconds: 60 });
  return { LOCPATH: folder };
}

// A few at a time, in order.
async function each(items, work) {
  const queue = [...items];
  await Promise.all(Array.from({ length: CORES }, async () => {
    while (queue.length) await work(queue.shift());
  }));
}

// What a report lists as `word: name`, one a line, or below a line `word:` as an indented list.
function listed(output, word, most) {
  const inline = [...output.matchAll(new RegExp(`^${word}: (.+)$`, "gm"))].map((found) => found[1]);
  const block = new RegExp(`^${word}:\\n((?:  .*\\n)+)`, "m").exec(output)?.[1] ?? "";
  const names = [...inline, ...block.split("\n").map((line) => line.trim()).filter(Boolean)].slice(0, most);
  while (names.length < most) names.push("see above");
  return names;
}

// Phases that count for themselves end with the line that this program ends with too, and name what failed and what they skipped.
async function reporter(what, command, args, { seconds, env } = {}) {
  const result = await run(command, args, { seconds, env, live: true });
  const sums = [...result.output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].pop();
  if (!sums) return count(0, [`${what}: ${result.why}, without a summary`]);
  const [passed, failed, skipped] = sums.slice(1).map(Number);
  const named = (word, most) => listed(result.output, word, most).map((name) => `${what}: ${name}`);
  count(passed, named("failed", failed), named("skipped", skipped));
  if (!result.ok && failed === 0) count(0, [`${what}: ${result.why} although nothing failed`]);
}

const sources = (folder, pattern) =>
  existsSync(folder) ? readdirSync(folder).filter((file) => pattern.test(file)).map((file) => file.replace(/\.c$/, "")).sort() : [];

// All unit tests, or those named.
async function unit(label, build, args, env, some) {
  const names = some ?? ["unit", "flow", "backend"].flatMap((folder) => sources(`tests/${folder}`, /^test_.*\.c$/));
  const targets = some ? some.map((name) => `${build}/unit/${name}`) : ["units"];
  await make(`build of the unit tests (${label})`, [...args, ...targets]);
  const comma = await commaLocale();
  await each(names.map((name) => `${build}/unit/${name}`).filter(existsSync), (binary) => cmocka(binary, label, { ...comma, ...env }));
}

async function fuzz() {
  const names = sources("tests/fuzz", /^fuzz_.*\.c$/);
  if (names.length === 0) return;
  await make("build of the fuzz targets", ["SAN=asan", "fuzzers"]);
  await each(names, async (name) => {
    const corpus = `tests/fuzz/corpus/${name.replace("fuzz_", "")}`;
    const inputs = existsSync(corpus) ? readdirSync(corpus).map((file) => join(corpus, file)) : [];
    if (inputs.length === 0) return count(0, [`${name}: no corpus in ${corpus}`]);
    const result = await run(`build/asan/fuzz/${name}`, inputs, { env: SANITIZED, seconds: UNIT_SECONDS });
    if (!result.ok) console.log(`  FAILED ${name}: ${result.why}\n${tail(result.output)}`);
    count(result.ok ? 1 : 0, result.ok ? [] : [`${name}: ${result.why}`]);
  });
}

async function e2e(what, args, env) {
  if (!existsSync("tests/e2e/run.mjs")) return count(0, [], [`${what}: tests/e2e/run.mjs is not there`]);
  await reporter(what, "node", ["tests/e2e/run.mjs", ...args], { seconds: E2E_SECONDS, env });
}

// Tests whose threads meet: the flows over fake ports, and the ports themselves.
const THREADED = ["refreshthreads", "issuer", "sharedthreads", "timetable", "laterthreads", "nearrace", "nearcache", "generations",
  "breaker", "curlshared", "curlresting", "mcstore", "lmdbstore"].map((name) => `test_${name}`);

const PHASES = {
  gcc: ["build (gcc)", () => make("build (gcc)", ["CC=gcc", "all"])],
  clang: ["build (clang)", () => make("build (clang)", ["CC=clang", "BUILD=build/clang", "all"])],
  lint: ["lint", () => reporter("lint", "node", ["tests/lint/run.mjs"])],
  unit: ["unit tests (gcc)", () => unit("gcc", "build", ["CC=gcc"], {})],
  asan: ["unit tests (asan)", () => unit("asan", "build/asan", ["CC=gcc", "SAN=asan"], SANITIZED)],
  tsan: ["threads (tsan)", () => unit("tsan", "build/tsan", ["CC=gcc", "SAN=tsan"], { TSAN_OPTIONS: "halt_on_error=0:exitcode=66" }, THREADED)],
  fuzz: ["fuzz corpora (asan)", fuzz],
  e2e: ["end to end", () => e2e("end to end", [])],
  "e2e-san": ["end to end (asan)", async () => {
    if (await make("build (asan)", ["CC=gcc", "SAN=asan", "all"])) await e2e("end to end (asan)", ["--san", "asan"]);
  }],
  fault: ["bad days, shortened", () => reporter("bad days", "node", ["tests/fault/run.mjs", "--short"], { seconds: FAULT_SECONDS })],
};

const wanted = process.argv.slice(2);
for (const name of wanted.filter((phase) => !PHASES[phase])) {
  console.error(`no phase ${name}; there are ${Object.keys(PHASES).join(" ")}`);
  process.exit(2);
}
const begin = Date.now();
for (const name of wanted.length ? wanted : Object.keys(PHASES)) {
  const [title, phase] = PHASES[name];
  const before = { ...total };
  const start = Date.now();
  console.log(`== ${title}`);
  await phase();
  const gained = (what) => total[what] - before[what];
  console.log(`   ${gained("passed")} passed, ${gained("failed")} failed, ${gained("skipped")} skipped ` +
    `(${((Date.now() - start) / 1000).toFixed(1)} s)`);
}
console.log(`== all in ${((Date.now() - begin) / 1000).toFixed(0)} s`);
for (const failure of failures) console.log(`failed: ${failure}`);
for (const skip of skips) console.log(`skipped: ${skip}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
