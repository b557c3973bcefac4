// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What a row plays on: httpd nodes with the module, memcached servers behind proxies, a provider behind a proxy, an application that
// says whom it saw, and a load. finish() gives the verdict on the invariants that belong to servers:
//
//   I3  no child died by a signal, no sanitizer report    I5  no refresh token was used twice
//   I6  all workers are idle within two seconds           I7  no secret in a log

import fs from 'node:fs';
import { Memcached } from '../../e2e/lib/memcached.mjs';
import { freePort } from '../../e2e/lib/ports.mjs';
import { sleep } from '../../e2e/lib/proc.mjs';
import { leaks } from '../../e2e/lib/secrets.mjs';
import { world } from '../../e2e/lib/world.mjs';
import { call } from './call.mjs';
import { Load, MIX } from './load.mjs';
import { McProxy } from './mcproxy.mjs';
import { OpProxy } from './opproxy.mjs';

const BROKEN = /AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|exit signal|Assertion .* failed|segfault/;
const MPM = {
  event: ['StartServers 4', 'ServerLimit 4', 'MinSpareThreads 25', 'MaxSpareThreads 100', 'MaxRequestWorkers 100'],
  prefork: ['StartServers 16', 'ServerLimit 64', 'MaxRequestWorkers 64'],
};
const STATUS = '<Location "/server-status">\nSetHandler server-status\nRequire all granted\n</Location>';

export class Stage {
  /**
   * options: users, rate, mix, redirects (of the load)   ttl: seconds of an access token   nodes   stores: number of memcached servers
   *   storeQuery   sso: directives   conf: lines of httpd   op: options of the provider   memcachedArgs   env: (node) => environment
   *   store: an SSOStore value instead of memcached behind a proxy   start: false to start httpd later
   */
  static async build(options = {}) {
    const stage = new Stage();
    Object.assign(stage, {
      users: 100, rate: 200, mix: MIX, redirects: 3, ttl: 300, nodes: 1, stores: 1, storeQuery: '?timeout=250ms', mpm: 'event', sso: {}, conf: [], op: {}, memcachedArgs: [],
    }, options);
    try { await stage.raise(); } catch (error) { await stage.tearDown(); throw error; }
    return stage;
  }

  async raise() {
    this.memcached = [];
    this.proxies = [];
    for (let i = 0; i < (this.store ? 0 : this.stores); i++) {
      this.memcached.push(await Memcached.start({ args: this.memcachedArgs }));
      this.proxies.push(await McProxy.start(this.memcached[i].port));
    }
    [this.mc] = this.memcached;
    [this.proxy] = this.proxies;
    const opPort = await freePort();
    this.opProxy = await OpProxy.start(opPort);
    this.w = await world({
      provider: 'scripted', nodes: this.nodes, start: false, modules: ['status'], mpm: this.mpm, conf: [...MPM[this.mpm], STATUS, ...this.conf].join('\n'),
      store: this.store ?? `"memcached://${this.proxies.map((proxy) => `127.0.0.1:${proxy.port}`).join(',')}${this.storeQuery}"`,
      op: { port: opPort, alg: 'ES256', accessTtl: this.ttl, ...this.op }, sso: { SSOIssuer: this.opProxy.origin, SSOClaims: 'off', ...this.sso },
    });
    this.idp = this.w.idp;
    this.idp.issuer = this.opProxy.origin;
    this.idp.misbehave.authorize = (answer, { record }) => { this.idp.codes.get(answer.code).user = record.headers['x-login-as'] ?? 'alice'; };
    const names = Array.from({ length: this.users }, (_, i) => `u${i}`);
    for (const name of names) this.idp.accounts[name] = { sub: name, email: `${name}@example.test`, name: `User ${name}` };
    this.w.backend.seen = { push() {}, length: 0 }; /* thousands a row: not kept */
    this.w.backend.server.keepAliveTimeout = 60000; /* or mod_proxy now and then meets a connection that is just being closed */
    for (const [i, server] of this.w.servers.entries()) {
      const own = server.env.bind(server);
      server.env = () => ({ ...own(), ...this.env?.(i) });
    }
    this.load = new Load({
      ports: this.w.servers.map((server) => server.port), host: `localhost:${this.w.servers[0].port}`, cookie: 'sso',
      provider: this.opProxy.origin, users: this.users, rate: this.rate, mix: this.mix, redirects: this.redirects,
    });
    if (this.start !== false) await Promise.all(this.w.servers.map((server) => server.start()));
  }

