// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Idle time, absolute end, and places that do not count as activity. Times are short and real.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { authorizationRequest } from './lib/check.mjs';
import { sleep } from './lib/proc.mjs';

const quiet = (w) => w.end();

test('CK-11 idle time slides with activity and ends a silent session', async (t) => {
  const w = await world({ sso: { SSOSessionIdle: '4s' } });
  t.after(() => quiet(w));
  const agent = await w.signedIn('alice');
  for (let i = 0; i < 6; i++) {
    await sleep(1500);
    assert.equal(await w.isSignedIn(agent), true, `active, ${1.5 * (i + 1)} s after the login`);
  }
  await sleep(6200);
  const answer = await agent.xhr(w.url('/app/index.html'));
  assert.equal(answer.status, 401, 'silent for longer than the idle time');
  authorizationRequest(w, await agent.nav(w.url('/app/index.html')));
});

test('CK-11 SSOSlide off: polling does not keep a session alive; sso/session neither', async (t) => {
  const w = await world({
    sso: { SSOSessionIdle: '4s' },
    conf: ({ tmp }) => `Alias /poll "${tmp.at('www/app')}"\n<Location "/poll">\nAuthType SSO\nSSOSlide off\nRequire valid-user\n</Location>`,
  });
  t.after(() => quiet(w));
  const agent = await w.signedIn('alice');
  const began = Date.now();
  let alive = true;
  while (alive && Date.now() - began < 9000) {
    await sleep(400);
    await agent.xhr(w.url('/sso/session'));
    alive = await w.isSignedIn(agent, '/poll/index.html');
  }
  const lived = (Date.now() - began) / 1000;
  assert.equal(alive, false, 'polling kept it alive');
  assert.ok(lived >= 2.9 && lived < 7, `it lived ${lived} s`);
});

test('CK-12 the absolute end comes in spite of traffic and refreshes', async (t) => {
  const w = await world({ sso: { SSOSessionIdle: '5s', SSOSessionMax: '5s' }, op: { accessTtl: 2 } });
  t.after(() => quiet(w));
  const began = Date.now();
  const agent = await w.signedIn('alice');
  let alive = true;
  while (alive && Date.now() - began < 12000) {
    await sleep(250);
    alive = await w.isSignedIn(agent);
  }
  const lived = (Date.now() - began) / 1000;
  assert.equal(alive, false);
  assert.ok(lived >= 3.9 && lived < 7.5, `it lived ${lived} s`);
  assert.ok(w.idp.events.refresh >= 1, 'there were refreshes meanwhile');
  const refreshes = w.idp.events.refresh;
  assert.equal(await w.isSignedIn(agent), false);
  assert.equal(w.idp.events.refresh, refreshes, 'RF-19: none after the end');
});

test('sso/session tells the user, the seconds left and the ways in and out', async (t) => {
  const w = await world({ sso: { SSOSessionIdle: '10m', SSOSessionMax: '2h' } });
  t.after(() => quiet(w));
  const agent = await w.signedIn('alice');
  const answer = await agent.xhr(w.url('/sso/session'));
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  const body = answer.json;
  assert.equal(body.user, 'alice');
  assert.ok(body.seconds_left > 500 && body.seconds_left <= 600, `${body.seconds_left}`);
  assert.match(body.logout_url, /\/sso\/logout/);
  assert.match(body.login_url, /\/sso\/login/);
  assert.ok(![...w.idp.secrets, agent.jar.get('sso')].some((secret) => answer.body.includes(secret)), 'no secret');
});
