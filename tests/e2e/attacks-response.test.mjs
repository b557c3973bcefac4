// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The authorization response and the ticket cookie under attack by hostile browsers (attacks.md, sections 1 to 3).

import assert from 'node:assert/strict';
import { siege } from './lib/attack.mjs';
import { assertRefused, tickets } from './lib/check.mjs';
import { raw } from './lib/agent.mjs';
import { world } from './lib/world.mjs';

const { w, start, check, flight, nothingAsked } = await siege();
const at = (query) => w.url(`/sso/callback${query}`);

/* [id, what, (flight) => URL, reason, status] */
const RESPONSES = [
  ['AR-01 AR-18', 'bare callback, as after a response in the fragment', () => at(''), 'state_missing'],
  ['AR-02', 'code without state', ({ code }) => at(`?code=${code}`), 'state_missing'],
  ['AR-03', 'state without code or error', ({ state }) => at(`?state=${state}`), 'callback_malformed'],
  ['AR-04', 'unknown state', ({ code }) => at(`?code=${code}&state=${'A'.repeat(43)}&iss=${w.idp.issuer}`), 'state_unknown'],
  ['AR-04', 'empty state', ({ code }) => at(`?code=${code}&state=`), 'state_missing'],
  ['AR-08', 'code twice', ({ callback, code }) => `${callback.href}&code=${code}`, 'callback_malformed'],
  ['AR-09', 'state twice', ({ callback, state }) => `${callback.href}&state=${state}`, 'callback_malformed'],
  ['AR-10', 'iss twice', ({ callback }) => `${callback.href}&iss=https://evil.test`, 'callback_malformed'],
  ['AR-10', 'error twice', ({ state }) => at(`?error=x&error=y&state=${state}&iss=${w.idp.issuer}`), 'callback_malformed'],
  ['AR-11', 'the provider refuses', ({ state }) => at(`?error=access_denied&state=${state}&iss=${w.idp.issuer}`), 'login_refused', 403],
  ['AR-12', 'error and code together', ({ state, code }) => at(`?error=x&code=${code}&state=${state}&iss=${w.idp.issuer}`), 'login_refused', 403],
  ['AR-15', 'error with a wrong state', () => at('?error=x&error_description=hello-from-evil&state=bad'), 'state_unknown'],
  ['AR-16', 'login_required', ({ state }) => at(`?error=login_required&state=${state}&iss=${w.idp.issuer}`), 'login_refused', 403],
  ['AR-17', 'temporarily unavailable', ({ state }) => at(`?error=temporarily_unavailable&state=${state}&iss=${w.idp.issuer}`), 'login_unavailable', 503],
  ['AR-22', 'tokens in the front channel', ({ callback }) => `${callback.href}&access_token=x&id_token=y`, 'callback_malformed'],
  ['AR-22', 'tokens and no code', ({ state }) => at(`?access_token=x&id_token=y&state=${state}`), 'callback_malformed'],
  ['AR-23', 'a JARM response nobody asked for', ({ state }) => at(`?response=e30.e30.x&state=${state}`), 'callback_malformed'],
  ['AR-23', 'a JARM response alone', () => at('?response=e30.e30.x'), 'state_missing'],
  ['AR-24', 'a code with NUL', ({ callback, code }) => callback.href.replace(code, 'a%00b'), 'callback_malformed'],
  ['AR-24', 'a code beyond ASCII', ({ callback, code }) => callback.href.replace(code, 'a%C3%A9b'), 'callback_malformed'],
  ['AR-24', 'a code with a broken escape', ({ callback, code }) => callback.href.replace(code, 'a%zz'), 'callback_malformed'],
  ['AR-24', 'an empty code', ({ callback, code }) => callback.href.replace(code, ''), 'callback_malformed'],
  ['MX-01', 'iss missing though promised', ({ code, state }) => at(`?code=${code}&state=${state}`), 'issuer_mismatch'],
  ['MX-02', 'another iss', ({ code, state }) => at(`?code=${code}&state=${state}&iss=https://evil.test/`), 'issuer_mismatch'],
  ['MX-03', 'iss with a slash more', ({ callback }) => `${callback.href}/`, 'issuer_mismatch'],
  ['MX-03', 'iss in upper case', ({ code, state }) => at(`?code=${code}&state=${state}&iss=${w.idp.issuer.toUpperCase()}`), 'issuer_mismatch'],
  ['MX-03', 'iss cut short', ({ code, state }) => at(`?code=${code}&state=${state}&iss=${w.idp.issuer.slice(0, -1)}`), 'issuer_mismatch'],
  ['MX-05', 'an error with another iss', ({ state }) => at(`?error=access_denied&error_description=hello-from-evil&state=${state}&iss=https://evil.test`), 'issuer_mismatch'],
];
for (const [id, what, url, reason, status = 400] of RESPONSES) {
  check(`${id} ${what}`, async () => {
    const flown = await flight();
    const answer = await flown.agent.nav(w.url('/'), { path: url(flown).toString().slice(w.origin.length) });
    assertRefused(w, answer, reason, { status });
    nothingAsked();
    assert.ok(!answer.body.includes('hello-from-evil'));
    if (answer.status === 503) assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    assert.equal(flown.agent.jar.get('sso'), undefined);
  });
}

