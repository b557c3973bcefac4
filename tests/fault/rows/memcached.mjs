// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The MC rows of attacks.md that need a real httpd. Elsewhere: MC-05, 06, 07, 08, 10, 20 in tests/e2e/storedown.test.mjs; MC-12, 13,
// 14, 16, 17, 25 on the library's own interface in tests/unit/test_mcwire.c and test_mcstore.c; MC-11, 15 and 24 are seen there from
// inside, here from outside. MC-14 is F-11, MC-15 is F-01, MC-23 is F-54, MC-29 is F-12; MC-26 waits for the roster of sessions; MC-28:
// UDP and SASL are never used.

import fs from 'node:fs';
import { sleep } from '../../e2e/lib/proc.mjs';
import { Browser, call } from '../lib/call.mjs';
import { MIX, VISITS, count, outcomes } from '../lib/load.mjs';
import { makeValue, readValue } from '../lib/mcproxy.mjs';
import { row } from '../lib/rows.mjs';

const now = () => performance.now();
const PATIENT = '?timeout=1s';
const KEY = /^[A-Za-z0-9_-]{43}$/;

/** Every command that reaches memcached, as words of its first line. */
function listen(proxy) {
  const heard = [];
  proxy.onCommand = ({ bytes }) => { heard.push(bytes.toString('latin1', 0, bytes.indexOf('\r\n')).trim().split(' ')); };
  return heard;
}

row('MC-01', 'nothing from outside stands in a command (also MC-03)', async (play) => {
  const s = await play.stage({ users: 3, storeQuery: PATIENT, sso: { SSONearCache: '0' } });
  const { load, proxy, idp, httpd } = s;
  const heard = listen(proxy);
  const evil = ['a\r\nset k 0 0 1\r\nX\r\n', '\r\nflush_all\r\n', 'k'.repeat(4096), ' get x ', '\0', '../../etc', 'ü'.repeat(43), `${'A'.repeat(42)}\r`, `${'A'.repeat(43)}\n`, 'A'.repeat(250)];
  await load.everybodyIn();
  for (const text of evil) {
    const escaped = encodeURIComponent(text);
    for (const cookie of [`sso=${escaped}`, `sso=${text.replace(/[\r\n\0]/g, ' ').replace(/[^\x20-\x7e]/g, '?')}`, `sso=${'B'.repeat(43)}; sso_t=${escaped}`]) await call(httpd.port, { path: '/proxy/', headers: { Host: load.host, Cookie: cookie } });
    await call(httpd.port, { path: `/sso/callback?code=${escaped}&state=${escaped}`, headers: { Host: load.host } });
  }
  for (const [i, text] of evil.entries()) {
    const sub = `${i} ${text.slice(0, 200)}`;
    idp.accounts[`evil${i}`] = { sub, sid: text, email: text };
    idp.misbehave.token = (reply) => { reply.body.refresh_token = `rt ${'%&+="'}${i}`; };
    const user = { name: `evil${i}`, browser: new Browser(`evil${i}`, load.site), state: 'out', node: 0 };
    const first = await user.browser.get(httpd.port, '/proxy/');
    await user.browser.signIn(httpd.port, first);
  }
  const wrong = heard.filter(([verb, key]) => !(/^(gets|add|cas|set|touch|delete)$/.test(verb) && (KEY.test(key) || key === 'sso-hello')) && !/^(quit|version)$/.test(verb));
  play.atLeast('commands seen', 50, heard.length);
  play.is('commands with a key that is no hash', 0, wrong.length);
  if (wrong.length) play.note('such as', JSON.stringify(wrong[0]).slice(0, 200));
  await play.finish(s);
});

