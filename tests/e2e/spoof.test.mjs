// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Identity headers: nobody but the module can make one arrive at an application (attacks.md, section 15).

import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { variants } from './lib/check.mjs';
import { send } from './lib/wire.mjs';
import { raw } from './lib/agent.mjs';

const w = await world({
  sso: { SSOHeader: ['X-User sub', 'X-Email email', 'X-Name name', 'X-Role no_such_claim', 'X-Level level'], SSOStripHeader: 'X-Legacy-Login' },
  conf: ({ tmp, backend }) => `
MergeTrailers On
ErrorDocument 404 /public/env.cgi
<Location "/open">
AuthType SSO
SSOUnauth pass
Require all granted
</Location>
Alias /rw ${tmp.at('www/app')}
<Location "/rw">
AuthType SSO
Require valid-user
RewriteEngine On
RewriteOptions InheritDown
RewriteCond %{ENV:SSO_MAIL} ^(.+)$
RewriteRule "who$" "/app/env.cgi?mail=%1&user=%{REMOTE_USER}" [L]
RewriteRule "far$" "http://127.0.0.1:${backend.port}/far" [P]
</Location>
<Location "/openproxy/error">
Require all granted
</Location>
<Location "/claims">
AuthType SSO
Require valid-user
SSOClaims both
</Location>
ProxyPass "/claims/" "http://127.0.0.1:${backend.port}/claims/"`,
});
const agent = await w.signedIn('bob');
const session = `Cookie: sso=${agent.jar.get('sso')}`;
const json = (answer) => { assert.equal(answer.status, 200, `${answer.head ?? ''} ${answer.body.slice(0, 300)}`); return answer.json; };

const FORGERIES = [
  ['HD-01', 'as written', ['X-User: admin', 'X-Email: admin@x']],
  ['HD-04', 'underscores', ['X_User: admin', 'X_Email: admin@x']],
  ['HD-05', 'mixed case and separators', ['x-USER: admin', 'X.User: admin', 'X~User: admin', 'x_uSeR: admin', 'X-EMAIL: a']],
  ['HD-06', 'copies in different case', ['X-User: a', 'x-user: b', 'X-USER: c']],
  ['HD-05', 'a claim that the user does not have', ['X-Role: admin', 'X_Role: admin']],
  ['HD-05', 'an empty value', ['X-User:', 'X-Role:']],
];

for (const [id, what, lines] of FORGERIES) {
  test(`${id} without a session, on an open place: ${what}`, async () => {
    const record = json(await send(w.httpd.port, { path: '/openproxy/x', lines }));
    for (const name of ['X-User', 'X-Email', 'X-Role']) assert.deepEqual(variants(record, name), [], name);
  });

  test(`HD-02 ${id} with a session: ${what}`, async () => {
    const record = json(await send(w.httpd.port, { path: '/proxy/x', lines: [session, ...lines] }));
    assert.deepEqual(variants(record, 'X-User'), ['bob']);
    assert.deepEqual(variants(record, 'X-Email'), ['bob@example.test']);
    assert.deepEqual(variants(record, 'X-Level'), ['3']);
    assert.deepEqual(variants(record, 'X-Role'), [], 'HD-10: no claim, no header');
  });
}

test('HD-22 a CGI script on an open place sees no forged HTTP_X_USER', async () => {
  const env = json(await send(w.httpd.port, { path: '/public/env.cgi', lines: ['X-User: admin', 'X_User: admin', 'X.User: admin'] }));
  assert.equal(env.HTTP_X_USER, undefined);
  assert.equal(env.REMOTE_USER, undefined);
});

test('HD-03 SSOUnauth pass: nobody is nobody, somebody is himself', async () => {
  const nobody = json(await send(w.httpd.port, { path: '/open/env.cgi', lines: ['X-User: admin', 'X_Email: admin@x'] }));
  for (const name of ['HTTP_X_USER', 'HTTP_X_EMAIL', 'REMOTE_USER', 'SSO_MAIL', 'SSO_CLAIM_email']) assert.equal(nobody[name], undefined, name);
  const bob = json(await send(w.httpd.port, { path: '/open/env.cgi', lines: [session, 'X-User: admin'] }));
  assert.equal(bob.HTTP_X_USER, 'bob');
  assert.equal(bob.REMOTE_USER, 'bob');
});