for (const [id, text] of [['AR-13', '<script>alert(1)</script>"\''], ['AR-14', 'a\r\nX-Evil: 1\r\n\r\nbody'], ['AR-14', 'a\u001b[31m\u0000b'], ['AR-13 OE-05', '${jndi:ldap://x}%s%n']]) {
  check(`${id} the error text ${JSON.stringify(text)} harms neither page nor log`, async () => {
    const { agent, state } = await flight();
    const [before] = w.logMarks();
    const answer = await agent.nav(at(`?error=access_denied&error_description=${encodeURIComponent(text)}&state=${state}&iss=${w.idp.issuer}`));
    assertRefused(w, answer, 'login_refused', { status: 403 });
    assert.equal(answer.headers['x-evil'], undefined);
    assert.ok(!answer.body.includes('<script>'));
    const added = w.httpd.errorLog().slice(before).split('\n').filter(Boolean);
    assert.ok(added.every((line) => /^\[/.test(line)), 'no line was forged');
    assert.ok(!added.join('\n').match(/[\u0000\u001b\r]/));
  });
}

for (const method of ['POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
  check(`AR-19 AR-25 ${method} on the callback: 405, nothing is burnt, the GET afterwards works`, async () => {
    const { agent, callback } = await flight();
    const body = method === 'POST' || method === 'PUT' ? callback.search.slice(1) : undefined;
    const answer = await agent.request(callback, { method, body, headers: { 'Accept': 'text/html', 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.equal(answer.status, 405);
    nothingAsked();
    assert.equal((await agent.follow(await agent.nav(callback))).status, 200);
  });
}

for (const path of ['/sso/callback/', '/sso/callback/x', '/sso/callback;v=1', '//sso/callback', '/SSO/callback', '/sso/Callback', '/sso/callback%2f', '/sso/%63allback', '/sso/../sso/callback', '/sso//callback']) {
  check(`AR-26 ${path} is not the callback`, async () => {
    const { agent, callback } = await flight();
    const answer = await agent.nav(w.url('/'), { path: path + callback.search });
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.setCookies, []);
    nothingAsked();
  });
}

check('AR-24 an exotic code reaches the token endpoint byte for byte', async () => {
  const { agent, callback, code } = await flight();
  const odd = `+/=&%"<> ~!*'(),;:@$${'x'.repeat(2000)}`;
  w.idp.codes.set(odd, w.idp.codes.get(code));
  const answer = await agent.nav(callback.href.replace(code, encodeURIComponent(odd)));
  assert.equal(answer.status, 303, answer.body.slice(0, 300));
  assert.equal(w.idp.last('token').form.get('code'), odd);
});

check('AR-30 unknown extra parameters are ignored', async () => {
  const { agent, callback } = await flight();
  assert.equal((await agent.follow(await agent.nav(`${callback.href}&foo=1&session_state=x.y&scope=openid`))).status, 200);
});

check('AR-34 an enormous query: 414 or 400, never a crash', async () => {
  w.expects(/reason=callback_malformed .*code is empty, too long/);
  for (const [size, status] of [[7800, 400], [100000, 414]]) {
    const answer = await raw(w.httpd.port, `GET /sso/callback?code=${'x'.repeat(size)}&state=y HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

/* ---- 2. The ticket cookie ---- */
const ticketName = (agent) => tickets(w, agent)[0];

check('ST-03 every flipped piece of the ticket is refused', async () => {
  const { agent, callback } = await flight();
  const name = ticketName(agent);
  const value = agent.jar.get(name);
  for (let i = 0; i < value.length; i += Math.max(1, Math.floor(value.length / 40))) {
    const flipped = value.slice(0, i) + (value[i] === 'A' ? 'B' : 'A') + value.slice(i + 1);
    const answer = await w.agent().nav(callback, { headers: { Cookie: `${name}=${flipped}` } });
    assertRefused(w, answer, 'state_unknown');
  }
  nothingAsked();
  assert.equal((await agent.nav(callback)).status, 303, 'the true one still works');
});

check('ST-04 a ticket that was cut is refused', async () => {
  const { agent, callback } = await flight();
  const name = ticketName(agent);
  const value = agent.jar.get(name);
  for (const keep of [0, 1, 4, 16, 32, value.length - 22, value.length - 16, value.length - 4, value.length - 2, value.length - 1]) {
    const answer = await w.agent().nav(callback, { headers: { Cookie: `${name}=${value.slice(0, keep)}` } });
    assertRefused(w, answer, 'state_unknown');
  }
  nothingAsked();
});

check('ST-05 a ticket of another login, and a session cookie in its place, are refused', async () => {
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

check('ST-05 MX-06 a ticket made by another site is refused', async (t) => {
  const other = await world({ provider: 'scripted' });
  t.after(() => other.end());
  const agent = other.agent();
  const callback = await agent.callbackUrl(other.url('/app/'));
  const answer = await w.agent().nav(w.url(callback.pathname + callback.search), { headers: { Cookie: agent.jar.header(callback) } });
  assertRefused(w, answer, 'state_unknown');
});

check('ST-06 two tickets for the same URL have nothing in common', async () => {
  const tickets = [];
  for (let i = 0; i < 2; i++) { const { agent } = await flight(); tickets.push([ticketName(agent), agent.jar.get(ticketName(agent))]); }
  assert.notEqual(tickets[0][0], tickets[1][0]);
  let common = 0;
  while (common < tickets[0][1].length && tickets[0][1][common] === tickets[1][1][common]) common++;
  assert.ok(common < 24, `${common} bytes in common`);
});

check('ST-01 CI-09 200 authorization requests: no state, nonce or challenge twice, and they differ from each other', async () => {
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

check('ST-12 a failed callback once more is refused once more', async () => {
  const { agent, callback } = await flight();
  w.idp.misbehave.token = () => ({ status: 400, body: { error: 'invalid_grant' } });
  assertRefused(w, await agent.nav(callback), 'grant_refused');
  assertRefused(w, await agent.nav(callback), 'state_unknown');
  nothingAsked(1);
});

check('ST-26 success, refusal and the provider\'s error take the ticket back', async () => {
  for (const how of ['success', 'refusal', 'error']) {
    const { agent, callback, state } = await flight();
    const name = ticketName(agent);
    if (how === 'refusal') w.idp.misbehave.token = () => ({ status: 400, body: { error: 'invalid_grant' } });
    const answer = await agent.nav(how === 'error' ? at(`?error=access_denied&state=${state}&iss=${w.idp.issuer}`) : callback);
    if (how === 'refusal') assertRefused(w, answer, 'grant_refused');
    if (how === 'error') assertRefused(w, answer, 'login_refused', { status: 403 });
    assert.equal(agent.jar.get(name), undefined, how);
  }
});

check('the world ends clean', () => w.end());
