// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Kinds of clients and providers: client authentication, public clients, and OAuth 2.0 without ID tokens.

import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { world } from './lib/world.mjs';
import { assertRefused, authorizationRequest } from './lib/check.mjs';
import { sleep } from './lib/proc.mjs';

const SECRET = 'demo-secret-0123456789abcdef0123456789';

test('SSOClientAuth post: a refresh is exactly the form that Keycloak expects, and nothing is in Authorization', async (t) => {
  const w = await world({ provider: 'scripted', op: { accessTtl: 2 }, sso: { SSOClientAuth: 'post' } });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  await sleep(3100);
  assert.equal(await w.isSignedIn(agent), true);
  const { form, headers } = w.idp.last('token');
  const { refresh_token: token, ...rest } = Object.fromEntries(form);
  assert.deepEqual(rest, { client_id: 'test-client', client_secret: SECRET, grant_type: 'refresh_token' });
  assert.match(token, /^rt-/);
  assert.equal([...form].length, 4, 'each once');
  assert.equal(headers.authorization, undefined);
  assert.match(headers['content-type'], /^application\/x-www-form-urlencoded/);
});

test('SSOClientAuth none: a public client sends its id, PKCE and no secret', async (t) => {
  const w = await world({ provider: 'scripted', start: false });
  t.after(() => w.end());
  w.idp.authenticated = ({ form, headers }) => form.get('client_id') === 'test-client' && !form.has('client_secret') && headers.authorization === undefined;
  Object.assign(w.sso, { SSOClientSecret: null, SSOClientAuth: 'none', SSOKey: `"${w.tmp.file('server.key', `${'k'.repeat(43)}\n`, 0o600)}"` });
  w.httpd.write(w.body());
  await w.httpd.start();
  await w.signedIn('bob');
  const { form } = w.idp.last('token');
  assert.deepEqual([...form.keys()].sort(), ['client_id', 'code', 'code_verifier', 'grant_type', 'redirect_uri']);
});

/** A provider that knows nothing of OpenID: no metadata, no ID token, no nonce, its own names in userinfo. */
async function oauthOnly(sso, who) {
  const w = await world({ provider: 'scripted', start: false });
  const at = (name, path = name) => `${name}=${w.idp.issuer}/${path}`;
  Object.assign(w.sso, { SSOScopes: 'read:user', SSOEndpoint: [at('authorization', 'authorize'), at('token'), at('userinfo')], ...sso });
  w.httpd.write(w.body());
  await w.httpd.start();
  w.idp.misbehave.token = (reply) => { delete reply.body.id_token; delete reply.body.refresh_token; };
  w.idp.misbehave.userinfo = (reply) => ({ ...reply, body: who });
  return w;
}

test('plain OAuth 2.0: SSOUser login takes the name of a provider that has no sub', async (t) => {
  const w = await oauthOnly({ SSOUser: 'login', SSOHeader: ['X-User login', 'X-Number id'] }, { login: 'octocat', id: 583231, email: 'octo@example.test' });
  t.after(() => w.end());
  const request = authorizationRequest(w, await w.agent().nav(w.url('/app/')));
  assert.equal(request.scope, 'read:user');
  assert.equal(request.nonce, undefined);
  assert.match(request.code_challenge, /^[\w-]{43}$/);
  const agent = await w.signedIn();
  const env = await w.env(agent);
  assert.equal(env.REMOTE_USER, 'octocat');
  assert.equal(env.HTTP_X_NUMBER, '583231');
  assert.equal(env.SSO_MAIL, 'octo@example.test');
  assert.deepEqual([w.idp.count('metadata'), w.idp.count('jwks'), w.idp.count('userinfo')], [0, 0, 1]);
});

test('plain OAuth 2.0: without the claim that SSOUser names nobody gets in', async (t) => {
  const w = await oauthOnly({ SSOUser: 'login' }, { id: 583231 });
  t.after(() => w.end());
  const agent = w.agent();
  assertRefused(w, await agent.nav(await agent.callbackUrl(w.url('/app/'))), 'claim_unusable', { status: 403 });
  assert.equal(agent.jar.get('sso'), undefined);
});

test('MC-23 CF-10 key rotation: old sessions survive while the old key is there, and end with it', async (t) => {
  const [old, fresh] = [0, 1].map(() => randomBytes(32).toString('hex'));
  const w = await world({ provider: 'scripted', start: false, sso: { SSONearCache: '0' } });
  t.after(() => w.end({ allowed: [/\[sso:(warn|error)\].* reason=store_foreign /] }));
  const key = (...lines) => w.tmp.file('rotating.key', `${lines.join('\n')}\n`, 0o600);
  w.sso.SSOKey = `"${key(old)}"`;
  w.httpd.write(w.body());
  await w.httpd.start();
  const before = await w.signedIn('alice');
  key(fresh, old);
  await w.httpd.graceful();
  assert.equal(await w.isSignedIn(before), true, 'the old key opens');
  const after = await w.signedIn('bob');
  key(fresh);
  await w.httpd.graceful();
  assert.equal(await w.isSignedIn(after), true, 'the new key had sealed at once');
  assert.equal(await w.isSignedIn(before), false);
});

test('CF-09 files that only root may read: read at the start, never again by the children', async (t) => {
  const w = await world({ provider: 'scripted', start: false });
  t.after(() => w.end());
  const key = w.tmp.file('root.key', `${'k'.repeat(43)}\n`, 0o600);
  w.sso.SSOKey = `"${key}"`;
  w.httpd.write(w.body());
  await w.httpd.start();
  while (w.httpd.marks() === 0) await sleep(20); /* httpd reads its configuration twice before */
  fs.rmSync(key);
  fs.rmSync(w.tmp.at('client.secret'));
  for (let i = 0; i < 4; i++) assert.equal((await w.env(await w.signedIn('alice'))).REMOTE_USER, 'alice');
});
