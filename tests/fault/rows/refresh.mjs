// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Refresh between nodes: reuse detection, clocks that differ, a holder that sleeps.

import fs from 'node:fs';
import { sleep } from '../../e2e/lib/proc.mjs';
import { FAKETIME, fakeTime } from '../lib/faketime.mjs';
import { VISITS, count, outcomes, slow } from '../lib/load.mjs';
import { row } from '../lib/rows.mjs';

const now = () => performance.now();
const PATIENT = '?timeout=1s';

/** Refresh tokens that were sent more than once. */
function twice(opProxy) {
  const tokens = opProxy.tokenCalls().map((one) => one.token).filter(Boolean);
  return tokens.length - new Set(tokens).size;
}

row('F-30', 'two nodes, rotating refresh tokens with reuse detection, LR on both', async (play) => {
  const latency = 100;
  const s = await play.stage({ users: play.span(200, 60), ttl: 5, nodes: 2, mix: VISITS, storeQuery: PATIENT });
  const { load, opProxy, idp } = s;
  opProxy.plan = ({ path }) => (path === '/token' ? { after: latency } : undefined);
  await load.everybodyIn();
  const from = now();
  await load.run(play.span(120000, 14000));
  const seen = load.between(from);
  play.is('reuse detections', 0, idp.reuse);
  play.is('refresh tokens sent twice', 0, twice(opProxy));
  play.is('refresh tokens refused', 0, opProxy.tokenCalls().filter((one) => one.status >= 400).length);
  play.atLeast('refreshes', play.span(2000, 100), idp.refreshes);
  play.is('session requests not served', 0, seen.length - count(seen, 'app'));
  if (count(seen, 'app') < seen.length) play.note('they were', outcomes(seen));
  play.within('p99 of all session requests (< 2 x latency of the provider)', 2 * latency, slow(seen, 0.99));
  play.note('p50', `${slow(seen, 0.5)} ms`);
  await play.finish(s);
}, { short: true });

row('F-44', 'two nodes whose clocks are 90 s apart', async (play) => {
  if (!FAKETIME) play.skip('libfaketime is not installed (package faketime)');
  const clock = fakeTime('+90s');
  play.undo.push(() => clock.remove());
  const ttl = 5;
  const s = await play.stage({ users: play.span(100, 40), ttl, nodes: 2, mix: VISITS, rate: 120, storeQuery: PATIENT, env: (node) => (node === 1 ? clock.env() : {}) });
  const { load, opProxy, idp } = s;
  await load.everybodyIn();
  const from = now();
  const seconds = play.span(60, 12);
  await load.run(seconds * 1000);
  const seen = load.between(from);
  play.note('the other clock', new Date(Date.parse((await head(s.w.servers[1].port)).date)).getTime() - Date.now() > 60000 ? 'is ahead' : 'IS NOT AHEAD');
  play.is('session requests not served', 0, seen.length - count(seen, 'app'));
  if (count(seen, 'app') < seen.length) play.note('they were', outcomes(seen));
  const most = new Map();
  for (const { token } of opProxy.tokenCalls(from)) if (token) { const user = idp.refreshTokens.get(token).grant.user; most.set(user, (most.get(user) ?? 0) + 1); }
  play.atMost(`refreshes of one session in ${seconds} s (tokens of ${ttl} s, due from 4 s on, plus the one that the clocks cost)`, Math.ceil(seconds / (ttl - 1)) + 1, Math.max(...most.values()));
  play.is('refresh tokens sent twice', 0, twice(opProxy));
  play.is('reuse detections', 0, idp.reuse);
  await play.finish(s);
}, { short: true });

async function head(port) {
  const { call } = await import('../lib/call.mjs');
  return (await call(port, { path: '/public/', headers: { Host: 'localhost' } })).headers;
}

/* A node sleeps while it holds the lease of a session. `asleep(stage, user)` is called in time to stop it. */
async function sleeper(play, s, { when, seconds }) {
  const { load } = s;
  const [user] = load.people;
  user.node = 0;
  await load.signIn(user);
  await sleep((s.ttl + 1) * 1000);
  const pids = s.children(0);
  const stopped = new Promise((resolve) => { when(() => { for (const pid of pids) process.kill(pid, 'SIGSTOP'); resolve(now()); }); });
  const first = load.visit(user, 'nav', { node: 0 });
  const at = await Promise.race([stopped, sleep(8000)]);
  if (!at) { play.faults.push('the moment to stop the holder never came'); return undefined; }
  const asked = [];
  const began = now();
  while (now() - began < seconds * 1000) { asked.push(load.visit(user, 'nav', { node: 1 })); await sleep(250); }
  const others = await Promise.all(asked);
  const served = others.filter((one) => one.outcome === 'app').map((one) => one.at + one.ms - began);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  const woke = await first;
  await sleep(1500);
  const after = [await load.visit(user, 'nav', { node: 0 }), await load.visit(user, 'nav', { node: 1 })];
  return { others, woke, after, served: served.length ? Math.min(...served) : Infinity };
}

const stopAfter = (s, verb, nth) => (stop) => {
  let seen = 0;
  s.proxy.onReply = (command) => {
    if (command.verb !== verb || ++seen !== nth) return undefined;
    s.proxy.onReply = undefined;
    stop();
    return { delay: 400 }; /* a process stops when one of its threads gets to it, and no thread may run on until then */
  };
};