  get httpd() { return this.w.httpd; }

  /** Pids of the processes of a node that serve requests. */
  children(node = 0) {
    const parent = this.w.servers[node].proc.pid;
    return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
      try {
        const ppid = Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
        return ppid === parent && fs.readdirSync(`/proc/${pid}/task`).length > 20;
      } catch { return false; }
    }).map(Number);
  }

  /** Busy workers of a node, without the one that answers this; 100 when nobody answers. */
  async busy(node = 0) {
    const { body } = await call(this.w.servers[node].port, { path: '/server-status?auto', headers: { Host: 'localhost' }, timeout: 1500 });
    return Number(/^BusyWorkers: (\d+)/m.exec(body)?.[1] ?? 101) - 1;
  }

  /** Looks at the busy workers every 100 ms until the answer is called: it says how many there were at most. */
  watchBusy() {
    let peak = 0;
    let on = true;
    const done = (async () => { while (on) { peak = Math.max(peak, await this.busy()); await sleep(100); } return peak; })();
    return () => { on = false; return done; };
  }

  /** Waits up to 2 s for all workers to be idle; answers what is wrong. */
  async idleAgain() {
    const faults = [];
    for (let node = 0; node < this.nodes; node++) {
      if (!this.w.servers[node].proc?.alive) continue;
      let busy = await this.busy(node);
      for (const end = performance.now() + 2000; busy > 1 && performance.now() < end;) { await sleep(100); busy = await this.busy(node); }
      if (busy > 1) faults.push(`I6: ${busy} workers of node ${node} are still busy after 2 s`);
    }
    return faults;
  }

  logged(pattern) { return this.w.servers.flatMap((server) => server.errorLog().split('\n')).filter((line) => pattern.test(line)); }

  /** Ends all; answers the invariants that did not hold. `reuse`: refresh tokens that may have been used twice; `deaths`: log lines that may be. */
  async finish({ reuse = 0, deaths = /$^/ } = {}) {
    if (this.over) return [];
    this.over = true;
    await this.load.stop();
    const faults = [...this.load.violations, ...(await this.idleAgain())];
    if (this.idp.reuse > reuse) faults.push(`I5: ${this.idp.reuse} refresh tokens were used twice`);
    for (const server of this.w.servers) await server.stop();
    const logs = this.w.servers.map((server) => server.errorLog() + server.accessLog()).join('\n');
    for (const server of this.w.servers) {
      const loud = server.unexpected([deaths]).filter((line) => BROKEN.test(line));
      faults.push(...loud.slice(0, 5).map((line) => `I3: ${server.name}: ${line}`));
    }
    const secrets = [...[...this.load.cookies].slice(-100), ...[...this.idp.secrets].slice(-100)];
    faults.push(...leaks(logs, secrets, 200).slice(0, 3).map((line) => `I7: ${line}`));
    if (process.env.SSO_KEEP_LOGS) fs.writeFileSync(`${process.env.SSO_KEEP_LOGS}.${this.row ?? 'row'}`, logs);
    await this.tearDown();
    return faults;
  }

  async tearDown() {
    this.over = true;
    clearInterval(this.load?.timer);
    await this.w?.abandon();
    await Promise.all([...(this.proxies ?? []), ...(this.memcached ?? []), this.opProxy].map((part) => part?.stop()));
  }
}