row('MC-04', 'claims with protocol text and odd bytes come back byte by byte', async (play) => {
  const s = await play.stage({ users: 1, storeQuery: PATIENT, sso: { SSONearCache: '0' }, conf: ['<Location "/proxy">\nSSOHeader X-Odd odd json\n</Location>'] });
  const { load, idp, httpd } = s;
  const all = Array.from({ length: 255 }, (_, i) => String.fromCodePoint(i + 1)).join('');
  for (const odd of ['\r\nEND\r\n', 'VALUE x 0 4\r\nevil\r\nEND\r\n', all, '\u{1f600}\u202e', 'STORED\r\n'.repeat(200)]) {
    idp.accounts.u0 = { sub: 'u0', odd: [odd] };
    const browser = new Browser('u0', load.site);
    const { answer } = await browser.signIn(httpd.port, await browser.get(httpd.port, '/proxy/'));
    let got;
    try { got = JSON.parse(Buffer.from(JSON.parse((await browser.get(httpd.port, '/proxy/')).body).headers['x-odd'][0], 'latin1').toString('utf8'))[0]; } catch (error) { got = `${answer.status} ${error.message}`; }
    play.judge(`claim ${JSON.stringify(odd.slice(0, 16))}`, 'the same', got === odd ? 'the same' : JSON.stringify(got).slice(0, 80), got === odd);
  }
  await play.finish(s);
});

row('MC-09', 'an old record is put back', async (play) => {
  const s = await play.stage({ users: 1, storeQuery: PATIENT, sso: { SSONearCache: '0' } });
  const { load } = s;
  await load.everybodyIn();
  const cookie = load.people[0].browser.session;
  const items = await s.mc.dump();
  await load.logout(load.people[0]);
  for (const { key, value } of items) await s.mc.set(key, value);
  const browser = new Browser('u0', load.site);
  browser.jar.set('sso', cookie);
  const answer = await browser.get(s.httpd.port, '/proxy/', { kind: 'xhr' });
  /* Who can write to memcached and holds the cookie can undo a logout until the session's absolute end: design.md, "Secrets at rest". */
  play.note('a logged-out session whose record was put back, asked with its cookie (documented)', answer.status);
  play.is('answered', true, [200, 401].includes(answer.status));
  await play.finish(s);
});

/** Sessions against a memcached that says something else once; what must follow. */
async function lies(play, title, lie, { verb = 'gets', want = /^(app|503 store_down)$/, rate = 20 } = {}) {
  const s = await play.stage({ users: 20, mix: VISITS, rate: 100, storeQuery: PATIENT, sso: { SSONearCache: '0' } });
  const { load, proxy } = s;
  await load.everybodyIn();
  let [seen, lied] = [0, 0];
  proxy.onReply = (command, reply) => {
    if (command.verb !== verb || reply.length < 5 || seen++ % rate !== 0) return undefined;
    const said = lie(reply, command);
    if (said === undefined) return undefined;
    lied++;
    return said;
  };
  const memory = Math.max(...s.children().map(residentKb));
  await load.run(2500);
  proxy.onReply = undefined;
  await sleep(700);
  const all = load.between(0);
  play.atLeast(`${title}: lies`, 3, lied);
  play.judge(`${title}: answers`, String(want), outcomes(all), all.every((one) => want.test(one.outcome)));
  play.is(`${title}: sessions lost`, 0, all.filter((one) => one.lost).length);
  const grown = Math.max(0, ...s.children().map(residentKb)) - memory;
  play.judge(`${title}: a child grew by`, '<= 16 MB', `${grown} kB`, grown < 16 * 1024);
  const deaths = s.logged(/exit signal/);
  if (deaths.length) play.note(`${title}: children ended by the client library`, deaths.length);
  const from = now();
  await load.run(1000);
  play.is(`${title}: afterwards not served`, 0, load.between(from).length - count(load.between(from), 'app'));
  await play.finish(s, { deaths: /exit signal Abort/ });
}

const residentKb = (pid) => { try { return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]); } catch { return 0; } };

