// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Tokens that run out (attacks.md, section 12): two nodes, a rotating provider, and its bad days.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { authorizationRequest, cookiesSet } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';
import { makeSigner } from './lib/scriptedop.mjs';
import { sleep } from './lib/proc.mjs';

const CYCLES = 20;
const TTL = process.env.SSO_SAN ? 4 : 2;

test(`RF-01 RF-02 two nodes, 40 parallel requests at each of ${CYCLES} expiries: ${CYCLES} refreshes, no reuse, only 200`, async (t) => {
  const w = await world({ nodes: 2, op: { accessTtl: TTL } });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  const cookie = agent.jar.get('sso');
  const url = w.url('/app/index.html');
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    await sleep(TTL * 1000 + 1050); /* whole seconds on both sides: surely run out */
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => agent.xhr(url, { via: w.servers[i % 2].port })));
    const statuses = answers.map((answer) => answer.status).filter((status) => status !== 200);
    assert.deepEqual(statuses, [], `cycle ${cycle}: other answers than 200`);
    assert.equal(w.idp.events.refresh, cycle, `cycle ${cycle}: refreshes`);
    assert.equal(w.idp.events.reuse, 0, `cycle ${cycle}: a refresh token was used twice`);
  }
  assert.equal(w.idp.events.code, 1, 'one login');
  assert.equal(w.idp.events.refused, 0);
  assert.equal(agent.jar.get('sso'), cookie, 'the same cookie');
});

const w = await world({ provider: 'scripted', op: { accessTtl: 2 }, sso: { SSOHTTPTimeout: '3s', SSOHeader: ['X-User sub', 'X-Level level', 'X-Role role'] }, app: 'SSOPassToken access' });
const check = lawful(w);
const over = () => sleep(3100);
const token = async (agent) => (await agent.nav(w.url('/proxy/'))).json.headers.authorization?.[0];

check('RF-04 HD-21 rotation: the application gets the new token, the rotated refresh token is used the next time', async () => {
  w.idp.reset();
  const agent = await w.signedIn('alice');
  const first = await token(agent);
  assert.match(first, /^Bearer at-/, 'SSOPassToken access');
  await over();
  const second = await token(agent);
  await over();
  const third = await token(agent);
  assert.equal(new Set([first, second, third]).size, 3);
  assert.deepEqual([w.idp.refreshes, w.idp.reuse, w.idp.count('authorize')], [2, 0, 1]);
  const { form, headers } = w.idp.last('token');
  assert.equal(form.get('grant_type'), 'refresh_token');
  assert.match(headers.authorization, /^Basic /);
});

check('RF-03 no rotation: the old refresh token is kept', async () => {
  w.idp.reset();
  w.idp.rotate = false;
  const agent = await w.signedIn('alice');
  for (let i = 0; i < 2; i++) { await over(); assert.ok(await token(agent)); }
  w.idp.rotate = true;
  assert.equal(w.idp.refreshes, 2);
});

check('RF-05 invalid_grant ends the session: navigation to a new login, everything else 401', async () => {
  w.idp.reset();
  const agents = [await w.signedIn('alice'), await w.signedIn('bob')];
  const hits = w.backend.hits;
  await over();
  w.idp.misbehave.refresh = () => ({ status: 400, body: { error: 'invalid_grant' } });
  authorizationRequest(w, await agents[0].nav(w.url('/proxy/')));
  assert.equal((await agents[1].xhr(w.url('/proxy/'))).status, 401);
  assert.equal(w.backend.hits, hits, 'the application was not asked');
  const tries = w.idp.count('token');
  w.idp.misbehave = {};
  for (const agent of agents) assert.equal(await w.isSignedIn(agent), false, 'it stays dead');
  assert.equal(w.idp.count('token'), tries, 'no further attempt');
});

