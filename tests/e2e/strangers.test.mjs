// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Who is sent to the provider and who is told 401 (attacks.md ST-15 to ST-19), and what SSOUnauth changes.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { lawful } from './lib/lawful.mjs';
import { assertLoginRequired, assertNoLogin, authorizationRequest } from './lib/check.mjs';

const places = ['auto', 'login', '401', '403', 'pass'];
const w = await world({
  conf: ({ tmp, backend }) => [
    ...places.map((kind) => `Alias /u-${kind} "${tmp.at('www/app')}"\n<Location "/u-${kind}">\nAuthType SSO\nSSOUnauth ${kind}\nRequire valid-user\n</Location>`),
    `ProxyPass "/ws/" "ws://127.0.0.1:${backend.port}/ws/"\n<Location "/ws">\nAuthType SSO\nRequire valid-user\n</Location>`,
  ].join('\n'),
});
const at = w.url('/app/env.cgi?x=1');
const NAV = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Accept': 'text/html' };

const NAVIGATIONS = [
  ['an address typed in', { headers: NAV }],
  ['a link', { headers: { ...NAV, 'Sec-Fetch-Site': 'cross-site' } }],
  ['plain http: no Sec-Fetch headers, Accept with text/html', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }],
];
for (const [what, options] of NAVIGATIONS) {
  test(`login for ${what}`, async () => { authorizationRequest(w, await w.agent().request(at, options)); });
}

