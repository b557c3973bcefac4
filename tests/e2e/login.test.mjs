// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The main job: redirect, callback, landing on one's own URL, and what CGI, PHP and proxied applications see.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { authorizationRequest, cookiesSet, tickets } from './lib/check.mjs';
import { utf8 } from './lib/backend.mjs';
import { ACCOUNTS } from './lib/accounts.mjs';
import { PHP_FPM } from './lib/system.mjs';

const ESCAPED_GROUPS = 'staff,wiki-admins,comma\\,and\\\\slash';

for (const mpm of ['event', 'worker', 'prefork']) {
  test(`${mpm}: a stranger is sent to the provider, comes back and is seen by three kinds of applications`, async (t) => {
    const w = await world({ mpm, php: true });
    t.after(() => w.end());
    const agent = w.agent();

    const first = await agent.nav(w.url('/app/env.cgi?a=1&b=%20x'));
    const request = authorizationRequest(w, first);
    assert.equal(request.response_type, 'code');
    assert.equal(request.client_id, 'test-client');
    assert.equal(request.redirect_uri, w.url('/sso/callback'));
    assert.equal(request.scope, 'openid email profile');
    assert.equal(request.code_challenge_method, 'S256');
    assert.match(request.code_challenge, /^[\w-]{43}$/);
    assert.match(request.state, /^[\w-]{22,}$/);
    assert.match(request.nonce, /^[\w-]{22,}$/);
    assert.equal(new Set([request.state, request.nonce, request.code_challenge]).size, 3);
    assert.match(first.headers['cache-control'] ?? '', /no-store/);
    for (let i = 0; i < 5; i++) await w.agent().nav(w.url('/app/'));
    const { curr_items: items } = await w.memcached.stats();
    assert.ok(items <= 1, 'a login in flight lies in the browser; the store has nothing but the provider\'s metadata, kept for bad days');

    const page = await agent.signin(first, 'alice');
    assert.equal(page.status, 200, page.body.slice(0, 500));
    assert.equal(page.url.href, w.url('/app/env.cgi?a=1&b=%20x'), 'it lands on its own URL');
    const env = page.json;
    assert.equal(env.QUERY_STRING, 'a=1&b=%20x');
    assert.equal(env.REMOTE_USER, 'alice');
    assert.equal(env.AUTH_TYPE, 'SSO');
    assert.equal(env.SSO_MAIL, 'alice@example.test');
    assert.equal(env.SSO_CLAIM_email, 'alice@example.test');
    assert.equal(env.SSO_CLAIM_name, ACCOUNTS.alice.name, 'UTF-8, unharmed');
    assert.equal(env.SSO_CLAIM_level, '7');
    assert.equal(env.HTTP_X_USER, 'alice');
    assert.equal(env.HTTP_X_GROUPS, ESCAPED_GROUPS, 'lists are joined reversibly');
    assert.ok(!/(^|; )(__Host-)?sso/.test(env.HTTP_COOKIE ?? ''), `the module's cookies do not reach applications: ${env.HTTP_COOKIE}`);

    if (PHP_FPM) {
      const php = (await agent.nav(w.url('/php/index.php'))).json;
      assert.equal(php.REMOTE_USER, 'alice');
      assert.equal(php.SSO_CLAIM_name, ACCOUNTS.alice.name);
      assert.equal(php.HTTP_X_EMAIL, 'alice@example.test');
      assert.equal(php.HTTP_COOKIE ?? '', '');
    }

    const { headers } = (await agent.nav(w.url('/proxy/page'))).json;
    assert.deepEqual(headers['x-user'], ['alice']);
    assert.deepEqual(headers['x-email'], ['alice@example.test']);
    assert.equal(utf8(headers['x-name'][0]), ACCOUNTS.alice.name);
    assert.deepEqual(headers['x-groups'], [ESCAPED_GROUPS]);
    assert.equal(headers.cookie, undefined, 'no Cookie header is left');
    assert.equal(w.idp.events.code, 1, 'one login for all');
    assert.equal(w.idp.counts.userinfo, 0, 'nothing was missing in the ID token');
  });
}