check('RF-08 RF-09 RF-10 RF-11 RF-13 an ID token at a refresh that is not right ends the session; one that is right does not', async () => {
  w.idp.reset();
  const stranger = await makeSigner('RS256');
  const rows = {
    'rf-good': {},
    'rf-no-nonce': { claims: (c) => { delete c.nonce; } },
    'rf-same-nonce': { claims: (c, x) => { c.nonce = x.nonce; } },
    'rf-08-iss': { bad: true, claims: (c) => { c.iss = 'https://evil.test'; } },
    'rf-09-sub': { bad: true, claims: (c) => { c.sub = 'mallory'; } },
    'rf-10-aud': { bad: true, claims: (c) => { c.aud = 'other'; } },
    'rf-10-azp': { bad: true, claims: (c) => { c.azp = 'other'; } },
    'rf-10-exp': { bad: true, claims: (c) => { c.exp = c.iat - 3600; c.iat -= 7200; } },
    'rf-10-key': { bad: true, sign: true },
    'rf-11-nonce': { bad: true, claims: (c) => { c.nonce = 'another'; } },
    'rf-13-iat': { bad: true, claims: (c) => { c.iat -= 300; c.exp -= 0; } },
  };
  for (const name of Object.keys(rows)) w.idp.accounts[name] = { ...w.idp.accounts.bob, sub: name };
  const agents = {};
  for (const name of Object.keys(rows)) agents[name] = await w.signedIn(name);
  await over();
  w.idp.misbehave.claims = (claims, context) => { if (context.grant === 'refresh') rows[context.user].claims?.(claims, context); };
  w.idp.misbehave.sign = (signer, context) => (context.grant === 'refresh' && rows[context.user].sign ? { ...stranger, kid: signer.kid } : signer);
  const wrong = [];
  for (const [name, row] of Object.entries(rows)) {
    const { status } = await agents[name].xhr(w.url('/app/index.html'));
    if (status !== (row.bad ? 401 : 200)) wrong.push(`${name}: ${status}`);
  }
  w.idp.misbehave = {};
  assert.deepEqual(wrong, []);
});

check('HD-11 a claim that is gone after a refresh is gone from the headers, a new one is there', async () => {
  w.idp.reset();
  w.idp.accounts.carol = { ...w.idp.accounts.alice, sub: 'carol', role: 'boss' };
  const agent = await w.signedIn('carol');
  assert.deepEqual((await agent.nav(w.url('/proxy/'))).json.headers['x-role'], ['boss']);
  delete w.idp.accounts.carol.role;
  w.idp.accounts.carol.level = 8;
  await over();
  const { headers } = (await agent.nav(w.url('/proxy/'))).json;
  assert.equal(headers['x-role'], undefined);
  assert.deepEqual(headers['x-level'], ['8']);
});

check('RF-07 RF-17 the provider answers 500 when the token has run out: 503 with Retry-After, cookie and session kept, back off', async () => {
  w.expects(/\[sso:warn\].* refresh: session=\w+ failed for now: reason=provider_down the token endpoint answered 500/, /\[sso:error\].* reason=refresh_pending /);
  w.idp.reset();
  const agent = await w.signedIn('alice');
  await over();
  w.idp.misbehave.instead = () => ({ status: 500, body: 'broken' });
  const cookie = agent.jar.get('sso');
  for (const answer of [await agent.nav(w.url('/app/index.html')), await agent.xhr(w.url('/app/index.html'))]) {
    assert.equal(answer.status, 503);
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    assert.deepEqual(cookiesSet(answer), []);
    assert.equal(answer.headers.location, undefined);
  }
  const tries = w.idp.count('token');
  for (let i = 0; i < 10; i++) await agent.xhr(w.url('/app/index.html'));
  assert.equal(w.idp.count('token'), tries, 'not hammered');
  w.idp.misbehave = {};
  let status = 503;
  for (let i = 0; i < 40 && status === 503; i++) { await sleep(250); ({ status } = await agent.xhr(w.url('/app/index.html'))); }
  assert.equal(status, 200, 'back by itself');
  assert.equal(agent.jar.get('sso'), cookie);
  assert.equal(w.idp.count('authorize'), 1, 'no new login');
});

