// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The load of faults.md: L200 (open loop: requests leave on time whether answers come or not) and LMAX (closed loop). It knows who is
// signed in and checks every single answer:
//
//   I1  application content only with a live session: strangers and cookies that were logged out never get any
//   I2  the identity that the application saw is the one of the session's owner
//   I4  no browser is sent to the provider more than three times in a minute
//   I7  no cookie of ours in what the application saw
//
// (I3, I5 and I6 belong to the servers: see stage.mjs.)

import http from 'node:http';
import { Browser } from './call.mjs';
import { lucky, percentile, pick } from './random.mjs';

export const MIX = { nav: 78, xhr: 8, stranger: 5, ghost: 2, login: 5, logout: 2 };
export const VISITS = { nav: 90, xhr: 10 };
const IN_FLIGHT_MAX = 1500;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What an answer to a request of a protected page was. */
function judge(answer, providerOrigin) {
  if (answer.status === 0) return `error ${answer.error}`;
  if (answer.status === 200 && answer.body.startsWith('{"method"')) return 'app';
  if (answer.status === 302 && answer.headers.location?.startsWith(providerOrigin)) return 'login';
  const reason = /"error":"([a-z_]+)"/.exec(answer.body)?.[1] ?? /<code[^>]*>([a-z_]+)/.exec(answer.body)?.[1] ?? /reason[^a-z]+([a-z_]+)/i.exec(answer.body)?.[1] ?? '';
  return `${answer.status}${reason ? ` ${reason}` : ''}`;
}

export class Load {
  /** options: ports (of the nodes), host, cookie, provider (origin), users, rate, mix, path, passive (who loses a session stays away), redirects (I4: to the provider in a minute). */
  constructor(options) {
    Object.assign(this, { users: 100, rate: 200, mix: MIX, path: '/proxy/', ports: [], redirects: 3 }, options);
    this.site = { host: this.host, cookie: this.cookie };
    this.random = lucky();
    this.people = Array.from({ length: this.users }, (_, i) => ({ name: `u${i}`, browser: new Browser(`u${i}`, this.site), state: 'out', node: i % this.ports.length }));
    this.entries = [];
    this.violations = [];
    this.ghosts = [];
    this.cookies = new Set();
    this.inFlight = 0;
    this.overrun = 0;
    this.running = false;
  }

  violate(rule, text) { if (this.violations.length < 50) this.violations.push(`${rule}: ${text}`); }

  /** Checks one answer and writes it down. */
  note(kind, user, browser, answer, began, cookie) {
    const outcome = judge(answer, this.provider);
    const entry = { at: began, ms: answer.ms, kind, outcome, user: user?.name, node: user?.node ?? 0 };
    this.entries.push(entry);
    if (outcome === 'app') this.inspect(kind, user, browser, answer);
    if (outcome === 'login' && browser) {
      browser.redirects = (browser.redirects ?? []).filter((one) => one.at > began - 60000 && (cookie === undefined || one.cookie !== cookie));
      browser.redirects.push({ at: began, cookie }); /* parallel requests with one dead cookie are no loop */
      if (browser.redirects.length > this.redirects) this.violate('I4', `${browser.name} was sent to the provider ${browser.redirects.length} times in a minute`);
    }
    return entry;
  }

  inspect(kind, user, browser, answer) {
    if (kind === 'stranger' || kind === 'ghost') { this.violate('I1', `content for a ${kind} ${user?.name ?? ''}`); return; }
    let seen;
    try { seen = JSON.parse(answer.body).headers['x-user']; } catch { this.violate('I2', `unreadable: ${answer.body.slice(0, 80)}`); return; }
    if (seen?.length !== 1 || seen[0] !== browser.name) this.violate('I2', `${browser.name} was served as ${seen}`);
    for (const [name, value] of browser.jar) if (value.length > 20 && answer.body.includes(value)) this.violate('I7', `the application saw the cookie ${name}`);
  }

  /* One request in the name of a user; when it turns out that there is no session, a browser signs in. */
  async visit(user, kind, { agent, node } = {}) {
    const browser = user.browser;
    const cookie = browser.session;
    const began = performance.now();
    const port = this.ports[node ?? pick(this.random, [...this.ports.keys()])];
    const answer = await browser.get(port, `${this.path}?${kind}`, { kind, agent });
    const entry = this.note(kind, user, browser, answer, began, cookie);
    entry.port = port;
    if ((entry.outcome === 'login' || entry.outcome.startsWith('401')) && user.state === 'in' && user.browser === browser && browser.session === cookie) {
      user.state = 'busy';
      entry.lost = browser.lost !== cookie; /* another child's near cache may serve it for a moment still, and then it is lost again */
      browser.lost = cookie;
      if (this.passive) { user.state = 'gone'; return entry; }
      await this.signIn(user, entry.outcome === 'login' ? answer : undefined);
    }
    return entry;
  }

  /** The whole way through the provider. Answers true when a session came out of it. */
  async signIn(user, first) {
    user.state = 'busy';
    const browser = user.browser;
    const port = this.ports[user.node];
    const began = performance.now();
    let answer = first;
    if (answer === undefined) {
      answer = await browser.get(port, `${this.path}?login`);
      const entry = this.note('login', user, browser, answer, began);
      if (entry.outcome !== 'login') { user.state = entry.outcome === 'app' ? 'in' : 'out'; return entry.outcome === 'app'; }
    }
    const { step, answer: last } = await browser.signIn(port, answer);
    const entry = this.note(`login:${step}`, user, browser, last, performance.now() - last.ms);
    user.state = step === 'page' && browser.session ? 'in' : 'out';
    if (browser.session) this.cookies.add(browser.session);
    if (step === 'callback' && browser.session) entry.stray = true; /* a cookie with a refused login */
    return entry.outcome === 'app';
  }

