// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The store does not answer: 503 with Retry-After, the cookie kept, never a redirect to the provider; and back by itself.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertPage } from './lib/check.mjs';
import { sleep } from './lib/proc.mjs';

/* Each world's test knows the one kind of line that it provokes. */
const only = (pattern) => ({ allowed: [pattern] });
const DOWN = only(/\[sso:error\].* reason=store_down /);

const WAYS = {
  killed: { down: (mc) => mc.kill(), up: (mc) => mc.start(), keeps: false },
  frozen: { down: (mc) => mc.freeze(), up: (mc) => mc.thaw(), keeps: true },
};

for (const [way, { down, up, keeps }] of Object.entries(WAYS)) {
  test(`memcached ${way}: 503, cookie kept, bounded time; then back`, async (t) => {
    const w = await world({ storeQuery: '' });
    t.after(() => w.end(DOWN));
    const agent = await w.signedIn('alice');
    await sleep(1200);
    await down(w.memcached);
    const cookie = agent.jar.get('sso');
    for (let i = 0; i < 5; i++) {
      const began = Date.now();
      const answer = await agent.nav(w.url('/app/index.html'));
      assert.equal(answer.status, 503, 'navigation');
      assert.ok(Date.now() - began < 4000, `took ${Date.now() - began} ms`);
      assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
      assert.equal(answer.headers.location, undefined);
      assert.deepEqual(answer.setCookies, [], 'the cookie is kept');
      assertPage(answer, { reason: 'store_down' });
      assert.equal((await agent.xhr(w.url('/app/index.html'))).status, 503, 'fetch');
    }
    assert.equal((await w.agent().nav(w.url('/public/'))).status, 200, 'open places go on');
    const stranger = await w.agent().nav(w.url('/app/index.html'));
    assert.equal(stranger.status, 302, 'a stranger still gets to the provider: his login lies in his browser');
    await up(w.memcached);
    let status = 503;
    for (let i = 0; i < 60 && status === 503; i++) { await sleep(200); ({ status } = await agent.xhr(w.url('/app/index.html'))); }
    assert.equal(status, keeps ? 200 : 401, 'back by itself');
    assert.equal(agent.jar.get('sso'), cookie);
    if (!keeps) assert.equal((await agent.login(w.url('/app/env.cgi'))).json.REMOTE_USER, 'alice', 'one new login');
  });
}

test('a callback while the store is down: 503, no session, no code sent', async (t) => {
  const w = await world({ provider: 'scripted' });
  t.after(() => w.end(only(/\[sso:error\].* reason=store_down .*: the state could not be marked as used/)));
  const agent = w.agent();
  const callback = await agent.callbackUrl(w.url('/app/index.html'));
  await w.memcached.kill();
  const answer = await agent.nav(callback);
  assert.equal(answer.status, 503);
  assert.equal(w.idp.count('token'), 0, 'the state could not be marked as used');
  assert.equal(agent.jar.get('sso'), undefined);
  await w.memcached.start();
});

test('memcached at its connection limit is down, not empty', async (t) => {
  const w = await world({ memcachedArgs: ['-c', '40'] });
  t.after(() => w.end(DOWN));
  const agent = await w.signedIn('alice');
  await w.httpd.restart(); /* no connection of the children is left */
  const net = await import('node:net');
  const hold = await Promise.all(Array.from({ length: 80 }, () => new Promise((resolve) => { const socket = net.connect(w.memcached.port, '127.0.0.1', () => resolve(socket)); socket.on('error', () => resolve(socket)); })));
  await sleep(300);
  const { status, headers } = await agent.nav(w.url('/app/index.html'));
  for (const socket of hold) socket.destroy();
  assert.equal(status, 503, `Location: ${headers.location}`);
});

test('MC-20 a full store refuses new logins with a reason and keeps the sessions it has', async (t) => {
  const w = await world({ provider: 'scripted', memcachedArgs: ['-m', '2', '-M'] });
  t.after(() => w.end(only(/\[sso:error\].* reason=store_full .*: biggest part: id_token/)));
  w.idp.accounts.big = { ...w.idp.accounts.bob, sub: 'big', notes: 'x'.repeat(40000) };
  const first = await w.signedIn('bob');
  w.idp.user = 'big';
  let answer;
  for (let i = 0; i < 200; i++) {
    answer = await w.agent().login(w.url('/app/index.html'));
    if (answer.status !== 200) break;
  }
  assert.equal(answer.status, 503);
  assert.match(answer.body, /store_full/);
  assert.equal(await w.isSignedIn(first), true);
});

