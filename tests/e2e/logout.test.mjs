// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The way out: local first, then at the provider; nobody else can push a user through it (attacks.md, section 18).

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { readForm } from './lib/agent.mjs';
import { assertPage, cookiesSet } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';

const w = await world({ sso: { SSOAfterLogout: 'https://www.example.test/bye' } });
const plain = await world({ provider: 'scripted' });
const SAME = { headers: { 'Sec-Fetch-Site': 'same-origin' } };
const CROSS = { headers: { 'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.test' } };

/** Walks on through the provider's sign-out page. */
async function goOn(agent, first) {
  const question = await agent.follow(first);
  const form = readForm(question.body, question.url);
  return form && question.url.origin === w.idp.issuer ? agent.follow(await agent.submit(form)) : question;
}

/** Presses the one button of the page that asks: a form, or a link. */
function agree(agent, question) {
  const form = readForm(question.body, question.url);
  if (form) {
    assert.equal(form.action.origin, w.origin);
    return agent.submit(form);
  }
  const link = new URL(/<a\b[^>]*href="([^"]+)"/.exec(question.body)[1].replace(/&amp;/g, '&'), question.url);
  assert.equal(link.origin, w.origin);
  return agent.nav(link, SAME);
}

test('LO-02 session dead, cookie taken back, then the provider with hint, client, state and a registered address', async () => {
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  const first = await agent.nav(w.url('/sso/logout'), SAME);
  assert.ok([302, 303].includes(first.status), `${first.status} ${first.body.slice(0, 300)}`);
  assert.equal(first.location.origin + first.location.pathname, `${w.idp.issuer}/session/end`);
  const sent = Object.fromEntries(first.location.searchParams);
  assert.equal(sent.client_id, 'test-client');
  assert.equal(sent.id_token_hint.split('.').length, 3);
  assert.ok(sent.state?.length >= 8);
  assert.equal(new URL(sent.post_logout_redirect_uri).origin, w.origin);
  assert.equal(agent.jar.get('sso'), undefined, 'the cookie is gone from the browser');
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false, 'CK-08: the old cookie is dead at once');
  const last = await goOn(agent, first);
  assert.equal(last.status, 200);
  assert.equal(last.url.origin, w.origin);
  const again = await agent.nav(w.url('/app/'));
  const login = await agent.follow(again);
  assert.match(login.body, /data-e2e="login"/, 'the provider asks for a password again');
});

test('the page after the logout is a page of the module', async () => {
  const agent = await w.signedIn('alice');
  const last = await goOn(agent, await agent.nav(w.url('/sso/logout'), SAME));
  assertPage(last);
  assert.deepEqual(cookiesSet(last), []);
});

