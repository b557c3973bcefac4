// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The callback under attack: hostile browsers and hostile providers. Rows are named after /work/shared/cases/attacks.md; each ends
// with the question whether an honest login still works, which the last tests ask once for all.

import test from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { createHmac } from 'node:crypto';
import { world } from './lib/world.mjs';
import { assertPage, assertRefused, cookiesSet, tickets } from './lib/check.mjs';
import { halfHash, makeSigner } from './lib/scriptedop.mjs';
import { freePort } from './lib/ports.mjs';
import { raw } from './lib/agent.mjs';

const w = await world({ provider: 'scripted', sso: { SSOUserinfo: 'always', SSOHTTPTimeout: '2s' } });
const start = w.url('/app/env.cgi?home');
await w.signedIn('alice'); /* keys and metadata are known from here on */
const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

/** A login in flight: a fresh browser and its genuine callback URL. */
async function flight() {
  w.idp.reset();
  const agent = w.agent();
  const callback = await agent.callbackUrl(start);
  return { agent, callback, code: callback.searchParams.get('code'), state: callback.searchParams.get('state') };
}

const at = (query) => w.url(`/sso/callback${query}`);
const nothingAsked = (calls = 0) => {
  assert.equal(w.idp.count('token'), calls, 'NOTOK: token requests');
  assert.equal(w.idp.count('userinfo'), 0, 'NOUI');
};

/* ---- 1. The authorization response: [id, what, (flight) => URL, reason, status] ---- */
const RESPONSES = [
  ['AR-01', 'bare callback', () => at(''), 'state_missing'],
  ['AR-02', 'code without state', ({ code }) => at(`?code=${code}`), 'state_missing'],
  ['AR-03', 'state without code or error', ({ state }) => at(`?state=${state}`), 'callback_malformed'],
  ['AR-04', 'unknown state', ({ code }) => at(`?code=${code}&state=${'A'.repeat(43)}&iss=${w.idp.issuer}`), 'state_unknown'],
  ['AR-04', 'empty state', ({ code }) => at(`?code=${code}&state=`), 'state_missing state_unknown callback_malformed'],
  ['AR-08', 'code twice', ({ callback, code }) => `${callback.href}&code=${code}`, 'callback_malformed'],
  ['AR-09', 'state twice', ({ callback, state }) => `${callback.href}&state=${state}`, 'callback_malformed'],
  ['AR-10', 'iss twice', ({ callback }) => `${callback.href}&iss=https://evil.test`, 'callback_malformed'],
  ['AR-10', 'error twice', ({ state }) => at(`?error=x&error=y&state=${state}&iss=${w.idp.issuer}`), 'callback_malformed'],
  ['AR-11', 'the provider refuses', ({ state }) => at(`?error=access_denied&state=${state}&iss=${w.idp.issuer}`), 'login_refused', 403],
  ['AR-12', 'error and code together', ({ state, code }) => at(`?error=x&code=${code}&state=${state}&iss=${w.idp.issuer}`), 'login_refused callback_malformed', [403, 400]],
  ['AR-15', 'error with a wrong state', () => at('?error=x&error_description=hello-from-evil&state=bad'), 'state_unknown callback_malformed'],
  ['AR-16', 'login_required', ({ state }) => at(`?error=login_required&state=${state}&iss=${w.idp.issuer}`), 'login_refused', 403],
  ['AR-17', 'temporarily unavailable', ({ state }) => at(`?error=temporarily_unavailable&state=${state}&iss=${w.idp.issuer}`), 'login_unavailable', 503],
  ['AR-22', 'tokens in the front channel', ({ callback }) => `${callback.href}&access_token=x&id_token=y`, 'callback_malformed'],
  ['AR-22', 'tokens and no code', ({ state }) => at(`?access_token=x&id_token=y&state=${state}`), 'callback_malformed'],
  ['AR-23', 'a JARM response nobody asked for', ({ state }) => at(`?response=e30.e30.x&state=${state}`), 'callback_malformed'],
  ['AR-23', 'a JARM response alone', () => at('?response=e30.e30.x'), 'callback_malformed state_missing'],
  ['AR-24', 'a code with NUL', ({ callback, code }) => callback.href.replace(code, 'a%00b'), 'callback_malformed'],
  ['AR-24', 'a code beyond ASCII', ({ callback, code }) => callback.href.replace(code, 'a%C3%A9b'), 'callback_malformed'],
  ['AR-24', 'a code with a broken escape', ({ callback, code }) => callback.href.replace(code, 'a%zz'), 'callback_malformed'],
  ['AR-18', 'an empty code', ({ callback, code }) => callback.href.replace(code, ''), 'callback_malformed'],
  ['MX-01', 'iss missing though promised', ({ code, state }) => at(`?code=${code}&state=${state}`), 'issuer_mismatch'],
  ['MX-02', 'another iss', ({ code, state }) => at(`?code=${code}&state=${state}&iss=https://evil.test/`), 'issuer_mismatch'],
  ['MX-03', 'iss with a slash more', ({ callback }) => `${callback.href}/`, 'issuer_mismatch'],
  ['MX-03', 'iss in upper case', ({ code, state }) => at(`?code=${code}&state=${state}&iss=${w.idp.issuer.toUpperCase()}`), 'issuer_mismatch'],
  ['MX-03', 'iss cut short', ({ code, state }) => at(`?code=${code}&state=${state}&iss=${w.idp.issuer.slice(0, -1)}`), 'issuer_mismatch'],
  ['MX-05', 'an error with another iss', ({ state }) => at(`?error=access_denied&error_description=hello-from-evil&state=${state}&iss=https://evil.test`), 'issuer_mismatch'],
];
for (const [id, what, url, reason, status = 400] of RESPONSES) {
  test(`${id} ${what}`, async () => {
    const flown = await flight();
    const answer = await flown.agent.nav(w.url('/'), { path: url(flown).toString().slice(w.origin.length) });
    assertRefused(w, answer, reason.split(' '), { status: [status].flat().includes(answer.status) ? answer.status : [status].flat()[0] });
    nothingAsked();
    assert.ok(!answer.body.includes('hello-from-evil'));
    if (answer.status === 503) assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    assert.equal(flown.agent.jar.get('sso'), undefined);
  });
}

