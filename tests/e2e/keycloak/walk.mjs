// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What alice and bob do, one function a step, in the order of the array at the end. Alice stays active all the time; bob goes away
// for longer than SSO Session Idle while she works, and comes back. `w` is the world of run.mjs.

import assert from 'node:assert/strict';
import { sleep } from '../lib/proc.mjs';
import { REALM } from './server.mjs';
import { quoted } from './site.mjs';

const realm = JSON.parse(REALM);
const LIFESPAN = realm.accessTokenLifespan;
const IDLE = realm.ssoSessionIdleTimeout;
const AWAY = IDLE + 35; /* seconds that bob is away */
const SHORT = 6; /* seconds that access tokens live in the part with many expiries */
const CYCLES = 8;
const REFRESHES = ['REFRESH_TOKEN', 'REFRESH_TOKEN_ERROR'];

const since = (moment) => (Date.now() - moment) / 1000;

async function recipe(w) {
  const text = REALM.replace(/\s+/g, ' ');
  const settings = quoted();
  assert.ok(settings.length >= 10, `docs/keycloak.md quotes ${settings.length} settings of the realm`);
  for (const setting of settings) assert.ok(text.includes(setting), `docs/keycloak.md says ${setting}, realm.json does not`);
  const imported = await w.keycloak.admin('');
  for (const name of ['accessTokenLifespan', 'ssoSessionIdleTimeout', 'revokeRefreshToken', 'refreshTokenMaxReuse']) assert.equal(imported[name], realm[name], name);
  await w.site.start(w.keycloak.issuer);
}

async function signIn(w) {
  const { page } = w.alice;
  await page.goto(w.site.url('/wiki/page.cgi'));
  assert.ok(await w.alice.asked(w.keycloak.issuer), `Keycloak's login page was expected, not ${page.url()}`);
  await w.picture('login', page, { x: 210, y: 50, width: 540, height: 480 });
  await w.alice.signIn(w.site.url('/wiki/page.cgi'));
  await w.picture('wiki', page.locator('main'));
  const cookie = await w.alice.cookie(w.site.origin);
  assert.ok(cookie, 'no session cookie');
  w.aliceAgent = w.site.agent(cookie);
}

async function claims(w) {
  for (const node of [0, 1]) {
    const env = await w.site.env(w.aliceAgent, { node });
    const seen = Object.fromEntries(['REMOTE_USER', 'SSO_CLAIM_email', 'SSO_CLAIM_email_verified', 'SSO_CLAIM_name', 'SSO_CLAIM_groups'].map((name) => [name, env[name]]));
    assert.deepEqual({ ...seen, SSO_CLAIM_groups: seen.SSO_CLAIM_groups?.split(',').sort() }, {
      REMOTE_USER: 'alice', SSO_CLAIM_email: 'alice@example.test', SSO_CLAIM_email_verified: 'true', SSO_CLAIM_name: 'Alice Müller-Größe', SSO_CLAIM_groups: ['staff', 'wiki-admins'],
    });
    w.aliceSession = env.SSO_CLAIM_sid;
  }
  const sessions = await w.keycloak.sessions('alice');
  assert.deepEqual(sessions.map((session) => session.id), [w.aliceSession], 'the claim sid is the session that Keycloak has');
}

async function roles(w) {
  const { access, id } = await w.site.tokens(w.aliceAgent);
  assert.equal(id.realm_access, undefined, 'the ID token has no roles, so this test proves something');
  assert.ok(access.realm_access.roles.includes('wiki-editor'));
  assert.ok(![access.aud].flat().includes('test-client'), 'azp alone names the client');
  assert.equal(access.azp, 'test-client');
  assert.equal(access.exp - access.iat, LIFESPAN);
  w.tokensSeen.add(access.jti);
  const env = await w.site.env(w.aliceAgent);
  assert.deepEqual(env.SSO_ROLES.split(',').sort(), [...access.realm_access.roles].sort());
}

