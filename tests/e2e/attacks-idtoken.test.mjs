// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// ID tokens whose claims or form are not right, though properly signed (attacks.md, sections 4 and 6).

import assert from 'node:assert/strict';
import { b64, now, siege } from './lib/attack.mjs';
import { assertRefused } from './lib/check.mjs';
import { halfHash } from './lib/scriptedop.mjs';

const { w, start, check, bent } = await siege({ sso: { SSOUserinfo: 'always' } });
const claim = (change) => ({ claims: (claims, context) => { change(claims, context); } });
/* [id, what, switches of the provider, reason or null when the login succeeds] */
const ROWS = [
  ['IT-01', 'iss missing', claim((c) => { delete c.iss; }), 'idtoken_issuer'],
  ['IT-01', 'another iss', claim((c) => { c.iss = 'https://evil.test'; }), 'idtoken_issuer'],
  ['MX-08', 'iss with a slash', claim((c) => { c.iss += '/'; }), 'idtoken_issuer'],
  ['IT-01', 'iss as an array', claim((c) => { c.iss = [c.iss]; }), 'idtoken_issuer'],
  ['IT-02', 'aud missing', claim((c) => { delete c.aud; }), 'idtoken_audience'],
  ['IT-02', 'aud empty', claim((c) => { c.aud = []; }), 'idtoken_audience'],
  ['IT-21', 'aud is another client', claim((c) => { c.aud = 'other'; }), 'idtoken_audience'],
  ['IT-02', 'aud begins like us', claim((c) => { c.aud = 'test-client2'; }), 'idtoken_audience'],
  ['IT-03', 'aud array with us only', claim((c) => { c.aud = ['test-client']; }), null],
  ['IT-04', 'a second audience without azp', claim((c) => { c.aud = ['test-client', 'other']; }), 'idtoken_audience'],
  ['IT-06', 'azp is another client', claim((c) => { c.azp = 'other'; }), 'idtoken_audience'],
  ['IT-06', 'azp is us', claim((c) => { c.azp = 'test-client'; }), null],
  ['IT-09', 'expired', claim((c) => { c.exp = now() - 65; c.iat = now() - 300; }), 'idtoken_expired'],
  ['IT-09', 'expired within the tolerance', claim((c) => { c.exp = now() - 50; }), null],
  ['IT-10', 'exp missing', claim((c) => { delete c.exp; }), 'idtoken_claims'],
  ['IT-10', 'exp 0', claim((c) => { c.exp = 0; }), 'idtoken_expired'],
  ['IT-10', 'exp -1', claim((c) => { c.exp = -1; }), 'idtoken_expired'],
  ['IT-10', 'exp 1.5e9', claim((c) => { c.exp = 1.5e9; }), 'idtoken_expired'],
  ['IT-10', 'exp 1700000000.9', claim((c) => { c.exp = 1700000000.9; }), 'idtoken_expired'],
  ['IT-10', 'exp 1e300', claim((c) => { c.exp = 1e300; }), null],
  ['IT-10', 'exp 2^63', { payload: (text) => text.replace(/"exp":\d+/, '"exp":9223372036854775808') }, 'idtoken_claims'],
  ['IT-10', 'exp 2^31', claim((c) => { c.exp = 2 ** 31; }), null],
  ['IT-10', 'exp with a fraction', claim((c) => { c.exp = now() + 300.5; }), null],
  ['IT-10', 'exp as a string', claim((c) => { c.exp = String(now() + 300); }), 'idtoken_claims'],
  ['IT-10', 'exp null', claim((c) => { c.exp = null; }), 'idtoken_claims'],
  ['IT-10', 'exp []', claim((c) => { c.exp = []; }), 'idtoken_claims'],
  ['IT-12', 'iat in the future', claim((c) => { c.iat = now() + 90; }), 'idtoken_expired'],
  ['IT-12', 'iat a week old', claim((c) => { c.iat = now() - 7 * 86400; }), 'idtoken_expired'],
  ['IT-12', 'iat missing', claim((c) => { delete c.iat; }), 'idtoken_claims'],
  ['IT-13', 'nbf in the future', claim((c) => { c.nbf = now() + 90; }), 'idtoken_expired'],
  ['IT-31', 'a clock 50 s ahead', claim((c) => { c.iat = now() + 50; c.exp = now() + 350; }), null],
  ['IT-14', 'sub missing', claim((c) => { delete c.sub; }), 'idtoken_subject'],
  ['IT-14', 'sub empty', claim((c) => { c.sub = ''; }), 'idtoken_subject'],
  ['IT-14', 'sub a number', claim((c) => { c.sub = 123; }), 'idtoken_subject'],
  ['IT-14', 'sub null', claim((c) => { c.sub = null; }), 'idtoken_subject'],
  ['IT-16', 'sub with NUL', claim((c) => { c.sub = 'admin\u0000x'; }), 'idtoken_claims'],
  ['IT-16', 'sub with CR LF', claim((c) => { c.sub = 'a\r\nX-H: 1'; }), 'idtoken_subject'],
  ['IT-16', 'sub beyond ASCII', claim((c) => { c.sub = 'é'; }), 'idtoken_subject'],
  ['IT-16', 'sub of 300 bytes', claim((c) => { c.sub = 'x'.repeat(300); }), 'idtoken_subject'],
  ['CI-03', 'nonce missing', claim((c) => { delete c.nonce; }), 'idtoken_nonce'],
  ['CI-02', 'nonce of somebody else', claim((c) => { c.nonce = 'x'.repeat(43); }), 'idtoken_nonce'],
  ['CI-04', 'nonce as an array', claim((c) => { c.nonce = [c.nonce]; }), 'idtoken_nonce'],
  ['CI-04', 'nonce as an object', claim((c) => { c.nonce = {}; }), 'idtoken_nonce'],
  ['CI-04', 'nonce null', claim((c) => { c.nonce = null; }), 'idtoken_nonce'],
  ['CI-04', 'nonce true', claim((c) => { c.nonce = true; }), 'idtoken_nonce'],
  ['CI-05', 'nonce cut', claim((c) => { c.nonce = c.nonce.slice(0, -1); }), 'idtoken_nonce'],
  ['CI-05', 'nonce longer', claim((c) => { c.nonce += 'x'; }), 'idtoken_nonce'],
  ['CI-05', 'nonce in upper case', claim((c) => { c.nonce = `${c.nonce.toUpperCase()}`; }), 'idtoken_nonce'],
  ['CI-05', 'nonce with NUL behind', claim((c) => { c.nonce += '\u0000'; }), 'idtoken_claims'],
  ['IT-26', 'at_hash wrong', claim((c) => { c.at_hash = halfHash('RS256', 'other'); }), 'idtoken_hash'],
  ['IT-26', 'at_hash of another length', claim((c, x) => { c.at_hash = halfHash('RS512', x.access); }), 'idtoken_hash'],
  ['IT-26', 'at_hash with padding', claim((c) => { c.at_hash += '=='; }), 'idtoken_hash'],
  ['IT-26', 'at_hash not a string', claim((c) => { c.at_hash = 5; }), 'idtoken_hash'],
  ['IT-27', 'at_hash absent', claim((c) => { delete c.at_hash; }), null],
  ['IT-28', 'a claim twice', { payload: (text) => text.replace(/^{/, '{"sub":"admin",') }, 'idtoken_claims'],
  ['IT-29', 'payload is an array', { payload: () => '[]' }, 'idtoken_claims'],
  ['IT-29', 'payload is a string', { payload: () => '"x"' }, 'idtoken_claims'],
  ['IT-29', 'payload is empty', { payload: () => '' }, 'idtoken_claims'],
  ['IT-39', '_claim_sources lead into the network', claim((c) => { c._claim_names = { x: 's' }; c._claim_sources = { s: { endpoint: 'http://169.254.169.254/' } }; }), null],
  ['IT-23', 'one segment', { jwt: () => 'abc' }, 'idtoken_malformed'],
  ['IT-23', 'two segments', { jwt: (jwt) => jwt.split('.').slice(0, 2).join('.') }, 'idtoken_malformed'],
  ['IT-23', 'four segments', { jwt: (jwt) => `${jwt}.x` }, 'idtoken_malformed'],
  ['IT-23', 'five segments', { jwt: (jwt) => `${jwt}.x.y` }, 'idtoken_malformed'],
  ['IT-23', 'an empty segment', { jwt: (jwt) => jwt.replace(/\..*\./, '..') }, 'idtoken_signature'],
  ['IT-23', '100000 dots', { jwt: () => '.'.repeat(100000) }, 'idtoken_malformed'],
  ['IT-24', 'padding', { jwt: (jwt) => `${jwt}=` }, 'idtoken_malformed'],
  ['IT-24', 'a blank', { jwt: (jwt) => `${jwt} ` }, 'token_answer'],
  ['IT-24', 'a line break inside', { jwt: (jwt) => jwt.replace('.', '.\n') }, 'token_answer'],
  ['IT-24', 'the other base64', { jwt: (jwt) => jwt.replace(/.$/, '+') }, 'idtoken_malformed'],
  ['IT-25', 'JSON serialisation', { jwt: (jwt) => { const [p, l, s] = jwt.split('.'); return JSON.stringify({ protected: p, payload: l, signature: s }); } }, 'idtoken_malformed'],
  ['JE-00', 'encrypted', { jwt: () => `${b64({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.${'A'.repeat(342)}.${'A'.repeat(16)}.${'A'.repeat(40)}.${'A'.repeat(22)}` }, 'idtoken_malformed'],
];
for (const [id, what, switches, reason] of ROWS) {
  check(`${id} ID token: ${what}`, async () => {
    w.idp.reset();
    Object.assign(w.idp.misbehave, switches);
    await bent(reason);
  });
}

check('CI-06 the ID token of an older login is refused', async () => {
  w.idp.reset();
  let old;
  w.idp.misbehave.token = ({ body: b }) => { old = b; };
  await w.signedIn('alice');
  w.idp.reset();
  w.idp.misbehave.token = (reply) => { reply.body.id_token = old.id_token; reply.body.access_token = old.access_token; };
  await bent('idtoken_nonce');
});

check('CI-01 CI-02 somebody else\'s code in one\'s own login, at a provider that ignores PKCE', async () => {
  w.idp.reset();
  w.idp.user = 'bob';
  const victim = await w.agent().callbackUrl(start);
  w.idp.user = 'alice';
  const attacker = w.agent();
  const mine = await attacker.callbackUrl(start);
  const stolen = mine.href.replace(mine.searchParams.get('code'), victim.searchParams.get('code'));
  w.idp.ignorePkce = true;
  const answer = await attacker.nav(stolen);
  w.idp.ignorePkce = false;
  assertRefused(w, answer, 'idtoken_nonce');
  const other = w.agent();
  const again = await other.callbackUrl(start);
  const fresh = await w.agent().callbackUrl(start);
  assertRefused(w, await other.nav(again.href.replace(again.searchParams.get('code'), fresh.searchParams.get('code'))), 'grant_refused');
});

check('CLEAN what came in hostile tokens stands nowhere; ALIVE an honest login works afterwards', async () => {
  w.idp.reset();
  assert.equal((await w.env(await w.signedIn('alice'))).REMOTE_USER, 'alice');
});

check('the world ends clean', () => w.end());
