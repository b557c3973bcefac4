// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Who may use what: Require user, Require sso-claim, and 403 with a reason.

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertPage, authorizationRequest } from './lib/check.mjs';

/* [path, Require lines, alice, bob]: alice is in staff, wiki-admins, 'comma,and\slash', roles admin and user, level 7, e-mail
 * verified; bob is in staff, role user, level 3, e-mail not verified. */
const ROWS = [
  ['user', 'Require user alice', true, false],
  ['users', 'Require user bob alice', true, true],
  ['list', 'Require sso-claim groups wiki-admins', true, false],
  ['any-value', 'Require sso-claim groups nobody staff', true, true],
  ['substring', 'Require sso-claim groups wiki', false, false],
  ['superstring', 'Require sso-claim groups wiki-admins2', false, false],
  ['case', 'Require sso-claim groups Wiki-Admins', false, false],
  ['joined', 'Require sso-claim groups "staff,wiki-admins"', false, false],
  ['comma', 'Require sso-claim groups "comma,and\\\\slash"', true, false],
  ['dotted', 'Require sso-claim realm_access.roles admin', true, false],
  ['dotted-parent', 'Require sso-claim realm_access admin', false, false],
  ['absent', 'Require sso-claim department sales', false, false],
  ['number', 'Require sso-claim level 7', true, false],
  ['boolean', 'Require sso-claim email_verified true', true, false],
  ['regex', 'Require sso-claim email~^a[a-z]+@example\\.test$', true, false],
  ['regex-part', 'Require sso-claim email~bob', false, true],
  ['regex-list', 'Require sso-claim groups~^wiki-', true, false],
  ['all', '<RequireAll>\nRequire sso-claim groups staff\nRequire sso-claim realm_access.roles admin\n</RequireAll>', true, false],
  ['none', '<RequireAll>\nRequire sso-claim groups staff\n<RequireNone>\nRequire sso-claim realm_access.roles admin\n</RequireNone>\n</RequireAll>', false, true],
  ['or', 'Require user bob\nRequire sso-claim level 7', true, true],
  ['not', '<RequireAll>\nRequire valid-user\nRequire not user bob\n</RequireAll>', true, false],
  ['redos', 'Require sso-claim bait~^(a+)+$', false, false],
];
const w = await world({
  provider: 'scripted',
  conf: ({ tmp }) => ROWS.map(([path, lines]) => `Alias /z-${path} "${tmp.at('www/app')}"\n<Location "/z-${path}">\nAuthType SSO\n${lines}\n</Location>`).join('\n'),
});
for (const name of ['alice', 'bob']) w.idp.accounts[name].bait = `${'a'.repeat(3000)}!`;
const agents = { alice: await w.signedIn('alice'), bob: await w.signedIn('bob') };

for (const [path, lines, ...expected] of ROWS) {
  test(`HD-26 ${lines.replace(/\s+/g, ' ')}: alice ${expected[0] ? 'may' : 'may not'}, bob ${expected[1] ? 'may' : 'may not'}`, async () => {
    for (const [i, user] of ['alice', 'bob'].entries()) {
      const began = Date.now();
      const { status } = await agents[user].nav(w.url(`/z-${path}/index.html`));
      assert.equal(status, expected[i] ? 200 : 403, user);
      assert.ok(Date.now() - began < 2000, 'HD-27: in bounded time');
    }
  });
}

test('a stranger is not told 403: he is sent to the provider, or told 401', async () => {
  authorizationRequest(w, await w.agent().nav(w.url('/z-list/index.html')));
  assert.equal((await w.agent().xhr(w.url('/z-list/index.html'))).status, 401);
});

test('403 for a navigation: a page with reason and incident, no way into a login loop', async () => {
  const answer = await agents.bob.nav(w.url('/z-list/index.html'));
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.location, undefined);
  assertPage(answer, { reason: 'forbidden' });
});

test('403 for a script: JSON', async () => {
  const answer = await agents.bob.xhr(w.url('/z-list/index.html'));
  assert.equal(answer.status, 403);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.equal(answer.json.error, 'forbidden');
});

test('CF-07 .htaccess may say SSOUnauth 401 and SSOSlide, but not pass and not an issuer', async () => {
  const rows = [['SSOUnauth 401', 401], ['SSOSlide off', 302], ['SSOUnauth pass', 500], ['SSOIssuer https://evil.test', 500], ['SSOHeader X-User email', 500]];
  for (const [line, status] of rows) {
    w.tmp.file('www/app/.htaccess', `${line}\n`);
    assert.equal((await w.agent().nav(w.url('/app/index.html'))).status, status, line);
  }
  w.tmp.file('www/app/.htaccess', '');
});

test('the world ends clean', () => w.end({ allowed: [/\[authz_core:error\].* AH01631: user (alice|bob): authorization failure for "\/z-/, /\[core:alert\].*\.htaccess: SSO(Unauth pass may not stand|Issuer not allowed|Header not allowed)/] }));