async function permissions(w) {
  const { page } = w.bob;
  await page.goto(w.site.url('/wiki/page.cgi'));
  await w.bob.signIn(w.site.url('/wiki/page.cgi'));
  w.bobAgent = w.site.agent(await w.bob.cookie(w.site.origin));
  assert.equal((await w.aliceAgent.nav(w.site.url('/wiki/edit/index.html'))).status, 200, 'alice is a wiki-editor');
  assert.equal((await w.bobAgent.nav(w.site.url('/wiki/edit/index.html'))).status, 403, 'bob is none');
  assert.equal((await w.bobAgent.nav(w.site.url('/wiki/index.html'))).status, 200, 'bob may read');
  w.bobLeft = Date.now();
}

/* Both nodes get requests at the same time, before, while and after each token is refreshed. */
async function work(w) {
  let rounds = 0;
  const others = [];
  while (since(w.bobLeft) < AWAY) {
    const statuses = await w.site.burst(w.aliceAgent, 16);
    if (statuses[200] !== 16) others.push(`after ${since(w.bobLeft).toFixed(0)} s: ${JSON.stringify(statuses)}`);
    const { access } = await w.site.tokens(w.aliceAgent);
    assert.ok(access.exp > Date.now() / 1000 - 1, 'the application never gets a token that has run out');
    if (!w.tokensSeen.has(access.jti)) w.say(`a new access token after ${since(w.bobLeft).toFixed(0)} s`);
    w.tokensSeen.add(access.jti);
    rounds++;
    await sleep(1000);
  }
  assert.deepEqual(others, [], 'other answers than 200');
  w.say(`${rounds * 17} requests, all answered 200`);
}

/* A refresh behind a response may still be under way when the last request is answered. */
async function exact(w) {
  await sleep(2000);
  w.tokensSeen.add((await w.site.tokens(w.aliceAgent)).access.jti);
  const counts = await w.keycloak.count([...REFRESHES, 'CODE_TO_TOKEN'], w.aliceSession);
  assert.ok(w.tokensSeen.size >= 3, `several refreshes were expected in ${AWAY} s: ${w.tokensSeen.size - 1}`);
  assert.deepEqual(counts, { REFRESH_TOKEN: w.tokensSeen.size - 1, REFRESH_TOKEN_ERROR: 0, CODE_TO_TOKEN: 1 }, 'one refresh a token, none refused, one login');
  assert.equal((await w.keycloak.count(['REFRESH_TOKEN_ERROR'])).REFRESH_TOKEN_ERROR, 0, 'no reuse');
}

async function outlives(w) {
  const [session] = await w.keycloak.sessions('alice');
  assert.equal(session?.id, w.aliceSession, 'the same session of Keycloak');
  assert.ok(since(session.start) > IDLE, `it is ${since(session.start).toFixed(0)} s old`);
  await w.alice.page.goto(w.site.url('/wiki/page.cgi'));
  assert.equal(w.alice.page.url(), w.site.url('/wiki/page.cgi'), 'no login page');
  assert.match(await w.alice.page.locator('main').textContent(), /Hello, alice/);
  assert.equal(await w.alice.cookie(w.site.origin), w.aliceAgent.jar.get('sso'), 'the same cookie all the time');
}

async function idles(w) {
  assert.deepEqual(await w.site.burst(w.bobAgent, 8), { 401: 8 }, `bob was away for ${since(w.bobLeft).toFixed(0)} s`);
  await w.bob.page.goto(w.site.url('/wiki/page.cgi'));
  assert.ok(await w.bob.asked(w.keycloak.issuer), `Keycloak's login page was expected, not ${w.bob.page.url()}`);
  assert.deepEqual(await w.site.burst(w.bobAgent, 2), { 401: 2 }, 'it stays ended');
}

