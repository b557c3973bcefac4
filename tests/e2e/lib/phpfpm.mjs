// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// php-fpm on a Unix socket, with a configuration of its own.

import { Proc } from './proc.mjs';
import { waitPort } from './ports.mjs';
import { GROUP, PHP_FPM, USER, isRoot } from './system.mjs';

export class PhpFpm {
  static async start(tmp) {
    if (!PHP_FPM) throw new Error('php-fpm is not installed');
    const server = new PhpFpm();
    server.socket = tmp.at('php.sock');
    const account = isRoot ? `user = ${USER}\ngroup = ${GROUP}\nlisten.owner = ${USER}\nlisten.group = ${GROUP}\n` : '';
    const conf = tmp.file('php-fpm.conf', `[global]
error_log = ${tmp.at('php-fpm.log')}
daemonize = no
[www]
listen = ${server.socket}
listen.mode = 0666
${account}pm = static
pm.max_children = 2
clear_env = yes
`);
    server.proc = new Proc(PHP_FPM, ['-F', '-n', '-y', conf], { name: 'php-fpm' });
    await waitPort(server.socket, { alive: () => server.proc.alive }).catch((error) => {
      throw new Error(`${error.message}\n${server.proc.output}`);
    });
    return server;
  }

  async stop() { await this.proc.stop('SIGTERM'); }
}
