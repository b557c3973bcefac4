// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Pages, answers and logs of the module (attacks.md, section 19): nothing foreign is echoed alive, nothing secret is shown.

import assert from 'node:assert/strict';
import { ONE_PROCESS } from './lib/attack.mjs';
import { assertPage, assertRefused, assertLoginRequired } from './lib/check.mjs';
import { lawful } from './lib/lawful.mjs';
import { raw } from './lib/agent.mjs';
import { leaks } from './lib/secrets.mjs';
import { runToEnd, sleep } from './lib/proc.mjs';
import { HTTPD } from './lib/system.mjs';
import { world } from './lib/world.mjs';

const SECRET = 'demo-secret-0123456789abcdef0123456789';
const w = await world({ provider: 'scripted', op: { accessTtl: 2 }, modules: ['info'], conf: `${ONE_PROCESS}
<Location "/server-info">\nSetHandler server-info\nRequire all granted\n</Location>
<Location "/documented">\nAuthType SSO\nSSOUnauth 403\nRequire valid-user\nErrorDocument 403 /public/env.cgi\n</Location>` });
const check = lawful(w);
const NASTY = ['"><svg onload=alert(1)>', "';alert(1)//", '</script>', '</pre><script>alert(1)</script>', '%s%n%x%s%s', '${jndi:ldap://x}'];
const grown = (from) => w.httpd.errorLog().slice(from);

async function flight() {
  w.idp.reset();
  const agent = w.agent();
  const callback = await agent.callbackUrl(w.url('/app/'));
  return { agent, callback, state: callback.searchParams.get('state') };
}