  async logout(user) {
    user.state = 'busy';
    const browser = user.browser;
    const cookie = browser.session;
    const began = performance.now();
    const answer = await browser.get(this.ports[user.node], '/sso/logout', { site: 'same-origin' });
    const entry = this.note('logout', undefined, undefined, answer, began);
    entry.user = user.name;
    if ([200, 302, 303].includes(answer.status) && cookie) this.ghosts.push({ name: user.name, cookie, node: user.node, at: performance.now() });
    user.browser = new Browser(user.name, this.site);
    user.state = 'out';
    return entry;
  }

  /** A cookie that was logged out tries again. On other nodes the near cache may know it for its second. */
  async ghost(which = pick(this.random, this.ghosts)) {
    const browser = new Browser(which.name, this.site);
    browser.jar.set(this.cookie, which.cookie);
    const began = performance.now();
    const node = this.ports.length > 1 && began - which.at < 1500 ? which.node : pick(this.random, [...this.ports.keys()]);
    return this.note('ghost', { name: which.name, node }, undefined, await browser.get(this.ports[node], `${this.path}?ghost`, { kind: 'xhr' }), began);
  }

  async stranger() {
    const browser = new Browser('nobody', this.site);
    const began = performance.now();
    return this.note('stranger', undefined, browser, await browser.get(pick(this.random, this.ports), `${this.path}?stranger`), began);
  }

  /** Somebody who is signed in, if there are many. */
  somebody() {
    for (let i = 0; i < 20; i++) {
      const user = pick(this.random, this.people);
      if (user.state === 'in') return user;
    }
    return undefined;
  }

  async act() {
    let at = this.random() * Object.values(this.mix).reduce((a, b) => a + b, 0);
    const kind = Object.keys(this.mix).find((name) => (at -= this.mix[name]) < 0);
    if (kind === 'ghost' && this.ghosts.length) return this.ghost();
    if (kind === 'stranger' || kind === 'ghost') return this.stranger();
    if (kind === 'login') {
      const user = this.people.find((one) => one.state === 'out') ?? this.somebody();
      if (!user || user.state === 'busy') return this.stranger();
      user.browser = new Browser(user.name, this.site);
      return this.signIn(user);
    }
    const user = this.somebody();
    if (!user) return this.stranger();
    return kind === 'logout' ? this.logout(user) : this.visit(user, kind);
  }

  launch(work) {
    if (this.inFlight >= IN_FLIGHT_MAX) { this.overrun++; return; }
    this.inFlight++;
    work().catch((error) => this.violate('harness', error.stack)).finally(() => { this.inFlight--; });
  }

  /** Everybody signs in, before the bad day begins: a busy machine may make a login wait longer than the store's deadline. */
  async everybodyIn(parallel = 8) {
    const queue = this.people.filter((user) => user.state === 'out');
    await Promise.all(Array.from({ length: parallel }, async () => {
      for (let user = queue.shift(); user; user = queue.shift()) {
        for (let tries = 0; tries < 5 && !(await this.signIn(user)); tries++) { user.browser = new Browser(user.name, this.site); await wait(300); }
        if (user.state !== 'in') throw new Error(`${user.name} could not sign in: ${this.entries.at(-1).outcome}`);
      }
    }));
  }

  /** Starts the open loop. */
  start() {
    const began = performance.now();
    let sent = 0;
    this.running = true;
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) / 1000) * this.rate);
      for (; sent < due; sent++) this.launch(() => this.act());
    }, 5);
    return this;
  }

  /** Stops it and waits for what is under way. */
  async stop(patience = 25000) {
    clearInterval(this.timer);
    this.running = false;
    const end = performance.now() + patience;
    while (this.inFlight > 0 && performance.now() < end) await wait(20);
    if (this.inFlight) this.violate('I6', `${this.inFlight} requests were never answered`);
  }

  async run(ms) { this.start(); await wait(ms); await this.stop(); }

  /** LMAX: `connections` browsers that never rest, each on a connection of its own. Answers requests a second. */
  async closed(ms, { connections = 64, each = 'nav' } = {}) {
    const began = performance.now();
    const before = this.entries.length;
    const live = this.people.filter((user) => user.state === 'in');
    await Promise.all(Array.from({ length: connections }, async (_, i) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      while (performance.now() - began < ms) await this.visit(live[(i * 7 + Math.floor(this.random() * live.length)) % live.length], each, { agent, node: i % this.ports.length });
      agent.destroy();
    }));
    return ((this.entries.length - before) * 1000) / (performance.now() - began);
  }

  /** Entries of requests that were sent between two moments; of these kinds. */
  between(from, to = Infinity, kinds = ['nav', 'xhr']) { return this.entries.filter((one) => one.at >= from && one.at < to && (!kinds || kinds.includes(one.kind))); }
}

export const count = (entries, pattern) => entries.filter((one) => (pattern instanceof RegExp ? pattern.test(one.outcome) : one.outcome === pattern)).length;
export const slow = (entries, share) => Math.round(percentile(entries.map((one) => one.ms), share) * 10) / 10;

/** {outcome: number} in words. */
export function outcomes(entries) {
  const table = new Map();
  for (const { outcome } of entries) table.set(outcome, (table.get(outcome) ?? 0) + 1);
  return [...table].sort((a, b) => b[1] - a[1]).map(([name, number]) => `${number} ${name}`).join(', ') || 'none';
}
