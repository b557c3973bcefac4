// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A whole world for a test: provider, store, applications and httpd with the module, started together, ended together. The end is
// a verdict: no unexpected log line, no secret in a log, no process left.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Agent } from './agent.mjs';
import { Backend } from './backend.mjs';
import { Httpd } from './httpd.mjs';
import { Memcached } from './memcached.mjs';
import { PhpFpm } from './phpfpm.mjs';
import { Provider } from './provider.mjs';
import { ScriptedOp } from './scriptedop.mjs';
import { Tmp } from './tmp.mjs';
import { freePort } from './ports.mjs';
import { leftovers, waitGone } from './proc.mjs';
import { leaks } from './secrets.mjs';
import { placeApps, siteLines, ssoLines } from './site.mjs';
import { MODULE, PHP_FPM } from './system.mjs';

/* What httpd itself may say when it is stopped while a connection is being closed. */
const HTTPD_NOISE = [/AH03092: process_lingering_close/, /AH01882: .* compiled against a newer library/ /* of the machine's packages */];

/* Lines that no test may allow: their reason does not exist. */
const BLANKET = ['warn', 'error'].map((level) => `[sso:${level}] [pid 1:tid 2] [client 127.0.0.1:3] reason=never_heard_of incident=0a1b2c3d4e5f: what`);

class World {
  /** See world(). */
  async build(options) {
    Object.assign(this, { mpm: 'event', store: 'memcached', provider: 'real', nodes: 1, https: false, php: false, sso: {}, conf: '', app: '', op: {}, memcachedArgs: [], storeQuery: '?timeout=1s', modules: [], allowed: [] }, options);
    if (!fs.existsSync(MODULE)) throw new Error(`the module is not built: ${MODULE}`);
    this.tmp = new Tmp();
    this.agents = [];
    this.accounted = new Set(); /* lines of the error log that a test was right to cause */
    this.announced = [];
    placeApps(this.tmp);
    const ports = await Promise.all(Array.from({ length: this.nodes }, freePort));
    this.origins = ports.map((port) => `${this.https ? 'https' : 'http'}://localhost:${port}`);
    this.origin = this.origins[0];
    const socket = this.store === 'memcached-unix' ? `${this.tmp.dir('socket', 0o777)}/mc.sock` : undefined;
    const start = async (name, starting) => { this[name] = await starting; };
    const parts = await Promise.allSettled([
      start('backend', Backend.start()),
      start('idp', this.provider === 'real' ? Provider.start({ origins: this.origins, ...this.op }) : ScriptedOp.start(this.op)),
      start('memcached', socket || this.store === 'memcached' ? Memcached.start({ args: this.memcachedArgs, path: socket }) : undefined),
      start('fpm', this.php && PHP_FPM ? PhpFpm.start(this.tmp) : undefined),
    ]);
    const failed = parts.find((part) => part.status === 'rejected');
    if (failed) throw failed.reason;
    this.servers = [];
    for (const [i, port] of ports.entries()) this.servers.push(await this.makeServer(port, i));
    this.httpd = this.servers[0];
    if (options.start !== false) await Promise.all(this.servers.map((server) => server.start()));
    return this;
  }

  body() {
    const store = this.memcached ? `"${this.memcached.url}${this.storeQuery}"` : (this.store === 'lmdb' ? null : this.store);
    const base = this.nodes > 1 ? { SSOBaseURL: this.origin } : {};
    return [
      ...ssoLines({ tmp: this.tmp, issuer: this.idp.issuer, store, directives: { ...base, ...this.sso } }),
      ...siteLines({ tmp: this.tmp, backendPort: this.backend.port, phpSocket: this.fpm?.socket, app: this.app }),
      typeof this.conf === 'function' ? this.conf(this) : this.conf,
    ].join('\n');
  }

  makeServer(port, i) {
    return Httpd.create({ tmp: this.tmp, name: `httpd${i}`, port, mpm: this.mpm, https: this.https, modules: this.modules, body: this.body(), serverName: this.nodes > 1 ? `localhost:${this.servers[0]?.port ?? port}` : undefined });
  }

  get cookie() { return this.https ? '__Host-sso' : 'sso'; }
  url(path = '/') { return this.origin + path; }

  /** A fresh browser; options as Agent's, and node: the httpd it talks to. */
  agent({ node, ...options } = {}) {
    const agent = new Agent({ via: node ? this.servers[node].port : undefined, ...options });
    this.agents.push(agent);
    return agent;
  }

  /** A browser that is signed in already; lands on `path`. */
  async signedIn(user = 'alice', { path = '/app/env.cgi', ...options } = {}) {
    const agent = this.agent(options);
    if (this.provider !== 'real') this.idp.user = user;
    const answer = await agent.login(this.url(path), user);
    assert.equal(answer.status, 200, `login of ${user} ended with ${answer.status} at ${answer.url}\n${answer.body.slice(0, 1500)}\n${this.httpd.errorLog().split('\n').filter((line) => /reason=/.test(line)).slice(-3).join('\n')}`);
    assert.ok(agent.jar.get(this.cookie), `no session cookie ${this.cookie} after the login`);
    return agent;
  }