row('MC-11', 'memcached answers with another key, its own or a session of somebody else', async (play) => {
  const other = (reply, change) => { const found = readValue(reply); return found && { bytes: makeValue({ ...found, ...change(found) }) }; };
  await lies(play, 'key of the same length', (reply) => other(reply, ({ key }) => ({ key: `${key[0] === 'A' ? 'B' : 'A'}${key.slice(1)}` })));
  await lies(play, 'short key', (reply) => other(reply, () => ({ key: 'x' })));
  let before;
  await lies(play, "somebody else's reply", (reply) => { const last = before; before = reply; return last && readValue(last)?.key !== readValue(reply)?.key ? { bytes: last } : undefined; }, { rate: 3 });
});

row('MC-12', 'lengths that lie', async (play) => {
  for (const length of ['4294967296', '99999999999999999999', '-1', '1', '1000000']) {
    await lies(play, `length ${length}`, (reply) => { const found = readValue(reply); return found && { bytes: makeValue({ ...found, length }) }; }, { want: /^(app|503 store_down|error (ECONNRESET|cut off))$/ });
  }
  await lies(play, 'no END', (reply) => { const found = readValue(reply); return found && { bytes: makeValue({ ...found, tail: Buffer.from('\r\n') }) }; });
});

row('MC-13', 'garbage instead of a reply', async (play) => {
  const garbage = {
    'ERROR': 'ERROR\r\n', 'SERVER_ERROR': 'SERVER_ERROR out of memory storing object\r\n', 'CLIENT_ERROR': 'CLIENT_ERROR bad\r\n', '600 bytes without an end': 'x'.repeat(600),
    'an HTTP banner': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'binary': Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff)), 'STORED': 'STORED\r\n',
  };
  for (const [name, text] of Object.entries(garbage)) await lies(play, name, () => ({ bytes: Buffer.from(text), cut: name.startsWith('600') ? 600 : undefined }), { want: /^(app|503 store_down|error (ECONNRESET|cut off))$/ });
});

row('MC-16', 'times on the wire: absolute above 30 days, never 0 or less (also MC-17)', async (play) => {
  const s = await play.stage({ users: 10, ttl: 2, mix: MIX, rate: 50, storeQuery: PATIENT, sso: { SSOSessionIdle: '45d', SSOSessionMax: '45d' } });
  const heard = listen(s.proxy);
  await s.load.everybodyIn();
  await s.load.run(4000);
  const times = heard.flatMap(([verb, key, a, b]) => (/^(set|add|cas)$/.test(verb) ? [Number(b)] : verb === 'touch' && key !== 'sso-hello' ? [Number(a)] : []));
  const seconds = Date.now() / 1000;
  play.atLeast('times seen', 20, times.length);
  play.is('0, negative or not a number', 0, times.filter((time) => !(time > 0)).length);
  play.is('relative and above 30 days, or absolute and past', 0, times.filter((time) => time > 30 * 86400 && time < seconds).length);
  play.atLeast('absolute ones, 45 days ahead', 10, times.filter((time) => time > seconds + 44 * 86400 && time < seconds + 46 * 86400).length);
  await play.finish(s);
});

row('MC-19', 'eviction: a memcached of 2 MB and too many logins', async (play) => {
  const s = await play.stage({ users: 160, storeQuery: PATIENT, memcachedArgs: ['-m', '2'], mix: { ...VISITS, stranger: 5 } });
  for (const account of Object.values(s.idp.accounts)) account.notes = 'x'.repeat(20000);
  s.load.passive = true;
  await s.load.everybodyIn();
  await s.load.run(8000);
  const seen = s.load.between(0, Infinity, null);
  const stats = await s.mc.stats();
  play.atLeast('evictions', 10, stats.evictions);
  play.atMost('sessions lost', stats.evictions, seen.filter((one) => one.lost).length);
  play.atLeast('sessions lost', 1, seen.filter((one) => one.lost).length);
  play.is('5xx and errors', 0, count(seen, /^5|^error/));
  play.note('outcomes', outcomes(seen));
  await play.finish(s);
});

