// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// httpd's own bad days: children killed, restarts, stops, clocks that jump, no memory, no processor.

import fs from 'node:fs';
import path from 'node:path';
import { Proc, runToEnd, sleep } from '../../e2e/lib/proc.mjs';
import { Tmp } from '../../e2e/lib/tmp.mjs';
import { Browser } from '../lib/call.mjs';
import { FAKETIME, fakeTime } from '../lib/faketime.mjs';
import { MIX, VISITS, count, outcomes, slow } from '../lib/load.mjs';
import { lucky, pick } from '../lib/random.mjs';
import { row } from '../lib/rows.mjs';

const now = () => performance.now();
const PATIENT = '?timeout=1s';
const errorsOf = (entries) => entries.filter((one) => /^5|^error/.test(one.outcome));

row('F-32', 'a random child is killed every second', async (play) => {
  const s = await play.stage({ users: 200, storeQuery: PATIENT });
  const { load } = s;
  const random = lucky();
  await load.everybodyIn();
  load.start();
  await sleep(1000);
  const kills = play.span(40, 6);
  const killed = new Set();
  for (let i = 0; i < kills; i++) {
    const children = s.children();
    const victim = children.length ? pick(random, children) : undefined;
    if (victim && process.kill(victim, 'SIGKILL')) killed.add(victim);
    await sleep(1000);
  }
  const over = now();
  await sleep(3000);
  await load.stop();
  const all = load.between(0, Infinity, null);
  const errors = errorsOf(all);
  play.atLeast('children killed', kills - 2, killed.size);
  play.atMost('requests that failed (those in the child)', kills * 25, errors.length);
  play.is('failures other than cut connections', 0, errors.filter((one) => !/^error/.test(one.outcome)).length);
  if (errors.length) play.note('they were', outcomes(errors));
  play.is('sessions lost', 0, all.filter((one) => one.lost).length);
  const after = load.between(over + 2000);
  play.is('afterwards: not served', 0, after.length - count(after, 'app'));
  await play.finish(s, { deaths: /exit signal Killed/ });
});

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const descriptors = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
const ipcs = () => ['-m', '-s'].map((what) => runToEnd('ipcs', [what]).output.split('\n').filter((line) => /^0x/.test(line)).length).join('+');

row('F-34', 'graceful restart every 4 s', async (play) => {
  const s = await play.stage({ users: 200, storeQuery: PATIENT });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(1000);
  await s.httpd.graceful();
  await sleep(2000);
  const [memory, files, shared] = [rss(s.httpd.proc.pid), descriptors(s.httpd.proc.pid), ipcs()];
  const times = play.span(15, 3);
  for (let i = 0; i < times; i++) { await s.httpd.graceful(); await sleep(3000); }
  await load.stop();
  const all = load.between(0, Infinity, null);
  const errors = errorsOf(all);
  play.note('restarts', times + 1);
  play.is('requests that failed', 0, errors.length);
  if (errors.length) play.note('they were', outcomes(errors));
  play.is('sessions lost', 0, all.filter((one) => one.lost).length);
  play.judge('growth of the parent (< 1 MB in 50)', `<= ${Math.round((times * 1024) / 50)} kB`, `${rss(s.httpd.proc.pid) - memory} kB`, rss(s.httpd.proc.pid) - memory <= Math.max(512, (times * 1024 * 4) / 50));
  play.is('descriptors of the parent', files, descriptors(s.httpd.proc.pid));
  play.is('System V segments and semaphores', shared, ipcs());
  await play.finish(s);
});

row('F-36', 'MaxConnectionsPerChild 50', async (play) => {
  const s = await play.stage({ users: 200, storeQuery: PATIENT, conf: ['MaxConnectionsPerChild 50'], rate: 100 });
  const { load } = s;
  await load.everybodyIn();
  load.start();
  await sleep(3000);
  const [files, shared] = [descriptors(s.httpd.proc.pid), ipcs()];
  const born = new Set();
  for (let i = 0; i < play.span(300, 60); i++) { for (const pid of s.children()) born.add(pid); await sleep(100); } /* they live for a second */
  await load.stop();
  const errors = errorsOf(load.between(0, Infinity, null));
  play.atLeast('children seen', 10, born.size);
  play.is('requests that failed', 0, errors.length);
  if (errors.length) play.note('they were', outcomes(errors));
  play.is('sessions lost', 0, load.between(0).filter((one) => one.lost).length);
  play.judge('descriptors of the parent', `about ${files}`, descriptors(s.httpd.proc.pid), Math.abs(descriptors(s.httpd.proc.pid) - files) <= 2);
  play.is('System V segments and semaphores', shared, ipcs());
  await play.finish(s);
});

