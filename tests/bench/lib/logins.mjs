// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Real logins, as many as possible at once: a page, the redirect to the provider, the callback, the session cookie. Two requests
// to httpd and one from httpd to the provider each; the provider's own page is skipped.

import http from 'node:http';
import { PAGE } from './contestants.mjs';

const NAVIGATE = { 'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none' };

export class Client {
  constructor(port, { host, sockets = 1 } = {}) {
    this.port = port;
    this.host = host ?? `localhost:${port}`;
    this.pool = new http.Agent({ keepAlive: true, maxSockets: sockets });
  }

  get(path, cookie) {
    return new Promise((resolve, reject) => {
      const headers = { Host: this.host, ...NAVIGATE, ...(cookie ? { Cookie: cookie } : {}) };
      const call = http.get({ host: '127.0.0.1', port: this.port, path, headers, agent: this.pool, setHost: false }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }));
      });
      call.setTimeout(30000, () => call.destroy(new Error(`no answer from port ${this.port}`)));
      call.on('error', reject);
    });
  }

  close() { this.pool.destroy(); }
}

const jarOf = (answer) => (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).filter((pair) => !pair.endsWith('='));

/** One login; answers the Cookie header of the session. */
export async function login(client, op, cookie) {
  const first = await client.get(PAGE);
  if (!first.headers.location) throw new Error(`a redirect to the provider was expected, not ${first.status}: ${first.body.slice(0, 300)}`);
  const back = op.authorize(new URL(first.headers.location));
  const second = await client.get(back.pathname + back.search, jarOf(first).join('; '));
  const session = jarOf(second).find((pair) => pair.startsWith(`${cookie}=`));
  if (!session) throw new Error(`no ${cookie} after the callback: ${second.status} ${second.body.slice(0, 300)}`);
  return session;
}

/** `count` logins on `parallel` connections, or as many as are done when `limit` ms are over: {sessions, seconds}. */
export async function logins({ server, op, cookie, count, parallel = 16, limit = Infinity, host, progress = () => {} }) {
  const client = new Client(server.port, { host, sockets: parallel });
  const sessions = [];
  const from = performance.now();
  let begun = 0;
  const worker = async () => {
    while (begun < count && performance.now() - from < limit) {
      begun++;
      sessions.push(await login(client, op, cookie));
      if (sessions.length % 500 === 0) progress(sessions.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
  } finally {
    client.close();
  }
  return { sessions, seconds: (performance.now() - from) / 1000 };
}
