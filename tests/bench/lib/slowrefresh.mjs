// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// One session, requests at a steady rate, and a provider that takes two seconds to refresh its token. The rate is kept whether or
// not earlier requests were answered (an open loop): a closed one would stop asking exactly when the server is slow.

import { sleep } from '../../e2e/lib/proc.mjs';
import { PAGE } from './contestants.mjs';
import { Client, login } from './logins.mjs';
import { percentile } from './stats.mjs';

export const LIFETIME = 8; /* s, of an access token */
export const AHEAD = 4; /* s before its end the refresh is due, for both modules */
export const DELAY = 2000; /* ms the provider takes */
const RATE = 20; /* requests a second; all that can wait for one refresh find a thread of httpd */

/** op: a FastOp of this run alone. Answers counts, and latencies in ms of requests that began while a refresh ran, and of all. */
export async function slowRefresh({ server, op, cookie, seconds }) {
  const busy = []; /* [from, to] of refreshes at the provider */
  op.op.misbehave.refresh = async (reply) => {
    const span = [performance.now(), Infinity];
    busy.push(span);
    await sleep(DELAY);
    span[1] = performance.now();
    return reply;
  };
  const client = new Client(server.port, { sockets: 512 });
  const results = [];
  try {
    const session = await login(client, op, cookie);
    const from = performance.now();
    const flying = [];
    for (let i = 0; i < RATE * seconds; i++) {
      await sleep(Math.max(0, from + i * 1000 / RATE - performance.now()));
      const begun = performance.now();
      flying.push(client.get(PAGE, session).then(({ status }) => status, () => 0).then((status) => results.push({ begun, status, ms: performance.now() - begun })));
    }
    await Promise.all(flying);
  } finally {
    client.close();
  }
  const during = results.filter(({ begun }) => busy.some(([start, end]) => begun >= start && begun < end)).map(({ ms }) => ms);
  const all = results.map(({ ms }) => ms);
  return {
    requests: results.length, bad: results.filter(({ status }) => status !== 200).length, refreshes: busy.length, reuse: op.op.reuse, during: during.length,
    p50: percentile(during, 0.5), p99: percentile(during, 0.99), max: Math.max(...during), allP50: percentile(all, 0.5), allP99: percentile(all, 0.99),
  };
}