row('F-37', 'stopped (SIGTERM, graceful-stop) while users sign in', async (play) => {
  for (const signal of ['SIGTERM', 'SIGWINCH']) {
    const s = await play.stage({ users: 100, storeQuery: PATIENT, mix: { nav: 50, login: 50 }, rate: 100 });
    const { load, httpd } = s;
    await load.everybodyIn();
    load.start();
    await sleep(1500);
    const at = now();
    httpd.proc.signal(signal);
    const ended = await Promise.race([httpd.proc.ended, sleep(12000)]);
    play.within(`${signal}: httpd has ended`, 4000, ended ? now() - at : 1e9);
    clearInterval(load.timer);
    await load.stop();
    if (signal === 'SIGWINCH') {
      const cut = load.between(0, at, null).filter((one) => /ECONNRESET|cut off|hang up/.test(one.outcome));
      play.is('graceful-stop: requests under way that were cut', 0, cut.length);
    }
    await httpd.start();
    const from = now();
    const broken = [];
    for (const user of load.people) if (user.browser.session && user.state === 'in') { const one = await load.visit(user, 'nav'); if (one.outcome !== 'app') broken.push(one); }
    play.is(`${signal}: cookies without a whole session afterwards`, 0, broken.length);
    play.note('outcomes', outcomes(load.between(at - 200, from, null)));
    await play.finish(s);
  }
});

row('F-38', 'the n-th allocation fails, for many n', async (play) => {
  const tmp = new Tmp('sso-oom-');
  play.undo.push(() => tmp.remove());
  const source = path.join(path.dirname(new URL(import.meta.url).pathname), '..', 'lib', 'failmalloc.c');
  const built = runToEnd('gcc', ['-shared', '-fPIC', '-O1', '-o', tmp.at('failmalloc.so'), source, '-ldl']);
  if (built.code !== 0) play.skip(`the failing allocator was not built: ${built.output}`);
  fs.chmodSync(tmp.at('failmalloc.so'), 0o755);
  const control = tmp.file('count', Buffer.alloc(16), 0o666);
  const counter = fs.openSync(control, 'r+');
  play.undo.push(() => fs.closeSync(counter));
  const arm = (n) => { const bytes = Buffer.alloc(16); bytes.writeInt32LE(n, 0); fs.writeSync(counter, bytes, 0, 16, 0); };
  const state = () => { const bytes = Buffer.alloc(16); fs.readSync(counter, bytes, 0, 16, 0); return { left: bytes.readInt32LE(0), fired: bytes.readInt32LE(4) }; };
  const s = await play.stage({ users: 3, ttl: 2, mix: VISITS, storeQuery: PATIENT, sso: { SSONearCache: '0' }, env: () => ({ LD_PRELOAD: tmp.at('failmalloc.so'), FAILMALLOC: control }) });
  const { load } = s;
  await load.everybodyIn();
  let [fired, beyond] = [0, 0];
  const random = lucky();
  for (let step = 0, n = 1; step < play.span(160, 20); step++, n += 1 + Math.floor((random() * n) / 12)) {
    const user = pick(random, load.people);
    const phase = step % 3;
    if (phase === 1) await sleep(2100);
    if (user.state !== 'in') { user.browser = new Browser(user.name, load.site); await load.signIn(user); }
    arm(n);
    if (phase === 0) { user.browser = new Browser(user.name, load.site); await load.signIn(user); }
    else if (phase === 1) await load.visit(user, 'nav');
    else await load.logout(user);
    if (state().fired) fired++; else beyond++;
    arm(0);
    if (n > 2000) n = 1 + Math.floor(random() * 50);
  }
  await sleep(1500);
  const all = load.between(0, Infinity, null);
  play.atLeast('allocations that failed', 20, fired);
  play.note('counts beyond what the step needed', beyond);
  const bad = all.filter((one) => !/^(app|login|303|302|50[03]|400|401|error (ECONNRESET|cut off|EPIPE)|200)/.test(one.outcome));
  play.is('answers other than right or a clean refusal', 0, bad.length);
  play.note('answers', outcomes(all));
  const from = now();
  for (const user of load.people) { user.browser = new Browser(user.name, load.site); await load.signIn(user); await load.visit(user, 'nav'); }
  play.is('afterwards: not served', 0, load.between(from).length - count(load.between(from), 'app'));
  const deaths = s.logged(/exit signal/);
  play.note('children that ended (only httpd\'s pools may end one: Aborted)', deaths.length);
  await play.finish(s, { deaths: /exit signal Abort/, reuse: Infinity }); /* an answer that was lost for want of memory is lost */
});

