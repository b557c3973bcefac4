// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Instructions a request: `httpd -X` under callgrind, a warm-up, then n requests on one connection between two dumps. Where
// seconds depend on who else uses the machine, this number is the same every time. Two sizes are measured and their difference
// taken, so that what each dump itself and the connection cost falls out.

import fs from 'node:fs';
import path from 'node:path';
import { Proc, runToEnd, sleep } from '../../e2e/lib/proc.mjs';
import { waitPort } from '../../e2e/lib/ports.mjs';
import { HTTPD } from '../../e2e/lib/system.mjs';
import { PAGE } from './contestants.mjs';
import { Client } from './logins.mjs';

export const hasCallgrind = () => runToEnd('valgrind', ['--version']).code === 0;

class Profile {
  constructor(server) {
    this.server = server;
    this.folder = server.tmp.dir(`${server.name}/callgrind`, 0o777);
    this.out = path.join(this.folder, 'out');
  }

  async start() {
    this.proc = new Proc('valgrind', ['--tool=callgrind', `--callgrind-out-file=${this.out}`, HTTPD, '-X', '-f', this.server.conf], { name: 'valgrind' });
    await waitPort(this.server.port, { timeout: 60000, alive: () => this.proc.alive });
  }

  control(flag) {
    const done = runToEnd('callgrind_control', [flag, String(this.proc.pid)], { timeout: 30000 });
    if (!/OK/.test(done.output)) throw new Error(`callgrind_control ${flag}: ${done.output}`);
  }

  dumps() { return fs.readdirSync(this.folder).filter((name) => /^out\.\d+$/.test(name)).sort((a, b) => Number(a.slice(4)) - Number(b.slice(4))); }

  /** Runs `work` and answers the dump that holds its instructions only. */
  async during(work) {
    this.control('-z');
    await work();
    await sleep(100);
    const before = this.dumps().length;
    this.control('-d');
    for (let i = 0; i < 100 && this.dumps().length === before; i++) await sleep(50);
    await sleep(200);
    return path.join(this.folder, this.dumps().at(-1));
  }

  async stop() { await this.proc.stop('SIGTERM', 20000); }
}

/** {function -> instructions} of a dump, and under '' the sum. kind: 'self' or 'inclusive'. */
export function costs(dump, kind) {
  const done = runToEnd('callgrind_annotate', ['--threshold=99.9', `--inclusive=${kind === 'inclusive' ? 'yes' : 'no'}`, '--auto=no', dump]);
  const table = new Map();
  for (const line of done.output.split('\n')) {
    const found = /^\s*([\d,]+)(?: \([^)]*\))?\s+(.*)$/.exec(line);
    if (!found) continue;
    const count = Number(found[1].replaceAll(',', ''));
    if (/PROGRAM TOTALS/.test(found[2])) { table.set('', count); continue; }
    const name = /^(?:.*?):([^:\s][^[]*?)(?: \[(.*)\])?$/.exec(found[2]);
    if (!name) continue;
    const label = `${name[1].trim()} [${path.basename(name[2] ?? '')}]`;
    table.set(label, (table.get(label) ?? 0) + count);
  }
  return table;
}

/**
 * Profiles one server that is not running. `signIn(client)` answers the Cookie header to use (or undefined).
 * Answers {perRequest, self, inclusive}: instructions a request, and lists [{name, count}] of the dearest functions.
 */
export async function instructions({ server, signIn, small = 100, large = 600 }) {
  const profile = new Profile(server);
  await profile.start();
  const client = new Client(server.port);
  try {
    const cookie = await signIn(client);
    const ask = async (count) => {
      for (let i = 0; i < count; i++) {
        const { status } = await client.get(PAGE, cookie);
        if (status !== 200) throw new Error(`${server.name} answered ${status} under callgrind`);
      }
    };
    await ask(50);
    const first = await profile.during(() => ask(small));
    const second = await profile.during(() => ask(large));
    const lists = Object.fromEntries(['self', 'inclusive'].map((kind) => [kind, difference(costs(first, kind), costs(second, kind), large - small)]));
    return { perRequest: lists.self.find((row) => row.name === '').count, self: lists.self.filter((row) => row.name), inclusive: lists.inclusive.filter((row) => row.name) };
  } finally {
    client.close();
    await profile.stop();
  }
}

function difference(first, second, requests) {
  return [...second].map(([name, count]) => ({ name, count: (count - (first.get(name) ?? 0)) / requests })).sort((one, other) => other.count - one.count);
}
