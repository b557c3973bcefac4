// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// memcached is away, hangs, is slow, is empty, is full.

import { sleep } from '../../e2e/lib/proc.mjs';
import { count, outcomes, slow } from '../lib/load.mjs';
import { row } from '../lib/rows.mjs';

const now = () => performance.now();

/** From the end of a fault: ms until session requests are answered without 503 for good. */
function recovery(load, from) {
  const late = load.between(from).filter((one) => /^(5|error)/.test(one.outcome));
  return late.length ? Math.max(...late.map((one) => one.at)) - from : 0;
}

/** How often each user had to sign in again. */
function timesLost(load, from) {
  const lost = new Map();
  for (const one of load.between(from)) if (one.lost) lost.set(one.user, (lost.get(one.user) ?? 0) + 1);
  return lost;
}

row('F-01', 'memcached killed, back empty after 5 s', async (play) => {
  const s = await play.stage({ users: play.span(500, 100) });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(play.span(5000, 2000));
  const down = now();
  s.proxy.off();
  await s.mc.kill();
  await sleep(play.span(5000, 3500));
  await s.mc.start();
  await s.proxy.on();
  const up = now();
  await sleep(play.span(8000, 4000));
  await load.stop();
  const before = load.between(0, down).filter((one) => one.at + one.ms < down); /* not those that were under way */
  const during = load.between(down + 1100, up); /* the near cache serves for its second */
  const callbacks = load.between(down, up, ['login:callback']);
  play.is('session requests before: other than served', 0, before.length - count(before, 'app'));
  play.is('session requests while down: other than 503', 0, during.length - count(during, '503 store_down'));
  play.note('while down', outcomes(during));
  play.within('503 while down, p99', 50, slow(during, 0.99));
  play.is('redirects to the provider caused by it', 0, count(load.between(down, up), 'login'));
  play.is('logins begun while down that got a cookie', 0, load.between(down, up, null).filter((one) => one.stray).length);
  play.note('callbacks while down', outcomes(callbacks));
  play.within('storage usable after its return', 1000, recovery(load, up));
  const lost = timesLost(load, up);
  play.is('users who had to sign in again more than once', 0, [...lost.values()].filter((times) => times > 1).length);
  play.note('users who signed in again', lost.size);
  play.is('5xx later than 2 s after the return', 0, count(load.between(up + 2000, Infinity, null), /^5|^error/));
  await play.finish(s);
}, { short: true });

/* What F-02, F-03 and F-08 share: a store that takes and does not answer. */
async function hangs(play, s, { stop, go, seconds, recovers = 1000 }) {
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(1500);
  const peak = s.watchBusy();
  const down = now();
  await stop();
  await sleep(seconds * 1000);
  const busiest = await peak();
  await go();
  const up = now();
  await sleep(4000);
  await load.stop();
  const during = load.between(down + 1600, up - 400); /* not those whose probe lives to see the end */
  play.is('session requests while it hangs: other than 503', 0, during.length - count(during, '503 store_down'));
  play.note('while it hangs', outcomes(during));
  play.within('longest wait of a request', 250, slow(load.between(down, up), 1));
  play.within('p50 with the circuit open', 5, slow(during, 0.5));
  play.within('p95 with the circuit open (probes cost one request their deadline)', 5, slow(during, 0.95));
  play.atMost('busy workers of 100', 50, busiest);
  play.within('recovery', recovers, recovery(load, up));
  const after = load.between(up + recovers * 4);
  play.is('after it: session requests not served', 0, after.length - count(after, 'app'));
  play.is('re-logins caused by it', 0, load.between(down).filter((one) => one.lost).length);
}

row('F-02', 'memcached stopped (SIGSTOP), port open', async (play) => {
  const s = await play.stage({ users: play.span(500, 100) });
  await hangs(play, s, { stop: () => s.mc.freeze(), go: () => s.mc.thaw(), seconds: play.span(10, 4) });
  await play.finish(s);
}, { short: true });

row('F-03', 'memcached answers after 20, 200, 400 ms', async (play) => {
  for (const [delay, p99] of [[20, 80], [200, 600]]) {
    const s = await play.stage({ users: 200 });
    await s.load.everybodyIn();
    s.proxy.delay = delay;
    s.load.start();
    await sleep(1000);
    const from = now();
    await sleep(8000);
    await s.load.stop();
    const seen = s.load.between(from);
    play.within(`${delay} ms: p99`, p99, slow(seen, 0.99));
    play.is(`${delay} ms: session requests not served`, 0, seen.length - count(seen, 'app'));
    if (count(seen, 'app') < seen.length) play.note('they were', outcomes(seen));
    await play.finish(s);
  }
  const s = await play.stage({ users: 200 });
  await hangs(play, s, { stop: () => { s.proxy.delay = 400; }, go: () => { s.proxy.delay = 0; }, seconds: 8 });
  await play.finish(s);
});

row('F-04', 'memcached restarts at once, data lost', async (play) => {
  const s = await play.stage({ users: 200 });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(2000);
  const from = now();
  const times = 2;
  for (let i = 0; i < times; i++) {
    await s.mc.flush();
    s.proxy.hangUp();
    await sleep(4000);
  }
  await load.stop();
  const seen = load.between(from, Infinity, null);
  const errors = count(seen, /^5|^error/);
  play.judge('requests without an error', '>= 99.9 %', `${(100 - (errors * 100) / seen.length).toFixed(3)} %`, errors <= Math.max(1, seen.length / 1000));
  if (errors) play.note('errors', outcomes(seen.filter((one) => /^5|^error/.test(one.outcome))));
  play.atMost('re-logins a user', times, Math.max(0, ...timesLost(load, from).values()));
  await play.finish(s);
});

row('F-06', 'memcached -M, memory full', async (play) => {
  const s = await play.stage({ users: 20, memcachedArgs: ['-m', '2', '-M'] });
  const { load } = s;
  await load.everybodyIn();
  const sizes = new Set((await s.mc.dump()).map(({ value }) => value.length).filter((length) => length > 400));
  for (const size of [...sizes, ...[...sizes].map((size) => size + 60)]) {
    for (let i = 0; i < 20000; i++) if ((await s.mc.set(`junk${size}${i}`, 'x'.repeat(size))) !== 'STORED') break;
  }
  load.mix = { nav: 90, xhr: 10 };
  await load.run(6000);
  const fresh = { name: 'u0', browser: new (load.people[0].browser.constructor)('u0', load.site), state: 'out', node: 0 };
  await load.signIn(fresh);
  const login = load.entries.at(-1);
  play.judge('a new login', '503 store_full', login.outcome, /^503 store_full/.test(login.outcome));
  play.is('a cookie came with it', false, Boolean(fresh.browser.session));
  const seen = load.between(0);
  play.is('existing sessions: not served', 0, seen.length - count(seen, 'app'));
  await play.finish(s);
});
