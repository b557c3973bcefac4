// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Bad days, under load: node tests/fault/run.mjs [--short] [row...]
//
// --short plays the rows of `make test`, shortened; without it all rows are played and a table of figures is printed. Rows may be
// named (F-01 MC-11 ...). The last line is `N passed, N failed, N skipped`. SSO_SEED repeats a run's luck, SSO_KEEP_LOGS=/path
// keeps each row's logs as /path.<row>.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(path.dirname(here));

/* A copy of the module: whoever builds meanwhile does not change what is tested. A sanitizer's name stays in the path. */
function copyModule() {
  const from = path.resolve(root, process.env.SSO_MODULE ?? 'build/mod_sso.so');
  if (!fs.existsSync(from)) { console.error(`the module is not built: ${from}`); process.exit(2); }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sso-fault-'));
  fs.chmodSync(folder, 0o755);
  const place = path.join(folder, /\/(asan|tsan)\//.exec(from)?.[1] ?? 'plain');
  fs.mkdirSync(place, { mode: 0o755 });
  process.env.SSO_MODULE = path.join(place, 'mod_sso.so');
  fs.copyFileSync(from, process.env.SSO_MODULE);
  fs.chmodSync(process.env.SSO_MODULE, 0o644);
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
}

function print(result) {
  const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[result.status];
  console.log(`${mark}  ${result.id}  ${result.title}  (${result.seconds.toFixed(1)} s)`);
  for (const { what, wanted, got, ok } of result.figures) console.log(`        ${ok ? ' ' : '!'} ${what.padEnd(58)} wanted ${wanted.padEnd(12)} got ${got}`);
  for (const fault of result.faults) console.log(`      not ok: ${fault.split('\n').slice(0, 12).join('\n              ')}`);
  if (result.reason) console.log(`        ${result.reason}`);
}

copyModule();
const args = process.argv.slice(2);
const short = args.includes('--short');
const wanted = args.filter((word) => !word.startsWith('--'));
const { rows, playRow } = await import('./lib/rows.mjs');
const { SEED } = await import('./lib/random.mjs');
for (const file of fs.readdirSync(path.join(here, 'rows')).filter((name) => name.endsWith('.mjs')).sort()) await import(path.join(here, 'rows', file));
rows.sort((a, b) => a.id.localeCompare(b.id));

const chosen = rows.filter((one) => (wanted.length ? wanted.includes(one.id) : !short || one.short));
if (!chosen.length) { console.error(`no such row; there are ${rows.map((one) => one.id).join(' ')}`); process.exit(2); }
console.log(`seed ${SEED}`);
const total = { passed: 0, failed: 0, skipped: 0 };
const results = [];
for (const one of chosen) {
  const result = { title: one.title, ...(await playRow(one, short)) };
  total[result.status]++;
  results.push(result);
  print(result);
}
const named = (status) => results.filter((result) => result.status === status);
if (named('failed').length) console.log(`\nfailed:\n${named('failed').map((result) => `  ${result.id}: ${result.faults[0].split('\n')[0]}`).join('\n')}`);
if (named('skipped').length) console.log(`\nskipped:\n${named('skipped').map((result) => `  ${result.id}: ${result.reason}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed ? 1 : 0);
