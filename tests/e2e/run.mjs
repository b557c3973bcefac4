// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Runs every *.test.mjs of this folder, two at a time, and sums up: node tests/e2e/run.mjs [--san asan] [--jobs N] [filter...]
// Each file is a process of its own that prints TAP; only top-level tests count, and the tests here are flat. The last line is
// `N passed, N failed, N skipped`.

import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const option = (name, fallback) => { const at = args.indexOf(name); return at < 0 ? fallback : args.splice(at, 2)[1]; };
const san = option('--san');
const jobs = Number(option('--jobs', '2'));
const limit = Number(option('--timeout', san ? '900' : '400')) * 1000;

const env = { ...process.env };
if (san) Object.assign(env, { SSO_MODULE: `build/${san}/mod_sso.so`, SSO_SAN: san });

const files = fs.readdirSync(here).filter((name) => name.endsWith('.test.mjs') && (args.length === 0 || args.some((word) => name.includes(word)))).sort();
if (files.length === 0) { console.error('no test file fits'); process.exit(2); }

/* The slow ones first, so that the end is not one file running alone. */
const heavy = ['refresh', 'expiry', 'attacks', 'storedown'];
files.sort((a, b) => heavy.some((x) => b.startsWith(x)) - heavy.some((x) => a.startsWith(x)));

const children = new Set();
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => { for (const child of children) child.kill('SIGTERM'); setTimeout(() => process.exit(130), 3000).unref(); });
}

function runFile(file) {
  return new Promise((resolve) => {
    const flags = process.allowedNodeEnvironmentFlags.has('--test-reporter') ? ['--test-reporter=tap'] : [];
    const child = spawn(process.execPath, [...flags, path.join(here, file)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let out = '';
    let err = '';
    let late = false;
    const timer = setTimeout(() => { late = true; child.kill('SIGTERM'); setTimeout(() => child.kill('SIGKILL'), 5000).unref(); }, limit);
    child.stdout.on('data', (bytes) => { out += bytes; });
    child.stderr.on('data', (bytes) => { err += bytes; });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ file, code, signal, late, out, err });
    });
  });
}

/** Top-level test points of a TAP text: [{ok, name, skip, detail}]. */
function readTap(text) {
  const points = [];
  for (const line of text.split('\n')) {
    const found = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b ?(.*))?$/.exec(line);
    if (found) points.push({ ok: !found[1], name: found[2].replace(/\\(.)/g, '$1'), skip: found[3] === 'SKIP' ? found[4] || 'no reason given' : undefined, detail: [] });
    else if (points.length && /^ {2}/.test(line)) points.at(-1).detail.push(line);
  }
  return points;
}

const total = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const failures = [];

function report({ file, code, signal, late, out, err }, seconds) {
  const points = readTap(out);
  const failed = points.filter((point) => !point.ok);
  const skipped = points.filter((point) => point.ok && point.skip !== undefined);
  if (failed.length === 0 && (code !== 0 || points.length === 0)) {
    failed.push({ name: late ? `stopped after ${limit / 1000} s` : `the file ended with ${signal ?? code}`, detail: [out.slice(-1500), err.slice(-3000)] });
  }
  const passed = points.filter((point) => point.ok).length - skipped.length;
  total.passed += passed;
  total.failed += failed.length;
  total.skipped += skipped.length;
  skips.push(...skipped.map((point) => `${file}: ${point.name}: ${point.skip}`));
  failures.push(...failed.map((point) => `${file}: ${point.name}`));
  console.log(`${failed.length ? 'FAIL' : 'ok  '}  ${file.padEnd(24)} ${passed} passed, ${failed.length} failed, ${skipped.length} skipped  (${seconds.toFixed(1)} s)`);
  for (const point of failed) console.log(`      not ok: ${point.name}\n${point.detail.slice(0, 60).join('\n')}`);
  if (failed.length && err.trim()) console.log(`      standard error: ${err.trim().slice(-1500)}`);
}

const queue = [...files];
async function work() {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const began = Date.now();
    report(await runFile(file), (Date.now() - began) / 1000);
  }
}
await Promise.all(Array.from({ length: jobs }, work));

if (failures.length) console.log(`\nfailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
if (skips.length) console.log(`\nskipped:\n${skips.map((line) => `  ${line}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed ? 1 : 0;
