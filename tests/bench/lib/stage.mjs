// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Everything that runs while it is measured: provider, two memcacheds (so that each module's can be counted alone), an httpd a
// contestant. All are up at the same time and idle while another one is measured.

import fs from 'node:fs';
import { Memcached } from '../../e2e/lib/memcached.mjs';
import { Tmp } from '../../e2e/lib/tmp.mjs';
import { OIDC_MODULE, contestants, placePage } from './contestants.mjs';
import { FastOp } from './fastop.mjs';
import { BenchServer } from './server.mjs';

const copyModule = (tmp, module) => {
  const own = tmp.at('mod_sso.so'); /* a build that goes on meanwhile must not change what is measured */
  fs.copyFileSync(module, own);
  fs.chmodSync(own, 0o755);
  return own;
};

export class Stage {
  /** options: module (path of mod_sso.so), sessions (how many the contestants must be able to hold), log(text). */
  static async build({ module, sessions, log }) {
    const stage = new Stage();
    Object.assign(stage, { sessions, log, skipped: [], servers: new Map(), parts: [] });
    stage.tmp = new Tmp('sso-bench-');
    stage.module = copyModule(stage.tmp, module);
    placePage(stage.tmp);
    stage.op = await stage.keep(FastOp.start());
    stage.memcached = { sso: await stage.keep(Memcached.start({ args: ['-m', '1024'] })), oidc: await stage.keep(Memcached.start({ args: ['-m', '1024'] })) };
    stage.list = [];
    if (!fs.existsSync(OIDC_MODULE)) stage.skipped.push('mod_auth_openidc: not installed (apt-get install libapache2-mod-auth-openidc)');
    for (const one of contestants({ module: stage.module, sessions })) {
      const server = await stage.place(one);
      if (server) stage.list.push(one), stage.servers.set(one.key, server);
    }
    return stage;
  }

  async keep(starting) {
    const part = await starting;
    this.parts.push(part);
    return part;
  }

  memcachedOf(one) { return one.key.startsWith('oidc') ? this.memcached.oidc : this.memcached.sso; }

  /** The contestant whose sessions `one` uses. */
  owner(one) { return one.shares ?? one.key; }
  find(key) { return this.list.find((one) => one.key === key); }

  /** A configured server for a contestant (`host`: a second node of that site), not started; undefined (and noted) when httpd refuses its configuration. */
  async place(one, { name = one.key, op = this.op, lines = [], host } = {}) {
    const server = await BenchServer.create({ tmp: this.tmp, name, auth: one.auth });
    const own = name === one.key && one.shares ? this.servers.get(one.shares) : undefined;
    server.host = host ?? `localhost:${(own ?? server).port}`;
    server.write([...lines, one.body({ tmp: this.tmp, op, memcached: this.memcachedOf(one), port: server.port, base: `http://${server.host}` })].join('\n'));
    const { code, output } = server.configtest();
    if (code === 0) return server;
    this.skipped.push(`${one.name}: httpd refuses its configuration: ${output.trim().split('\n').filter((line) => !/^(AH00526|AH00558)/.test(line)).join(' ') || output.trim()}`);
    this.log(`skipped: ${this.skipped.at(-1)}`);
    return undefined;
  }

  async start(server) {
    await server.start();
    this.parts.push(server);
    return server;
  }

  /** Starts all contestants' servers. */
  async startAll() {
    for (const server of this.servers.values()) await this.start(server);
  }

  async end() {
    for (const part of this.parts.reverse()) await part.stop();
    this.tmp.remove();
  }
}
