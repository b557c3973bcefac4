// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A user agent on HTTP/1.1: cookie jar, navigations and fetches told apart by their headers, redirects followed one by one,
// login forms of the provider filled in. It always connects to 127.0.0.1, whatever name the URL carries.

import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

const NAVIGATE = {
  'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none', 'Sec-Fetch-User': '?1',
};
const FETCH = { 'Accept': 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin' };

export class Jar {
  constructor() { this.cookies = []; this.history = []; }

  /** Takes the Set-Cookie lines of an answer from `url`. */
  take(url, lines = []) {
    for (const line of lines) {
      this.history.push({ url: url.href, line });
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), host: url.hostname, path: '/', secure: false, expires: Infinity };
      const defaultPath = url.pathname.replace(/\/[^/]*$/, '') || '/';
      cookie.path = defaultPath;
      for (const attribute of attributes) {
        const [key, value = ''] = attribute.split(/=(.*)/s);
        if (/^path$/i.test(key)) cookie.path = value.startsWith('/') ? value : defaultPath;
        if (/^secure$/i.test(key)) cookie.secure = true;
        if (/^expires$/i.test(key) && cookie.expires === Infinity) cookie.expires = Date.parse(value);
        if (/^max-age$/i.test(key)) cookie.expires = Number(value) <= 0 ? 0 : Date.now() + Number(value) * 1000;
      }
      this.cookies = this.cookies.filter((old) => !(old.name === cookie.name && old.host === cookie.host && old.path === cookie.path));
      if (cookie.expires > Date.now()) this.cookies.push(cookie);
    }
  }

  matching(url) {
    const now = Date.now();
    return this.cookies.filter((cookie) => cookie.host === url.hostname && cookie.expires > now
      && (!cookie.secure || url.protocol === 'https:')
      && (url.pathname === cookie.path || url.pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`)));
  }

  header(url) {
    const list = this.matching(url).sort((a, b) => b.path.length - a.path.length);
    return list.length ? list.map((cookie) => `${cookie.name}=${cookie.value}`).join('; ') : undefined;
  }

  get(name, host = 'localhost') { return this.cookies.find((cookie) => cookie.name === name && cookie.host === host)?.value; }
  names(host = 'localhost') { return this.cookies.filter((cookie) => cookie.host === host).map((cookie) => cookie.name); }
  drop(name) { this.cookies = this.cookies.filter((cookie) => cookie.name !== name); }
  set(name, value, host = 'localhost') {
    this.drop(name);
    this.cookies.push({ name, value, host, path: '/', secure: false, expires: Infinity });
  }
  copy() { const jar = new Jar(); jar.cookies = this.cookies.map((cookie) => ({ ...cookie })); return jar; }
}

export class Answer {
  constructor(url, message, body) {
    this.url = url;
    this.status = message.statusCode;
    this.headers = message.headers;
    this.rawHeaders = message.rawHeaders;
    this.bytes = body;
    this.body = body.toString('utf8');
    this.hops = [];
  }

  get location() { return this.headers.location ? new URL(this.headers.location, this.url) : undefined; }
  get setCookies() { return this.headers['set-cookie'] ?? []; }
  get json() { return JSON.parse(this.body); }
  all(name) { return this.rawHeaders.filter((_, i) => i % 2 === 1 && this.rawHeaders[i - 1].toLowerCase() === name); }
}

const unescape = (text) => text.replace(/&quot;/g, '"').replace(/&#39;|&#x27;/gi, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

/** The first form of a page: {action, method, fields}, or undefined. */
export function readForm(html, base) {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html);
  if (!form) return undefined;
  const attribute = (text, name) => unescape((new RegExp(`\\b${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(text) ?? []).slice(2).find((x) => x !== undefined) ?? '');
  const fields = {};
  for (const [, tag, text] of form[2].matchAll(/<(input|button)\b([^>]*)>/gi)) {
    const name = attribute(text, 'name');
    if (name && !(name in fields) && !(tag === 'button' && /reset/i.test(attribute(text, 'type')))) fields[name] = attribute(text, 'value');
  }
  return { action: new URL(attribute(form[1], 'action') || base.href, base), method: (attribute(form[1], 'method') || 'GET').toUpperCase(), fields };
}

export class Agent {
  /** options: jar, plain (no Sec-Fetch headers), via (a port to connect to instead of the URL's), keepAlive. */
  constructor(options = {}) {
    this.jar = options.jar ?? new Jar();
    this.plain = options.plain ?? false;
    this.via = options.via;
    if (options.keepAlive) {
      this.pool = new http.Agent({ keepAlive: true, maxSockets: 1 });
    }
  }

  /** One request, no redirect followed. options: method, headers (a value of undefined removes), body, via, timeout. */
  request(to, options = {}) {
    const url = new URL(to);
    const headers = { 'Host': url.host, 'Cookie': this.jar.header(url), 'User-Agent': 'sso-e2e', ...options.headers };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    const body = options.body;
    if (body !== undefined && !('Content-Length' in headers) && !('Transfer-Encoding' in headers)) headers['Content-Length'] = Buffer.byteLength(body);
    const own = url.hostname === 'localhost' ? (options.via ?? this.via) : undefined;
    const port = own ?? Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    return new Promise((resolve, reject) => {
      const call = (url.protocol === 'https:' ? https : http).request({
        host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, agent: url.protocol === 'http:' ? this.pool ?? false : false,
        method: options.method ?? 'GET', path: options.path ?? url.pathname + url.search, headers, setHost: false, insecureHTTPParser: true,
        maxHeaderSize: 256 * 1024,
      }, (message) => {
        const chunks = [];
        message.on('data', (chunk) => chunks.push(chunk));
        message.on('error', reject);
        message.on('end', () => {
          const answer = new Answer(url, message, Buffer.concat(chunks));
          this.jar.take(url, answer.setCookies);
          resolve(answer);
        });
      });
      call.setTimeout(options.timeout ?? 30000, () => call.destroy(new Error(`no answer from ${url.origin}${url.pathname} in time`)));
      call.on('error', reject);
      call.end(body);
    });
  }

  /** What the address bar does. */
  nav(to, options = {}) {
    const base = this.plain ? { Accept: NAVIGATE.Accept } : NAVIGATE;
    return this.request(to, { ...options, headers: { ...base, ...options.headers } });
  }

  /** What a script on the page does. */
  xhr(to, options = {}) {
    const base = this.plain ? { 'Accept': '*/*', 'X-Requested-With': 'XMLHttpRequest' } : FETCH;
    return this.request(to, { ...options, headers: { ...base, ...options.headers } });
  }

  /** Submits a form as a browser does. */
  submit(form, values = {}, options = {}) {
    const body = new URLSearchParams({ ...form.fields, ...values }).toString();
    if (form.method === 'GET') return this.nav(`${form.action.href.split('?')[0]}?${body}`, options);
    return this.nav(form.action, {
      ...options, method: 'POST', body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin', 'Origin': form.action.origin, ...options.headers },
    });
  }

  /** Follows redirects from an answer on, until one is no redirect or `stop(url)` says so. `hops` holds every answer. */
  async follow(answer, { stop = () => false, max = 15, options = {} } = {}) {
    const hops = [answer];
    while (answer.status >= 300 && answer.status < 400 && answer.location && !stop(answer.location)) {
      if (hops.length > max) throw new Error(`too many redirects: ${hops.map((hop) => hop.url.pathname).join(' -> ')}`);
      answer = await this.nav(answer.location, options);
      hops.push(answer);
    }
    answer.hops = hops;
    return answer;
  }

  /** Opens `to`, signs in at the provider as `user` where asked, answers the page it ends on. `stop` as in follow. */
  async login(to, user = 'alice', { stop, options } = {}) {
    return this.signin(await this.nav(to, options), user, { stop, options });
  }

  /** Goes on from an answer (usually the redirect to the provider) through its login page. */
  async signin(first, user = 'alice', { stop, options } = {}) {
    let answer = await this.follow(first, { stop, options });
    const hops = [...answer.hops];
    for (let pages = 0; pages < 3 && answer.status === 200 && /data-e2e="login"/.test(answer.body); pages++) {
      answer = await this.follow(await this.submit(readForm(answer.body, answer.url), { login: user, password: 'secret' }), { stop, options });
      hops.push(...answer.hops);
    }
    answer.hops = hops;
    return answer;
  }

  /** Signs in up to the point where the browser would call the callback: answers that URL. */
  async callbackUrl(to, user = 'alice', first) {
    const stop = (url) => url.pathname === '/sso/callback';
    const answer = await this.signin(first ?? (await this.nav(to)), user, { stop });
    if (!answer.location || !stop(answer.location)) throw new Error(`no callback URL but ${answer.status} from ${answer.url}\n${answer.body.slice(0, 500)}`);
    return answer.location;
  }
}

/** Sends raw bytes to a port and answers all that comes back until it closes or `wait` ms pass. */
export function raw(port, bytes, { wait = 3000, until } = {}) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    const done = () => { clearTimeout(timer); socket.destroy(); resolve(Buffer.concat(chunks).toString('latin1')); };
    const timer = setTimeout(done, wait);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (until?.test(Buffer.concat(chunks).toString('latin1'))) done();
    });
    socket.on('end', done);
    socket.on('close', done);
    socket.on('error', (error) => (chunks.length ? done() : (clearTimeout(timer), reject(error))));
  });
}