row('F-43', 'the clock jumps: +1 h, -1 h, 2038, 2106', async (play) => {
  if (!FAKETIME) play.skip('libfaketime is not installed (package faketime)');
  const clock = fakeTime();
  play.undo.push(() => clock.remove());
  const s = await play.stage({ users: 40, mix: MIX, rate: 60, storeQuery: PATIENT, env: () => clock.env() });
  const { load, idp } = s;
  let ahead = 0; /* what the provider's clock says, where it goes along */
  idp.misbehave.claims = (claims) => { claims.iat += ahead; claims.exp += ahead; claims.auth_time += ahead; };
  const jump = (to) => Math.round((Date.parse(`${to}Z`) - Date.now()) / 1000);
  const jumps = [['+1 h', 3600], ['-1 h', -3600], ['2038', jump('2038-01-19T03:14:00')], ['2106', jump('2106-02-07T06:28:10')]];
  for (const [name, seconds] of jumps) {
    clock.set('+0');
    ahead = 0;
    await sleep(200);
    for (const user of load.people) { user.browser = new Browser(user.name, load.site); user.state = 'out'; }
    await load.everybodyIn();
    clock.set(`${seconds >= 0 ? '+' : ''}${seconds}s`);
    await sleep(1200);
    const probe = await Promise.all(load.people.slice(0, 20).map((user) => user.browser.get(s.httpd.port, '/proxy/?probe', { kind: 'xhr' })));
    const served = probe.filter((answer) => answer.status === 200).length;
    play.judge(`${name}: sessions that still hold, of 20`, seconds < 0 ? '20' : '0', served, served === (seconds < 0 ? 20 : 0));
    const strict = new Browser('u0', load.site);
    const first = await strict.get(s.httpd.port, '/proxy/?login');
    const login = first.status === 302 ? await strict.signIn(s.httpd.port, first) : { step: 'start', answer: first };
    play.judge(`${name}: a login with an ID token of the old time`, '400, no cookie', `${login.answer.status}${strict.session ? ', a cookie' : ''}`, login.answer.status === 400 && !strict.session);
    ahead = seconds;
    for (const user of load.people) { user.browser = new Browser(user.name, load.site); user.state = 'out'; }
    await load.everybodyIn();
    const from = now();
    await load.run(6000); /* over the very second of 2038 and 2106 */
    const seen = load.between(from, Infinity, null);
    play.is(`${name}: 5xx and errors`, 0, errorsOf(seen).length);
    if (errorsOf(seen).length) play.note('they were', outcomes(errorsOf(seen)));
    play.is(`${name}: sessions lost`, 0, seen.filter((one) => one.lost).length);
    const cookies = load.people.filter((user) => user.state === 'in').slice(0, 10).map((user) => user.browser);
    clock.set(`+${seconds + 13 * 3600}s`);
    await sleep(1200);
    const later = await Promise.all(cookies.map((browser) => browser.get(s.httpd.port, '/proxy/?late', { kind: 'xhr' })));
    play.is(`${name}: sessions that outlive their 12 h`, 0, later.filter((answer) => answer.status === 200).length);
  }
  await play.finish(s);
});

row('F-50', 'two spinning processes a core', async (play) => {
  const s = await play.stage({ users: 200 });
  const { load } = s;
  await load.everybodyIn();
  const cores = Number(runToEnd('nproc', []).output) || 2;
  const spinners = Array.from({ length: 2 * cores }, () => new Proc('sh', ['-c', 'while :; do :; done']));
  play.undo.push(() => Promise.all(spinners.map((one) => one.stop())));
  const from = now();
  await load.run(play.span(12000, 5000));
  await Promise.all(spinners.map((one) => one.stop()));
  const seen = load.between(from);
  play.within('p99', 2000, slow(seen, 0.99));
  play.is('sessions lost', 0, seen.filter((one) => one.lost).length);
  play.is('other than served or 503', 0, seen.length - count(seen, 'app') - count(seen, /^503/));
  play.note('outcomes', outcomes(seen));
  await play.finish(s);
});
