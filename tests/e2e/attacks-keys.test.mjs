// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Signatures, headers and keys of ID tokens (attacks.md, section 7). The provider publishes a zoo of keys from the start on, since
// keys are fetched again at most once a minute.

import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { b64, siege } from './lib/attack.mjs';
import { assertRefused } from './lib/check.mjs';
import { makeSigner } from './lib/scriptedop.mjs';
import { signBytes } from './lib/rawsign.mjs';

const SECRET = 'demo-secret-0123456789abcdef0123456789';
const rsa = (modulusLength) => generateKeyPairSync('rsa', { modulusLength });
const published = ({ publicKey }, kid, more = {}) => ({ ...publicKey.export({ format: 'jwk' }), kid, ...more });
const pair = rsa(2048);
const other = rsa(2048);
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const crowd = Array.from({ length: 9 }, () => rsa(2048));
const weak = rsa(1024);
const stranger = await makeSigner('RS256');
const offCurve = published(curve, 'off-curve', { x: Buffer.alloc(32, 1).toString('base64url') });
const ZOO = [
  published(pair, 'free'), published(pair, 'for-encryption', { use: 'enc' }), published(pair, 'for-pss', { alg: 'PS256' }),
  { kty: 'oct', k: b64('k'.repeat(32)), kid: 'symmetric', alg: 'HS256' }, { ...other.privateKey.export({ format: 'jwk' }), kid: 'private' },
  published(curve, 'twin'), published(other, 'twin'), published(pair, 'twin'),
  ...crowd.map((one) => published(one, 'crowd')), published(weak, 'weak'), published(other, 'e-is-one', { e: 'AQ' }), published(other, 'n-is-nothing', { n: 'AA' }), offCurve,
];

const { w, start, check, bent } = await siege({ sso: { SSOIdTokenAlg: 'RS256 ES256' }, op: { zoo: ZOO } });
const publicKey = () => createPublicKey({ key: w.idp.signers[0].jwk, format: 'jwk' });

const header = (more) => ({ header: (h) => ({ ...h, ...more }) });
const signed = (alg, key, kid) => ({ sign: () => ({ alg, key, kid }) });
/** The header in exactly these bytes, under a signature that fits. */
const exactly = (text) => ({ jwt: (jwt, x) => { const input = `${b64(text(x.signer.kid))}.${jwt.split('.')[1]}`; return `${input}.${b64(signBytes('RS256', x.signer.key, input))}`; } });
const unsigned = (alg, leftover) => ({ jwt: (jwt) => `${b64({ alg })}.${jwt.split('.')[1]}.${leftover ? jwt.split('.')[2] : ''}` });
const mac = (secret) => ({ jwt: (jwt, x) => { const input = `${b64({ alg: 'HS256', kid: x.signer.kid })}.${jwt.split('.')[1]}`; return `${input}.${createHmac('sha256', secret()).update(input).digest('base64url')}`; } });

