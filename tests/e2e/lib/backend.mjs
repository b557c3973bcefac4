// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A "legacy" HTTP application behind ProxyPass: it answers with exactly what it received, as JSON, and remembers it.

import http from 'node:http';
import { freePort } from './ports.mjs';

export class Backend {
  static async start({ port, handler } = {}) {
    const backend = new Backend();
    backend.port = port ?? (await freePort());
    backend.seen = [];
    backend.handler = handler; /* (record, response) => true when it answered itself */
    backend.server = http.createServer({ insecureHTTPParser: true, maxHeaderSize: 256 * 1024 }, (request, response) => backend.answer(request, response));
    backend.server.keepAliveTimeout = 1000;
    await new Promise((resolve, reject) => backend.server.once('error', reject).listen(backend.port, '127.0.0.1', resolve));
    return backend;
  }

  get hits() { return this.seen.length; }

  answer(request, response) {
    const chunks = [];
    request.on('error', () => {});
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const record = { method: request.method, url: request.url, rawHeaders: request.rawHeaders, headers: {}, trailers: request.rawTrailers, body: Buffer.concat(chunks).toString('latin1') };
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        (record.headers[request.rawHeaders[i].toLowerCase()] ??= []).push(request.rawHeaders[i + 1]);
      }
      this.seen.push(record);
      if (this.handler?.(record, response)) return;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(record));
    });
  }

  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

/** UTF-8 text that node's parser handed over as latin1. */
export const utf8 = (value) => Buffer.from(value, 'latin1').toString('utf8');
