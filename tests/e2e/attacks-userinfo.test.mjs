// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Userinfo answers of hostile and of broken providers (attacks.md, section 11).

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { JSON_TYPE, answerWith, b64, body, siege } from './lib/attack.mjs';

const { w, check, bent } = await siege({ sso: { SSOUserinfo: 'always' } });

/* [id, what, bend(reply), reason, status] */
const USERINFO = [
  ['UI-01', 'another sub', body((b) => { b.sub = 'mallory'; }), 'userinfo_subject'],
  ['UI-02', 'no sub', body((b) => { delete b.sub; }), 'userinfo_subject'],
  ['UI-02', 'sub of another type', body((b) => { b.sub = ['alice']; }), 'userinfo_subject'],
  ['UI-04', 'an array', answerWith(200, JSON_TYPE, '[]'), 'userinfo_refused'],
  ['UI-04', 'HTML', answerWith(200, { 'Content-Type': 'text/html' }, '<html>'), 'userinfo_refused'],
  ['UI-04', 'not JSON', answerWith(200, JSON_TYPE, 'x'), 'userinfo_refused'],
  ['UI-05', 'a JWT nobody asked for', answerWith(200, { 'Content-Type': 'application/jwt' }, `${b64({ alg: 'none' })}.${b64({ sub: 'alice' })}.`), 'userinfo_refused'],
  ['UI-09', '500', () => ({ status: 500, body: '' }), 'provider_down', 503],
  ['UI-05', 'a plain JWT as JSON', (reply) => ({ ...reply, headers: { 'Content-Type': 'application/jwt' } }), 'userinfo_refused'],
  ['UI-09', 'a redirect', () => ({ status: 302, headers: { Location: `${w.idp.issuer}/elsewhere` }, body: '' }), 'userinfo_refused'],
  ['UI-09', 'a body of 2 MB', answerWith(200, JSON_TYPE, Buffer.alloc(2 * 1024 * 1024, ' ')), 'userinfo_refused'],
  ['UI-09', 'gzip that nobody asked for', (reply) => ({ ...reply, headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' }, body: gzipSync(JSON.stringify(reply.body)) }), 'provider_down', 503],
  ['UI-09', 'a byte every 300 ms', (reply) => ({ ...reply, drip: 300 }), 'provider_down', 503],
  ['UI-10', 'a challenge for DPoP, which is not used', answerWith(401, { ...JSON_TYPE, 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce': 'x' }, '{"error":"use_dpop_nonce"}'), 'userinfo_refused'],
  ['UI-09', 'silence', () => ({ hang: true }), 'provider_down', 503],
];
for (const [id, what, bend, reason, status] of USERINFO) {
  check(`${id} userinfo: ${what}`, async () => {
    w.idp.reset();
    w.idp.misbehave.userinfo = bend;
    await bent(reason, { status, userinfo: 1 });
  });
}

check('UI-03 userinfo cannot override what the ID token says; UI-08 the token travels in the header only', async () => {
  w.idp.reset();
  w.idp.misbehave.userinfo = (reply) => { Object.assign(reply.body, { iss: 'https://evil.test', aud: 'x', email: reply.body.email, acr: 'gold' }); };
  w.idp.misbehave.claims = (claims) => { claims.acr = 'bronze'; };
  const agent = await w.signedIn('alice');
  const env = await w.env(agent);
  assert.equal(env.SSO_CLAIM_acr, 'bronze');
  assert.notEqual(env.SSO_CLAIM_iss, 'https://evil.test');
  const { url, headers, body: sent } = w.idp.last('userinfo');
  assert.match(headers.authorization, /^Bearer /);
  assert.equal(url.search + sent, '');
});

check('the world ends clean', () => w.end());
