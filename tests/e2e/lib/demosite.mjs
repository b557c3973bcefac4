// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The world of `make demo`: memcached, oidc-provider, php-fpm, a proxied application and httpd with the module, on loopback.

import fs from 'node:fs';
import path from 'node:path';
import { Backend, utf8 } from './backend.mjs';
import { Httpd } from './httpd.mjs';
import { Memcached } from './memcached.mjs';
import { PhpFpm } from './phpfpm.mjs';
import { Provider } from './provider.mjs';
import { Tmp } from './tmp.mjs';
import { freePort, isFree } from './ports.mjs';
import { waitGone } from './proc.mjs';
import { CLIENT_ID, CLIENT_SECRET } from './accounts.mjs';
import { HERE, MODULE } from './system.mjs';

export const ACCESS_SECONDS = 10;

const html = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** The third legacy application: node behind ProxyPass, which shows the headers that it got. */
function tickets(record, response) {
  const rows = Object.entries(record.headers).filter(([name]) => /^(x-(user|email|name|groups)|authorization|cookie)$/.test(name))
    .map(([name, values]) => `<tr><th>${html(name)}</th><td>${html(values.map(utf8).join(' | '))}</td></tr>`);
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tickets</title><link rel="stylesheet" href="/demo.css"></head><body><main>
<h1>Tickets (an HTTP application behind ProxyPass)</h1><p>Hello, <strong>${html(record.headers['x-user']?.[0] ?? 'stranger')}</strong>. These headers came with your request:</p>
<table>${rows.join('\n')}</table><p><a href="/">Start page</a> &middot; <a href="/sso/logout">Sign out</a></p></main></body></html>`);
  return true;
}

/** name -> value of the table that each of the three applications shows. */
export function shown(page) {
  const plain = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  return Object.fromEntries([...page.matchAll(/<tr><th>(.*?)<\/th><td>(.*?)<\/td><\/tr>/gs)].map(([, name, value]) => [plain(name), plain(value)]));
}

export class DemoSite {
  /** Starts everything. Call stop() also when it throws. */
  async build() {
    if (!fs.existsSync(MODULE)) throw new Error(`the module is not built: ${MODULE} is missing; run make`);
    this.tmp = new Tmp('sso-demo-');
    const copy = (from, to, mode = 0o644) => this.tmp.file(`www/${to}`, fs.readFileSync(path.join(HERE, 'apps/demo', from)), mode);
    copy('index.html', 'index.html');
    copy('demo.css', 'demo.css');
    copy('wiki.cgi', 'wiki/page.cgi', 0o755);
    copy('intranet.php', 'intranet/index.php');
    const secret = this.tmp.file('client.secret', `${CLIENT_SECRET}\n`, 0o600);
    const wish = Number(process.env.DEMO_PORT ?? 8080);
    this.port = (await isFree(wish)) ? wish : await freePort();
    this.origin = `http://localhost:${this.port}`;
    [this.memcached, this.provider, this.fpm, this.backend] = await Promise.all([
      Memcached.start(), Provider.start({ origins: [this.origin], accessTtl: ACCESS_SECONDS }), PhpFpm.start(this.tmp), Backend.start({ handler: tickets }),
    ]);
    this.lines = [
      `SSOIssuer       ${this.provider.issuer}`,
      `SSOClientID     ${CLIENT_ID}`,
      `SSOClientSecret file:${secret}`,
      `SSOStore        ${this.memcached.url}`,
      'SSOScopes       openid email profile',
      'SSOHeader       X-User sub',
      'SSOHeader       X-Email email',
      'SSOHeader       X-Name name',
      'SSOHeader       X-Groups groups',
      '<Location "/wiki">\n    AuthType SSO\n    Require valid-user\n</Location>',
      '<Location "/intranet">\n    AuthType SSO\n    Require valid-user\n</Location>',
      '<Location "/tickets">\n    AuthType SSO\n    Require valid-user\n    SSOPassToken access\n</Location>',
    ];
    const www = this.tmp.at('www');
    this.httpd = await Httpd.create({
      tmp: this.tmp, port: this.port,
      body: [
        ...this.lines,
        `<Directory "${www}">\nOptions +ExecCGI\nRequire all granted\n</Directory>`,
        'AddHandler cgi-script .cgi',
        'DirectoryIndex index.html index.php',
        `<FilesMatch "\\.php$">\nSetHandler "proxy:unix:${this.fpm.socket}|fcgi://localhost"\n</FilesMatch>`,
        `ProxyPass "/tickets/" "http://127.0.0.1:${this.backend.port}/"`,
      ].join('\n'),
    });
    await this.httpd.start();
  }

  url(path) { return this.origin + path; }

  /** Ends everything; answers the pids that would not go (none). */
  async stop() {
    await this.httpd?.stop();
    await Promise.all([this.memcached?.stop(), this.provider?.stop(), this.fpm?.stop(), this.backend?.stop()]);
    const left = await waitGone();
    this.tmp?.remove();
    return left;
  }
}