  /** The environment as the CGI application received it. */
  async env(agent, path = '/app/env.cgi', options = {}) {
    const answer = await agent.nav(this.url(path), options);
    assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return answer.json;
  }

  /** Does this browser have a session? (Asked by a fetch, so that no login starts.) */
  async isSignedIn(agent, path = '/app/index.html', options = {}) {
    const { status } = await agent.xhr(this.url(path), options);
    assert.ok(status === 200 || status === 401, `neither 200 nor 401 but ${status}`);
    return status === 200;
  }

  /** A new session and its record in memcached: {agent, item}. */
  async session(user = 'alice') {
    const before = new Set(await this.memcached.keys());
    const agent = await this.signedIn(user);
    const fresh = (await this.memcached.dump()).filter((item) => !before.has(item.key) && item.value.length > 64);
    return { agent, item: fresh.at(-1), fresh };
  }

  secrets() {
    const cookies = this.agents.flatMap((agent) => agent.jar.history)
      .filter(({ url, line }) => url.startsWith(this.origin) && /^(__Host-)?sso/.test(line))
      .map(({ line }) => line.split(';')[0].split('=').slice(1).join('='));
    return [...this.idp.secrets, ...cookies].filter((text) => text.length >= 16);
  }

  /** Announces lines of warning or above that the running test is going to cause; each must come. See lawful.mjs. */
  expects(...patterns) { this.announced.push(...patterns); }

  logMarks() { return this.servers.map((server) => server.errorLog().length); }

  /** Throws when the error logs hold, behind `marks`, a line that nobody announced, or lack one; `strict` false only takes note. */
  judge(marks, strict = true) {
    const lines = this.servers.flatMap((server, i) => server.unexpected(HTTPD_NOISE, marks[i])).filter((line) => !this.accounted.has(line));
    const { announced } = this;
    this.announced = [];
    for (const line of lines) this.accounted.add(line);
    if (!strict) return;
    assert.deepEqual(lines.filter((line) => !announced.some((pattern) => pattern.test(line))), [], 'lines in the error log that this test did not announce');
    assert.deepEqual(announced.filter((pattern) => !lines.some((line) => pattern.test(line))).map(String), [], 'lines that were announced and did not come');
  }

  /** Ends what build() had started before it failed. */
  async abandon() {
    this.over = true;
    World.open.delete(this);
    await Promise.all([...(this.servers ?? []), this.memcached, this.backend, this.idp, this.fpm].map((part) => part?.stop()));
    this.tmp?.remove();
  }

  /** Stops everything; throws when something was not as it should be. `allowed`: patterns of log lines that the tests caused; one
   * that would let any line of the module pass is a fault itself. */
  async end({ allowed = [], secrets = true } = {}) {
    if (this.over) return;
    this.over = true;
    const faults = allowed.filter((pattern) => BLANKET.some((line) => pattern.test(line))).map((pattern) => `${pattern} would allow any line`);
    for (const agent of this.agents) agent.pool?.destroy();
    for (const server of this.servers) {
      const exit = await server.stop();
      if (exit?.signal) faults.push(`${server.name} ended by ${exit.signal}`);
      const lines = server.unexpected([...HTTPD_NOISE, ...this.allowed, ...allowed]).filter((line) => !this.accounted.has(line));
      if (lines.length) faults.push(`${server.name}: unexpected lines in the error log:\n${lines.slice(0, 20).join('\n')}`);
      if (secrets) faults.push(...leaks(`${server.errorLog()}\n${server.accessLog()}`, this.secrets()).slice(0, 5).map((line) => `${server.name}: a secret stands in a log: ${line}`));
    }
    await Promise.all([this.memcached?.stop(), this.backend.stop(), this.idp.stop(), this.fpm?.stop()]);
    if (process.env.SSO_KEEP) console.error(`kept: ${this.tmp.path}`), this.tmp.forget();
    else this.tmp.remove();
    World.open.delete(this);
    if (World.open.size === 0 && leftovers().length) {
      const left = await waitGone();
      if (left.length) faults.push(`processes left: ${left.join(' ')}`);
    }
    assert.deepEqual(faults, [], faults.join('\n'));
  }
}
World.open = new Set();

/**
 * Starts a world. Options:
 *   mpm event|worker|prefork    store memcached|memcached-unix|lmdb|any SSOStore value      provider real|scripted     op: its options
 *   nodes: httpds on one store  https    php     sso: directives {name: value, [values] or null}
 *   storeQuery: behind SSOStore's address; more patient than the default, since test machines are busy
 *   conf: more httpd lines      app: more lines in each protected default place             modules: more of httpd's modules
 *   allowed: log lines that may appear             start: false to start httpd later
 */
export async function world(options = {}) {
  const made = new World();
  World.open.add(made);
  try {
    return await made.build(options);
  } catch (error) {
    await made.abandon();
    throw error;
  }
}
