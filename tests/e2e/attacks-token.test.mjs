// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Token endpoint answers of hostile and of broken providers (attacks.md, sections 5 and 9).

import http from 'node:http';
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { JSON_TYPE, answerWith, body, bytes, siege } from './lib/attack.mjs';
import { assertRefused } from './lib/check.mjs';
import { freePort } from './lib/ports.mjs';
import { world } from './lib/world.mjs';

const { w, check, bent } = await siege({ sso: { SSOUserinfo: 'always' } });
const BAD = 'token_answer';

/* [id, what, bend(reply), reason or null when the login succeeds, status] */
const TOKENS = [
  ['TE-01', 'invalid_grant', () => ({ status: 400, body: { error: 'invalid_grant' } }), 'grant_refused'],
  ['TE-01', 'invalid_client', () => ({ status: 401, body: { error: 'invalid_client' } }), 'client_refused', 503],
  ['TE-03', '500', () => ({ status: 500, body: 'broken' }), 'provider_down', 503],
  ['TE-03', '502 with HTML', answerWith(502, { 'Content-Type': 'text/html' }, '<html>'), 'provider_down', 503],
  ['TE-03', '503', () => ({ status: 503, body: '' }), 'provider_down', 503],
  ['TE-03', '429', () => ({ status: 429, headers: { 'Retry-After': '7' }, body: {} }), 'provider_busy', 503],
  ['TE-05', 'silence', () => ({ hang: true }), 'provider_down', 503],
  ['TE-06', 'a byte every 300 ms', (reply) => ({ ...reply, drip: 300 }), 'provider_down', 503],
  ['CI-11', 'the connection is reset after the request', () => ({ reset: true }), 'provider_down', 503],
  ['TE-07', 'HTML', answerWith(200, { 'Content-Type': 'text/html' }, '<html></html>'), BAD],
  ['TE-07', 'JSON as text/html', (reply) => ({ ...reply, headers: { 'Content-Type': 'text/html' } }), BAD],
  ['TE-07', 'application/json;charset=utf-8', (reply) => ({ ...reply, headers: { 'Content-Type': 'application/json;charset=utf-8' } }), null],
  ['TE-07', 'APPLICATION/JSON', (reply) => ({ ...reply, headers: { 'Content-Type': 'APPLICATION/JSON' } }), null],
  ['TE-08', 'an empty 200', answerWith(200, JSON_TYPE, ''), BAD],
  ['TE-08', '204', () => ({ status: 204 }), BAD],
  ['TE-08', '206', (reply) => ({ ...reply, status: 206 }), BAD],
  ['TE-15', 'no access_token', body((b) => { delete b.access_token; }), BAD],
  ['TE-15', 'no id_token', body((b) => { delete b.id_token; }), BAD],
  ['TE-15', 'no token_type', body((b) => { delete b.token_type; }), BAD],
  ['TE-16', 'bearer', body((b) => { b.token_type = 'bearer'; }), null],
  ['TE-16', 'bEaReR', body((b) => { b.token_type = 'bEaReR'; }), null],
  ['TE-16', 'mac', body((b) => { b.token_type = 'mac'; }), BAD],
  ['TE-16', 'DPoP', body((b) => { b.token_type = 'DPoP'; }), BAD],
  ['TE-16', 'a number as type', body((b) => { b.token_type = 3; }), BAD],
  ['TE-16', 'null as type', body((b) => { b.token_type = null; }), BAD],
  ['TE-17', 'expires_in absent', body((b) => { delete b.expires_in; }), null],
  ['TE-17', 'expires_in "3600"', body((b) => { b.expires_in = '3600'; }), null],
  ['TE-17', 'expires_in 1800.5', body((b) => { b.expires_in = 1800.5; }), null],
  ['TE-17', 'expires_in 0', body((b) => { b.expires_in = 0; }), null],
  ['TE-17', 'expires_in -1', body((b) => { b.expires_in = -1; }), BAD],
  ['TE-17', 'expires_in 9223372036854775807', bytes((text) => text.replace(/"expires_in":\d+/, '"expires_in":9223372036854775807')), null],
  ['TE-17', 'expires_in 2^64', bytes((text) => text.replace(/"expires_in":\d+/, '"expires_in":18446744073709551616')), BAD],
  ['TE-17', 'expires_in 1e309', bytes((text) => text.replace(/"expires_in":\d+/, '"expires_in":1e309')), BAD],
  ['TE-17', 'expires_in null', body((b) => { b.expires_in = null; }), null],
  ['TE-17', 'expires_in true', body((b) => { b.expires_in = true; }), BAD],
  ['TE-17', 'expires_in "abc"', body((b) => { b.expires_in = 'abc'; }), BAD],
  ['TE-18 JS-02', 'two id_tokens', bytes((text) => text.replace(/}$/, ',"id_token":"x.y.z"}')), BAD],
  ['TE-18 JS-02', 'two access_tokens', bytes((text) => text.replace(/}$/, ',"access_token":"x"}')), BAD],
  ['TE-19', 'a number as access_token', body((b) => { b.access_token = 123; }), BAD],
  ['TE-19', 'an object as access_token', body((b) => { b.access_token = {}; }), BAD],
  ['TE-19', 'an empty access_token', body((b) => { b.access_token = ''; }), BAD],
  ['TE-19', 'a number as refresh_token', body((b) => { b.refresh_token = 5; }), BAD],
  ['TE-19', 'an array as id_token', body((b) => { b.id_token = [b.id_token]; }), BAD],
  ['TE-20', 'CR LF in the access token', body((b) => { b.access_token = 'a\r\nX-Evil: 1'; }), BAD],
  ['TE-20 JS-04', 'NUL in the access token', body((b) => { b.access_token = 'a\u0000b'; }), BAD],
  ['TE-20', 'a blank in the access token', body((b) => { b.access_token = 'a b'; }), BAD],
  ['TE-20', 'umlauts in the access token', body((b) => { b.access_token = 'ä'; }), BAD],
  ['TE-23', 'an error with status 200', answerWith(200, JSON_TYPE, '{"error":"x"}'), BAD],
  ['TE-31', 'a hundred unknown members, five levels deep', body((b) => { for (let i = 0; i < 100; i++) b[`x${i}`] = { a: { b: { c: { d: i } } } }; }), null],
  ['JS-06', 'not an object', answerWith(200, JSON_TYPE, '[1,2]'), BAD],
  ['JS-09', 'cut off', bytes((text) => text.slice(0, -5)), BAD],
  ['JS-05', 'bytes after the end', bytes((text) => `${text}{}`), BAD],
  ['JS-01', '5000 levels deep', answerWith(200, JSON_TYPE, `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), BAD],
  ['JS-03', 'bad UTF-8', bytes((text) => Buffer.concat([Buffer.from(text.replace(/}$/, ',"x":"')), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])), BAD],
  ['JS-05', 'a byte order mark', bytes((text) => `\ufeff${text}`), BAD],
  ['TE-11', 'gzip that nobody asked for', (reply) => ({ ...reply, headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' }, body: gzipSync(JSON.stringify(reply.body)) }), 'provider_down', 503],
  ['TE-14', 'a header of 1 MB', (reply) => ({ ...reply, headers: { ...JSON_TYPE, 'X-Big': 'x'.repeat(1024 * 1024) } }), BAD],
  ['TE-14', 'ten thousand headers', (reply) => ({ ...reply, headers: Object.fromEntries(Array.from({ length: 10000 }, (_, i) => [`X-${i}`, 'y'.repeat(100)])) }), BAD],
  ['TE-22', 'a scope more than was asked for', body((b) => { b.scope += ' admin'; }), null],
  ['TE-10', 'a body of 20 MB', answerWith(200, JSON_TYPE, Buffer.alloc(20 * 1024 * 1024, ' ')), BAD],
];

for (const [id, what, bend, reason, status] of TOKENS) {
  check(`${id} token endpoint: ${what}`, async () => {
    w.idp.reset();
    w.idp.misbehave.token = bend;
    await bent(reason, { status });
  });
}

check('TE-09 a redirect of the token endpoint is not followed', async () => {
  let seen = 0;
  const port = await freePort();
  const evil = http.createServer((request, response) => { seen++; response.end('{}'); });
  await new Promise((resolve) => evil.listen(port, '127.0.0.1', resolve));
  try {
    for (const status of [302, 307, 308]) {
      w.idp.reset();
      w.idp.misbehave.token = () => ({ status, headers: { Location: `http://127.0.0.1:${port}/` }, body: '' });
      await bent(BAD);
    }
  } finally {
    evil.close();
  }
  assert.equal(seen, 0);
});

test('TE-04 a closed port as token endpoint: 503 within 2 s', async (t) => {
  const other = await world({ provider: 'scripted', start: false });
  t.after(() => other.end());
  const closed = await freePort();
  other.idp.misbehave.metadata = (reply) => { reply.body.token_endpoint = `http://127.0.0.1:${closed}/token`; };
  await other.httpd.start();
  const agent = other.agent();
  const callback = await agent.callbackUrl(other.url('/app/'));
  const began = Date.now();
  assertRefused(other, await agent.nav(callback), 'provider_down', { status: 503 });
  assert.ok(Date.now() - began < 2500);
});

test('TE-22 a scope that SSORequireScope wants is missing: 403', async (t) => {
  const other = await world({ provider: 'scripted', sso: { SSORequireScope: 'email' } });
  t.after(() => other.end());
  other.idp.misbehave.token = (reply) => { reply.body.scope = 'openid profile'; };
  const agent = other.agent();
  assertRefused(other, await agent.nav(await agent.callbackUrl(other.url('/app/'))), 'scope_missing', { status: 403 });
});

check('the world ends clean', () => w.end());
