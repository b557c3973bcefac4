// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The line to memcached: lost packets, replies cut, late, flipped; commands cut; servers that part and come back.

import { Proc, sleep } from '../../e2e/lib/proc.mjs';
import { freePort, waitPort } from '../../e2e/lib/ports.mjs';
import { MEMCACHED, USER, isRoot } from '../../e2e/lib/system.mjs';
import { FAKETIME, fakeTime } from '../lib/faketime.mjs';
import { VISITS, count, outcomes, slow } from '../lib/load.mjs';
import { makeValue, readValue } from '../lib/mcproxy.mjs';
import { Netns } from '../lib/netns.mjs';
import { lucky } from '../lib/random.mjs';
import { row } from '../lib/rows.mjs';

const now = () => performance.now();
const asNobody = isRoot ? ['-u', USER] : [];

row('F-08', 'packets to memcached vanish (namespace, no RST)', async (play) => {
  const space = Netns.make();
  if (!space) play.skip('no network namespaces here (they need root)');
  play.undo.push(() => space.remove());
  const port = await freePort();
  await space.run(MEMCACHED, [...asNobody, '-l', space.address, '-p', String(port), '-U', '0', '-m', '32'], port);
  const s = await play.stage({ users: 200, store: `"memcached://${space.address}:${port}"` });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(2000);
  const peak = s.watchBusy();
  const down = now();
  space.vanish();
  await sleep(play.span(30, 6) * 1000);
  const busiest = await peak();
  const up = now();
  space.comeBack();
  await sleep(6000);
  await load.stop();
  const during = load.between(down + 1600, up - 400);
  play.is('session requests meanwhile: other than 503', 0, during.length - count(during, '503 store_down'));
  play.note('meanwhile', outcomes(during));
  play.within('longest wait of a request', 250, slow(load.between(down, up), 1));
  play.within('p95 with the circuit open', 5, slow(during, 0.95));
  play.atMost('busy workers of 100', 50, busiest);
  const late = load.between(up).filter((one) => /^5|^error/.test(one.outcome));
  play.within('recovery', 2000, late.length ? Math.max(...late.map((one) => one.at)) - up : 0);
  await play.finish(s);
});

row('F-09', "memcached's reply is cut at every byte offset", async (play) => {
  const s = await play.stage({ users: 60, mix: VISITS, sso: { SSONearCache: '0' }, rate: 200 });
  const { load, proxy } = s;
  await load.everybodyIn();
  const step = play.span(1, 7);
  let [seen, offset, cuts, length] = [0, 0, 0, Infinity];
  proxy.onReply = (command, reply) => {
    if (command.verb !== 'gets' || reply.length < 100 || offset >= length || seen++ % 4 !== 0) return undefined;
    length = reply.length;
    cuts++;
    const cut = offset;
    offset += step;
    return { cut };
  };
  load.start();
  for (const end = now() + 90000; offset < length && now() < end;) await sleep(100);
  const stopped = now();
  await sleep(1500);
  await load.stop();
  const all = load.between(0);
  play.atLeast('offsets', Math.floor(Math.min(length, 1e6) / step), cuts);
  play.atMost('requests with 503', cuts, count(all, /^503/));
  play.is('other than served or 503', 0, all.length - count(all, 'app') - count(all, /^503/));
  play.note('outcomes', outcomes(all));
  const after = load.between(stopped + 600);
  play.is('afterwards: not served', 0, after.length - count(after, 'app'));
  await play.finish(s);
}, { short: true });

