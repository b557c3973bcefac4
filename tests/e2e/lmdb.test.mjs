// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The embedded default store: without SSOStore sessions lie in LMDB, shared by all processes, and survive restarts.

import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { world } from './lib/world.mjs';
import { assertRefused } from './lib/check.mjs';
import { sleep } from './lib/proc.mjs';

function files(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const at = path.join(folder, entry.name);
    return entry.isDirectory() ? files(at) : [at];
  });
}

for (const mpm of ['event', 'prefork']) {
  test(`${mpm}: login, requests over all processes, logout`, async (t) => {
    const w = await world({ store: 'lmdb', mpm });
    t.after(() => w.end());
    const agent = await w.signedIn('alice');
    const statuses = await Promise.all(Array.from({ length: 60 }, () => agent.xhr(w.url('/app/index.html'))));
    assert.ok(statuses.every((answer) => answer.status === 200), 'every process sees the session');
    const old = agent.jar.copy();
    await agent.nav(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
    const after = await Promise.all(Array.from({ length: 30 }, () => w.agent({ jar: old.copy() }).xhr(w.url('/app/index.html'))));
    assert.ok(after.every((answer) => answer.status === 401), 'and its end');
  });
}

test('ST-24 a graceful restart keeps sessions, and a login that was under way goes on', async (t) => {
  const w = await world({ store: 'lmdb' });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  const other = w.agent();
  const callback = await other.callbackUrl(w.url('/app/env.cgi?mid=flow'), 'bob');
  await w.httpd.graceful();
  assert.equal(await w.isSignedIn(agent), true);
  const landed = await other.follow(await other.nav(callback));
  assert.equal(landed.json.REMOTE_USER, 'bob');
  assert.equal(landed.json.QUERY_STRING, 'mid=flow');
});

test('ST-24 the same with memcached', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  const other = w.agent();
  const callback = await other.callbackUrl(w.url('/app/env.cgi'), 'bob');
  await w.httpd.graceful();
  assert.equal(await w.isSignedIn(agent), true);
  assert.equal((await other.follow(await other.nav(callback))).json.REMOTE_USER, 'bob');
});

test('a full stop and start keeps sessions, and ended ones stay dead', async (t) => {
  const w = await world({ store: 'lmdb' });
  t.after(() => w.end());
  const alice = await w.signedIn('alice');
  const bob = await w.signedIn('bob');
  const old = bob.jar.copy();
  await bob.nav(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
  await w.httpd.restart();
  assert.equal(await w.isSignedIn(alice), true);
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
});

test('a used callback is remembered over a restart', async (t) => {
  const w = await world({ store: 'lmdb', provider: 'scripted' });
  t.after(() => w.end());
  const agent = w.agent();
  const callback = await agent.callbackUrl(w.url('/app/index.html'));
  const jar = agent.jar.copy();
  await agent.nav(callback);
  await w.httpd.restart();
  const answer = await w.agent({ jar }).nav(callback);
  assertRefused(w, answer, 'state_used');
  assert.equal(w.idp.count('token'), 1);
});

test('refresh over LMDB', async (t) => {
  const w = await world({ store: 'lmdb', op: { accessTtl: 2 } });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  for (let cycle = 1; cycle <= 3; cycle++) {
    await sleep(3100);
    const answers = await Promise.all(Array.from({ length: 20 }, () => agent.xhr(w.url('/app/index.html'))));
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal(w.idp.events.refresh, cycle);
  }
  assert.equal(w.idp.events.reuse, 0);
});

test('the file: below httpd\'s runtime directory, not readable by others, nothing legible in it', async (t) => {
  const w = await world({ store: 'lmdb' });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  const run = path.join(w.httpd.dir, 'run');
  const found = files(run).filter((name) => /mdb|sso/.test(name.slice(run.length)) && fs.statSync(name).isFile());
  assert.ok(found.length, `no LMDB file below ${w.httpd.dir}/run`);
  for (const name of found) {
    assert.equal(fs.statSync(name).mode & 0o077, 0, `${name} may be read by others`);
    const text = fs.readFileSync(name).toString('latin1');
    for (const word of ['alice', 'example.test', ...w.idp.secrets, agent.jar.get('sso')]) assert.ok(!text.includes(word), `${word} stands in ${name}`);
  }
});
