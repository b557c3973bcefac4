// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A real memcached: started, stopped, frozen and looked into from outside.

import fs from 'node:fs';
import net from 'node:net';
import { Proc } from './proc.mjs';
import { freePort, waitPort } from './ports.mjs';
import { MEMCACHED, USER, isRoot } from './system.mjs';

export class Memcached {
  /** options: port (chosen when absent), path (a Unix socket instead), args (further memcached arguments). */
  static async start(options = {}) {
    const server = new Memcached();
    server.path = options.path;
    server.port = options.path ? undefined : (options.port ?? (await freePort()));
    server.args = options.args ?? [];
    await server.start();
    return server;
  }

  get url() { return this.path ? `memcached://${this.path}` : `memcached://127.0.0.1:${this.port}`; }
  get where() { return this.path ?? this.port; }

  async start() {
    const listen = this.path ? ['-s', this.path, '-a', '0666'] : ['-l', '127.0.0.1', '-p', String(this.port), '-U', '0'];
    const memory = this.args.includes('-m') ? [] : ['-m', '32'];
    this.proc = new Proc(MEMCACHED, [...(isRoot ? ['-u', USER] : []), '-t', '2', ...memory, ...listen, ...this.args], { name: 'memcached' });
    await waitPort(this.where, { alive: () => this.proc.alive });
  }

  async stop() { await this.proc.stop(); }
  async kill() { await this.proc.kill(); }

  /** Stops all its threads; on a busy machine the last one stands still a little later than the signal. */
  freeze() {
    this.proc.signal('SIGSTOP');
    const tasks = `/proc/${this.proc.pid}/task`;
    const moving = () => fs.readdirSync(tasks).some((id) => !/^T/.test(fs.readFileSync(`${tasks}/${id}/stat`, 'utf8').replace(/^.*\) /s, '')));
    for (const end = Date.now() + 2000; moving();) if (Date.now() > end) throw new Error('memcached does not stop');
  }

  thaw() { this.proc.signal('SIGCONT'); }
  /** Ends it with all that it holds, and starts an empty one on the same port. */
  async restart() { await this.stop(); await this.start(); }

  /** Sends raw bytes and answers everything up to `until` (a RegExp on the answer so far). */
  raw(bytes, until = /(END|OK|STORED|DELETED|NOT_FOUND|TOUCHED|ERROR[^\r]*)\r\n$/, timeout = 5000) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.path ? { path: this.path } : { port: this.port, host: '127.0.0.1' });
      const chunks = [];
      const timer = setTimeout(() => { socket.destroy(); reject(new Error('memcached did not answer in time')); }, timeout);
      const done = () => { clearTimeout(timer); socket.destroy(); resolve(Buffer.concat(chunks)); };
      socket.once('error', (error) => { clearTimeout(timer); reject(error); });
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        if (until.test(Buffer.concat(chunks).toString('latin1'))) done();
      });
      socket.once('close', done);
      socket.write(bytes);
    });
  }

  /** General counters as numbers where they are numbers. */
  async stats() {
    const text = (await this.raw('stats\r\n')).toString('latin1');
    const rows = [...text.matchAll(/^STAT (\S+) (.*?)\r$/gm)];
    return Object.fromEntries(rows.map(([, name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value]));
  }

  async keys() {
    const text = (await this.raw('lru_crawler metadump all\r\n', /(^|\n)(END|ERROR.*|BUSY.*)\r?\n$/)).toString('latin1');
    if (/BUSY/.test(text)) { await new Promise((resolve) => setTimeout(resolve, 100)); return this.keys(); }
    return [...text.matchAll(/^key=(\S+)/gm)].map(([, key]) => decodeURIComponent(key));
  }

  /** The value of one key as bytes, or null. */
  async get(key) {
    const answer = await this.raw(`get ${key}\r\n`, /(^|\r\n)END\r\n$/);
    const head = answer.toString('latin1').match(/^VALUE \S+ \d+ (\d+)[^\r]*\r\n/);
    return head ? answer.subarray(head[0].length, head[0].length + Number(head[1])) : null;
  }

  async set(key, value, ttl = 3600) {
    const bytes = Buffer.from(value);
    return (await this.raw(Buffer.concat([Buffer.from(`set ${key} 0 ${ttl} ${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]))).toString('latin1').trim();
  }

  async delete(key) { return (await this.raw(`delete ${key}\r\n`)).toString('latin1').trim(); }

  /** Everything it holds: [{key, value}]. */
  async dump() {
    const items = [];
    for (const key of await this.keys()) {
      const value = await this.get(key);
      if (value) items.push({ key, value });
    }
    return items;
  }

  async flush() { await this.raw('flush_all\r\n'); }
}
