// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Who takes part, as configuration: nothing but the lines that a user of each module would write. Modules keep their defaults
// where those are comparable.

import fs from 'node:fs';
import path from 'node:path';
import { CLIENT_ID, CLIENT_SECRET } from '../../e2e/lib/accounts.mjs';
import { HTTPD_MODULES } from '../../e2e/lib/system.mjs';

export const PAGE = '/page.html';
export const PAGE_BYTES = 1024;
export const OIDC_MODULE = path.join(HTTPD_MODULES, 'mod_auth_openidc.so');

/** The page that everybody serves. */
export function placePage(tmp) {
  const start = '<!doctype html><title>bench</title><p>';
  tmp.file(`www${PAGE}`, start.padEnd(PAGE_BYTES, 'x'));
}

const guarded = (type) => `<Location "/">\nAuthType ${type}\nRequire valid-user\n</Location>`;
const OPEN = '<Location "/">\nRequire all granted\n</Location>';

function ssoBody({ tmp, op, store, base, lines = [] }) {
  const secret = tmp.file('client.secret', `${CLIENT_SECRET}\n`, 0o600);
  return [`SSOIssuer ${op.issuer}`, `SSOClientID ${CLIENT_ID}`, `SSOClientSecret "file:${secret}"`, ...(store ? [`SSOStore ${store}`] : []),
    ...(base ? [`SSOBaseURL ${base}`] : []), ...lines, guarded('SSO')].join('\n');
}

function oidcBody({ op, port, cache }) {
  return [`OIDCProviderMetadataURL ${op.issuer}/.well-known/openid-configuration`, `OIDCClientID ${CLIENT_ID}`, `OIDCClientSecret ${CLIENT_SECRET}`,
    `OIDCRedirectURI http://localhost:${port}/sso/callback`, `OIDCCryptoPassphrase ${CLIENT_SECRET}`, 'OIDCPKCEMethod S256', 'OIDCScope "openid"',
    'OIDCSessionInactivityTimeout 1800', ...cache, guarded('openid-connect')].join('\n');
}

/** mod_auth_openidc's shared memory holds this many entries of up to 16 kB; a login takes three of them (session, state, nonce). */
const shmCache = (sessions) => ['OIDCCacheType shm', `OIDCCacheShmMax ${Math.max(2000, 3 * sessions + 1000)}`];

/**
 * The table of contestants: key, name, needs (memcached?), cookie (its session cookie), auth lines, body(context).
 * `shares`: whose sessions it can use, because it is the same site on the same store.
 */
export function contestants({ module, sessions }) {
  const sso = { auth: [`LoadModule sso_module "${module}"`], cookie: 'sso' };
  const oidc = { auth: [`LoadModule auth_openidc_module "${OIDC_MODULE}"`], cookie: 'mod_auth_openidc_session' };
  return [
    { key: 'open', name: 'httpd, unprotected', auth: [], shares: 'sso', body: () => OPEN },
    { key: 'sso', name: 'mod_sso, defaults (memcached)', ...sso, body: (at) => ssoBody({ ...at, store: at.memcached.url, base: at.base }) },
    { key: 'sso0', name: 'mod_sso, SSONearCache 0', ...sso, shares: 'sso', body: (at) => ssoBody({ ...at, store: at.memcached.url, base: at.base, lines: ['SSONearCache 0'] }) },
    { key: 'lmdb', name: 'mod_sso, LMDB', ...sso, body: (at) => ssoBody({ ...at, store: null, base: at.base }) },
    { key: 'oidcmc', name: 'mod_auth_openidc, memcached', ...oidc, body: (at) => oidcBody({ ...at, cache: ['OIDCCacheType memcache', `OIDCMemCacheServers "127.0.0.1:${at.memcached.port}"`] }) },
    { key: 'oidcshm', name: 'mod_auth_openidc, shm', ...oidc, body: (at) => oidcBody({ ...at, cache: shmCache(sessions) }) },
  ].filter((one) => !one.key.startsWith('oidc') || fs.existsSync(OIDC_MODULE));
}
