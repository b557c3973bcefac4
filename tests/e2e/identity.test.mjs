// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What claims look like when they arrive (attacks.md, section 15), and sso_claim() in httpd's expressions.

import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertRefused, authorizationRequest, variants } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';

const w = await world({
  provider: 'scripted',
  sso: { SSOMaxSession: '1m', SSOHeader: ['X-User sub', 'X-Groups groups', 'X-Groups-JSON groups json', 'X-Object object', 'X-Flag flag', 'X-Big big', 'X-Float float', 'X-Nothing nothing'] },
  storeQuery: '?timeout=2s',
  conf: ({ backend, tmp }) => `
<Location "/claims">
AuthType SSO
Require valid-user
SSOClaims both
</Location>
ProxyPass "/claims/" "http://127.0.0.1:${backend.port}/claims/"
<Location "/app">
Header always set X-Seen-Email "expr=%{sso_claim:email}"
Header always set X-Seen-Absent "expr=[%{sso_claim:no_such}]"
Header always set X-Is-Staff yes "expr=sso_claim('groups') =~ /(^|,)staff(,|$)/"
Header always set X-Is-Admin yes "expr=sso_claim('groups') =~ /(^|,)admin(,|$)/"
</Location>
Alias /expr "${tmp.at('www/app')}"
<Location "/expr">
AuthType SSO
Require expr -n %{REMOTE_USER} && sso_claim('level') -ge 5
</Location>`,
});
const check = lawful(w);

/** What the proxied application gets from bob's browser when the ID token carries `claims` and exactly these bytes more. */
async function arrives(claims, { path = '/proxy/x', more = '' } = {}) {
  w.idp.reset();
  w.idp.misbehave.claims = (usual) => { Object.assign(usual, claims); };
  w.idp.misbehave.payload = (text) => text.replace(/}$/, `${more}}`);
  w.idp.user = 'bob';
  const agent = w.agent();
  const landed = await agent.login(w.url('/sso/login?return=/public/'));
  assert.equal(landed.status, 200, landed.body.slice(-600));
  return agent.nav(w.url(path));
}

check('sso_claim() in expressions of mod_headers: the claim of whoever is signed in, nothing for strangers', async () => {
  w.idp.reset();
  const { headers } = await (await w.signedIn('alice')).nav(w.url('/app/index.html'));
  assert.equal(headers['x-seen-email'], 'alice@example.test');
  assert.equal(headers['x-seen-absent'], '[]');
  assert.equal(headers['x-is-staff'], 'yes');
  assert.equal(headers['x-is-admin'], undefined, 'wiki-admins is not admin');
  const stranger = await w.agent().nav(w.url('/app/index.html'));
  assert.equal(stranger.headers['x-seen-email'] ?? '', '');
  assert.equal(stranger.headers['x-is-staff'], undefined);
});

