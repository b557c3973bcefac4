// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What the module takes for the provider. It passes requests on, counts and times them, and has bad days on command: `plan` is a
// function (request: {path, token, at}) => undefined, or {status, headers, body}, {hang}, {reset}, {drip: ms a byte}, {after: ms},
// {lose} (the provider does its work, its answer is lost).

import http from 'node:http';
import net from 'node:net';
import { freePort } from '../../e2e/lib/ports.mjs';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class OpProxy {
  static async start(to) {
    const proxy = new OpProxy();
    Object.assign(proxy, { to, port: await freePort(), seen: [], attempts: [], open: 0, peak: 0, resets: 0, sockets: new Set(), refusing: false });
    proxy.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
    proxy.inner = http.createServer((request, response) => proxy.handle(request, response).catch(() => response.destroy()));
    proxy.inner.keepAliveTimeout = 5000;
    await proxy.listen();
    return proxy;
  }

  get origin() { return `http://127.0.0.1:${this.port}`; }

  async listen() {
    this.server = net.createServer((socket) => {
      this.attempts.push(performance.now());
      if (this.refusing) { socket.resetAndDestroy(); return; }
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      this.inner.emit('connection', socket);
    });
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
  }

  /** Nobody listens any more: connections are refused by the kernel. */
  async leave() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.hangUp();
    await closed;
  }

  /** Connections are taken and reset at once, so that attempts can be counted. */
  refuse(on) { this.refusing = on; if (on) this.hangUp(); }

  /** Resets connections that have served and on which nothing is under way. */
  hangUpIdle() {
    for (const socket of this.sockets) if (!socket.busy && socket.served) { socket.resetAndDestroy(); this.resets++; }
  }

  hangUp() { for (const socket of this.sockets) socket.resetAndDestroy(); }

  async stop() { if (this.server.listening) await this.leave(); this.agent.destroy(); }

  /** Requests to the token endpoint between two moments (performance.now()). */
  tokenCalls(from = 0, to = Infinity) { return this.seen.filter((one) => one.path === '/token' && one.at >= from && one.at < to); }

  async handle(request, response) {
    const chunks = [];
    request.socket.busy = true;
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = request.url.split('?')[0];
    const record = { path, at: performance.now() };
    if (path === '/token') record.token = new URLSearchParams(body.toString()).get('refresh_token') ?? undefined;
    this.seen.push(record);
    if (path === '/token') { this.open++; this.peak = Math.max(this.peak, this.open); }
    response.on('close', () => { record.ms = performance.now() - record.at; request.socket.busy = false; request.socket.served = true; if (path === '/token') this.open--; });
    const plan = this.plan?.(record) ?? {};
    if (plan.after) await wait(plan.after);
    if (plan.hang) return;
    if (plan.reset) { request.socket.resetAndDestroy(); return; }
    const answer = plan.status ? plan : await this.ask(request, body);
    record.status = answer.status;
    if (plan.lose) { request.socket.resetAndDestroy(); return; }
    await this.send(response, answer, plan.drip);
  }

  ask(request, body) {
    return new Promise((resolve, reject) => {
      const upstream = http.request({ host: '127.0.0.1', port: this.to, path: request.url, method: request.method, headers: request.headers, agent: this.agent }, (message) => {
        const chunks = [];
        message.on('data', (chunk) => chunks.push(chunk));
        message.on('end', () => resolve({ status: message.statusCode, headers: message.headers, body: Buffer.concat(chunks) }));
      });
      upstream.on('error', reject);
      upstream.end(body);
    });
  }

  async send(response, { status, headers = {}, body = '' }, drip) {
    response.on('error', () => {});
    if (response.destroyed) return;
    const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(connection|keep-alive|transfer-encoding|content-length)$/i.test(name)));
    if (!drip) {
      response.writeHead(status, { ...passed, 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
      return;
    }
    response.writeHead(status, passed);
    for (const byte of Buffer.from(body)) {
      if (response.destroyed) return;
      response.write(Buffer.from([byte]));
      await wait(drip);
    }
    response.end();
  }
}