lawful(w)('LO-01 a foreign site cannot sign a user out: GET and POST show a page that asks', async () => {
  w.expects(/\[sso:warn\].* reason=cross_site /);
  const agent = await w.signedIn('alice');
  for (const answer of [await agent.nav(w.url('/sso/logout'), CROSS), await agent.nav(w.url('/sso/logout'), { ...CROSS, method: 'POST', body: '' })]) {
    assert.ok([200, 400, 403, 405].includes(answer.status), `${answer.status}`);
    assert.equal(await w.isSignedIn(agent), true);
  }
  const image = await agent.request(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' } });
  assert.ok(image.status < 500);
  assert.equal(await w.isSignedIn(agent), true, 'not by an image either');
});

test('the page that asks has one button, and whoever presses it is signed out', async () => {
  const agent = await w.signedIn('alice');
  const question = await agent.nav(w.url('/sso/logout'), CROSS);
  assertPage(question);
  const first = await agree(agent, question);
  assert.equal(first.location?.origin, w.idp.issuer);
  assert.equal(agent.jar.get('sso'), undefined);
});

test('a POST of the own site signs out', async () => {
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  await agent.nav(w.url('/sso/logout'), { method: 'POST', body: '', headers: { 'Sec-Fetch-Site': 'same-origin', 'Origin': w.origin, 'Content-Type': 'application/x-www-form-urlencoded' } });
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
});

test('a browser without Sec-Fetch headers: never an error, and the cookie dies once the user agreed', async () => {
  const agent = await w.signedIn('alice');
  const old = agent.jar.copy();
  const bare = w.agent({ jar: agent.jar, plain: true });
  const answer = await bare.nav(w.url('/sso/logout'));
  if (answer.status === 200) await agree(agent, answer);
  assert.equal(await w.isSignedIn(w.agent({ jar: old })), false);
});

test('LO-07 without a session: a page, and no call at the provider', async () => {
  const before = w.idp.counts.endsession;
  const answer = await w.agent().nav(w.url('/sso/logout'), SAME);
  const last = await w.agent().follow(answer, { stop: (url) => url.origin !== w.origin });
  assert.equal(last.status, 200);
  assertPage(last);
  assert.equal(w.idp.counts.endsession, before);
});

for (const target of ['https://evil.test/', '//evil.test/x', '/\\evil.test', 'https://www.example.test/bye/', 'https://www.example.test/bye?x', 'javascript:alert(1)', 'https://www.example.test@evil.test/bye']) {
  test(`LO-09 a logout never leads to ${target}`, async () => {
    const agent = await w.signedIn('alice');
    const first = await agent.nav(w.url(`/sso/logout?return=${encodeURIComponent(target)}`), SAME);
    const last = first.status < 400 ? await goOn(agent, first) : first;
    assert.ok(last.status < 500);
    assert.ok([w.origin, w.idp.issuer].includes(last.url.origin));
    assert.ok(!(last.headers.location ?? '').includes('evil'));
    if (first.status === 400) assert.match(first.body, /target_refused/);
  });
}

test('return= of this site and of SSOAfterLogout', async () => {
  const home = await w.signedIn('alice');
  const landed = await goOn(home, await home.nav(w.url('/sso/logout?return=/public/'), SAME));
  assert.equal(landed.url.href, w.url('/public/'));
  const away = await w.signedIn('alice');
  const stop = (url) => url.hostname === 'www.example.test';
  const question = await away.follow(await away.nav(w.url('/sso/logout?return=https://www.example.test/bye'), SAME), { stop });
  const form = readForm(question.body, question.url);
  const last = form ? await away.follow(await away.submit(form), { stop }) : question;
  assert.equal(last.location?.href, 'https://www.example.test/bye');
});

test('one browser signs out, the same user\'s other browser stays', async () => {
  const one = await w.signedIn('alice');
  const other = await w.signedIn('alice');
  await one.nav(w.url('/sso/logout'), SAME);
  assert.equal(await w.isSignedIn(other), true);
});

test('LO-05 a provider without end_session_endpoint: signed out here, and a page says so', async (t) => {
  const one = await world({ provider: 'scripted', start: false });
  t.after(() => one.end());
  one.idp.misbehave.metadata = (reply) => { delete reply.body.end_session_endpoint; };
  await one.httpd.start();
  const agent = await one.signedIn('alice');
  const old = agent.jar.copy();
  const last = await agent.follow(await agent.nav(one.url('/sso/logout'), SAME));
  assertPage(last);
  assert.equal(last.status, 200);
  assert.equal(await one.isSignedIn(one.agent({ jar: old })), false);
});

lawful(plain)('LO-02 the refresh token is revoked at the provider, by the client and in the body', async () => {
  plain.idp.reset();
  const agent = await plain.signedIn('alice');
  const held = [...plain.idp.refreshTokens.keys()].at(-1);
  await agent.nav(plain.url('/sso/logout'), SAME);
  const { form, headers, url } = plain.idp.last('revoke');
  assert.equal(form.get('token'), held);
  assert.equal(form.get('token_type_hint'), 'refresh_token');
  assert.match(headers.authorization, /^Basic /);
  assert.equal(url.search, '');
});

lawful(plain)('LO-02 a provider that is slow to revoke holds nobody up for longer than two seconds', async () => {
  plain.idp.reset();
  plain.idp.on_revoke = () => ({ hang: true });
  const agent = await plain.signedIn('alice');
  const old = agent.jar.copy();
  const began = Date.now();
  const first = await agent.nav(plain.url('/sso/logout'), SAME);
  assert.ok(Date.now() - began < 3000, `took ${Date.now() - began} ms`);
  delete plain.idp.on_revoke;
  assert.equal(first.location?.origin, plain.idp.issuer);
  assert.equal(await plain.isSignedIn(plain.agent({ jar: old })), false);
});

lawful(plain)('LO-11 an ID token that is too long for a URL is left out as a whole', async () => {
  plain.idp.reset();
  plain.idp.misbehave.claims = (claims) => { claims.notes = 'n'.repeat(12000); };
  const agent = await plain.signedIn('alice');
  const { location } = await agent.nav(plain.url('/sso/logout'), SAME);
  assert.equal(location.origin, plain.idp.issuer);
  assert.equal(location.searchParams.get('id_token_hint'), null);
  assert.equal(location.searchParams.get('client_id'), 'test-client');
  assert.ok(location.href.length < 4000);
});

test('LO-03 no request that starts after the logout is answered 200', async () => {
  const agent = await plain.signedIn('alice');
  const cookie = `sso=${agent.jar.get('sso')}`;
  let over = Infinity;
  const results = [];
  const traffic = Array.from({ length: 8 }, async () => {
    const other = plain.agent();
    while (performance.now() < over + 400) {
      const began = performance.now();
      const { status } = await other.xhr(plain.url('/app/index.html'), { headers: { Cookie: cookie } });
      results.push({ began, status });
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await agent.nav(plain.url('/sso/logout'), SAME);
  over = performance.now();
  await Promise.all(traffic);
  assert.ok(results.some((row) => row.status === 200), 'there was traffic before');
  assert.deepEqual(results.filter((row) => row.began > over && row.status !== 401), []);
});

lawful(plain)('LO-06 the store is down: 503, the cookie is taken back, never a page of success', async () => {
  plain.expects(/\[sso:error\].* reason=logout_incomplete /);
  const agent = await plain.signedIn('alice');
  plain.memcached.freeze();
  const answer = await agent.nav(plain.url('/sso/logout'), SAME);
  plain.memcached.thaw();
  assert.equal(answer.status, 503);
  assert.match(answer.body, /logout_incomplete/);
  assert.equal(agent.jar.get('sso'), undefined);
});

test('the worlds end clean', async () => {
  await w.end();
  await plain.end();
});