test('MC-19 a memcached that evicts: who is pushed out signs in once more, the others notice nothing', async (t) => {
  const w = await world({ provider: 'scripted', memcachedArgs: ['-m', '2'] });
  t.after(() => w.end());
  w.idp.accounts.big = { ...w.idp.accounts.bob, sub: 'big', notes: 'x'.repeat(20000) };
  w.idp.user = 'big';
  const first = await w.signedIn('big');
  const later = [];
  for (let i = 0; i < 400 && (await w.memcached.stats()).evictions < 20; i++) later.push(await w.signedIn('big'));
  assert.ok((await w.memcached.stats()).evictions >= 20, 'records were pushed out');
  await sleep(1100);
  assert.equal((await first.xhr(w.url('/app/index.html'))).status, 401);
  const answer = await first.nav(w.url('/app/index.html'));
  assert.equal(answer.status, 302);
  assert.ok(answer.headers.location.startsWith(w.idp.issuer), 'one clean login, no page of errors');
  assert.equal((await first.login(w.url('/app/env.cgi'))).json.REMOTE_USER, 'big');
  assert.equal(await w.isSignedIn(first), true);
  assert.equal(await w.isSignedIn(later.at(-1)), true);
});

test('MC-05 TE-21 a session above SSOMaxSession is refused with a reason', async (t) => {
  const w = await world({ provider: 'scripted', sso: { SSOMaxSession: '16k' } });
  t.after(() => w.end(only(/\[sso:warn\].* reason=session_too_large .*: biggest part: id_token/)));
  w.idp.accounts.big = { ...w.idp.accounts.bob, sub: 'big', notes: 'x'.repeat(40000) };
  w.idp.user = 'big';
  const agent = w.agent();
  const answer = await agent.login(w.url('/app/index.html'));
  assert.equal(answer.status, 400);
  assert.match(answer.body, /session_too_large/);
  assert.equal(agent.jar.get('sso'), undefined);
});

test('MC-07 MC-08 MC-10 records that somebody changed, swapped or planted are no sessions', async (t) => {
  const w = await world();
  for (let i = 0; i < 12; i++) await w.signedIn('bob'); /* each process has kept the provider's metadata by now */
  t.after(() => w.end(only(/\[sso:(warn|error)\].* reason=store_foreign /)));
  const forge = async (change) => {
    const { agent, item } = await w.session('alice');
    await w.memcached.set(item.key, change(item.value));
    await sleep(1100);
    return agent;
  };
  const changes = {
    'a flipped bit': (value) => { const copy = Buffer.from(value); copy[copy.length >> 1] ^= 1; return copy; },
    'a flipped first byte': (value) => { const copy = Buffer.from(value); copy[0] ^= 0xff; return copy; },
    'cut off': (value) => value.subarray(0, -1),
    'made longer': (value) => Buffer.concat([value, Buffer.from('x')]),
    'emptied': () => Buffer.alloc(0),
    'planted JSON': () => Buffer.from('{"user":"admin","ends":9999999999}'),
    'zeroes': (value) => Buffer.alloc(value.length),
  };
  for (const [what, change] of Object.entries(changes)) {
    assert.equal(await w.isSignedIn(await forge(change)), false, what);
  }
  const alice = await w.session('alice');
  const { agent: bob, item: his } = await w.session('bob');
  await w.memcached.set(alice.item.key, his.value);
  await sleep(1100);
  assert.equal(await w.isSignedIn(alice.agent), false, 'bob\'s record under alice\'s key');
  assert.equal(await w.isSignedIn(bob), true);
});

test('MC-06 nothing in memcached can be read', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const agents = [];
  for (const user of ['alice', 'bob', 'alice']) agents.push(await w.signedIn(user));
  const items = await w.memcached.dump();
  const words = ['alice', 'bob', 'example.test', 'staff', 'admin', ...w.idp.secrets, ...agents.map((agent) => agent.jar.get('sso'))];
  for (const { key, value } of items) {
    const text = `${key} ${value.toString('latin1')}`;
    for (const word of words) assert.ok(!text.includes(word), `${word} can be read in ${key}`);
    assert.match(key, /^[\w-]{43}$|:[\w-]{43}$/, 'fixed alphabet and length');
  }
});
