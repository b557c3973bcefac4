// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The session cookie and its look-alikes (attacks.md, section 13).

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { send } from './lib/wire.mjs';
import { randomBytes } from 'node:crypto';
import { lawful } from './lib/lawful.mjs';

const w = await world();
const check = lawful(w);
const agent = await w.signedIn('alice');
const id = agent.jar.get('sso');
const ask = (cookie, path = '/app/env.cgi') => send(w.httpd.port, { path, lines: [`Cookie: ${cookie}`, 'Sec-Fetch-Mode: cors'] });

test('the cookie itself opens the door', async () => assert.equal((await ask(`sso=${id}`)).status, 200));

test('CK-03 CK-04 unknown and malformed ids are no session, and nothing is written for them', async () => {
  const before = await w.memcached.stats();
  const odd = [randomBytes(32).toString('base64url'), '', 'x', id.slice(1), `${id}A`, `${id}=`, `"${id}"`, `${id} x`, '../../etc/passwd', 'A'.repeat(6000), `${id.slice(0, -1)}\u00e4`, `${id}%0d%0aset x 0 0 1`, `${id}\tx`];
  for (const value of odd) {
    const answer = await ask(`sso=${value}`);
    assert.ok([400, 401].includes(answer.status), `${JSON.stringify(value.slice(0, 60))}: ${answer.status}`);
  }
  const after = await w.memcached.stats();
  assert.equal(after.cmd_set, before.cmd_set);
  assert.equal(after.curr_items, before.curr_items);
});

check('CK-05 two cookies of the name are no session', async () => {
  w.expects(/\[sso:warn\].* the session cookie came twice, neither is trusted/);
  const other = await w.signedIn('bob');
  for (const cookie of [`sso=${id}; sso=${other.jar.get('sso')}`, `sso=${id}; sso=${id}`, `sso=${id}; a=b; sso=x`]) {
    assert.equal((await ask(cookie)).status, 401, cookie.length);
  }
});

for (const cookie of ['SSO=ID', 'sso =ID', '$Version=1; sso="ID"', 'sso="ID', '__Host-sso=ID', 'xsso=ID', 'sso.x=ID', 'sso[]=ID', 'a="x; y=z sso=ID"']) {
  test(`CK-06 no session cookie: ${cookie}`, async () => {
    const { status } = await ask(cookie.replace('ID', id));
    /* A blank before '=' belongs to the name for some readers and is trimmed by RFC 6265 section 5.4 for others. */
    assert.ok(cookie === 'sso =ID' ? [200, 401].includes(status) : status === 401, `${status}`);
  });
}

test('CK-07 only the module\'s own cookies are kept from applications; the others stay byte for byte, in order', async () => {
  const rows = [
    [`a=1; sso=${id}; b="x y"; C=%20`, ['a=1; b="x y"; C=%20']],
    [`sso=${id}`, undefined],
    [`lang=de;sso=${id};theme=dark`, ['lang=de;theme=dark']],
    [`ssodata=keep; sso=${id}`, ['ssodata=keep']],
  ];
  for (const [sent, expected] of rows) {
    const answer = await ask(sent, '/proxy/x');
    assert.equal(answer.status, 200);
    const got = answer.json.headers.cookie?.map((line) => line.replace(/; */g, ';'));
    assert.deepEqual(got, expected?.map((line) => line.replace(/; */g, ';')), sent.replace(id, 'ID'));
  }
});

test('CK-02 a planted id is not adopted: the login makes a new one and ends the old session', async () => {
  const planted = await w.signedIn('bob');
  const old = planted.jar.get('sso');
  const victim = w.agent();
  victim.jar.set('sso', old);
  const callback = await victim.callbackUrl(w.url('/sso/login'), 'alice');
  const answer = await victim.follow(await victim.nav(callback));
  assert.notEqual(victim.jar.get('sso'), old);
  assert.equal((await w.env(victim)).REMOTE_USER, 'alice');
  assert.ok(answer);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  assert.equal((await ask(`sso=${old}`)).status, 401, 'the old session of this browser is over');
});

test('CK-20 a bomb of foreign cookies: httpd refuses it, and nothing is added to it', async () => {
  const cookie = Array.from({ length: 40 }, (_, i) => `c${i}=${'x'.repeat(4000)}`).join('; ');
  const { status, head } = await ask(cookie);
  assert.equal(status, 400);
  assert.doesNotMatch(head, /^set-cookie/im);
});

test('CK-16 Set-Cookie only when something changes', async () => {
  for (let i = 0; i < 20; i++) assert.deepEqual((await agent.nav(w.url('/app/index.html'))).setCookies, []);
});

test('CK-15 LO-08 SSOCacheControl auto', async () => {
  assert.equal((await agent.nav(w.url('/app/index.html'))).headers['cache-control'], 'private, no-store');
  assert.equal((await agent.nav(w.url('/app/env.cgi'))).headers['cache-control'], 'private, no-cache');
  assert.equal((await agent.nav(w.url('/public/'))).headers['cache-control'], undefined);
});

test('CK-23 two users on one connection: identity follows the cookie of each request', async () => {
  const shared = w.agent({ keepAlive: true });
  const cookies = { alice: `sso=${id}`, bob: `sso=${(await w.signedIn('bob')).jar.get('sso')}` };
  for (let i = 0; i < 10; i++) {
    for (const user of ['alice', 'bob']) {
      const env = (await shared.nav(w.url('/app/env.cgi'), { headers: { Cookie: cookies[user] } })).json;
      assert.equal(env.REMOTE_USER, user);
    }
    assert.equal((await shared.xhr(w.url('/app/env.cgi'), { headers: { Cookie: undefined } })).status, 401);
  }
});

test('CK-09 a cookie of another site on the same memcached is no session', async (t) => {
  const other = await world({ store: w.memcached.url, provider: 'scripted' });
  t.after(() => other.end());
  assert.equal((await send(other.httpd.port, { path: '/app/env.cgi', lines: [`Cookie: sso=${id}`, 'Sec-Fetch-Mode: cors'] })).status, 401);
});

test('the world ends clean', () => w.end());
