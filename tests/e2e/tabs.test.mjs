// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Several logins in flight in one browser, and callbacks that come twice (attacks.md, sections 1 and 2).

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertRefused, cookiesSet, tickets } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';

const real = await world();
const w = await world({ provider: 'scripted' });
const check = lawful(w);
const page = (n) => w.url(`/app/env.cgi?tab=${n}`);

test('ST-08 two tabs at the real provider, each lands on its own URL', async () => {
  const agent = real.agent();
  const first = await agent.nav(real.url('/app/env.cgi?tab=A'));
  const second = await agent.nav(real.url('/app/env.cgi?tab=B'));
  const a = await agent.signin(first, 'alice');
  const b = await agent.signin(second, 'alice');
  assert.equal(a.json.QUERY_STRING, 'tab=A');
  assert.equal(b.json.QUERY_STRING, 'tab=B');
  assert.deepEqual(tickets(real, agent), [], 'no ticket left');
});

check('ST-09 ST-27 five tabs, finished last to first', async () => {
  const agent = w.agent();
  const callbacks = [];
  for (let n = 0; n < 5; n++) callbacks.push(await agent.callbackUrl(page(n)));
  assert.equal(tickets(w, agent).length, 5, 'a cookie a login');
  for (let n = 4; n >= 0; n--) {
    const landed = await agent.follow(await agent.nav(callbacks[n]));
    assert.equal(landed.status, 200, `tab ${n}: ${landed.body.slice(0, 300)}`);
    assert.equal(landed.json.QUERY_STRING, `tab=${n}`);
  }
  assert.deepEqual(tickets(w, agent), []);
});

check('ST-10 a hundred abandoned logins leave a bounded Cookie header, and the next login works', async () => {
  const agent = w.agent();
  for (let n = 0; n < 100; n++) await agent.nav(w.url(`/app/env.cgi?abandoned=${n}&${'x'.repeat(n * 5)}`));
  assert.ok(tickets(w, agent).length <= 7, `${tickets(w, agent).length} tickets`);
  assert.ok(agent.jar.header(new URL(w.origin)).length <= 4096, 'at most 4 kB');
  const landed = await agent.login(page('last'));
  assert.equal(landed.json.QUERY_STRING, 'tab=last');
});

check('ST-20 a huge original URL: the ticket stays small and the login works', async () => {
  const agent = w.agent();
  const landed = await agent.login(w.url(`/app/env.cgi?${'y'.repeat(7400)}`));
  assert.equal(landed.status, 200, `${landed.status} at ${landed.url.pathname}`);
  for (const { line } of agent.jar.history) assert.ok(line.length <= 4096);
  assert.ok(await w.isSignedIn(agent));
});

check('AR-06 ST-11 the same callback twice: one token request, no second session', async () => {
  const agent = w.agent();
  const callback = await agent.callbackUrl(page('once'));
  const tokens = w.idp.count('token');
  assert.equal((await agent.follow(await agent.nav(callback))).status, 200);
  const cookie = agent.jar.get('sso');
  const again = await agent.nav(callback);
  assertRefused(w, again, 'state_unknown');
  assert.equal(w.idp.count('token'), tokens + 1);
  assert.equal(agent.jar.get('sso'), cookie);
});

check('AR-07 fifty times the same callback at once: one token request, one session', async () => {
  const agent = w.agent();
  const callback = await agent.callbackUrl(page('race'));
  const tokens = w.idp.count('token');
  const header = agent.jar.header(callback);
  const answers = await Promise.all(Array.from({ length: 50 }, () => w.agent().nav(callback, { headers: { Cookie: header } })));
  assert.equal(w.idp.count('token'), tokens + 1);
  assert.equal(answers.filter((answer) => cookiesSet(answer).includes('sso')).length, 1);
  for (const answer of answers.filter((one) => one.status !== 303)) assertRefused(w, answer, 'state_used');
});

check('AR-05 a complete callback URL opened in another browser is refused', async () => {
  const attacker = w.agent();
  const callback = await attacker.callbackUrl(page('csrf'));
  const tokens = w.idp.count('token');
  const victim = w.agent();
  assertRefused(w, await victim.nav(callback), 'state_unknown');
  assert.equal(w.idp.count('token'), tokens, 'no token request');
  assert.deepEqual(victim.jar.names(), []);
});

check('CK-18 five logins of one browser at once: each completes, one session is left in the browser, and it works', async () => {
  const agent = w.agent();
  const callbacks = [];
  for (let i = 0; i < 5; i++) callbacks.push(await agent.callbackUrl(page(`at-once-${i}`)));
  const answers = await Promise.all(callbacks.map((callback) => agent.nav(callback)));
  assert.deepEqual(answers.map((answer) => answer.status), [303, 303, 303, 303, 303]);
  assert.deepEqual(tickets(w, agent), [], 'no ticket is left');
  assert.equal(await w.isSignedIn(agent), true);
});

check('AR-29 a login as somebody else: a new id, the old session is over', async () => {
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  w.idp.user = 'bob';
  const landed = await agent.login(w.url('/sso/login?return=/app/env.cgi'));
  assert.equal(landed.json.REMOTE_USER, 'bob');
  assert.notEqual(agent.jar.get('sso'), old.get('sso'));
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
  w.idp.user = 'alice';
});

check('ST-14 logout in one tab while another is at the provider: the login completes anew or is refused, never revives', async () => {
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  const callback = await agent.callbackUrl(w.url('/sso/login?return=/app/env.cgi'));
  await agent.nav(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
  const answer = await agent.nav(callback);
  assert.equal(answer.status, 303);
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
});

check('ST-25 a browser that never keeps the session cookie: an explanation instead of a loop', async () => {
  w.expects(/\[sso:warn\].* reason=login_loop /);
  const agent = w.agent();
  let last;
  let completed = 0;
  for (let round = 0; round < 6; round++) {
    const first = await agent.nav(page('loop'));
    if (first.status >= 400) { last = first; break; }
    const callback = await agent.callbackUrl(page('loop'), 'alice', first);
    last = await agent.nav(callback);
    if (last.status >= 400) break;
    completed++;
    agent.jar.drop('sso');
  }
  assert.ok(last.status >= 400 && last.status < 500, `still ${last.status} after ${completed} logins`);
  assert.match(last.body, /login_loop/);
  assert.ok(completed <= 3, `${completed} logins were completed`);
});

test('the worlds end clean', async () => {
  await real.end();
  await w.end();
});