for (const [id, text] of [['AR-13', '<script>alert(1)</script>"\''], ['AR-14', 'a\r\nX-Evil: 1\r\n\r\nbody'], ['AR-14', 'a\u001b[31m\u0000b'], ['AR-13', '${jndi:ldap://x}%s%n']]) {
  test(`${id} the error text ${JSON.stringify(text)} harms neither page nor log`, async () => {
    const { agent, state } = await flight();
    const lines = w.httpd.errorLog().split('\n').length;
    const answer = await agent.nav(at(`?error=access_denied&error_description=${encodeURIComponent(text)}&state=${state}&iss=${w.idp.issuer}`));
    assert.ok([403, 400].includes(answer.status));
    assertPage(answer);
    assert.equal(answer.headers['x-evil'], undefined);
    assert.ok(!answer.body.includes('<script>'));
    const added = w.httpd.errorLog().split('\n').slice(lines - 1).filter(Boolean);
    assert.ok(added.every((line) => /^\[/.test(line)), 'no line was forged');
    assert.ok(!added.join('\n').match(/[\u0000\u001b\r]/));
  });
}

for (const method of ['POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
  test(`AR-19 AR-25 ${method} on the callback: 405, nothing is burnt, the GET afterwards works`, async () => {
    const { agent, callback } = await flight();
    const body = method === 'POST' || method === 'PUT' ? callback.search.slice(1) : undefined;
    const answer = await agent.request(callback, { method, body, headers: { 'Accept': 'text/html', 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.equal(answer.status, 405);
    nothingAsked();
    assert.equal((await agent.follow(await agent.nav(callback))).status, 200);
  });
}

for (const path of ['/sso/callback/', '/sso/callback/x', '/sso/callback;v=1', '//sso/callback', '/SSO/callback', '/sso/Callback', '/sso/callback%2f', '/sso/%63allback', '/sso/../sso/callback', '/sso//callback']) {
  test(`AR-26 ${path} is not the callback`, async () => {
    const { agent, callback } = await flight();
    const answer = await agent.nav(w.url('/'), { path: path + callback.search.replace(/code=[^&]*/, 'code=made-up') });
    assert.ok(!cookiesSet(answer).includes('sso'));
    /* Some of these are the same path after normalisation, which RFC 3986 allows; then the made-up code is refused. */
    assert.ok(answer.status >= 300 && answer.status < 500, `${answer.status}`);
    assert.ok(w.idp.count('token') <= 1);
  });
}

test('AR-24 an exotic code reaches the token endpoint byte for byte', async () => {
  const { agent, callback, code } = await flight();
  const odd = `+/=&%"<> ~!*'(),;:@$${'x'.repeat(2000)}`;
  w.idp.codes.set(odd, w.idp.codes.get(code));
  const answer = await agent.nav(callback.href.replace(code, encodeURIComponent(odd)));
  assert.equal(answer.status, 303, answer.body.slice(0, 300));
  assert.equal(w.idp.last('token').form.get('code'), odd);
});

test('AR-30 unknown extra parameters are ignored', async () => {
  const { agent, callback } = await flight();
  assert.equal((await agent.follow(await agent.nav(`${callback.href}&foo=1&session_state=x.y&scope=openid`))).status, 200);
});

test('AR-34 an enormous query: 414 or 400, never a crash', async () => {
  for (const size of [7800, 100000]) {
    const answer = await raw(w.httpd.port, `GET /sso/callback?code=${'x'.repeat(size)}&state=y HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (414|400) /);
  }
});

/* ---- 2. The ticket cookie ---- */
const ticketName = (agent) => tickets(w, agent)[0];

test('ST-03 every flipped piece of the ticket is refused', async () => {
  const { agent, callback } = await flight();
  const name = ticketName(agent);
  const value = agent.jar.get(name);
  for (let i = 0; i < value.length; i += Math.max(1, Math.floor(value.length / 40))) {
    const flipped = value.slice(0, i) + (value[i] === 'A' ? 'B' : 'A') + value.slice(i + 1);
    const answer = await w.agent().nav(callback, { headers: { Cookie: `${name}=${flipped}` } });
    assertRefused(w, answer, ['state_unknown', 'state_expired']);
  }
  nothingAsked();
  assert.equal((await agent.nav(callback)).status, 303, 'the true one still works');
});

test('ST-04 a ticket that was cut is refused', async () => {
  const { agent, callback } = await flight();
  const name = ticketName(agent);
  const value = agent.jar.get(name);
  for (const keep of [0, 1, 4, 16, 32, value.length - 22, value.length - 16, value.length - 4, value.length - 2, value.length - 1]) {
    const answer = await w.agent().nav(callback, { headers: { Cookie: `${name}=${value.slice(0, keep)}` } });
    assertRefused(w, answer, ['state_unknown', 'callback_malformed']);
  }
  nothingAsked();
});

test('ST-05 a ticket of another login, and a session cookie in its place, are refused', async () => {
  const other = await flight();
  const { agent, callback } = await flight();
  const name = ticketName(agent);
  const session = (await w.signedIn('alice')).jar.get('sso');
  const before = w.idp.count('token');
  for (const value of [other.agent.jar.get(ticketName(other.agent)), session]) {
    assertRefused(w, await w.agent().nav(callback, { headers: { Cookie: `${name}=${value}` } }), 'state_unknown');
  }
  assert.equal(w.idp.count('token'), before);
});

test('ST-05 MX-06 a ticket made by another site is refused', async (t) => {
  const other = await world({ provider: 'scripted' });
  t.after(() => other.end({ allowed: [/reason=/] }));
  const agent = other.agent();
  const callback = await agent.callbackUrl(other.url('/app/'));
  const answer = await w.agent().nav(w.url(callback.pathname + callback.search), { headers: { Cookie: agent.jar.header(callback) } });
  assertRefused(w, answer, ['state_unknown', 'issuer_mismatch']);
});

test('ST-06 two tickets for the same URL have nothing in common', async () => {
  const tickets = [];
  for (let i = 0; i < 2; i++) { const { agent } = await flight(); tickets.push([ticketName(agent), agent.jar.get(ticketName(agent))]); }
  assert.notEqual(tickets[0][0], tickets[1][0]);
  let common = 0;
  while (common < tickets[0][1].length && tickets[0][1][common] === tickets[1][1][common]) common++;
  assert.ok(common < 24, `${common} bytes in common`);
});

test('ST-01 CI-09 200 authorization requests: no state, nonce or challenge twice, and they differ from each other', async () => {
  const seen = new Set();
  for (let i = 0; i < 200; i++) {
    const { searchParams } = (await w.agent().nav(start)).location;
    for (const name of ['state', 'nonce', 'code_challenge']) {
      assert.ok(searchParams.get(name).length >= 22);
      seen.add(searchParams.get(name));
    }
  }
  assert.equal(seen.size, 600);
});

test('ST-12 a failed callback once more is refused once more', async () => {
  const { agent, callback } = await flight();
  w.idp.misbehave.token = () => ({ status: 400, body: { error: 'invalid_grant' } });
  assertRefused(w, await agent.nav(callback), 'grant_refused');
  const again = await agent.nav(callback);
  assert.equal(again.status, 400);
  nothingAsked(1);
});

test('ST-26 success, refusal and the provider\'s error take the ticket back', async () => {
  for (const how of ['success', 'refusal', 'error']) {
    const { agent, callback, state } = await flight();
    const name = ticketName(agent);
    if (how === 'refusal') w.idp.misbehave.token = () => ({ status: 400, body: { error: 'invalid_grant' } });
    await agent.nav(how === 'error' ? at(`?error=access_denied&state=${state}&iss=${w.idp.issuer}`) : callback);
    assert.equal(agent.jar.get(name), undefined, how);
  }
});

/* ---- 3. Token endpoint answers: [id, what, bend(reply), reasons or null when the login succeeds, status] ---- */
const body = (change) => (reply) => { change(reply.body); };
const answerWith = (status, headers, text) => () => ({ status, headers, body: text });
const JSON_TYPE = { 'Content-Type': 'application/json' };
const BAD = 'token_answer';
const TOKENS = [
  ['TE-01', 'invalid_grant', () => ({ status: 400, body: { error: 'invalid_grant' } }), 'grant_refused'],
  ['TE-01', 'invalid_client', () => ({ status: 401, body: { error: 'invalid_client' } }), 'client_refused', 503],
  ['TE-03', '500', () => ({ status: 500, body: 'broken' }), 'provider_down', 503],
  ['TE-03', '502 with HTML', answerWith(502, { 'Content-Type': 'text/html' }, '<html>'), 'provider_down', 503],
  ['TE-03', '503', () => ({ status: 503, body: '' }), 'provider_down', 503],
  ['TE-03', '429', () => ({ status: 429, headers: { 'Retry-After': '7' }, body: {} }), 'provider_busy provider_down', 503],
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
  ['TE-15', 'no id_token', body((b) => { delete b.id_token; }), `${BAD} idtoken_malformed`],
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
  ['TE-17', 'expires_in 0', body((b) => { b.expires_in = 0; }), 'either'],
  ['TE-17', 'expires_in -1', body((b) => { b.expires_in = -1; }), 'either'],
  ['TE-17', 'expires_in 9223372036854775807', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).replace(/"expires_in":\d+/, '"expires_in":9223372036854775807') }), 'either'],
  ['TE-17', 'expires_in 2^64', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).replace(/"expires_in":\d+/, '"expires_in":18446744073709551616') }), 'either'],
  ['TE-17', 'expires_in 1e309', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).replace(/"expires_in":\d+/, '"expires_in":1e309') }), 'either'],
  ['TE-17', 'expires_in null', body((b) => { b.expires_in = null; }), 'either'],
  ['TE-17', 'expires_in true', body((b) => { b.expires_in = true; }), 'either'],
  ['TE-17', 'expires_in "abc"', body((b) => { b.expires_in = 'abc'; }), 'either'],
  ['TE-18', 'two id_tokens', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).replace(/}$/, ',"id_token":"x.y.z"}') }), BAD],
  ['TE-18', 'two access_tokens', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).replace(/}$/, ',"access_token":"x"}') }), BAD],
  ['TE-19', 'a number as access_token', body((b) => { b.access_token = 123; }), BAD],
  ['TE-19', 'an object as access_token', body((b) => { b.access_token = {}; }), BAD],
  ['TE-19', 'an empty access_token', body((b) => { b.access_token = ''; }), BAD],
  ['TE-19', 'a number as refresh_token', body((b) => { b.refresh_token = 5; }), BAD],
  ['TE-19', 'an array as id_token', body((b) => { b.id_token = [b.id_token]; }), `${BAD} idtoken_malformed`],
  ['TE-20', 'CR LF in the access token', body((b) => { b.access_token = 'a\r\nX-Evil: 1'; }), BAD],
  ['TE-20', 'NUL in the access token', body((b) => { b.access_token = 'a\u0000b'; }), BAD],
  ['TE-20', 'a blank in the access token', body((b) => { b.access_token = 'a b'; }), BAD],
  ['TE-20', 'umlauts in the access token', body((b) => { b.access_token = 'ä'; }), BAD],
  ['TE-23', 'an error with status 200', answerWith(200, JSON_TYPE, '{"error":"x"}'), `${BAD} token_refused`],
  ['TE-31', 'a hundred unknown members, five levels deep', body((b) => { for (let i = 0; i < 100; i++) b[`x${i}`] = { a: { b: { c: { d: i } } } }; }), null],
  ['JS-01', 'not an object', answerWith(200, JSON_TYPE, '[1,2]'), BAD],
  ['JS-01', 'cut off', (reply) => ({ ...reply, headers: JSON_TYPE, body: JSON.stringify(reply.body).slice(0, -5) }), BAD],
  ['JS-01', 'bytes after the end', (reply) => ({ ...reply, headers: JSON_TYPE, body: `${JSON.stringify(reply.body)}{}` }), BAD],
  ['JS-02', '5000 levels deep', answerWith(200, JSON_TYPE, `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), BAD],
  ['JS-03', 'bad UTF-8', (reply) => ({ ...reply, headers: JSON_TYPE, body: Buffer.concat([Buffer.from(JSON.stringify(reply.body).replace(/}$/, ',"x":"')), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]) }), BAD],
  ['TE-10', 'a body of 20 MB', answerWith(200, JSON_TYPE, Buffer.alloc(20 * 1024 * 1024, ' ')), `${BAD} provider_down`],
];

/** Runs a bent login: refused with one of the reasons, or successful (null), or either without harm. */
async function bent(reasons, status, userinfo = false) {
  const agent = w.agent();
  const callback = await agent.callbackUrl(start);
  const began = Date.now();
  const answer = await agent.nav(callback);
  assert.ok(Date.now() - began < 4500, `took ${Date.now() - began} ms`);
  assert.equal(w.idp.count('token'), 1, 'the code was sent once');
  if (reasons === null || (reasons === 'either' && answer.status === 303)) {
    assert.equal(answer.status, 303, w.httpd.refusals().at(-1)?.line);
    const { status: seen } = await agent.xhr(w.url('/app/index.html'));
    assert.ok([200, 401, 503].includes(seen));
    return;
  }
  const words = reasons === 'either' ? [BAD, 'idtoken_claims', 'idtoken_expired', 'idtoken_malformed'] : reasons.split(' ');
  assertRefused(w, answer, words, { status: words.length > 1 && answer.status === 503 ? 503 : status });
  if (answer.status === 503) assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  if (!userinfo) assert.equal(w.idp.count('userinfo'), 0, 'CI-12 NOUI: the access token was not used');
  assert.equal(agent.jar.get('sso'), undefined);
}

for (const [id, what, bend, reasons, status = 400] of TOKENS) {
  test(`${id} token endpoint: ${what}`, async () => {
    w.idp.reset();
    w.idp.misbehave.token = bend;
    await bent(reasons, status);
  });
}

test('TE-09 a redirect of the token endpoint is not followed', async () => {
  let seen = 0;
  const port = await freePort();
  const evil = http.createServer((request, response) => { seen++; response.end('{}'); });
  await new Promise((resolve) => evil.listen(port, '127.0.0.1', resolve));
  try {
    for (const status of [302, 307, 308]) {
      w.idp.reset();
      w.idp.misbehave.token = () => ({ status, headers: { Location: `http://127.0.0.1:${port}/` }, body: '' });
      await bent(`${BAD} provider_down token_refused`, 400);
    }
  } finally {
    evil.close();
  }
  assert.equal(seen, 0);
});

test('TE-04 a closed port as token endpoint: 503 within 2 s', async (t) => {
  const other = await world({ provider: 'scripted', start: false });
  t.after(() => other.end({ allowed: [/reason=provider_down/] }));
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
  t.after(() => other.end({ allowed: [/reason=scope_missing/] }));
  other.idp.misbehave.token = (reply) => { reply.body.scope = 'openid profile'; };
  const agent = other.agent();
  assertRefused(other, await agent.nav(await agent.callbackUrl(other.url('/app/'))), 'scope_missing', { status: 403 });
});

/* ---- 4. ID tokens: [id, what, switches, reasons or null] ---- */
const claim = (change) => ({ claims: (claims, context) => { change(claims, context); } });
const ID = 'idtoken_claims';
const TOKENS_ID = [
  ['IT-01', 'iss missing', claim((c) => { delete c.iss; }), 'idtoken_issuer idtoken_claims'],
  ['IT-01', 'another iss', claim((c) => { c.iss = 'https://evil.test'; }), 'idtoken_issuer'],
  ['MX-08', 'iss with a slash', claim((c) => { c.iss += '/'; }), 'idtoken_issuer'],
  ['IT-01', 'iss as an array', claim((c) => { c.iss = [c.iss]; }), 'idtoken_issuer idtoken_claims'],
  ['IT-02', 'aud missing', claim((c) => { delete c.aud; }), 'idtoken_audience idtoken_claims'],
  ['IT-02', 'aud empty', claim((c) => { c.aud = []; }), 'idtoken_audience'],
  ['IT-21', 'aud is another client', claim((c) => { c.aud = 'other'; }), 'idtoken_audience'],
  ['IT-02', 'aud begins like us', claim((c) => { c.aud = 'test-client2'; }), 'idtoken_audience'],
  ['IT-03', 'aud array with us only', claim((c) => { c.aud = ['test-client']; }), null],
  ['IT-04', 'a second audience without azp', claim((c) => { c.aud = ['test-client', 'other']; }), 'idtoken_audience'],
  ['IT-06', 'azp is another client', claim((c) => { c.azp = 'other'; }), 'idtoken_audience'],
  ['IT-06', 'azp is us', claim((c) => { c.azp = 'test-client'; }), null],
  ['IT-09', 'expired', claim((c) => { c.exp = now() - 65; c.iat = now() - 300; }), 'idtoken_expired'],
  ['IT-09', 'expired within the tolerance', claim((c) => { c.exp = now() - 50; }), null],
  ['IT-10', 'exp missing', claim((c) => { delete c.exp; }), 'idtoken_expired idtoken_claims'],
  ['IT-10', 'exp 0', claim((c) => { c.exp = 0; }), 'idtoken_expired idtoken_claims'],
  ['IT-10', 'exp -1', claim((c) => { c.exp = -1; }), 'idtoken_expired idtoken_claims'],
  ['IT-10', 'exp 1.5e9', claim((c) => { c.exp = 1.5e9; }), 'idtoken_expired'],
  ['IT-10', 'exp 1700000000.9', claim((c) => { c.exp = 1700000000.9; }), 'idtoken_expired'],
  ['IT-10', 'exp 1e300', claim((c) => { c.exp = 1e300; }), 'either'],
  ['IT-10', 'exp 2^63', { payload: (text) => text.replace(/"exp":\d+/, '"exp":9223372036854775808') }, 'either'],
  ['IT-10', 'exp 2^31', claim((c) => { c.exp = 2 ** 31; }), null],
  ['IT-10', 'exp with a fraction', claim((c) => { c.exp = now() + 300.5; }), null],
  ['IT-10', 'exp as a string', claim((c) => { c.exp = String(now() + 300); }), 'idtoken_expired idtoken_claims'],
  ['IT-10', 'exp null', claim((c) => { c.exp = null; }), 'idtoken_expired idtoken_claims'],
  ['IT-10', 'exp []', claim((c) => { c.exp = []; }), 'idtoken_expired idtoken_claims'],
  ['IT-12', 'iat in the future', claim((c) => { c.iat = now() + 90; }), 'idtoken_expired'],
  ['IT-12', 'iat a week old', claim((c) => { c.iat = now() - 7 * 86400; }), 'idtoken_expired'],
  ['IT-12', 'iat missing', claim((c) => { delete c.iat; }), 'idtoken_expired idtoken_claims'],
  ['IT-13', 'nbf in the future', claim((c) => { c.nbf = now() + 90; }), 'idtoken_expired'],
  ['IT-31', 'a clock 50 s ahead', claim((c) => { c.iat = now() + 50; c.exp = now() + 350; }), null],
  ['IT-14', 'sub missing', claim((c) => { delete c.sub; }), 'idtoken_subject idtoken_claims'],
  ['IT-14', 'sub empty', claim((c) => { c.sub = ''; }), 'idtoken_subject'],
  ['IT-14', 'sub a number', claim((c) => { c.sub = 123; }), 'idtoken_subject idtoken_claims'],
  ['IT-14', 'sub null', claim((c) => { c.sub = null; }), 'idtoken_subject idtoken_claims'],
  ['IT-16', 'sub with NUL', claim((c) => { c.sub = 'admin\u0000x'; }), 'idtoken_subject idtoken_claims'],
  ['IT-16', 'sub with CR LF', claim((c) => { c.sub = 'a\r\nX-H: 1'; }), 'idtoken_subject'],
  ['IT-16', 'sub beyond ASCII', claim((c) => { c.sub = 'é'; }), 'idtoken_subject'],
  ['IT-16', 'sub of 300 bytes', claim((c) => { c.sub = 'x'.repeat(300); }), 'idtoken_subject'],
  ['CI-03', 'nonce missing', claim((c) => { delete c.nonce; }), 'idtoken_nonce'],
  ['CI-02', 'nonce of somebody else', claim((c) => { c.nonce = 'x'.repeat(43); }), 'idtoken_nonce'],
  ['CI-04', 'nonce as an array', claim((c) => { c.nonce = [c.nonce]; }), 'idtoken_nonce idtoken_claims'],
  ['CI-04', 'nonce as an object', claim((c) => { c.nonce = {}; }), 'idtoken_nonce idtoken_claims'],
  ['CI-04', 'nonce null', claim((c) => { c.nonce = null; }), 'idtoken_nonce idtoken_claims'],
  ['CI-04', 'nonce true', claim((c) => { c.nonce = true; }), 'idtoken_nonce idtoken_claims'],
  ['CI-05', 'nonce cut', claim((c) => { c.nonce = c.nonce.slice(0, -1); }), 'idtoken_nonce'],
  ['CI-05', 'nonce longer', claim((c) => { c.nonce += 'x'; }), 'idtoken_nonce'],
  ['CI-05', 'nonce in upper case', claim((c) => { c.nonce = `${c.nonce.toUpperCase()}`; }), 'idtoken_nonce'],
  ['CI-05', 'nonce with NUL behind', claim((c) => { c.nonce += '\u0000'; }), 'idtoken_nonce idtoken_claims'],
  ['IT-26', 'at_hash wrong', claim((c) => { c.at_hash = halfHash('RS256', 'other'); }), 'idtoken_hash'],
  ['IT-26', 'at_hash of another length', claim((c, x) => { c.at_hash = halfHash('RS512', x.access); }), 'idtoken_hash'],
  ['IT-26', 'at_hash with padding', claim((c) => { c.at_hash += '=='; }), 'idtoken_hash'],
  ['IT-26', 'at_hash not a string', claim((c) => { c.at_hash = 5; }), 'idtoken_hash idtoken_claims'],
  ['IT-27', 'at_hash absent', claim((c) => { delete c.at_hash; }), null],
  ['IT-28', 'a claim twice', { payload: (text) => text.replace(/^{/, '{"sub":"admin",') }, `${ID} idtoken_malformed`],
  ['IT-29', 'payload is an array', { payload: () => '[]' }, `${ID} idtoken_malformed`],
  ['IT-29', 'payload is a string', { payload: () => '"x"' }, `${ID} idtoken_malformed`],
  ['IT-29', 'payload is empty', { payload: () => '' }, `${ID} idtoken_malformed`],
  ['IT-39', '_claim_sources lead into the network', claim((c) => { c._claim_names = { x: 's' }; c._claim_sources = { s: { endpoint: 'http://169.254.169.254/' } }; }), null],
  ['IT-23', 'one segment', { jwt: () => 'abc' }, 'idtoken_malformed'],
  ['IT-23', 'two segments', { jwt: (jwt) => jwt.split('.').slice(0, 2).join('.') }, 'idtoken_malformed'],
  ['IT-23', 'four segments', { jwt: (jwt) => `${jwt}.x` }, 'idtoken_malformed'],
  ['IT-23', 'five segments', { jwt: (jwt) => `${jwt}.x.y` }, 'idtoken_malformed'],
  ['IT-23', 'an empty segment', { jwt: (jwt) => jwt.replace(/\..*\./, '..') }, 'idtoken_malformed idtoken_claims idtoken_signature'],
  ['IT-23', '100000 dots', { jwt: () => '.'.repeat(100000) }, 'idtoken_malformed'],
  ['IT-24', 'padding', { jwt: (jwt) => `${jwt}=` }, 'idtoken_malformed'],
  ['IT-24', 'a blank', { jwt: (jwt) => `${jwt} ` }, 'idtoken_malformed token_answer'],
  ['IT-24', 'a line break inside', { jwt: (jwt) => jwt.replace('.', '.\n') }, 'idtoken_malformed token_answer'],
  ['IT-24', 'the other base64', { jwt: (jwt) => jwt.replace(/.$/, '+') }, 'idtoken_malformed'],
  ['IT-25', 'JSON serialisation', { jwt: (jwt) => { const [p, l, s] = jwt.split('.'); return JSON.stringify({ protected: p, payload: l, signature: s }); } }, 'idtoken_malformed token_answer'],
  ['JW-01', 'alg none', { jwt: (jwt) => `${b64({ alg: 'none' })}.${jwt.split('.')[1]}.` }, 'idtoken_algorithm idtoken_malformed'],
  ['JW-01', 'alg nOnE with a signature', { header: (h) => ({ ...h, alg: 'nOnE' }) }, 'idtoken_algorithm idtoken_malformed'],
  ['JW-02', 'HS256 with the public key', { jwt: (jwt, x) => { const input = `${b64({ alg: 'HS256', kid: x.signer.kid })}.${jwt.split('.')[1]}`; return `${input}.${createHmac('sha256', JSON.stringify(x.signer.jwk)).update(input).digest('base64url')}`; } }, 'idtoken_algorithm'],
  ['JW-02', 'HS256 with the client secret', { jwt: (jwt, x) => { const input = `${b64({ alg: 'HS256', kid: x.signer.kid })}.${jwt.split('.')[1]}`; return `${input}.${createHmac('sha256', 'demo-secret-0123456789abcdef0123456789').update(input).digest('base64url')}`; } }, 'idtoken_algorithm'],
  ['JW-03', 'a flipped signature', { jwt: (jwt) => jwt.replace(/.{3}(.{20})$/, (all, tail) => `AAA${tail}`) }, 'idtoken_signature'],
  ['JW-03', 'another payload under the signature', { jwt: (jwt) => { const [h, p, s] = jwt.split('.'); return `${h}.${b64(Buffer.from(p, 'base64url').toString().replace('"alice"', '"admin"'))}.${s}`; } }, 'idtoken_signature'],
  ['JW-04', 'a key that is not published', { sign: 'stranger' }, 'idtoken_key'],
  ['JW-04', 'a key that is not published under a kid that is', { sign: 'impostor' }, 'idtoken_signature'],
  ['JW-05', 'crit', { header: (h) => ({ ...h, crit: ['x'], x: 1 }) }, 'idtoken_malformed'],
  ['JW-05', 'b64 false', { header: (h) => ({ ...h, b64: false, crit: ['b64'] }) }, 'idtoken_malformed'],
  ['JW-06', 'its own key in the header', { sign: 'stranger', header: (h, x) => ({ ...h, jwk: x.op.signers[0].jwk }) }, 'idtoken_key idtoken_malformed'],
  ['JW-06', 'jku', { header: (h) => ({ ...h, kid: 'other', jku: 'https://evil.test/jwks' }) }, 'idtoken_key idtoken_malformed'],
  ['JW-07', 'the algorithm of another hash', { header: (h) => ({ ...h, alg: 'RS512' }) }, 'idtoken_signature idtoken_algorithm idtoken_key'],
  ['JW-08', 'kid with odd bytes', { header: (h) => ({ ...h, kid: '../../etc/passwd\r\nset x 0 0 1' }) }, 'idtoken_key idtoken_malformed'],
  ['JE-00', 'encrypted', { jwt: () => `${b64({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.${'A'.repeat(342)}.${'A'.repeat(16)}.${'A'.repeat(40)}.${'A'.repeat(22)}` }, 'idtoken_malformed'],
];
const stranger = await makeSigner('RS256');
for (const [id, what, switches, reasons] of TOKENS_ID) {
  test(`${id} ID token: ${what}`, async () => {
    w.idp.reset();
    Object.assign(w.idp.misbehave, switches);
    if (switches.sign) w.idp.misbehave.sign = (signer) => ({ ...stranger, kid: switches.sign === 'impostor' ? signer.kid : stranger.kid });
    await bent(reasons, 400);
  });
}

test('CI-06 the ID token of an older login is refused', async () => {
  w.idp.reset();
  let old;
  w.idp.misbehave.token = ({ body: b }) => { old = b; };
  await w.signedIn('alice');
  w.idp.reset();
  w.idp.misbehave.token = (reply) => { reply.body.id_token = old.id_token; reply.body.access_token = old.access_token; };
  await bent('idtoken_nonce', 400);
});

test('CI-01 CI-02 somebody else\'s code in one\'s own login, at a provider that ignores PKCE', async () => {
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

/* ---- 5. Userinfo ---- */
const USERINFO = [
  ['UI-01', 'another sub', body((b) => { b.sub = 'mallory'; }), 'userinfo_subject'],
  ['UI-02', 'no sub', body((b) => { delete b.sub; }), 'userinfo_subject'],
  ['UI-02', 'sub of another type', body((b) => { b.sub = ['alice']; }), 'userinfo_subject'],
  ['UI-04', 'an array', answerWith(200, JSON_TYPE, '[]'), 'userinfo_refused'],
  ['UI-04', 'HTML', answerWith(200, { 'Content-Type': 'text/html' }, '<html>'), 'userinfo_refused'],
  ['UI-04', 'not JSON', answerWith(200, JSON_TYPE, 'x'), 'userinfo_refused'],
  ['UI-05', 'a JWT nobody asked for', answerWith(200, { 'Content-Type': 'application/jwt' }, `${b64({ alg: 'none' })}.${b64({ sub: 'alice' })}.`), 'userinfo_refused'],
  ['UI-09', '500', () => ({ status: 500, body: '' }), 'provider_down userinfo_refused', 503],
  ['UI-09', 'silence', () => ({ hang: true }), 'provider_down', 503],
];
for (const [id, what, bend, reasons, status = 400] of USERINFO) {
  test(`${id} userinfo: ${what}`, async () => {
    w.idp.reset();
    w.idp.misbehave.userinfo = bend;
    await bent(reasons, status, true);
  });
}

test('UI-03 userinfo cannot override what the ID token says; UI-08 the token travels in the header only', async () => {
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

test('CLEAN what came in hostile tokens stands nowhere; ALIVE an honest login works afterwards', async () => {
  w.idp.reset();
  assert.equal((await w.env(await w.signedIn('alice'))).REMOTE_USER, 'alice');
});

test('the world ends clean', () => w.end({ allowed: [/reason=/, /sso:(warn|error|crit|notice)/, /\[core:error\].*(Invalid URI|request failed)/] }));