test('HD-07 blank before the colon is refused, a folded line does not become a header', async () => {
  const blank = await send(w.httpd.port, { path: '/openproxy/x', lines: ['X-User : admin'] });
  if (blank.status === 200) assert.deepEqual(variants(blank.json, 'X-User'), []);
  else assert.equal(blank.status, 400);
  const folded = await send(w.httpd.port, { path: '/openproxy/x', lines: ['X-Foo: a', ' X-User: admin'] });
  if (folded.status === 200) assert.deepEqual(variants(folded.json, 'X-User'), []);
  else assert.equal(folded.status, 400);
});

test('HD-08 a trailer never arrives as a header', async () => {
  const answer = await send(w.httpd.port, {
    method: 'POST', path: '/openproxy/x', lines: ['Transfer-Encoding: chunked', 'Trailer: X-User'], body: '3\r\nabc\r\n0\r\nX-User: admin\r\nX_Email: a\r\n\r\n',
  });
  const record = json(answer);
  assert.deepEqual(variants(record, 'X-User'), []);
  assert.equal(record.body, 'abc');
});

for (const lines of [['Connection: X-User'], ['Connection: close, x-user'], ['Connection: X-User', 'Connection: x_email, X-Email'], ['Connection: keep-alive , X-EMAIL,x-USER'], ['Connection: X-Level, Cookie']]) {
  test(`HD-09 a client cannot drop identity headers: ${lines.join(' / ')}`, async () => {
    const text = await raw(w.httpd.port, `GET /proxy/x HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\n${session}\r\n${lines.join('\r\n')}\r\n\r\n`, { wait: 4000, until: /\}$/ });
    const record = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
    assert.deepEqual(variants(record, 'X-User'), ['bob']);
    assert.deepEqual(variants(record, 'X-Email'), ['bob@example.test']);
    assert.deepEqual(variants(record, 'X-Level'), ['3']);
  });
}

test('HD-20 well-known identity headers and SSOStripHeader never pass', async () => {
  const names = ['X-Forwarded-User', 'X-Remote-User', 'Remote-User', 'X-Authenticated-User', 'X-Legacy-Login', 'x_legacy_LOGIN'];
  for (const [path, more] of [['/openproxy/x', []], ['/proxy/x', [session]]]) {
    const record = json(await send(w.httpd.port, { path, lines: [...more, ...names.map((name) => `${name}: admin`)] }));
    for (const name of names) assert.deepEqual(variants(record, name), [], `${name} at ${path}`);
  }
});

test('names of SSOClaims headers are scrubbed by their prefix, and set from claims', async () => {
  const forged = ['SSO_CLAIM_evil: 1', 'sso-claim-evil: 1', 'SSO-Claim-email: admin@x'];
  const open = json(await send(w.httpd.port, { path: '/openproxy/x', lines: forged }));
  assert.deepEqual(open.rawHeaders.filter((text) => /^sso.claim/i.test(text)), []);
  const known = json(await send(w.httpd.port, { path: '/claims/x', lines: [session, ...forged] }));
  assert.deepEqual(variants(known, 'SSO-Claim-evil'), []);
  assert.deepEqual(variants(known, 'SSO-Claim-email'), ['bob@example.test']);
});

test('HD-23 ErrorDocument: the identity of the main request, once', async () => {
  const known = await send(w.httpd.port, { path: '/app/missing', lines: [session, 'X-User: admin'] });
  assert.equal(known.status, 404);
  assert.equal(known.json.HTTP_X_USER, 'bob');
  assert.equal(known.json.REDIRECT_STATUS, '404');
  const stranger = await send(w.httpd.port, { path: '/public/missing', lines: ['X-User: admin'] });
  assert.equal(stranger.status, 404);
  assert.equal(stranger.json.HTTP_X_USER, undefined);
  assert.equal(stranger.json.REMOTE_USER, undefined);
});

