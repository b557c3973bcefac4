// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What this machine offers: the httpd binary, its modules, the unprivileged account.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const ROOT = path.dirname(path.dirname(HERE));
export const isRoot = process.getuid() === 0;

const first = (candidates) => candidates.find((name) => fs.existsSync(name));

export const HTTPD = process.env.SSO_HTTPD ?? first(['/usr/sbin/apache2', '/usr/sbin/httpd', '/usr/local/apache2/bin/httpd']);
export const HTTPD_MODULES = process.env.SSO_HTTPD_MODULES ?? first(['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/local/apache2/modules']);
export const MEMCACHED = first(['/usr/bin/memcached', '/usr/local/bin/memcached']);
export const CHROMIUM = process.env.SSO_CHROMIUM ?? first(['/usr/bin/chromium', '/usr/bin/chromium-browser']);
export const PHP_FPM = (() => {
  const names = fs.existsSync('/usr/sbin') ? fs.readdirSync('/usr/sbin').filter((name) => /^php-fpm[\d.]*$/.test(name)).sort() : [];
  return names.length ? `/usr/sbin/${names.at(-1)}` : undefined;
})();

/** The module under test: SSO_MODULE (absolute or below the repository), by default build/mod_sso.so. */
export const MODULE = path.resolve(ROOT, process.env.SSO_MODULE ?? 'build/mod_sso.so');

const accounts = fs.readFileSync('/etc/passwd', 'utf8');
/** The account servers give themselves to when started by root. */
export const USER = /^www-data:/m.test(accounts) ? 'www-data' : 'nobody';
export const GROUP = USER === 'www-data' ? 'www-data' : /^nogroup:/m.test(fs.readFileSync('/etc/group', 'utf8')) ? 'nogroup' : 'nobody';