test('php-fpm is there', { skip: PHP_FPM ? false : 'php-fpm is not installed' }, () => {});

test('CK-01 the session cookie on http: HttpOnly, SameSite=Lax, Path=/, host-only, random', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const values = [];
  for (const user of ['alice', 'bob']) {
    const agent = await w.signedIn(user);
    const { line } = agent.jar.history.find((entry) => entry.line.startsWith('sso='));
    const attributes = line.toLowerCase().split(';').map((part) => part.trim()).slice(1);
    assert.ok(attributes.includes('httponly') && attributes.includes('samesite=lax') && attributes.includes('path=/'), line);
    assert.ok(!attributes.some((part) => /^(domain|expires|max-age)/.test(part)), line);
    values.push(agent.jar.get('sso'));
  }
  assert.match(values[0], /^[\w-]{43}$/, '256 bits');
  assert.notEqual(values[0], values[1]);
  for (const key of await w.memcached.keys()) assert.ok(!values.includes(key), 'store keys are not cookie values');
});

test('CK-01 ST-02 the cookies on https: __Host- names, Secure; gone from the browser when the login is done', async (t) => {
  const w = await world({ https: true });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  const set = agent.jar.history.filter((entry) => entry.url.startsWith(w.origin));
  assert.ok(set.length >= 2);
  for (const { line } of set) {
    assert.match(line, /^__Host-sso/);
    for (const part of [/; *Secure/i, /; *HttpOnly/i, /; *SameSite=Lax/i, /; *Path=\/(;|$)/i]) assert.match(line, part);
    assert.doesNotMatch(line, /domain=/i);
  }
  assert.deepEqual(tickets(w, agent), [], 'the ticket is taken back');
  assert.equal((await w.env(agent)).REMOTE_USER, 'alice');
});

test('ST-02 ST-29 the ticket cookie: bounded life, sealed, nothing readable in it', async (t) => {
  const w = await world({ https: true });
  t.after(() => w.end());
  const agent = w.agent();
  const answer = await agent.nav(w.url('/app/very/own/place?q=needle'));
  const [line] = answer.setCookies;
  assert.equal(answer.setCookies.length, 1);
  const age = Number(/max-age=(\d+)/i.exec(line)?.[1]);
  assert.ok(age > 0 && age <= 3600, line);
  const request = authorizationRequest(w, answer);
  const readable = Buffer.from(line.split(';')[0].split('=').slice(1).join('='), 'base64url').toString('latin1') + line;
  for (const secret of [request.nonce, 'needle', 'very/own/place']) assert.ok(!readable.includes(secret), `${secret} can be read`);
});

test('AR-31 AR-32 the redirect after the callback: 303 to a clean URL of the same origin, not stored, no referrer', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const agent = w.agent();
  const callback = await agent.callbackUrl(w.url('/app/index.html'));
  const answer = await agent.nav(callback);
  assert.equal(answer.status, 303);
  assert.equal(answer.location.href, w.url('/app/index.html'));
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.match(answer.headers['referrer-policy'], /no-referrer/);
  assert.ok(cookiesSet(answer).includes('sso'));
});

test('an empty store, a second visit: the browser signs in silently and lands where it wanted', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  await w.memcached.flush();
  await new Promise((resolve) => setTimeout(resolve, 1500)); /* longer than the near cache */
  const page = await agent.login(w.url('/app/env.cgi?again'), 'nobody-is-asked');
  assert.equal(page.status, 200);
  assert.equal(page.json.REMOTE_USER, 'alice');
  assert.equal(page.json.QUERY_STRING, 'again');
});