/* [what is foreign, (text) => answer, reason (of the text), status] */
const at = (query) => w.url(`/sso/callback?${query}`);
const POINTS = [
  ['the provider\'s error', async (text) => { const { agent, state } = await flight(); return agent.nav(at(new URLSearchParams({ error: text, error_description: text, state, iss: w.idp.issuer }))); }, 'login_refused', 403],
  ['state', (text) => w.agent().nav(at(new URLSearchParams({ code: 'x', state: text }))), (text) => (text.includes(' ') ? 'state_missing' : 'state_unknown'), 400],
  ['iss', async (text) => { const { agent, state } = await flight(); return agent.nav(at(new URLSearchParams({ code: 'x', state, iss: text }))); }, 'issuer_mismatch', 400],
  ['the issuer of a login', (text) => w.agent().nav(w.url(`/sso/login?${new URLSearchParams({ iss: text })}`)), 'issuer_mismatch', 400],
  ['the target of a login', (text) => w.agent().nav(w.url(`/sso/login?${new URLSearchParams({ return: `https://evil.test/${text}` })}`)), 'target_refused', 400],
  ['the target of a logout', (text) => w.agent().nav(w.url(`/sso/logout?${new URLSearchParams({ return: `https://evil.test/${text}` })}`)), 'target_refused', 400],
  ['an endpoint\'s name', (text) => w.agent().nav(w.url(`/sso/${encodeURIComponent(text.replace(/\//g, ''))}`)), 'endpoint_unknown', 404],
  ['a claim', async (text) => { const { agent, callback } = await flight(); w.idp.misbehave.claims = (claims) => { claims.aud = text; }; return agent.nav(callback); }, 'idtoken_audience', 400],
  ['kid', async (text) => { const { agent, callback } = await flight(); w.idp.misbehave.header = (header) => ({ ...header, kid: text }); return agent.nav(callback); }, 'idtoken_key', 400],
  ['the token endpoint\'s error', async (text) => { const { agent, callback } = await flight(); w.idp.misbehave.token = () => ({ status: 400, body: { error: text, error_description: text } }); return agent.nav(callback); }, 'token_refused', 400],
];
for (const [what, provoke, reason, status] of POINTS) {
  check(`OE-01 OE-05 ${what}: markup and formats stay text`, async () => {
    for (const text of NASTY) {
      const answer = await provoke(text);
      assertRefused(w, answer, typeof reason === 'string' ? reason : reason(text), { status });
      for (const live of ['<svg', '</pre>', '</script', '<script', 'onload=alert(1)>']) assert.ok(!answer.body.includes(live), `${live} of ${text}`);
    }
  });
}

check('OE-01 OE-02 what asks before a logout carries its query escaped', async () => {
  w.idp.reset();
  const answer = await (await w.signedIn('alice')).nav(w.url('/'), { path: '/sso/logout?x="><svg/onload=x>', headers: { 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(answer.status, 200);
  assertPage(answer);
  assert.doesNotMatch(answer.body, /<svg/);
  assert.match(answer.body, /svg\/onload/, 'it is there, escaped');
});

check('OE-03 one line, escaped and bounded, whatever came in', async () => {
  for (const text of ['a\r\n[sso:emerg] forged', '\u001b[31mred', 'nul\u0000byte', 'x'.repeat(7000)]) {
    const from = w.httpd.errorLog().length;
    const { agent, state } = await flight();
    const answer = await agent.nav(at(new URLSearchParams({ error: 'e', error_description: text, state, iss: w.idp.issuer })));
    const line = assertRefused(w, answer, 'login_refused', { status: 403 });
    assert.ok(line.length < 800, `${line.length} bytes`);
    const lines = grown(from).split('\n').filter(Boolean);
    assert.ok(lines.every((one) => /^\[\w{3} \w{3} \d\d /.test(one)), 'every line is httpd\'s own');
    assert.doesNotMatch(lines.join('\n'), /[\u0000\u001b\r]|^\[sso:emerg\]/m);
  }
});

check('OE-04 OE-14 login, refresh and logout at trace8: one line each, and no secret in any log', async () => {
  w.idp.reset();
  const from = w.httpd.errorLog().length;
  const agent = await w.signedIn('alice');
  const cookie = agent.jar.get('sso');
  await sleep(3100);
  assert.equal(await w.isSignedIn(agent), true);
  assert.equal(w.idp.refreshes > 0, true);
  await agent.nav(w.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
  const log = grown(from);
  assert.deepEqual(leaks(`${w.httpd.errorLog()}\n${w.httpd.accessLog()}`, [...w.idp.secrets, cookie, SECRET], Infinity), []);
  for (const word of [/\[sso:info\].* login: session=[0-9a-f]{8}\b/, /\[sso:info\].* refresh: session=[0-9a-f]{8}\b/, /\[sso:info\].* logout: session=[0-9a-f]{8}\b/]) assert.equal(log.split('\n').filter((line) => word.test(line)).length, 1, String(word));
});

check('OE-08 no answer names the module\'s version, OpenSSL or a library', async () => {
  const answers = [await w.agent().nav(at('x')), await w.agent().xhr(w.url('/app/')), await w.agent().nav(w.url('/sso/nothing')), await w.agent().xhr(w.url('/sso/session')), await w.agent().nav(w.url('/app/'))];
  for (const { headers, body } of answers) assert.doesNotMatch(JSON.stringify(headers).replace(/"server":"[^"]*"/, '') + body, /mod_sso|openssl|curl|jansson|memcached/i);
  const mine = String(answers[0].headers.server);
  assert.doesNotMatch(mine, /sso/i);
});

check('OE-09 an ErrorDocument gets reason and incident as variables, made of the module\'s own words', async () => {
  w.expects(/\[sso:warn\].* reason=stranger_refused /);
  const answer = await w.agent().nav(w.url('/documented/"><svg>'));
  assert.equal(answer.status, 403);
  assert.equal(answer.json.REDIRECT_SSO_REASON, 'stranger_refused');
  assert.match(answer.json.REDIRECT_SSO_INCIDENT, /^[0-9a-f]{12}$/);
});

check('OE-10 what a script gets: JSON, nosniff, not stored, no HTML', async () => {
  const answer = await w.agent().xhr(w.url('/app/<svg onload=x>'));
  assertLoginRequired(w, answer);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.doesNotMatch(answer.body, /<[a-z]/i);
});

check('OE-11 the configuration as httpd prints it holds no secret', async () => {
  const dump = runToEnd(HTTPD, ['-t', '-D', 'DUMP_CONFIG', '-D', 'DUMP_VHOSTS', '-f', w.httpd.conf], { env: w.httpd.env() });
  assert.match(dump.output, /SSOIssuer/, 'it is a dump');
  assert.ok(!dump.output.includes(SECRET));
  const info = await w.agent().nav(w.url('/server-info?config'));
  assert.equal(info.status, 200);
  assert.match(info.body, /SSOClientID/);
  assert.ok(!info.body.includes(SECRET));
});

check('OE-11 nor does it when the secret stands in the configuration itself', async () => {
  const body = w.body().replace(/^SSOClientSecret .*$/m, `SSOClientSecret ${SECRET}`);
  w.httpd.configtest(body);
  const dump = runToEnd(HTTPD, ['-t', '-D', 'DUMP_CONFIG', '-f', w.httpd.conf.replace('httpd.conf', 'check.conf')], { env: w.httpd.env() });
  assert.match(dump.output, /SSOIssuer/);
  assert.ok(!dump.output.includes(SECRET), dump.output.split('\n').filter((line) => line.includes('Secret')).join());
});

check('OE-12 no secret in arguments or environment of any httpd process', async () => {
  const fs = await import('node:fs');
  const parent = w.httpd.proc.pid;
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => name === String(parent) || (() => { try { return fs.readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1] === String(parent); } catch { return false; } })());
  assert.ok(pids.length >= 2);
  for (const pid of pids) for (const file of ['cmdline', 'environ']) assert.ok(!fs.readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(SECRET));
});

check('JS-11 odd Cookie headers crash nothing and reach the application as they are', async () => {
  for (const cookie of [';;;', '=;=', '   ', 'foo=1; ; bar=2', '$Version=1; a="b', 'x'.repeat(7000), '\ta=b\t', 'novalue']) {
    const text = await raw(w.httpd.port, `GET /openproxy/x HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 200 /, cookie.slice(0, 20));
    assert.equal(w.backend.seen.at(-1).headers.cookie?.[0] ?? '', cookie.trim());
  }
});

check('the world ends clean', () => w.end());
