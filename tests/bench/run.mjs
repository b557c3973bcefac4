#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// `make bench`: what mod_sso costs, side by side with httpd alone and with mod_auth_openidc.
//   --quick           small numbers, under two minutes; good enough to see a trend
//   --write           writes docs/performance.md and docs/performance.svg
//   --sessions N      sessions of the many-sessions rows     --rounds N  --seconds N  of each point a round
//   --module PATH     the module to measure                  --only rows,login,refresh,cycles,instructions

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MODULE, ROOT } from '../e2e/lib/system.mjs';
import { leftovers, onInterrupt, waitGone } from '../e2e/lib/proc.mjs';
import { hasCallgrind } from './lib/instructions.mjs';
import { hasWrk } from './lib/load.mjs';
import { machine } from './lib/machine.mjs';
import { page } from './lib/page.mjs';
import { plot } from './lib/plot.mjs';
import { Stage } from './lib/stage.mjs';
import { callgrindRows, cycleRows, loginRows, refreshRows, throughputRows } from './lib/suites.mjs';
import { verdicts } from './lib/wanted.mjs';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean' }, write: { type: 'boolean' }, sessions: { type: 'string' }, rounds: { type: 'string' }, seconds: { type: 'string' },
    module: { type: 'string' }, only: { type: 'string' },
  },
});

const began = performance.now();
const log = (text) => console.log(`[${String(Math.round((performance.now() - began) / 1000)).padStart(3)} s] ${text}`);
const number = (name, usual, quick) => Number(flags[name] ?? (flags.quick ? quick : usual));
const wants = (name) => !flags.only || flags.only.split(',').includes(name);

function missing() {
  const lacks = [];
  if (!hasWrk()) lacks.push('wrk');
  if (!hasCallgrind() && wants('instructions')) lacks.push('valgrind');
  if (lacks.length) throw new Error(`not installed: ${lacks.join(' ')} (apt-get install ${lacks.join(' ')})`);
  if (!fs.existsSync(flags.module ?? MODULE)) throw new Error(`the module is not built: ${flags.module ?? MODULE}`);
}

async function main() {
  missing();
  const plan = {
    sessions: number('sessions', 10000, 400), rounds: number('rounds', 5, 1), seconds: number('seconds', 2, 1),
    loginLimit: flags.quick ? 6000 : 60000, refreshSeconds: flags.quick ? 12 : 30,
    cycleSessions: flags.quick ? 4 : 16, cycleRounds: flags.quick ? 5 : 63,
  };
  const results = { machine: machine(), plan };
  log(`load average ${os.loadavg()[0].toFixed(1)} on ${os.cpus().length} cores`);
  const stage = await Stage.build({ module: path.resolve(flags.module ?? MODULE), sessions: plan.sessions, log });
  onInterrupt(() => { console.error('interrupted'); process.exit(130); });
  try {
    results.contestants = stage.list.map(({ key, name }) => ({ key, name }));
    if (wants('instructions')) results.instructions = await callgrindRows(stage, log);
    if (wants('refresh')) results.refresh = await refreshRows(stage, plan, log);
    if (wants('cycles')) results.cycles = await cycleRows(stage, plan, log);
    if (wants('login') || wants('rows')) {
      await stage.startAll();
      results.logins = await loginRows(stage, plan, log);
      Object.assign(results, await throughputRows(stage, plan, log));
    }
    results.skipped = stage.skipped;
  } finally {
    await stage.end();
  }
  results.seconds = Math.round((performance.now() - began) / 1000);
  results.loadAfter = os.loadavg()[0];
  results.verdicts = verdicts(results);
  report(results);
  const left = leftovers().length ? await waitGone() : [];
  if (left.length) throw new Error(`processes left: ${left.join(' ')}`);
}

function report(results) {
  const text = page(results);
  console.log(`\n${text}`);
  if (!flags.write) return;
  fs.writeFileSync(path.join(ROOT, 'docs/performance.md'), text);
  fs.writeFileSync(path.join(ROOT, 'docs/performance.svg'), plot(results));
  log('wrote docs/performance.md and docs/performance.svg');
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
