// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The budget of an authenticated request, by memcached's own counters, and the size of a session.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';

const w = await world({ provider: 'scripted' });
const COUNTERS = ['cmd_get', 'cmd_set', 'cmd_touch', 'delete_hits', 'delete_misses', 'cas_hits', 'cas_misses'];

async function cost(work) {
  const before = await w.memcached.stats();
  await work();
  const after = await w.memcached.stats();
  return Object.fromEntries(COUNTERS.map((name) => [name, after[name] - before[name]]));
}

test('50 authenticated requests: at most one get each, nothing is written, no provider is asked', async () => {
  const agent = await w.signedIn('alice');
  const asked = w.idp.requests.length;
  const spent = await cost(async () => {
    for (let i = 0; i < 50; i++) assert.equal((await agent.nav(w.url(i % 2 ? '/proxy/' : '/app/index.html'))).status, 200);
  });
  assert.ok(spent.cmd_get <= 50, JSON.stringify(spent));
  assert.deepEqual([spent.cmd_set, spent.delete_hits, spent.delete_misses], [0, 0, 0], JSON.stringify(spent));
  assert.ok(spent.cmd_touch <= 3, `a new connection says hello with a touch, at most once a process: ${JSON.stringify(spent)}`);
  assert.equal(w.idp.requests.length, asked);
});

test('a page with subrequests and an internal redirect is one request', async () => {
  const agent = await w.signedIn('alice');
  const spent = await cost(async () => {
    for (let i = 0; i < 10; i++) assert.equal((await agent.nav(w.url(i % 2 ? '/app/page.shtml' : '/app/'))).status, 200);
  });
  assert.ok(spent.cmd_get <= 10, JSON.stringify(spent));
  assert.equal(spent.cmd_set, 0);
});

test('strangers write nothing: 50 logins begun', async () => {
  const spent = await cost(async () => {
    for (let i = 0; i < 50; i++) await w.agent().nav(w.url('/app/'));
  });
  assert.ok(spent.cmd_get <= 3 && spent.cmd_set <= 3, `only each process's first look at the provider's metadata: ${JSON.stringify(spent)}`);
});

test('CK-14 an unknown cookie costs at most one get and one touch', async () => {
  const spent = await cost(async () => {
    for (let i = 0; i < 20; i++) {
      const agent = w.agent();
      agent.jar.set('sso', 'A'.repeat(41) + String(10 + i));
      await agent.xhr(w.url('/app/'));
    }
  });
  assert.ok(spent.cmd_get <= 20 && spent.cmd_touch <= 20, JSON.stringify(spent));
  assert.equal(spent.cmd_set, 0);
});

test('open places cost nothing', async () => {
  const spent = await cost(async () => { for (let i = 0; i < 10; i++) await w.agent().nav(w.url('/public/')); });
  assert.deepEqual(Object.values(spent).filter((count) => count > 0), [], JSON.stringify(spent));
});

test('a session takes its tokens and claims plus at most 300 bytes', async () => {
  let tokens;
  w.idp.misbehave.token = ({ body }) => { tokens = body; };
  const { item } = await w.session('alice');
  w.idp.misbehave = {};
  const claims = JSON.stringify(JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url')));
  const content = tokens.access_token.length + tokens.refresh_token.length + tokens.id_token.length + tokens.scope.length + Buffer.byteLength(claims);
  assert.ok(item.value.length <= content + 300, `${item.value.length} bytes for ${content} bytes of tokens and claims`);
});

test('the world ends clean', () => w.end());
