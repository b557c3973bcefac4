// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Load by wrk: as many requests as the server answers on a fixed number of connections. Throughput says what a user gets out of
// the machine; processor time a request of httpd (and memcached) says the same where other work disturbs the machine.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proc, runToEnd } from '../../e2e/lib/proc.mjs';
import { PAGE } from './contestants.mjs';
import { Client } from './logins.mjs';
import { cpuMicros } from './server.mjs';

const SCRIPT = path.join(path.dirname(fileURLToPath(import.meta.url)), 'wrk.lua');
const CONNECTIONS = 32;

export const hasWrk = () => /^wrk /m.test(runToEnd('wrk', ['-v']).output);

/**
 * One slice of load on a point {server, host, sessions (a file), helpers: pids whose time counts too}.
 * Answers {rate, cpu, p50, p99, bytes}: requests a second, microseconds of processor a request, latency in ms, bytes an answer.
 */
export async function slice(point, seconds) {
  const pids = [...point.server.pids(), ...(point.helpers ?? [])];
  const before = cpuMicros(pids);
  const proc = new Proc('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${Math.max(1, Math.round(seconds))}s`, '-s', SCRIPT, `http://127.0.0.1:${point.server.port}${PAGE}`, '--', point.sessions, point.host], { name: 'wrk' });
  const timer = setTimeout(() => proc.kill(), (seconds + 30) * 1000);
  const exit = await proc.ended;
  clearTimeout(timer);
  const line = /^\{.*\}$/m.exec(proc.output);
  if (exit.code !== 0 || !line) throw new Error(`wrk on ${point.server.name}: ${proc.output.slice(-500)}`);
  const told = JSON.parse(line[0]);
  if (told.status || told.failed || !told.requests) throw new Error(`wrk on ${point.server.name}: of ${told.requests} requests ${told.status} got an error status and ${told.failed} no answer\n${point.server.errorLog().slice(-1000)}`);
  return { rate: told.requests / told.micros * 1e6, cpu: (cpuMicros(pids) - before) / told.requests, p50: told.p50 / 1000, p99: told.p99 / 1000, bytes: told.bytes / told.requests };
}

/** wrk does not tell 200 from 302: some of the sessions are tried by hand. Throws when one is not answered as expected. */
export async function probe(point, list, status = 200) {
  const client = new Client(point.server.port, { host: point.host });
  try {
    const step = Math.max(1, Math.floor(list.length / 40));
    for (let i = 0; i < list.length; i += step) {
      const answer = await client.get(PAGE, list[i] === '-' ? undefined : list[i]);
      if (answer.status !== status) throw new Error(`${point.server.name}: session ${i} of ${list.length} was answered with ${answer.status} instead of ${status}`);
    }
  } finally {
    client.close();
  }
}
