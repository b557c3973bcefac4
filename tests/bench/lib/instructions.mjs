// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Instructions a request: `httpd -X` under callgrind from start to end, once with few and once with many requests on one
// connection; the difference is what the requests cost. Where seconds depend on who else uses the machine, this number does not.
// Dumps asked for from outside (callgrind_control) were tried: its ptrace can hang for ever on some kernels.

import fs from 'node:fs';
import path from 'node:path';
import { Proc, runToEnd } from '../../e2e/lib/proc.mjs';
import { waitPort } from '../../e2e/lib/ports.mjs';
import { HTTPD } from '../../e2e/lib/system.mjs';
import { PAGE } from './contestants.mjs';
import { Client } from './logins.mjs';

export const hasCallgrind = () => runToEnd('valgrind', ['--version']).code === 0;

const FEW = 100;
const MANY = 1100;

/** One life of `httpd -X`: sign in, `count` requests, end. Answers the file that callgrind wrote. */
async function live({ server, signIn, count }) {
  const out = path.join(server.tmp.dir(`${server.name}/callgrind`, 0o777), `${count}.out`);
  const proc = new Proc('valgrind', ['--tool=callgrind', '--vgdb=no', `--callgrind-out-file=${out}`, HTTPD, '-X', '-f', server.conf], { name: 'valgrind' });
  const client = new Client(server.port);
  try {
    await waitPort(server.port, { timeout: 60000, alive: () => proc.alive });
    const cookie = await signIn(client);
    for (let i = 0; i < count; i++) {
      const { status } = await client.get(PAGE, cookie);
      if (status !== 200) throw new Error(`${server.name} answered ${status} under callgrind`);
    }
    fs.chmodSync(out, 0o666); /* made by root, written at the end by the account that httpd runs as */
  } finally {
    client.close();
    await proc.stop('SIGTERM', 20000);
  }
  if (fs.statSync(out).size === 0) throw new Error(`callgrind wrote nothing: ${proc.output.slice(-500)}`);
  return out;
}

/**
 * {function -> {count, object}} of a dump, and under '' the sum. A function comes in several lines where code was inlined from other
 * files: own instructions add up, inclusive ones do not.
 */
function costs(dump, inclusive) {
  const { output } = runToEnd('callgrind_annotate', ['--threshold=100', `--inclusive=${inclusive ? 'yes' : 'no'}`, '--auto=no', dump]);
  const table = new Map();
  for (const line of output.split('\n')) {
    const found = /^\s*([\d,]+)(?: \([^)]*\))?\s+(.*)$/.exec(line);
    if (!found) continue;
    const count = Number(found[1].replaceAll(',', ''));
    const name = /^.*?:([^:\s][^[]*?)(?: \[(.*)\])?$/.exec(found[2]);
    if (/PROGRAM TOTALS/.test(found[2])) table.set('', { count });
    else if (name) {
      const label = name[1].startsWith('0x') ? `${name[1]} ${path.basename(name[2] ?? '')}` : name[1].trim();
      const old = table.get(label) ?? { count: 0 };
      table.set(label, { count: inclusive ? Math.max(old.count, count) : old.count + count, object: path.basename(name[2] ?? '') || old.object });
    }
  }
  return table;
}

function difference(first, second) {
  return [...second].map(([name, { count, object }]) => ({ name, object, count: (count - (first.get(name)?.count ?? 0)) / (MANY - FEW) }))
    .sort((one, other) => other.count - one.count);
}

/**
 * Profiles a server that is configured and does not run. `signIn(client)` answers the Cookie header to use, or undefined.
 * Answers {perRequest, self, inclusive}: instructions a request, and all functions as [{name, object, count}], the dearest first.
 */
export async function instructions({ server, signIn }) {
  const few = await live({ server, signIn, count: FEW });
  const many = await live({ server, signIn, count: MANY });
  const [self, inclusive] = [false, true].map((kind) => difference(costs(few, kind), costs(many, kind)));
  return { perRequest: self.find((row) => row.name === '').count, self: self.filter((row) => row.name), inclusive: inclusive.filter((row) => row.name) };
}