row('F-49', 'a holder of the lease sleeps for 10 s', async (play) => {
  const options = { users: 1, ttl: 2, nodes: 2, storeQuery: PATIENT, sso: { SSOHTTPTimeout: '2s', SSONearCache: '0' }, mix: VISITS };
  const seconds = play.span(12, 10);
  const lease = 7000; /* SSOHTTPTimeout and 5 s; each process watches for itself */

  /* Stopped after its lease was written, before it has sent anything: waking up, it must send nothing. */
  const s = await play.stage(options);
  const one = await sleeper(play, s, { when: stopAfter(s, 'cas', 1), seconds });
  if (one) {
    play.is('before sending: refresh tokens sent twice', 0, twice(s.opProxy));
    play.atLeast('before sending: refreshes', 1, s.idp.refreshes);
    play.judge('others are served again after (the lease)', `<= ${lease} ms`, `${Math.round(one.served)} ms`, one.served < lease + 2000);
    play.note('others, while it slept', outcomes(one.others));
    play.within('longest wait of another', 2000, slow(one.others, 1));
    play.note('the sleeper, awake', one.woke.outcome);
    play.is('afterwards not served', 0, 2 - count(one.after, 'app'));
  }
  await play.finish(s);

  /* Stopped after it has sent: without rotation both get tokens, and the sleeper must not put its older ones over the newer. */
  const t = await play.stage({ ...options, op: { rotate: false }, conf: ['<Location "/proxy">\nSSOPassToken access\n</Location>'] });
  const seenTokens = [];
  t.w.backend.handler = (record) => { seenTokens.push({ at: now(), token: record.headers.authorization?.[0] }); return false; };
  const two = await sleeper(play, t, { when: (stop) => { let calls = 0; t.opProxy.plan = (request) => { if (!request.token || ++calls > 1) return undefined; setTimeout(stop, 100); return { after: 300 }; }; }, seconds });
  if (two) {
    play.note('after sending: others, while it slept', outcomes(two.others));
    play.atLeast('others were served while it slept', 1, count(two.others, 'app'));
    play.note('the sleeper, awake', two.woke.outcome);
    play.is('afterwards not served', 0, 2 - count(two.after, 'app'));
    play.is('tokens that came back after a newer one was seen', 0, returned(seenTokens));
  }
  await play.finish(t);
}, { short: true });

/** Tokens that the application saw again after it had seen another one. */
function returned(seen) {
  const order = seen.map((one) => one.token).filter((token, i, list) => token && token !== list[i - 1]);
  return order.length - new Set(order).size;
}

row('F-53', 'records of another version, under load', async (play) => {
  const s = await play.stage({ users: 60, mix: VISITS });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(2000);
  const from = now();
  let changed = 0;
  for (const { key, value } of await s.mc.dump()) {
    const other = Buffer.from(value);
    other[0] = (other[0] + 1) & 0xff;
    await s.mc.set(key, other);
    changed++;
  }
  await sleep(5000);
  await load.stop();
  const lost = new Map();
  for (const one of load.between(from)) if (one.lost) lost.set(one.user, (lost.get(one.user) ?? 0) + 1);
  play.atLeast('records changed', 60, changed);
  play.is('users who signed in again', 60, lost.size);
  play.is('more than once', 0, [...lost.values()].filter((times) => times > 1).length);
  play.is('5xx and errors', 0, count(load.between(from, Infinity, null), /^5|^error/));
  await play.finish(s);
  if (!process.env.SSO_OLD_MODULE) { play.note('old and new module on one memcached', 'not tried: SSO_OLD_MODULE names no older build, and no version was released yet'); return; }
  const mixed = await play.stage({ users: 40, nodes: 2, mix: VISITS });
  await mixed.load.everybodyIn();
  const old = mixed.w.servers[1];
  await old.stop();
  old.module = process.env.SSO_OLD_MODULE;
  old.write(old.body);
  await old.start();
  await mixed.load.run(8000);
  const seen = mixed.load.between(0, Infinity, null);
  play.is('mixed versions: 5xx and errors', 0, count(seen, /^5|^error/));
  play.note('mixed versions', outcomes(seen));
  await play.finish(mixed);
});

row('F-54', 'the server key changes under load', async (play) => {
  const keyFile = (s, ...keys) => { fs.writeFileSync(s.keys, `${keys.join('\n')}\n`, { mode: 0o600 }); };
  const key = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  const [first, second] = [key(), key()];
  const dir = fs.mkdtempSync('/tmp/sso-keys-');
  play.undo.push(() => fs.rmSync(dir, { recursive: true, force: true }));
  const keys = `${dir}/keys`;
  keyFile({ keys }, first);
  const s = await play.stage({ users: 80, mix: VISITS, sso: { SSOKey: keys, SSOSessionIdle: '40s' } });
  s.keys = keys;
  const { load } = s;
  await load.everybodyIn();
  const idle = load.people.splice(70);
  load.start();
  await sleep(1500);
  const from = now();
  keyFile(s, first, second);
  await s.httpd.graceful();
  await sleep(2000);
  keyFile(s, second, first);
  await s.httpd.graceful();
  await sleep(9000); /* an activity is written every 4 s: by now with the new key */
  const third = now();
  play.is('logouts in steps 1 and 2', 0, load.between(from, third).filter((one) => one.lost).length);
  keyFile(s, second);
  await s.httpd.graceful();
  await sleep(3000);
  await load.stop();
  play.is('logouts in step 3 of sessions that were rewritten', 0, load.between(third).filter((one) => one.lost).length);
  const errors = load.between(from, Infinity, null).filter((one) => /^5|^error/.test(one.outcome));
  play.is('5xx and errors', 0, errors.length);
  if (errors.length) play.note('they were', outcomes(errors));
  let gone = 0;
  for (const user of idle) if ((await load.visit(user, 'nav')).lost) gone++;
  play.is('sessions never rewritten that ended in step 3', idle.length, gone);
  await play.finish(s);
});