/* [id, what, switches of the provider, reason or null when the login succeeds] */
const ROWS = [
  ...['none', 'None', 'NONE', 'nOnE'].flatMap((alg) => [['JW-01', `alg ${alg} without signature`, unsigned(alg, false), 'idtoken_malformed'], ['JW-01', `alg ${alg} with a signature left over`, unsigned(alg, true), 'idtoken_algorithm']]),
  ['JW-02', 'no alg', exactly((kid) => ({ kid })), 'idtoken_malformed'],
  ['JW-02', 'alg null', exactly((kid) => ({ kid, alg: null })), 'idtoken_malformed'],
  ['JW-02', 'alg a list', exactly((kid) => ({ kid, alg: ['RS256'] })), 'idtoken_malformed'],
  ['JW-03', 'HS256 with the public key as PEM', mac(() => publicKey().export({ type: 'spki', format: 'pem' })), 'idtoken_algorithm'],
  ['JW-03', 'HS256 with the public key as DER', mac(() => publicKey().export({ type: 'spki', format: 'der' })), 'idtoken_algorithm'],
  ['JW-03', 'HS256 with the public key as JWK', mac(() => JSON.stringify(w.idp.signers[0].jwk)), 'idtoken_algorithm'],
  ['JW-03', 'HS256 with the modulus', mac(() => Buffer.from(w.idp.signers[0].jwk.n, 'base64url')), 'idtoken_algorithm'],
  ['JW-04', 'HS256 with the client secret', mac(() => SECRET), 'idtoken_algorithm'],
  ['JW-05', 'HS256 with a key of zeros', mac(() => Buffer.alloc(32)), 'idtoken_algorithm'],
  ['JW-06', 'the algorithm of another hash', header({ alg: 'RS512' }), 'idtoken_algorithm'],
  ['JW-06', 'ES384 where RS256 and ES256 are pinned', header({ alg: 'ES384' }), 'idtoken_algorithm'],
  ['JW-11', 'PS256 where RS256 is pinned', signed('PS256', pair.privateKey, 'free'), 'idtoken_algorithm'],
  ['JW-11', 'RS256 with a key that is for PS256', signed('RS256', pair.privateKey, 'for-pss'), 'idtoken_key'],
  ['JW-14', 'its own key in the header', { sign: () => stranger, header: (h) => ({ ...h, jwk: stranger.jwk }) }, 'idtoken_key'],
  ['JW-14', 'jku', header({ kid: 'other', jku: 'https://evil.test/jwks' }), 'idtoken_key'],
  ['JW-14', 'x5c and x5t of somebody, the signature is right', header({ x5c: ['MIIB'], x5t: 'AAAA', x5u: 'https://evil.test/' }), null],
  ...['../../dev/null', "'; DROP TABLE keys;--", 'a\r\nget x', '%s%n', 'x'.repeat(2000)].map((kid) => ['JW-15', `kid ${JSON.stringify(kid).slice(0, 30)}`, header({ kid }), 'idtoken_key']),
  ['JW-15', 'kid with NUL', header({ kid: 'a\u0000b' }), 'idtoken_malformed'],
  ['JW-15', 'kid a number', header({ kid: 7 }), 'idtoken_malformed'],
  ['JW-15', 'kid a list', header({ kid: ['x'] }), 'idtoken_malformed'],
  ['JW-15', 'kid of 300 kB', header({ kid: 'x'.repeat(300000) }), 'idtoken_malformed'],
  ['JW-16', 'the kid of an encryption key', signed('RS256', pair.privateKey, 'for-encryption'), 'idtoken_key'],
  ['JW-16', 'the kid of a symmetric key', signed('RS256', pair.privateKey, 'symmetric'), 'idtoken_key'],
  ['JW-16', 'the kid of a curve key', signed('RS256', pair.privateKey, 'off-curve'), 'idtoken_key'],
  ['JW-17', 'the second RSA key of one kid', signed('RS256', pair.privateKey, 'twin'), null],
  ['JW-17', 'the curve key of that kid', signed('ES256', curve.privateKey, 'twin'), null],
  ['JW-17', 'the eighth key of one kid', signed('RS256', crowd[7].privateKey, 'crowd'), null],
  ['JW-17', 'the ninth key of one kid: eight are tried', signed('RS256', crowd[8].privateKey, 'crowd'), 'idtoken_signature'],
  ['JW-18', 'a key that is not published', { sign: () => stranger }, 'idtoken_key'],
  ['JW-19', 'no kid, many keys', { header: ({ kid, ...h }) => h }, null],
  ['JW-20', 'crit', header({ crit: ['x'], x: 1 }), 'idtoken_malformed'],
  ['JW-20', 'an empty crit', header({ crit: [] }), 'idtoken_malformed'],
  ['JW-20', 'b64 false', header({ b64: false, crit: ['b64'] }), 'idtoken_malformed'],
  ['JW-20', 'b64 false without crit', header({ b64: false }), 'idtoken_malformed'],
  ['JW-21', 'alg twice', exactly((kid) => `{"alg":"RS256","alg":"none","kid":"${kid}"}`), 'idtoken_malformed'],
  ['JW-21', 'kid twice', exactly((kid) => `{"alg":"RS256","kid":"x","kid":"${kid}"}`), 'idtoken_malformed'],
  ['JW-22', 'no typ', { header: ({ typ, ...h }) => h }, null],
  ['JW-22', 'typ jwt', header({ typ: 'jwt' }), null],
  ['JW-22', 'typ at+jwt', header({ typ: 'at+jwt' }), 'idtoken_malformed'],
  ['JW-22 BL-13', 'a logout token', header({ typ: 'logout+jwt' }), 'idtoken_malformed'],
  ['JW-23', 'RSA of 1024 bits', signed('RS256', weak.privateKey, 'weak'), 'idtoken_key'],
  ['JW-23', 'an exponent of 1', signed('RS256', other.privateKey, 'e-is-one'), 'idtoken_key'],
  ['JW-23', 'a modulus of 0', signed('RS256', other.privateKey, 'n-is-nothing'), 'idtoken_key'],
  ['JW-23', 'a point that is not on the curve', signed('ES256', curve.privateKey, 'off-curve'), 'idtoken_key'],
  ['JW-24', 'a key that was published with its private half', signed('RS256', other.privateKey, 'private'), 'idtoken_key'],
  ['JW-30', 'a flipped signature', { jwt: (jwt) => jwt.replace(/.{3}(.{20})$/, (all, tail) => `AAA${tail}`) }, 'idtoken_signature'],
  ['JW-30', 'another payload under the signature', { jwt: (jwt) => { const [h, p, s] = jwt.split('.'); return `${h}.${b64(Buffer.from(p, 'base64url').toString().replace('"alice"', '"admin"'))}.${s}`; } }, 'idtoken_signature'],
  ['JW-30', 'a stranger\'s signature under a kid that is published', { sign: (signer) => ({ ...stranger, kid: signer.kid }) }, 'idtoken_signature'],
];
for (const [id, what, switches, reason] of ROWS) {
  check(`${id} ${what}`, async () => {
    w.idp.reset();
    Object.assign(w.idp.misbehave, switches);
    await bent(reason);
  });
}