async function cycles(w) {
  await w.keycloak.accessTokenLifespan(SHORT);
  await w.bob.signIn(w.site.url('/wiki/page.cgi'));
  w.bobAgent = w.site.agent(await w.bob.cookie(w.site.origin));
  w.bobSession = (await w.site.env(w.bobAgent)).SSO_CLAIM_sid;
  const before = await w.keycloak.count(['REFRESH_TOKEN_ERROR']);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    const { access } = await w.site.tokens(w.bobAgent);
    assert.equal(access.exp - access.iat, SHORT);
    await sleep(Math.max(0, access.exp * 1000 - Date.now()) + 1050);
    assert.deepEqual(await w.site.burst(w.bobAgent, 40), { 200: 40 }, `cycle ${cycle}`);
    assert.equal((await w.keycloak.count(['REFRESH_TOKEN'], w.bobSession)).REFRESH_TOKEN, cycle, `refreshes after ${cycle} expiries`);
  }
  assert.deepEqual(await w.keycloak.count(['REFRESH_TOKEN_ERROR']), before, 'none was refused');
  w.say(`${CYCLES} expiries, 40 requests at once on two nodes at each: ${CYCLES} refreshes`);
}

async function endedByAdmin(w) {
  const { access } = await w.site.tokens(w.bobAgent);
  const before = (await w.keycloak.count(REFRESHES));
  await w.keycloak.endSession(w.bobSession);
  assert.deepEqual(await w.keycloak.sessions('bob'), []);
  await sleep(Math.max(0, access.exp * 1000 - Date.now()) + 1050);
  assert.deepEqual(await w.site.burst(w.bobAgent, 20), { 401: 20 });
  const after = await w.keycloak.count(REFRESHES);
  assert.equal(after.REFRESH_TOKEN, before.REFRESH_TOKEN);
  assert.equal(after.REFRESH_TOKEN_ERROR, before.REFRESH_TOKEN_ERROR + 1, 'twenty requests, one question');
  await w.bob.page.goto(w.site.url('/wiki/page.cgi'));
  assert.ok(await w.bob.asked(w.keycloak.issuer), `Keycloak's login page was expected, not ${w.bob.page.url()}`);
}

async function signOut(w) {
  const { page } = w.alice;
  await w.consolePictures();
  await page.goto(w.site.url('/wiki/page.cgi'));
  await page.getByRole('link', { name: 'Sign out' }).click();
  await page.waitForURL((url) => url.origin === w.site.origin && url.pathname === '/sso/logout');
  const text = await page.locator('body').textContent();
  assert.match(text, /You are signed out/, `${page.url().split('?')[0]}: ${text.slice(0, 300)}`);
  assert.deepEqual(await w.keycloak.sessions('alice'), [], 'Keycloak has no session of hers');
  assert.equal(await w.alice.cookie(w.site.origin), undefined, 'the cookie is gone');
  assert.deepEqual(await w.site.burst(w.aliceAgent, 4), { 401: 4 }, 'and of no use to who has kept it');
  await page.goto(w.site.url('/wiki/page.cgi'));
  assert.ok(await w.alice.asked(w.keycloak.issuer), 'Keycloak asks for the password again');
}

export const WALK = [
  ['docs/keycloak.md: the settings it quotes are those of the realm, and two httpds take its configuration', recipe],
  ['alice signs in on Keycloak\'s login page in Chromium', signIn],
  ['the application sees verified claims on both nodes, and sid is Keycloak\'s session', claims],
  ['realm roles, a nested claim, come from the access token', roles],
  ['Require sso-claim realm_access.roles: alice may edit, bob may not', permissions],
  [`alice works for ${AWAY} s on both nodes in parallel: only 200`, work],
  ['each of her tokens was refreshed exactly once, none was used twice', exact],
  [`she has outlived SSO Session Idle of ${IDLE} s without a login`, outlives],
  [`bob, away for ${AWAY} s, has to sign in again`, idles],
  [`${CYCLES} expiries under 40 parallel requests on two nodes: ${CYCLES} refreshes`, cycles],
  ['a session ended in Keycloak\'s admin API ends here at the next refresh, asked once', endedByAdmin],
  ['alice signs out: her session at Keycloak is gone', signOut],
];