test('client_secret_post sends the client in the form and nothing in Authorization', async (t) => {
  const w = await world({ provider: 'scripted', sso: { SSOClientAuth: 'post' } });
  t.after(() => w.end());
  await w.signedIn('alice');
  const { headers, form } = w.idp.last('token');
  assert.equal(headers.authorization, undefined);
  assert.equal(form.get('client_id'), 'test-client');
  assert.equal(form.get('client_secret'), 'demo-secret-0123456789abcdef0123456789');
  assert.equal(form.get('grant_type'), 'authorization_code');
});

test('client_secret_basic is what the metadata of the provider lead to', async (t) => {
  const w = await world({ provider: 'scripted' });
  t.after(() => w.end());
  await w.signedIn('alice');
  const { headers, form } = w.idp.last('token');
  assert.match(headers.authorization, /^Basic /);
  assert.equal(form.get('client_secret'), null);
  assert.equal(form.get('redirect_uri'), w.url('/sso/callback'), 'CI-10: byte-identical');
});

test('userinfo is asked when a wanted claim is missing, and its claims arrive', async (t) => {
  const w = await world({ op: { claimsInIdToken: false } });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  assert.equal(w.idp.counts.userinfo, 1);
  const env = await w.env(agent);
  assert.equal(env.SSO_MAIL, 'alice@example.test');
  assert.equal(env.SSO_CLAIM_name, ACCOUNTS.alice.name);
  assert.equal(w.idp.counts.userinfo, 1, 'not once a request');
});

test('SSOClaimsFrom access: claims of a JWT access token that is meant for us', async (t) => {
  const w = await world({ op: { jwt: true }, sso: { SSOClaimsFrom: 'idtoken,access', SSOUserinfo: 'off', SSOHeader: ['X-Roles realm_access.roles'] } });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  assert.deepEqual((await agent.nav(w.url('/proxy/'))).json.headers['x-roles'], ['admin,user']);
});

for (const alg of ['PS256', 'ES256', 'ES384', 'EdDSA', 'RS512']) {
  test(`ID tokens signed with ${alg}`, async (t) => {
    const w = await world({ provider: 'scripted', op: { alg } });
    t.after(() => w.end());
    await w.signedIn('bob');
  });
}

test('a plain OAuth 2.0 provider without ID tokens: endpoints by hand, userinfo says who it is', async (t) => {
  const w = await world({
    provider: 'scripted', start: false,
    sso: { SSOScopes: 'profile' },
  });
  t.after(() => w.end());
  const at = (name) => `${name}=${w.idp.issuer}/${name === 'authorization' ? 'authorize' : name}`;
  w.sso.SSOEndpoint = [at('authorization'), at('token'), at('userinfo')];
  w.httpd.write(w.body());
  await w.httpd.start();
  w.idp.misbehave.token = (reply) => { delete reply.body.id_token; };
  const agent = await w.signedIn('bob');
  const env = await w.env(agent);
  assert.equal(env.REMOTE_USER, 'bob');
  assert.equal(env.SSO_MAIL, 'bob@example.test');
  assert.equal(w.idp.count('metadata'), 0, 'no discovery');
});

test('a Unix socket as store', async (t) => {
  const w = await world({ store: 'memcached-unix' });
  t.after(() => w.end());
  const agent = await w.signedIn('alice');
  assert.equal((await w.env(agent)).REMOTE_USER, 'alice');
});

test('ST-30 ST-22 ST-23 nothing that a stranger sends shapes the authorization request', async (t) => {
  const w = await world();
  t.after(() => w.end());
  const answer = await w.agent().nav(w.url('/app/?client_id=evil&scope=admin&redirect_uri=https://evil.test&prompt=none&state=x'), {
    headers: { 'Host': 'evil.test', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https', 'Forwarded': 'host=evil.test;proto=https' },
  });
  const request = authorizationRequest(w, answer);
  assert.equal(request.client_id, 'test-client');
  assert.equal(request.redirect_uri, w.url('/sso/callback'));
  assert.equal(request.scope, 'openid email profile');
  assert.equal(request.prompt, undefined);
  assert.ok(!answer.location.href.includes('evil'));
});