row('MC-22', 'two instances with different keys, and a foreign program, share one memcached', async (play) => {
  const one = await play.stage({ users: 30, mix: VISITS, rate: 100, storeQuery: PATIENT });
  const port = one.proxy.port;
  const two = await play.stage({ users: 30, mix: VISITS, rate: 100, store: `"memcached://127.0.0.1:${port}${PATIENT}"`, sso: { SSOClientID: 'other-client', SSOClientAuth: 'post' } });
  two.idp.authenticated = () => true;
  two.idp.misbehave.claims = (claims) => { claims.aud = 'other-client'; };
  await one.load.everybodyIn();
  await two.load.everybodyIn();
  for (let i = 0; i < 50; i++) await one.mc.set(`foreign${i}`, 'not yours');
  await Promise.all([one.load.run(3000), two.load.run(3000)]);
  for (const [name, s] of [['one', one], ['two', two]]) play.is(`instance ${name}: not served`, 0, s.load.between(0).length - count(s.load.between(0), 'app'));
  const from = now();
  const crossed = [];
  for (const user of one.load.people.slice(0, 10)) crossed.push((await user.browser.get(two.httpd.port, '/proxy/', { kind: 'xhr' })).status);
  play.judge("the one's cookies at the other", '401', [...new Set(crossed)].join(), crossed.every((status) => status === 401));
  await one.load.run(1000);
  play.is('and still served by their own', 0, one.load.between(from).length - count(one.load.between(from), 'app'));
  for (let i = 0; i < 50; i++) if (!(await one.mc.get(`foreign${i}`))) play.faults.push('a foreign item is gone');
  await play.finish(one);
  await play.finish(two);
});

row('MC-25', 'EXISTS and NOT_FOUND as answers to cas: never a blind overwrite', async (play) => {
  for (const said of ['EXISTS\r\n', 'NOT_FOUND\r\n']) {
    const s = await play.stage({ users: 40, ttl: 3, mix: VISITS, rate: 100, storeQuery: PATIENT });
    const { load, proxy, opProxy, idp } = s;
    const [sessions, blind] = [new Set(), []];
    proxy.onCommand = ({ verb, key }) => { if (verb === 'cas') sessions.add(key); if (verb === 'set') blind.push(key); };
    await load.everybodyIn();
    let [seen, lied] = [0, 0];
    proxy.onReply = (command) => {
      if (command.verb !== 'cas' || seen++ % 6 !== 0) return undefined;
      lied++;
      return { bytes: Buffer.from(said) };
    };
    await load.run(8000);
    proxy.onReply = undefined;
    const all = load.between(0, Infinity, null);
    const name = said.trim();
    play.atLeast(`${name}: lies`, 5, lied);
    play.note(`${name}: answers`, outcomes(all));
    play.is(`${name}: set instead of cas on a session`, 0, blind.filter((key) => sessions.has(key)).length);
    const tokens = opProxy.tokenCalls().map((one) => one.token).filter(Boolean);
    play.is(`${name}: refresh tokens sent twice`, 0, tokens.length - new Set(tokens).size);
    if (said.startsWith('EXISTS')) play.is('EXISTS: sessions lost', 0, all.filter((one) => one.lost).length);
    play.is(`${name}: reuse`, 0, idp.reuse);
    await play.finish(s);
  }
});

row('MC-30', 'prefork and event: no connection is shared', async (play) => {
  for (const mpm of ['prefork', 'event']) {
    const s = await play.stage({ users: 60, mix: VISITS, storeQuery: PATIENT, sso: { SSONearCache: '0' }, mpm });
    await s.load.everybodyIn();
    const before = s.proxy.commands;
    const rate = await s.load.closed(5000, { connections: 32 });
    const all = s.load.between(0);
    play.note(`${mpm}: requests a second`, Math.round(rate));
    play.note(`${mpm}: operations`, s.proxy.commands - before);
    play.is(`${mpm}: not served`, 0, all.length - count(all, 'app'));
    await play.finish(s);
  }
});