/* httpd asks who it is only when an expression names REMOTE_USER; without that, a stranger is told 403 (docs/directives.md). */
check('sso_claim() in Require expr: alice may, bob is told 403, a stranger is sent to the provider', async () => {
  w.idp.reset();
  w.expects(/\[authz_core:error\].* AH01629: authorization failure \(no authenticated user\): \/expr\//);
  assert.equal((await (await w.signedIn('alice')).nav(w.url('/expr/index.html'))).status, 200);
  assert.equal((await (await w.signedIn('bob')).nav(w.url('/expr/index.html'))).status, 403);
  authorizationRequest(w, await w.agent().nav(w.url('/expr/index.html')));
});

/* [id, claims, bytes more, header, value as it must arrive] */
const ROWS = [
  ['HD-14', { groups: ['CN=Admins,OU=Groups', 'b\\c', 'd'] }, '', 'X-Groups', 'CN=Admins\\,OU=Groups,b\\\\c,d'],
  ['HD-14', { groups: ['CN=Admins,OU=Groups', 'b'] }, '', 'X-Groups-JSON', '["CN=Admins,OU=Groups","b"]'],
  ['HD-14', { groups: [] }, '', 'X-Groups', undefined],
  /* An absent value and null are the same thing for applications. */
  ['HD-15', { object: { a: 1, b: [true, null], c: null } }, '', 'X-Object', '{"a":1,"b":[true]}'],
  ['HD-15', { flag: true }, '', 'X-Flag', 'true'],
  ['HD-15', { flag: false }, '', 'X-Flag', 'false'],
  ['HD-15', {}, ',"big":9007199254740993', 'X-Big', '9007199254740993'],
  ['HD-15', {}, ',"big":9223372036854775807', 'X-Big', '9223372036854775807'],
  ['HD-15', {}, ',"float":1.5', 'X-Float', '1.5'],
  ['HD-10', { nothing: null }, '', 'X-Nothing', undefined],
  ['HD-10', { nothing: '' }, '', 'X-Nothing', undefined],
  ['HD-16', { big: 'x'.repeat(7900) }, '', 'X-Big', 'x'.repeat(7900)],
];
for (const [id, claims, more, name, value] of ROWS) {
  check(`${id} ${JSON.stringify(claims).slice(0, 60)}${more} arrives as ${name}: ${String(value).slice(0, 40)}`, async () => {
    const answer = await arrives(claims, { more });
    assert.equal(answer.status, 200, answer.body.slice(0, 300));
    assert.deepEqual(variants(answer.json, name), value === undefined ? [] : [value]);
  });
}

check('HD-21 the access token is passed only where somebody asked for it, and a client cannot send one', async () => {
  w.idp.reset();
  const { json } = await (await w.signedIn('bob')).nav(w.url('/proxy/x'), { headers: { Authorization: 'Bearer forged' } });
  assert.ok(!JSON.stringify(json.headers).includes('at-'));
  assert.deepEqual(variants(json, 'X-SSO-ID-Token'), []);
});

check('HD-15 an integer beyond 64 bits is refused, not rounded', async () => {
  w.idp.reset();
  w.idp.misbehave.payload = (text) => text.replace(/}$/, ',"big":12345678901234567890}');
  const agent = w.agent();
  assertRefused(w, await agent.nav(await agent.callbackUrl(w.url('/app/'))), 'idtoken_claims');
});

for (const size of [9 * 1024, 64 * 1024]) {
  check(`HD-16 a claim of ${size} bytes that goes into a header is refused, never cut`, async () => {
    const hits = w.backend.hits;
    const answer = await arrives({ groups: Array.from({ length: size / 64 }, (_, i) => `${'g'.repeat(58)}${i + 10000}`) });
    assertRefused(w, answer, 'claim_unusable', { status: 403 });
    assert.equal(w.backend.hits, hits);
  });
}

check('HD-19 a claim whose name holds CR LF is refused', async () => {
  w.idp.reset();
  w.idp.misbehave.claims = (usual) => { usual['x\r\nX-Evil: 1'] = 'a'; };
  const agent = w.agent();
  assertRefused(w, await agent.nav(await agent.callbackUrl(w.url('/app/'))), 'idtoken_claims');
});

check('HD-19 hostile names of claims make no header', async () => {
  const answer = await arrives({ 'host: evil': 'b', 'a b': 'c', '': 'd', ['n'.repeat(65000)]: 'e', 'Content-Length': '0' }, { path: '/claims/x' });
  assert.equal(answer.status, 200);
  const { json } = answer;
  assert.deepEqual(variants(json, 'X-Evil'), []);
  assert.equal(json.headers.host.length, 1);
  assert.deepEqual(json.rawHeaders.filter((text, i) => i % 2 === 0 && !/^[A-Za-z0-9-]{1,200}$/.test(text)), [], 'names');
  assert.deepEqual(variants(json, 'Content-Length'), []);
});

check('HD-28 no answer of the module or of a protected place shows an identity header to the client', async () => {
  w.idp.reset();
  const agent = await w.signedIn('bob');
  const before = w.idp.requests.length;
  const answers = [await agent.nav(w.url('/proxy/x')), await agent.nav(w.url('/app/missing')), await agent.nav(w.url('/sso/session')), await w.agent().nav(w.url('/app/')), await w.agent().xhr(w.url('/app/'))];
  for (const { headers } of answers) assert.deepEqual(Object.keys(headers).filter((name) => /^(x-(user|groups|object|flag|big|float)|sso[-_]|remote)/.test(name)), []);
  assert.equal(w.idp.requests.length, before);
});

check('the world ends clean', () => w.end());