check('JW-11 RS256 where PS256 is pinned', async () => {
  const one = await siege({ sso: { SSOIdTokenAlg: 'PS256' }, op: { alg: 'PS256', zoo: [published(pair, 'free')] } });
  one.w.idp.reset();
  Object.assign(one.w.idp.misbehave, signed('RS256', pair.privateKey, 'free'));
  await one.bent('idtoken_algorithm');
  await one.w.end();
});

check('JW-27 the key changes between authorization and token: one fetch, the login works; JW-26 tokens under the old key are refused', async () => {
  const one = await siege();
  const [old] = one.w.idp.signers;
  const { agent, callback } = await one.flight();
  await one.w.idp.rotateKey();
  assert.equal((await agent.nav(callback)).status, 303);
  assert.equal(one.w.idp.count('jwks'), 1);
  one.w.idp.reset();
  one.w.idp.misbehave.sign = () => old;
  await one.bent('idtoken_key');
  assert.equal(one.w.idp.count('jwks'), 0, 'JW-18: within a minute not once more');
  await one.w.end();
});

check('JW-15 no kid found its way into a request or a forged line', async () => {
  w.idp.reset();
  w.idp.misbehave.header = (h) => ({ ...h, kid: 'needle\r\n[Mon Jan 01 00:00:00 2024] [sso:emerg] forged' });
  const agent = w.agent();
  assertRefused(w, await agent.nav(await agent.callbackUrl(start)), 'idtoken_key');
  assert.ok(w.idp.requests.every(({ url }) => !url.href.includes('needle')));
  assert.ok(!/^\[Mon Jan 01 00:00:00 2024\]/m.test(w.httpd.errorLog()));
});

check('the world ends clean', () => w.end());