row('F-10', 'our write is cut in the middle', async (play) => {
  const s = await play.stage({ users: 60, mix: { login: 80, nav: 20 }, rate: 40 });
  const { load, proxy } = s;
  await load.everybodyIn();
  const random = lucky();
  let [cuts, seen] = [0, 0];
  proxy.onCommand = (command) => {
    if (!/^(set|add|cas)$/.test(command.verb) || seen++ % 4 !== 0) return undefined;
    cuts++;
    return { cut: Math.floor(random() * command.bytes.length) };
  };
  await load.run(12000);
  proxy.onCommand = undefined;
  const callbacks = load.between(0, Infinity, ['login:callback', 'login:page']);
  play.atLeast('writes cut', 20, cuts);
  play.note('logins', outcomes(callbacks));
  play.is('a cookie without an item', 0, callbacks.filter((one) => one.kind === 'login:page' && !/^app$|^503/.test(one.outcome)).length);
  play.is('a cookie with a refused login', 0, callbacks.filter((one) => one.stray).length);
  play.is('logins: other than done or 503', 0, callbacks.length - count(callbacks, 'app') - count(callbacks, /^503/));
  await sleep(600);
  const from = now();
  load.mix = VISITS;
  await load.run(3000);
  const after = load.between(from);
  play.is('afterwards: not served', 0, after.length - count(after, 'app'));
  await play.finish(s);
});

row('F-11', 'replies that come 2 s late are nobody else\'s', async (play) => {
  const s = await play.stage({ users: 60, mix: VISITS, sso: { SSONearCache: '0' } });
  const { load, proxy } = s;
  await load.everybodyIn();
  let [seen, delayed] = [0, 0];
  proxy.onReply = (command) => {
    if (command.verb !== 'gets' || seen++ % play.span(400, 120) !== 0) return undefined;
    delayed++;
    return { delay: 2000 };
  };
  const before = proxy.commands;
  await load.closed(play.span(60000, 7000), { connections: play.span(64, 16) });
  proxy.onReply = undefined;
  await sleep(2500);
  play.note('operations of memcached', proxy.commands - before);
  play.atLeast('replies delayed', 5, delayed);
  play.atLeast('of which the socket was closed before they came', delayed, proxy.tooLate ?? 0);
  const all = load.between(0);
  play.is('other than served or 503', 0, all.length - count(all, 'app') - count(all, /^503/));
  play.note('outcomes', outcomes(all));
  await play.finish(s); /* identities are checked on every answer */
}, { short: true });

/* MC-29 as well: what was deleted while a server was away does not come back with it. */
row('F-12', 'two memcached servers, one unreachable, then back with old items', async (play) => {
  const s = await play.stage({ users: play.span(300, 100), stores: 2, mix: { nav: 80, xhr: 8, logout: 8, ghost: 4 } });
  const { load, proxies } = s;
  await load.everybodyIn();
  load.start();
  await sleep(1500);
  const down = now();
  await proxies[0].off();
  await sleep(play.span(30000, 4500));
  const up = now();
  await proxies[0].on();
  await sleep(play.span(8000, 3500));
  await load.stop();
  const during = load.between(down + 1100, up);
  const perUser = new Map();
  for (const one of during) perUser.set(one.user, new Set([...(perUser.get(one.user) ?? []), one.outcome]));
  play.is('users who were now served, now refused', 0, [...perUser.values()].filter((set) => set.size > 1).length);
  play.is('other than served or 503', 0, during.length - count(during, 'app') - count(during, '503 store_down'));
  play.note('meanwhile', outcomes(during));
  play.note('logouts meanwhile', outcomes(load.between(down, up, ['logout'])));
  const backFrom = load.entries.length;
  for (const ghost of load.ghosts) await load.ghost(ghost);
  play.atLeast('logged-out cookies tried again', 5, load.ghosts.length);
  play.is('that came back', 0, load.entries.slice(backFrom).filter((one) => one.outcome === 'app').length);
  const late = load.between(up, Infinity, null).filter((one) => /^5|^error/.test(one.outcome));
  play.within('recovery', 1000, late.length ? Math.max(...late.map((one) => one.at)) - up : 0);
  play.is('re-logins', 0, load.between(down).filter((one) => one.lost).length);
  await play.finish(s);
}, { short: true });

