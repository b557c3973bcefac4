// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// One HTTP request, as cheap as node allows, and a browser of a few lines. The end-to-end tests' Agent keeps whole histories; a load
// of hundreds of requests a second needs less.

import http from 'node:http';

const NAVIGATE = { 'Accept': 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none' };
const FETCH = { 'Accept': 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin' };

/**
 * Answers {status, headers, body, ms, error}; never rejects. Status 0: no whole answer came, `error` says why. As browsers do, asks
 * again when a kept connection turns out to have been closed: httpd closes idle ones whenever a process is short of threads.
 */
export async function call(port, options) {
  const began = performance.now();
  let answer = await once(port, options);
  for (let tries = 0; answer.reused && answer.error === 'ECONNRESET' && tries < 5; tries++) answer = await once(port, options);
  return { ...answer, ms: performance.now() - began };
}

function once(port, { path = '/', headers = {}, method = 'GET', body, timeout = 20000, agent = false }) {
  return new Promise((resolve) => {
    const end = (answer) => resolve({ headers: {}, body: '', ...answer, reused: request.reusedSocket });
    const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent, setHost: false }, (message) => {
      const chunks = [];
      message.on('data', (chunk) => chunks.push(chunk));
      message.on('error', (error) => end({ status: 0, error: error.code ?? error.message }));
      message.on('end', () => {
        if (message.complete) end({ status: message.statusCode, headers: message.headers, body: Buffer.concat(chunks).toString('utf8') });
        else end({ status: 0, error: 'cut off' });
      });
      message.on('close', () => { if (!message.complete) end({ status: 0, error: 'cut off' }); });
    });
    request.setTimeout(timeout, () => request.destroy(Object.assign(new Error('no answer in time'), { code: 'LATE' })));
    request.on('error', (error) => end({ status: 0, error: error.code ?? error.message }));
    request.end(body);
  });
}

/** A browser that belongs to one user. */
export class Browser {
  constructor(name, site) {
    this.name = name;
    this.site = site; /* {host, cookie} */
    this.jar = new Map();
  }

  get session() { return this.jar.get(this.site.cookie); }

  take(lines = []) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (!name) continue;
      if (/max-age=0\b|expires=thu, 01 jan 1970/i.test(line) || value === '') this.jar.delete(name);
      else this.jar.set(name, value);
    }
  }

  get cookies() { return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '); }

  async get(port, path, { kind = 'nav', site = 'none', agent, timeout } = {}) {
    const headers = { ...(kind === 'nav' ? NAVIGATE : FETCH), 'Host': this.site.host, 'User-Agent': 'sso-fault' };
    if (kind === 'nav') headers['Sec-Fetch-Site'] = site;
    if (this.jar.size) headers.Cookie = this.cookies;
    const answer = await call(port, { path, headers, agent, timeout });
    this.take(answer.headers['set-cookie']);
    return answer;
  }

  /** Follows a redirect to the provider through to the application: the answers on the way, the last one first asked of httpd. */
  async signIn(port, first) {
    const authorize = new URL(first.headers.location);
    const at = await call(Number(authorize.port), { path: authorize.pathname + authorize.search, headers: { 'Host': authorize.host, 'X-Login-As': this.name } });
    if (at.status !== 302) return { step: 'authorize', answer: at };
    const back = new URL(at.headers.location);
    const callback = await this.get(port, back.pathname + back.search, { site: 'cross-site' });
    if (callback.status !== 303 && callback.status !== 302) return { step: 'callback', answer: callback };
    const target = new URL(callback.headers.location, `http://${this.site.host}`);
    return { step: 'page', callback, answer: await this.get(port, target.pathname + target.search, { site: 'cross-site' }) };
  }
}