const OTHERS = [
  ['ST-15 fetch()', { headers: { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Accept': '*/*' } }],
  ['ST-15 fetch() that asks for HTML', { headers: { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Accept': 'text/html' } }],
  ['JS-13 a Sec-Fetch-Mode of two words', { headers: { ...NAV, 'Sec-Fetch-Mode': 'navigate, cors' } }],
  ['JS-13 a Sec-Fetch-Mode that does not exist', { headers: { ...NAV, 'Sec-Fetch-Mode': 'NAVIGATE;q=1' } }],
  ['ST-16 an image', { headers: { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image', 'Accept': 'image/*' } }],
  ['a frame', { headers: { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe', 'Accept': 'text/html' } }],
  ['an object', { headers: { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'object', 'Accept': 'text/html' } }],
  ['XMLHttpRequest on plain http', { headers: { 'Accept': 'text/html', 'X-Requested-With': 'XMLHttpRequest' } }],
  ['curl without Accept', { headers: {} }],
  ['curl', { headers: { Accept: '*/*' } }],
  ['Accept: application/json', { headers: { Accept: 'application/json' } }],
  ['ST-19 Sec-Purpose: prefetch', { headers: { ...NAV, 'Sec-Purpose': 'prefetch' } }],
  ['ST-19 Sec-Purpose: prefetch;prerender', { headers: { ...NAV, 'Sec-Purpose': 'prefetch;prerender' } }],
  ['ST-19 Purpose: prefetch', { headers: { ...NAV, Purpose: 'prefetch' } }],
  ['ST-19 X-Moz: prefetch', { headers: { ...NAV, 'X-Moz': 'prefetch' } }],
  ['ST-18 a form POST', { method: 'POST', body: `a=${'x'.repeat(1024)}`, headers: { ...NAV, 'Content-Type': 'application/x-www-form-urlencoded' } }],
  ['ST-18 an empty POST', { method: 'POST', body: '', headers: NAV }],
  ['PUT', { method: 'PUT', body: 'x', headers: NAV }],
  ['OPTIONS', { method: 'OPTIONS', headers: NAV }],
  ['ST-17 a WebSocket upgrade', { headers: { ...NAV, 'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } }],
];
for (const [what, options] of OTHERS) {
  test(`401 for ${what}`, async () => { assertLoginRequired(w, await w.agent().request(at, options)); });
}

test('ST-18 a POST of 5 MB: refused without a crash, and the connection is not confused by its body', async () => {
  const answer = await w.agent().request(at, { method: 'POST', body: Buffer.alloc(5 * 1024 * 1024, 'x'), headers: { 'Content-Type': 'application/octet-stream' } }).catch((error) => error);
  if (answer instanceof Error) assert.match(answer.code ?? '', /EPIPE|ECONNRESET/);
  else assertNoLogin(w, answer, 401);
});

test('the application was never asked for a stranger', async () => {
  for (const [, options] of OTHERS) await w.agent().request(w.url('/proxy/x'), options);
  await w.agent().request(w.url('/ws/x'), OTHERS.at(-1)[1]);
  assert.equal(w.backend.hits, 0);
});

test('the login URL of the 401 works: it starts a login and lands where it says', async () => {
  const agent = w.agent();
  const { login_url: url } = (await agent.xhr(at)).json;
  const landed = await agent.login(new URL(url, w.origin));
  assert.equal(landed.status, 200);
  assert.equal(landed.url.origin, w.origin);
});

test('HEAD of a navigation is answered like GET, without a body', async () => {
  const answer = await w.agent().request(at, { method: 'HEAD', headers: NAV });
  assert.ok([302, 401].includes(answer.status));
  assert.equal(answer.body, '');
});

test('SSOUnauth login: also a fetch is sent to the provider', async () => {
  authorizationRequest(w, await w.agent().xhr(w.url('/u-login/env.cgi')));
});

test('SSOUnauth 401: also a navigation is told 401', async () => {
  assertNoLogin(w, await w.agent().nav(w.url('/u-401/env.cgi')), 401);
});

lawful(w)('SSOUnauth 403', async () => {
  w.expects(/reason=stranger_refused /);
  assertNoLogin(w, await w.agent().nav(w.url('/u-403/env.cgi')), 403);
  assertNoLogin(w, await w.agent().xhr(w.url('/u-403/env.cgi')), 403);
});

test('SSOUnauth pass never satisfies valid-user', async () => {
  for (const answer of [await w.agent().nav(w.url('/u-pass/env.cgi')), await w.agent().xhr(w.url('/u-pass/env.cgi'))]) {
    assert.ok([401, 403].includes(answer.status), `${answer.status}`);
    assert.ok(!answer.body.includes('GATEWAY_INTERFACE'));
  }
});

test('SSOUnauth auto is the default', async () => {
  authorizationRequest(w, await w.agent().nav(w.url('/u-auto/env.cgi')));
  assertLoginRequired(w, await w.agent().xhr(w.url('/u-auto/env.cgi')));
});

test('BP-04 BP-05 BP-07 no header opens a door', async () => {
  for (const headers of [{ 'X-Original-URL': '/public/' }, { 'X-Rewrite-URL': '/public/' }, { 'X-Forwarded-Uri': '/public/' }, { Authorization: 'Bearer x' }, { Authorization: 'Basic YTpi' }, { 'User-Agent': 'GoogleHC/1.0' }, { Accept: 'application/vnd.paos+xml', PAOS: 'ver="x"' }]) {
    assert.equal((await w.agent().xhr(at, { headers })).status, 401, JSON.stringify(headers));
  }
});

test('OE-06 the session endpoint tells a stranger nothing but the way in', async () => {
  const answer = await w.agent().xhr(w.url('/sso/session'));
  assert.ok([200, 401].includes(answer.status));
  assert.ok(!answer.json.user);
  assert.match(answer.json.login_url, /\/sso\/login/);
});

test('RD-01 RD-02 RD-03 RD-06 RD-15 login?return= leads to this origin only, and never to the module itself', async () => {
  for (const target of ['https://evil.test/', '//evil.test/', '/\\evil.test', 'javascript:alert(1)', '/%5cevil.test', 'http:evil.test', '/sso/logout', '/sso/callback?code=x', '\\\\evil', '/a\r\nX: y']) {
    const answer = await w.agent().nav(w.url(`/sso/login?return=${encodeURIComponent(target)}`));
    if (answer.status === 302) {
      const landed = await w.agent().login(w.url(`/sso/login?return=${encodeURIComponent(target)}`));
      assert.equal(landed.url.origin, w.origin, target);
      assert.ok(!landed.url.pathname.startsWith('/sso/'), target);
    } else {
      assert.equal(answer.status, 400, `${target}: ${answer.status}`);
      assert.match(answer.body, /target_refused|callback_malformed/);
    }
  }
});

test('the world ends clean', () => w.end());
