// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The site of docs/keycloak.md: its configuration is read out of that page, so that the recipe is what is tested. Two httpd
// nodes, one memcached, a wiki that is a CGI script.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Agent } from '../lib/agent.mjs';
import { Httpd } from '../lib/httpd.mjs';
import { Memcached } from '../lib/memcached.mjs';
import { freePort } from '../lib/ports.mjs';
import { leaks } from '../lib/secrets.mjs';
import { HERE, ROOT } from '../lib/system.mjs';
import { APPS, REALM } from './server.mjs';

const DOC = path.join(ROOT, 'docs/keycloak.md');
const ISSUER = 'https://keycloak.example.com/realms/demo';
const STORE = 'memcached://memcached.example.com:11211';
/* Two cores for Keycloak, Chromium and two httpds: a healthy memcached may keep a call waiting, and its deadline is not the subject. */
const PATIENT = '?timeout=2s';
const SECRET = 'file:/etc/apache2/sso/client.secret';

/** The httpd configuration that the page shows: the fenced blocks marked `apache`. */
export function recipe() {
  const text = fs.readFileSync(DOC, 'utf8');
  const conf = [...text.matchAll(/^```apache\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('\n');
  for (const part of [ISSUER, STORE, SECRET, APPS]) assert.ok(conf.includes(part), `docs/keycloak.md does not say ${part}`);
  return conf;
}

/** Settings that the page quotes from the realm, such as `"accessTokenLifespan": 60`. */
export const quoted = () => [...fs.readFileSync(DOC, 'utf8').matchAll(/`("[\w.]+": [^`]+)`/g)].map(([, setting]) => setting);

export class Site {
  static async prepare(tmp) {
    const site = new Site();
    site.tmp = tmp;
    site.ports = [await freePort(), await freePort()];
    site.origin = `http://localhost:${site.ports[0]}`;
    site.secrets = [];
    const copy = (from, to, mode) => tmp.file(`www/${to}`, fs.readFileSync(path.join(HERE, 'apps', from)), mode);
    copy('demo/demo.css', 'demo.css');
    for (const place of ['wiki', 'tokens']) {
      copy('demo/wiki.cgi', `${place}/page.cgi`, 0o755);
      copy('cgi/env.cgi', `${place}/env.cgi`, 0o755);
      copy('static/index.html', `${place}/index.html`);
    }
    copy('static/index.html', 'wiki/edit/index.html');
    return site;
  }

  /** The page's configuration with this machine's addresses, and the applications around it. */
  lines(issuer) {
    const secret = this.tmp.file('client.secret', `${JSON.parse(REALM).clients[0].secret}\n`, 0o600);
    return [
      recipe().replaceAll(ISSUER, issuer).replaceAll(STORE, this.memcached.url + PATIENT).replaceAll(SECRET, `file:${secret}`).replaceAll(APPS, this.origin),
      `<Directory "${this.tmp.at('www')}">\nOptions +ExecCGI\nRequire all granted\n</Directory>`,
      'AddHandler cgi-script .cgi',
      'DirectoryIndex index.html',
      '<Location "/tokens">\nAuthType SSO\nRequire valid-user\nSSOPassToken access id\n</Location>',
    ].join('\n');
  }

  async start(issuer) {
    this.memcached = await Memcached.start();
    const body = this.lines(issuer);
    this.servers = [];
    for (const [i, port] of this.ports.entries()) this.servers.push(await Httpd.create({ tmp: this.tmp, name: `node${i + 1}`, port, body, serverName: `localhost:${this.ports[0]}` }));
    const checked = this.servers[0].configtest();
    assert.equal(checked.code, 0, checked.output);
    await Promise.all(this.servers.map((server) => server.start()));
  }

  url(place) { return this.origin + place; }

  /** An agent that goes on with the session of a browser. */
  agent(cookie) {
    const agent = new Agent();
    agent.jar.set('sso', cookie);
    this.secrets.push(cookie);
    return agent;
  }

  /** `count` requests at once, one by one to each of the nodes; answers how often which status came: {200: 40}. */
  async burst(agent, count, place = '/wiki/index.html') {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => agent.xhr(this.url(place), { via: this.ports[i % 2] })));
    const statuses = {};
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    return statuses;
  }

  /** What the CGI application finds in its environment. */
  async env(agent, { place = '/wiki/env.cgi', node = 0 } = {}) {
    const answer = await agent.xhr(this.url(place), { via: this.ports[node] });
    assert.equal(answer.status, 200, `${place}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return answer.json;
  }

  /** The claims of both tokens as the application gets them, and the tokens. */
  async tokens(agent) {
    const { SSO_ACCESS_TOKEN: access, SSO_ID_TOKEN: id } = await this.env(agent, { place: '/tokens/env.cgi' });
    const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    this.secrets.push(access, id);
    return { access: claims(access), id: claims(id) };
  }

  /** Stops it all; answers what was not as it should be. */
  async stop(allowed) {
    const faults = [];
    for (const server of this.servers ?? []) {
      const exit = await server.stop();
      if (exit?.signal) faults.push(`${server.name} ended by ${exit.signal}`);
      faults.push(...server.unexpected(allowed).slice(0, 20).map((line) => `${server.name}: ${line}`));
      faults.push(...leaks(`${server.errorLog()}\n${server.accessLog()}`, this.secrets).map((line) => `${server.name}: a secret stands in a log: ${line}`));
    }
    await this.memcached?.stop();
    return faults;
  }
}
