// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What the numbers were measured on.

import fs from 'node:fs';
import os from 'node:os';
import { runToEnd } from '../../e2e/lib/proc.mjs';
import { HTTPD, MEMCACHED, ROOT } from '../../e2e/lib/system.mjs';
import { OIDC_MODULE } from './contestants.mjs';

const first = (command, args, pattern) => pattern.exec(runToEnd(command, args).output)?.[1] ?? 'unknown';

function cpu() {
  const text = fs.existsSync('/proc/cpuinfo') ? fs.readFileSync('/proc/cpuinfo', 'utf8') : '';
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1].split(' ') ?? []);
  const crypto = ['aes', 'vaes', 'sha_ni', 'sha2'].filter((flag) => flags.has(flag));
  return `${os.cpus()[0]?.model ?? 'unknown'}${crypto.length ? ` (${crypto.join(', ')})` : ''}`;
}

/** [what, value] rows. */
export function machine() {
  const system = /^PRETTY_NAME="(.*)"/m.exec(fs.existsSync('/etc/os-release') ? fs.readFileSync('/etc/os-release', 'utf8') : '')?.[1] ?? os.type();
  return [
    ['Date', new Date().toISOString().slice(0, 10)],
    ['Processor', `${os.cpus().length} cores of ${cpu()}`],
    ['Memory', `${Math.round(os.totalmem() / 2 ** 30)} GB`],
    ['System', `${system}, kernel ${os.release()}`],
    ['httpd', `${first(HTTPD, ['-v'], /Apache\/(\S+)/)}, event MPM, 2 processes of 64 threads`],
    ['memcached', first(MEMCACHED, ['-V'], /memcached (\S+)/)],
    ['mod_sso', `commit ${first('git', ['-C', ROOT, '-c', `safe.directory=${ROOT}`, 'rev-parse', '--short', 'HEAD'], /^([0-9a-f]{6,})/)}`],
    ['mod_auth_openidc', fs.existsSync(OIDC_MODULE) ? `Debian package ${first('dpkg-query', ['-W', '-f', '${Version}\\n', 'libapache2-mod-auth-openidc'], /^(\S+)/)}` : 'not installed'],
    ['OpenSSL', first('openssl', ['version'], /^OpenSSL (\S+)/)],
    ['Load generator', `wrk ${first('wrk', ['-v'], /^wrk (?:debian\/)?(\S+)/)}, 1 thread, 32 connections, on the same machine`],
    ['Load average before the run', os.loadavg()[0].toFixed(1)],
  ];
}