row('F-13', 'one value in a hundred has a flipped bit', async (play) => {
  const s = await play.stage({ users: 400, redirects: 6, sso: { SSONearCache: '0' } }); /* who is hit twice, once right after his login, is sent away four times */
  const { load, proxy } = s;
  await load.everybodyIn();
  const random = lucky();
  const flipped = new Set();
  let flips = 0;
  proxy.onReply = (command, reply) => {
    const found = command.verb === 'gets' && readValue(reply);
    if (!found || random() > 0.01) return undefined;
    flips++;
    flipped.add(command.key);
    found.value = Buffer.from(found.value);
    found.value[Math.floor(random() * found.value.length)] ^= 1 << Math.floor(random() * 8);
    return { bytes: makeValue(found) };
  };
  await load.run(play.span(15000, 6000));
  proxy.onReply = undefined;
  const all = load.between(0, Infinity, null);
  const lost = all.filter((one) => one.lost).length;
  play.atLeast('flips', 5, flips);
  play.atMost('sessions lost', flips, lost);
  play.atLeast('sessions lost', 1, lost);
  play.is('5xx and errors', 0, count(all, /^5|^error/));
  await sleep(200);
  let left = 0;
  for (const key of flipped) if (await s.mc.get(key)) left++;
  play.is('flipped items that are still there', 0, left);
  await play.finish(s);
});

row('F-15', "memcached's clock jumps ahead by 10 minutes", async (play) => {
  if (!FAKETIME) play.skip('libfaketime is not installed (package faketime)');
  for (const [idle, survives] of [['30m', true], ['5m', false]]) {
    const clock = fakeTime();
    play.undo.push(() => clock.remove());
    const port = await freePort();
    const proc = new Proc(MEMCACHED, [...asNobody, '-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '32'], { env: clock.env({ monotonic: true }) });
    play.undo.push(() => proc.stop());
    await waitPort(port);
    const s = await play.stage({ users: 40, mix: VISITS, rate: 100, store: `"memcached://127.0.0.1:${port}?timeout=1s"`, sso: { SSOSessionIdle: idle } });
    await s.load.everybodyIn();
    await s.load.run(2000);
    const from = now();
    clock.set('+10m');
    await sleep(2500);
    await s.load.run(3000);
    const lost = s.load.between(from).filter((one) => one.lost).length;
    if (survives) play.is(`idle ${idle}: sessions that ended early`, 0, lost);
    else play.atMost(`idle ${idle}: sessions that ended early`, 40, lost);
    play.is(`idle ${idle}: 5xx and errors`, 0, count(s.load.between(from + 3000, Infinity, null), /^5|^error/));
    await play.finish(s);
    await proc.stop();
  }
});

row('F-16', '50 ms to memcached and back, LMAX', async (play) => {
  const s = await play.stage({ users: 100, mix: VISITS, sso: { SSONearCache: '0' }, storeQuery: '?timeout=1s' });
  const { load, proxy } = s;
  await load.everybodyIn();
  proxy.delay = 50;
  await load.closed(3000);
  const before = { ...proxy.verbs };
  const from = now();
  const rate = await load.closed(8000);
  const seen = load.between(from);
  const spent = Object.keys(proxy.verbs).map((verb) => `${proxy.verbs[verb] - (before[verb] ?? 0)} ${verb}`);
  play.judge('requests a second (ceiling 64 / 50 ms = 1280)', '>= 1000', Math.round(rate), rate >= 1000 / 4, rate < 1000 ? ' (this machine also plays browser, memcached and application)' : '');
  play.atMost('gets a request', 1, Math.round(((proxy.verbs.gets - (before.gets ?? 0)) * 1000) / seen.length) / 1000);
  play.note('operations for so many requests', `${spent.join(', ')} for ${seen.length}`);
  play.is('not served', 0, seen.length - count(seen, 'app'));
  await play.finish(s);
});

row('F-17', '5 % of packets to memcached lost (the proxy waits as TCP does: 200 ms, again 400 ms)', async (play) => {
  const s = await play.stage({ users: 200, storeQuery: '?timeout=1s' });
  const { load, proxy } = s;
  await load.everybodyIn();
  const random = lucky();
  proxy.onReply = () => {
    let delay = 0;
    for (let pause = 200; random() < 0.05; pause *= 2) delay += pause;
    return { delay };
  };
  await load.run(15000);
  const all = load.between(0, Infinity, null);
  const errors = count(all, /^5|^error/);
  play.within('p99', 1000, slow(load.between(0), 0.99));
  play.judge('errors', '< 0.1 %', `${((errors * 100) / all.length).toFixed(3)} %`, errors <= all.length / 1000);
  await play.finish(s);
});
