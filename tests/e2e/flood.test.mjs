// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Floods that cost nothing but processor time (attacks.md, section 20): no store write, no call at the provider.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { ONE_PROCESS } from './lib/attack.mjs';
import { lawful } from './lib/lawful.mjs';
import { world } from './lib/world.mjs';

const LANES = 16;
const MS = 2000;
const w = await world({ provider: 'scripted', conf: ONE_PROCESS });
const check = lawful(w);
const friend = await w.signedIn('alice');

/** Resident bytes of httpd's children. */
function resident() {
  const parent = w.httpd.proc.pid;
  const children = fs.readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  return children.reduce((sum, pid) => sum + 4096 * Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]), 0);
}

/** Closed loop over LANES connections for MS, beside a user with a session: {count, statuses, slowest p99 of that user}. */
async function flood(lines) {
  let count = 0;
  const statuses = new Set();
  const waits = [];
  const end = Date.now() + MS;
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const agent = w.agent({ keepAlive: true });
    for (let i = 0; Date.now() < end; i++) {
      const { path, headers } = lines(lane, i);
      statuses.add((await agent.nav(w.url(path), { headers: { ...headers, Cookie: headers?.Cookie } })).status);
      agent.jar.cookies = [];
      agent.jar.history = [];
      count++;
    }
  });
  const user = (async () => {
    while (Date.now() < end) {
      const began = performance.now();
      assert.equal((await friend.xhr(w.url('/app/index.html'))).status, 200);
      waits.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await Promise.all([...lanes, user]);
  waits.sort((a, b) => a - b);
  return { count, statuses: [...statuses], p99: waits[Math.floor(waits.length * 0.99)] };
}

const FLOODS = [
  ['DO-01 strangers who ask for a page', () => ({ path: '/app/index.html' }), [302]],
  ['DO-02 callbacks with a made-up state', (lane, i) => ({ path: `/sso/callback?code=x&state=${`${lane}-${i}-`.padEnd(43, 'A')}` }), [400]],
  ['CK-14 session cookies that are guessed', (lane, i) => ({ path: '/app/index.html', headers: { Cookie: `sso=${`${lane}-${i}-`.padEnd(42, 'A')}E` } }), [302]],
];
for (const [what, lines, statuses] of FLOODS) {
  check(`${what}: no write, no call at the provider, no memory, and users do not notice`, async () => {
    if (statuses[0] === 400) w.expects(/\[sso:warn\].* reason=state_unknown /);
    await Promise.all(Array.from({ length: 50 }, (_, i) => w.agent().nav(w.url(lines(99, i).path)))); /* warm */
    w.idp.reset();
    const before = await w.memcached.stats();
    const memory = resident();
    const seen = await flood(lines);
    const after = await w.memcached.stats();
    assert.ok(seen.count > 300, `${seen.count} requests`);
    assert.deepEqual(seen.statuses, statuses);
    assert.equal(after.cmd_set - before.cmd_set, 0, 'memcached sets');
    assert.equal(after.curr_items, before.curr_items);
    assert.equal(w.idp.requests.length, 0, 'calls at the provider');
    if (!process.env.SSO_SAN) assert.ok(resident() - memory < 5 * 1024 * 1024, `grew by ${resident() - memory} bytes in ${seen.count} requests`);
    assert.ok(seen.p99 < 1000, `p99 of a user beside it: ${seen.p99} ms`);
  });
}

check('the world ends clean', () => w.end());