test('RF-06 RF-23 RF-24 RF-27 a refresh that fails while the token lives is not noticed, and not repeated at once', async (t) => {
  const one = await world({ provider: 'scripted', op: { accessTtl: 8 }, sso: { SSORefreshAhead: '4s', SSOHTTPTimeout: '1s' } });
  t.after(() => one.end({ allowed: [/\[sso:(warn|error)\].* refresh: session=\w+ failed for now: reason=(provider_down|provider_busy|token_answer|client_refused) /] }));
  const failures = {
    'rf-500': () => ({ status: 500, body: 'broken' }), 'rf-429': () => ({ status: 429, headers: { 'Retry-After': '30' }, body: { error: 'slow_down' } }),
    'rf-hang': () => ({ hang: true }), 'rf-reset': () => ({ reset: true }), 'rf-html': () => ({ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }),
    'rf-empty': () => ({ status: 200, body: { token_type: 'Bearer' } }), 'rf-client': () => ({ status: 401, body: { error: 'invalid_client' } }),
  };
  for (const name of Object.keys(failures)) one.idp.accounts[name] = { ...one.idp.accounts.bob, sub: name };
  const agents = {};
  const owner = new Map();
  one.idp.misbehave.token = (reply, { record }) => { owner.set(reply.body.refresh_token, one.idp.codes.get(record.form.get('code')).user); };
  const tries = {};
  one.idp.misbehave.instead = (record, name) => {
    if (name !== 'refresh') return undefined;
    const user = owner.get(record.form.get('refresh_token'));
    tries[user] = (tries[user] ?? 0) + 1;
    return failures[user]();
  };
  for (const name of Object.keys(failures)) agents[name] = await one.signedIn(name);
  await sleep(4300);
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(Object.values(agents).map((agent) => agent.xhr(one.url('/app/index.html'))));
    assert.deepEqual(answers.map((answer) => answer.status), answers.map(() => 200), `round ${round}`);
  }
  await sleep(300);
  for (const name of Object.keys(failures)) assert.equal(tries[name], 1, `${name}: one attempt`);
});

check('RF-14 the provider rotated but its answer was lost: the session ends once, without a loop', async () => {
  w.expects(/\[sso:warn\].* refresh: session=\w+ failed for now: reason=provider_down .*Connection reset/, /\[sso:error\].* reason=refresh_pending /);
  w.idp.reset();
  const agent = await w.signedIn('alice');
  await over();
  w.idp.misbehave.refresh = () => ({ reset: true });
  assert.equal((await agent.xhr(w.url('/app/index.html'))).status, 503);
  w.idp.misbehave = {};
  let status = 503;
  for (let i = 0; i < 40 && status === 503; i++) { await sleep(250); ({ status } = await agent.xhr(w.url('/app/index.html'))); }
  assert.equal(status, 401);
  const tries = w.idp.count('token');
  authorizationRequest(w, await agent.nav(w.url('/app/index.html')));
  assert.equal(w.idp.count('token'), tries, 'no further attempt');
});

check('RF-20 a logout while a refresh is under way: the session stays dead', async () => {
  w.idp.reset();
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  await over();
  w.idp.misbehave.refresh = (reply) => ({ ...reply, after: 1200 });
  const waiting = w.agent({ jar: old.copy() }).xhr(w.url('/app/index.html'));
  await sleep(400);
  await agent.nav(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
  await waiting;
  w.idp.misbehave = {};
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
});

check('RF-16 the record is gone in the middle of a refresh: one new login, no crash', async () => {
  w.idp.reset();
  const agent = await w.signedIn('alice');
  await over();
  w.idp.misbehave.refresh = (reply) => ({ ...reply, after: 1000 });
  const waiting = agent.xhr(w.url('/app/index.html'));
  await sleep(400);
  await w.memcached.flush();
  const { status } = await waiting;
  w.idp.misbehave = {};
  assert.ok([200, 401, 503].includes(status), `${status}`);
  assert.equal(await w.isSignedIn(agent), false);
});

check('RF-25 a refresh token of odd bytes arrives as it is', async () => {
  w.idp.reset();
  const odd = 'a%&+= "b/?#;é'.replace('é', '~');
  w.idp.misbehave.token = (reply) => { w.idp.refreshTokens.set(odd, w.idp.refreshTokens.get(reply.body.refresh_token)); reply.body.refresh_token = odd; };
  const agent = await w.signedIn('alice');
  await over();
  assert.equal((await agent.xhr(w.url('/app/index.html'))).status, 200);
  assert.equal(w.idp.last('token').form.get('refresh_token'), odd);
});

check('RF-22 subrequests and an ErrorDocument do not refresh again', async () => {
  w.idp.reset();
  const agent = await w.signedIn('alice');
  await over();
  assert.equal((await agent.nav(w.url('/app/page.shtml'))).status, 200);
  assert.equal(w.idp.refreshes, 1);
});

test('SSORefresh off: the session goes on, no refresh takes place', async (t) => {
  const one = await world({ provider: 'scripted', op: { accessTtl: 1 }, sso: { SSORefresh: 'off' } });
  t.after(() => one.end());
  const agent = await one.signedIn('alice');
  await sleep(2200);
  assert.equal(await one.isSignedIn(agent), true);
  assert.equal(one.idp.refreshes, 0);
});

test('the world ends clean', () => w.end());
