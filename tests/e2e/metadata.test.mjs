// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Discovery and key sets (attacks.md, section 10): where the module goes, where it does not, and how often.

import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { ONE_PROCESS, siege } from './lib/attack.mjs';
import { assertRefused } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';
import { freePort } from './lib/ports.mjs';
import { sleep } from './lib/proc.mjs';
import { world } from './lib/world.mjs';

/** A site whose provider misbehaves from the first look on; a refused look is repeated soon, so one world serves many rows. */
const w = await world({ provider: 'scripted', start: false, conf: ONE_PROCESS });
const check = lawful(w);
let trapped = 0;
const trap = http.createServer((request, response) => { trapped++; response.end('{}'); });
const trapPort = await freePort();
await new Promise((resolve) => trap.listen(trapPort, '127.0.0.1', resolve));
await w.httpd.start();

const RETRY = 1100; /* a failed look at the provider is not repeated within a second */
async function refusedLook(metadata, reason) {
  w.idp.reset();
  w.idp.misbehave.metadata = metadata;
  await sleep(RETRY);
  assertRefused(w, await w.agent().nav(w.url('/app/index.html')), reason, { status: 503 });
  assert.equal(w.idp.count('metadata'), 1);
}

for (const [what, location] of [['another server', () => `http://127.0.0.1:${trapPort}/`], ['a file', () => 'file:///etc/passwd'], ['https elsewhere', () => 'https://evil.test/']]) {
  check(`DS-03 metadata that redirect to ${what} are not followed`, () => refusedLook(() => ({ status: 302, headers: { Location: location() }, body: '' }), 'metadata_invalid'));
}

/* One row for all of them: tests/unit/test_provider.c has a table. */
check('DS-04 a token endpoint with a user in it', () => refusedLook((reply) => { reply.body.token_endpoint = 'https://op@evil.test/'; }, 'metadata_invalid'));

check('DS-12 200 first requests at once: one look at the metadata', async () => {
  w.idp.reset();
  await sleep(RETRY);
  const answers = await Promise.all(Array.from({ length: 200 }, () => w.agent().nav(w.url('/app/index.html'))));
  assert.deepEqual(answers.filter((answer) => answer.status !== 302).map((answer) => answer.status), []);
  assert.deepEqual([w.idp.count('metadata'), w.idp.count('jwks')], [1, 0]);
});

check('DS-03 a key set that redirects is not followed', async () => {
  w.idp.reset();
  w.idp.misbehave.jwks = () => ({ status: 302, headers: { Location: `http://127.0.0.1:${trapPort}/` }, body: '' });
  const agent = w.agent();
  assertRefused(w, await agent.nav(await agent.callbackUrl(w.url('/app/'))), 'metadata_invalid', { status: 503 });
  assert.equal(trapped, 0);
  w.idp.reset();
  await sleep(RETRY);
  await w.signedIn('alice');
});

check('DS-10 DS-11 RD-17 a login for an issuer that is not ours: refused, and nobody is asked', async () => {
  w.idp.reset();
  for (const iss of [`http://127.0.0.1:${trapPort}`, 'https://evil.test', '', '\u0000', `${w.idp.issuer}/`]) {
    assertRefused(w, await w.agent().nav(w.url(`/sso/login?iss=${encodeURIComponent(iss)}`)), 'issuer_mismatch');
  }
  assertRefused(w, await w.agent().nav(w.url(`/sso/login?iss=${w.idp.issuer}&target_link_uri=https://evil.test/`)), 'target_refused');
  assert.deepEqual([trapped, w.idp.requests.length], [0, 0]);
  const answer = await w.agent().nav(w.url(`/sso/login?iss=${w.idp.issuer}&target_link_uri=${encodeURIComponent(w.url('/app/'))}&login_hint=${encodeURIComponent('<script>&state=x')}`));
  assert.equal(answer.status, 302);
  assert.equal(answer.location.searchParams.get('login_hint'), '<script>&state=x');
});

check('DS-09 a key set that is garbage does not replace the one that works', async () => {
  const one = await siege();
  one.w.idp.reset();
  const [honest] = one.w.idp.signers;
  one.w.idp.misbehave.jwks = () => ({ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' });
  one.w.idp.misbehave.header = (header) => ({ ...header, kid: 'unheard-of' });
  await one.bent('idtoken_key');
  assert.equal(one.w.idp.count('jwks'), 1, 'it was asked for');
  one.w.idp.reset();
  await one.w.signedIn('alice');
  assert.equal(one.w.idp.count('jwks'), 0, `the key ${honest.kid} is still known`);
  await one.w.end({ allowed: [/\[sso:warn\].* provider not usable, going on with what is known: reason=metadata_invalid /] });
});

test('the world ends clean', async () => {
  trap.close();
  await w.end();
});
