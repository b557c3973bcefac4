// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A man in the middle between the module and memcached. It understands just enough of the text protocol to know where a command and
// where a reply ends; two hooks may bend them:
//
//   onCommand(command)          => undefined, or {cut: n}: so many bytes reach memcached, then both sides are closed
//   onReply(command, reply)     => undefined, or {bytes, delay, cut, swallow}: other bytes, so late (ms), cut after n bytes, or nothing at all
//
// command: {verb, key, bytes, connection}; reply: Buffer. `delay` (ms) holds back every reply; `stall(true)` lets nothing through and
// accepts nothing; `off()` closes all and refuses, `on()` listens again.

import net from 'node:net';
import { freePort } from '../../e2e/lib/ports.mjs';

const CRLF = Buffer.from('\r\n');

/** Length of the first whole command in `bytes`, or 0. */
function commandLength(bytes) {
  const line = bytes.indexOf(CRLF);
  if (line < 0) return 0;
  const words = bytes.subarray(0, line).toString('latin1').split(' ');
  const data = /^(set|add|replace|append|prepend|cas)$/.test(words[0]) ? Number(words[4]) + 2 : 0;
  return bytes.length >= line + 2 + data ? line + 2 + data : 0;
}

/** Length of the first whole reply in `bytes`, or 0. */
export function replyLength(bytes) {
  for (let at = 0; ;) {
    const line = bytes.indexOf(CRLF, at);
    if (line < 0) return 0;
    const words = bytes.subarray(at, line).toString('latin1').split(' ');
    if (words[0] === 'VALUE') at = line + 2 + Number(words[3]) + 2;
    else if (words[0] === 'STAT') at = line + 2;
    else return line + 2;
    if (at > bytes.length) return 0;
  }
}

export class McProxy {
  /** `to`: a port on 127.0.0.1, or {host, port}. */
  static async start(to) {
    const proxy = new McProxy();
    Object.assign(proxy, {
      to: typeof to === 'number' ? { host: '127.0.0.1', port: to } : to, port: await freePort(), sockets: new Set(), waiting: [],
      delay: 0, accepted: 0, commands: 0, verbs: {}, slowest: 0, givenUp: 0, tooLate: 0, stalled: false,
    });
    await proxy.on();
    return proxy;
  }

  on() {
    this.server = net.createServer((socket) => this.accept(socket));
    return new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
  }

  off() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.hangUp();
    return closed;
  }

  async stop() { this.stall(false); if (this.server.listening) await this.off(); }

  /** Closes every connection, as a restarted server does. */
  hangUp() { for (const socket of this.sockets) socket.destroy(); }

  stall(on) {
    this.stalled = on;
    if (!on) for (const go of this.waiting.splice(0)) go();
  }

  unstalled() { return this.stalled ? new Promise((resolve) => this.waiting.push(resolve)) : undefined; }

  accept(socket) {
    this.accepted++;
    const upstream = net.connect(this.to);
    const connection = { id: this.accepted, queue: [], up: Buffer.alloc(0), down: Buffer.alloc(0), order: Promise.resolve() };
    const end = () => { socket.destroy(); upstream.destroy(); this.sockets.delete(socket); this.sockets.delete(upstream); };
    for (const one of [socket, upstream]) {
      this.sockets.add(one);
      one.setNoDelay(true);
      one.on('error', end);
      one.on('close', end);
    }
    socket.on('close', () => { if (connection.queue.some((command) => command.verb !== 'quit')) this.givenUp++; });
    socket.on('data', (bytes) => { connection.up = Buffer.concat([connection.up, bytes]); this.forward(connection, upstream, end); });
    upstream.on('data', (bytes) => { connection.down = Buffer.concat([connection.down, bytes]); this.answer(connection, socket, end); });
  }

  async forward(connection, upstream, end) {
    for (let length; (length = commandLength(connection.up)) > 0;) {
      const bytes = connection.up.subarray(0, length);
      connection.up = connection.up.subarray(length);
      const [verb, key] = bytes.toString('latin1', 0, Math.min(length, 300)).split(/[ \r]/);
      const command = { verb, key, bytes, connection, at: performance.now() };
      this.commands++;
      this.verbs[verb] = (this.verbs[verb] ?? 0) + 1;
      const change = this.onCommand?.(command);
      connection.queue.push(command);
      if (this.stalled) await this.unstalled();
      if (change?.cut !== undefined) {
        upstream.write(bytes.subarray(0, change.cut), () => setTimeout(end, 20));
        return;
      }
      upstream.write(bytes);
    }
  }

  answer(connection, socket, end) {
    for (let length; (length = replyLength(connection.down)) > 0;) {
      const reply = Buffer.from(connection.down.subarray(0, length));
      connection.down = connection.down.subarray(length);
      const command = connection.queue.shift() ?? { verb: 'none' };
      const change = this.onReply?.(command, reply) ?? {};
      connection.order = connection.order.then(() => this.deliver(socket, { bytes: reply, delay: this.delay, ...change }, end))
        .then(() => { this.slowest = Math.max(this.slowest, performance.now() - command.at || 0); });
    }
  }

  async deliver(socket, { bytes, delay, cut, swallow }, end) {
    if (this.stalled) await this.unstalled();
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    if (swallow) return;
    if (delay && socket.destroyed) { this.tooLate++; return; }
    if (cut === undefined) { socket.write(bytes); return; }
    socket.write(bytes.subarray(0, cut), () => setTimeout(end, 5));
  }
}

/** A reply of `gets` taken apart: {head, key, flags, length, version, value, tail}, or undefined when it holds no value. */
export function readValue(reply) {
  const line = reply.indexOf(CRLF);
  const found = /^VALUE (\S+) (\d+) (\d+)(?: (\d+))?$/.exec(reply.toString('latin1', 0, line));
  if (!found) return undefined;
  const length = Number(found[3]);
  return { key: found[1], flags: found[2], length, version: found[4], value: reply.subarray(line + 2, line + 2 + length), tail: reply.subarray(line + 2 + length) };
}

/** Puts it together again. */
export function makeValue({ key, flags, length, version, value, tail }) {
  return Buffer.concat([Buffer.from(`VALUE ${key} ${flags} ${length ?? value.length}${version ? ` ${version}` : ''}\r\n`), value, tail]);
}
