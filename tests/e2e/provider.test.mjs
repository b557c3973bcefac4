// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The provider is down, comes up, changes its keys.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertPage } from './lib/check.mjs';
import { makeSigner } from './lib/scriptedop.mjs';
import { sleep } from './lib/proc.mjs';

const because = (reason) => ({ allowed: [new RegExp(`\\[sso:(warn|error)\\].* reason=${reason} `)] });

test('DS-02 down at the start: httpd starts all the same, a page says so, nothing else suffers; then it comes up', async (t) => {
  const w = await world({ provider: 'scripted', start: false });
  t.after(() => w.end(because('provider_down')));
  await w.idp.stop();
  await w.httpd.start();
  const answer = await w.agent().nav(w.url('/app/index.html'));
  assert.equal(answer.status, 503);
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  assertPage(answer, { reason: 'provider_down' });
  assert.deepEqual(answer.setCookies, []);
  assert.equal((await w.agent().nav(w.url('/public/'))).status, 200);
  assert.equal((await w.agent().xhr(w.url('/app/index.html'))).status, 401, 'a fetch needs no provider to hear 401');
  await w.idp.listen();
  let landed;
  for (let i = 0; i < 60; i++) {
    landed = await w.agent().login(w.url('/app/env.cgi'));
    if (landed.status === 200) break;
    await sleep(500);
  }
  assert.equal(landed.status, 200, 'back by itself');
});

test('down while sessions live: they go on, new logins get the page', async (t) => {
  const w = await world({ provider: 'scripted' });
  t.after(() => w.end(because('state_unknown')));
  const agent = await w.signedIn('alice');
  await w.idp.stop();
  assert.equal(await w.isSignedIn(agent), true);
  const callback = new URL(w.url('/sso/callback?code=x&state=y'));
  assert.equal((await agent.nav(callback)).status, 400);
});

test('DS-12 httpd and its metadata: one discovery and one key fetch a process for many logins', async (t) => {
  const w = await world({ provider: 'scripted' });
  t.after(() => w.end());
  for (let i = 0; i < 12; i++) await w.signedIn('alice');
  assert.ok(w.idp.count('metadata') <= 3, `${w.idp.count('metadata')} discoveries`);
  assert.ok(w.idp.count('jwks') <= 3, `${w.idp.count('jwks')} key fetches`);
});

test('JW-27 key rotation: an unknown kid makes the keys be fetched again, and the login works', async (t) => {
  const w = await world({ provider: 'scripted' });
  t.after(() => w.end());
  await w.signedIn('alice');
  const before = w.idp.count('jwks');
  await w.idp.rotateKey();
  await w.signedIn('alice');
  assert.ok(w.idp.count('jwks') > before);
});

for (const keepOld of [false, true]) { /* a world each: two rotations within seconds meet the throttle, as they should */
  test(`JW-27 key rotation at the real provider, the old key ${keepOld ? 'still published' : 'gone'}`, async (t) => {
    const w = await world();
    t.after(() => w.end());
    await w.signedIn('alice');
    await w.idp.rotateKeys({ keepOld });
    await w.signedIn('bob');
    await w.signedIn('alice');
  });
}

test('JW-18 DO-04 a storm of unknown kids is throttled', async (t) => {
  const w = await world({ provider: 'scripted', mpm: 'event' });
  t.after(() => w.end(because('idtoken_key')));
  await w.signedIn('alice');
  const before = w.idp.count('jwks');
  const stranger = await makeSigner('RS256');
  w.idp.misbehave.sign = () => stranger;
  for (let i = 0; i < 30; i++) {
    const answer = await w.agent().login(w.url('/app/index.html'));
    assert.equal(answer.status, 400);
    assert.match(answer.body, /idtoken_key/);
  }
  assert.ok(w.idp.count('jwks') - before <= 6, `${w.idp.count('jwks') - before} key fetches for 30 forged tokens`);
});

const METADATA = [
  ['DS-01 issuer is another one', (body) => { body.issuer = 'http://127.0.0.1:1/'; }, 'metadata_invalid'],
  ['DS-01 issuer with a slash at its end', (body) => { body.issuer += '/'; }, 'metadata_invalid'],
  ['DS-14 no token endpoint', (body) => { delete body.token_endpoint; }, 'provider_unsuitable'],
  ['DS-14 no authorization endpoint', (body) => { delete body.authorization_endpoint; }, 'provider_unsuitable'],
  ['DS-04 TE-25 a token endpoint without TLS elsewhere', (body) => { body.token_endpoint = 'http://192.0.2.1/token'; }, 'metadata_invalid'],
  ['DS-04 a script as authorization endpoint', (body) => { body.authorization_endpoint = 'javascript:alert(1)'; }, 'metadata_invalid'],
  ['CI-08 PKCE only as plain', (body) => { body.code_challenge_methods_supported = ['plain']; }, 'provider_unsuitable'],
  ['DS-14 an endpoint of the wrong type', (body) => { body.authorization_endpoint = 7; }, 'metadata_invalid'],
  ['JS-05 not JSON', () => 'oops', 'metadata_invalid'],
  ['JS-06 an array', () => '[]', 'metadata_invalid'],
  ['DS-02 404', () => 404, 'metadata_invalid'],
  ['DS-02 500', () => 500, 'provider_down'],
];
for (const [what, change, reason] of METADATA) {
  test(`metadata that cannot be used: ${what}`, async (t) => {
    const w = await world({ provider: 'scripted', start: false });
    t.after(() => w.end(because(reason)));
    w.idp.misbehave.metadata = (reply) => {
      const result = change(reply.body);
      if (typeof result === 'string') return { status: 200, headers: { 'Content-Type': 'application/json' }, body: result };
      if (typeof result === 'number') return { status: result, body: 'no' };
      return reply;
    };
    await w.httpd.start();
    const answer = await w.agent().nav(w.url('/app/index.html'));
    assert.equal(answer.status, 503, answer.headers.location);
    assertPage(answer, { reason });
  });
}

test('CI-07 metadata that do not speak of PKCE: S256 is sent all the same', async (t) => {
  const w = await world({ provider: 'scripted', start: false });
  t.after(() => w.end());
  w.idp.misbehave.metadata = (reply) => { delete reply.body.code_challenge_methods_supported; };
  await w.httpd.start();
  await w.signedIn('alice');
  assert.equal(w.idp.last('authorize').url.searchParams.get('code_challenge_method'), 'S256');
  assert.match(w.idp.last('token').form.get('code_verifier'), /^[\w.~-]{43,128}$/);
});
