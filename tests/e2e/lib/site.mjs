// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The site under test as httpd configuration: a few legacy applications, some of them protected by the module.

import fs from 'node:fs';
import path from 'node:path';
import { HERE } from './system.mjs';
import { CLIENT_ID, CLIENT_SECRET } from './accounts.mjs';

/** Copies the applications into the temporary folder, where httpd's account may read them. */
export function placeApps(tmp) {
  const copy = (from, to, mode = 0o644) => tmp.file(`www/${to}`, fs.readFileSync(path.join(HERE, 'apps', from)), mode);
  for (const place of ['app', 'public', 'open']) {
    copy('cgi/env.cgi', `${place}/env.cgi`, 0o755);
    copy('static/index.html', `${place}/index.html`);
    copy('static/page.shtml', `${place}/page.shtml`);
  }
  copy('static/public.html', 'index.html');
  copy('static/public.html', 'public/index.html');
  copy('php/index.php', 'php/index.php');
}

/** The module's own lines. `directives`: name -> value, list of values, or null to leave a default out. */
export function ssoLines({ tmp, issuer, store, directives = {} }) {
  const secret = tmp.file('client.secret', `${CLIENT_SECRET}\n`, 0o600);
  const all = {
    SSOIssuer: issuer,
    SSOClientID: CLIENT_ID,
    SSOClientSecret: `"file:${secret}"`,
    SSOStore: store,
    SSOScopes: 'openid email profile',
    SSOHeader: ['X-User sub', 'X-Email email', 'X-Name name', 'X-Groups groups'],
    SSOEnv: ['SSO_MAIL email'],
    ...directives,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === null || value === undefined ? [] : [value].flat().map((one) => `${name} ${one}`)));
}

/** Places of the site. `app`: more lines for every protected default place. */
export function siteLines({ tmp, backendPort, phpSocket, app = '' }) {
  const www = tmp.at('www');
  const guarded = (place, more = '') => `<Location "${place}">\nAuthType SSO\nRequire valid-user\n${app}\n${more}</Location>`;
  return [
    `<Directory "${www}">\nOptions +ExecCGI +Includes\nAllowOverride AuthConfig\nRequire all granted\n</Directory>`,
    'AddHandler cgi-script .cgi',
    'AddType text/html .shtml',
    'AddOutputFilter INCLUDES .shtml',
    'DirectoryIndex index.html index.php',
    guarded('/app'),
    guarded('/proxy'),
    `ProxyPass "/proxy/" "http://127.0.0.1:${backendPort}/"`,
    `ProxyPass "/openproxy/" "http://127.0.0.1:${backendPort}/open/"`,
    '<Location "/openproxy">\nRequire all granted\n</Location>',
    '<Location "/public">\nRequire all granted\n</Location>',
    ...(phpSocket ? [guarded('/php'), `<Directory "${www}/php">\n<FilesMatch "\\.php$">\nSetHandler "proxy:unix:${phpSocket}|fcgi://localhost"\n</FilesMatch>\n</Directory>`] : []),
  ];
}