test('HD-23 an SSI page and what it includes see the user, once', async () => {
  const page = await agent.nav(w.url('/app/page.shtml'));
  assert.equal(page.status, 200);
  assert.match(page.body, /user=\[bob\]/);
  assert.match(page.body, /name=\[Bob Öztürk\]/);
  const env = JSON.parse(page.body.slice(page.body.indexOf('{'), page.body.lastIndexOf('}') + 1));
  assert.equal(env.HTTP_X_USER, 'bob');
  assert.equal(env.REMOTE_USER, 'bob');
});

test('HD-23 an open SSI page cannot include a protected one for a stranger', async () => {
  const page = await w.agent().nav(w.url('/public/page.shtml'), { headers: { 'X-User': 'admin' } });
  assert.ok(!page.body.includes('GATEWAY_INTERFACE'), 'the protected script did not run');
  assert.doesNotMatch(page.body, /admin/);
});

test('HD-23 mod_rewrite: claims in rules of a place, internal redirect and [P]', async () => {
  const inside = (await agent.nav(w.url('/rw/who'))).json;
  assert.equal(inside.QUERY_STRING, 'mail=bob@example.test&user=bob');
  assert.equal(inside.HTTP_X_USER, 'bob');
  const record = json(await send(w.httpd.port, { path: '/rw/far', lines: [session, 'X_User: admin'] }));
  assert.equal(record.url, '/far');
  assert.deepEqual(variants(record, 'X-User'), ['bob']);
});

test('HD-28 refusals carry no identity', async () => {
  for (const answer of [await w.agent().nav(w.url('/app/')), await w.agent().xhr(w.url('/app/'))]) {
    assert.ok(!Object.keys(answer.headers).some((name) => /^(x-user|x-email|sso)/.test(name)));
  }
});

test('HD-29 the second request on a connection, without a cookie, is a stranger\'s', async () => {
  const head = (more) => `GET /openproxy/x HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\n${more}\r\n`;
  await raw(w.httpd.port, head(`${session}\r\n`).replace('/openproxy/x', '/proxy/first') + head('X-User: admin\r\nConnection: close\r\n'), { wait: 4000 });
  const [first, second] = w.backend.seen.slice(-2);
  assert.deepEqual(variants(first, 'X-User'), ['bob']);
  assert.deepEqual(variants(second, 'X-User'), []);
});

test('HD-13 the encodings of SSOHeader', async (t) => {
  const one = await world({ sso: { SSOHeader: ['X-A name', 'X-B name url', 'X-C name base64', 'X-D name rfc8187', 'X-E groups json', 'X-F realm_access json'] } });
  t.after(() => one.end());
  const { headers } = (await (await one.signedIn('bob')).nav(one.url('/proxy/'))).json;
  const name = 'Bob Öztürk';
  assert.equal(Buffer.from(headers['x-a'][0], 'latin1').toString(), name);
  assert.equal(decodeURIComponent(headers['x-b'][0].replace(/\+/g, '%20')), name);
  assert.equal(Buffer.from(headers['x-c'][0], 'base64').toString(), name);
  assert.equal(headers['x-d'][0], `UTF-8''${encodeURIComponent(name)}`);
  assert.deepEqual(JSON.parse(headers['x-e'][0]), ['staff']);
  assert.deepEqual(JSON.parse(headers['x-f'][0]), { roles: ['user'] });
});

test('SSOUser: another claim, with expression and substitution', async (t) => {
  const one = await world({ sso: { SSOUser: 'email "^([^@]+)@example\\.test$" "$1-at-example"' } });
  t.after(() => one.end());
  assert.equal((await one.env(await one.signedIn('bob'))).REMOTE_USER, 'bob-at-example');
});

test('the world ends clean', () => w.end({ allowed: [/\[include:error\].* unable to include "\/app\/env\.cgi" .* returned 401/] }));
