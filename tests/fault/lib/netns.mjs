// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A network namespace of our own with one server in it, where packets can be lost without anybody saying so. Needs root. Linux'
// netem is not in every kernel, so delays are made by proxies; here links only go down and up.

import { Proc, runToEnd } from '../../e2e/lib/proc.mjs';
import { isRoot } from '../../e2e/lib/system.mjs';
import net from 'node:net';

const ip = (...args) => runToEnd('ip', args);

export class Netns {
  /** Undefined when this machine does not offer namespaces. */
  static make() {
    if (!isRoot) return undefined;
    const id = `sso${process.pid % 100000}`;
    const made = Object.assign(new Netns(), { id, inner: `${id}b`, outer: `${id}a` });
    const block = process.pid % 16384; /* 198.18.0.0/15 is for tests of networks (RFC 2544) */
    const at = (host) => `198.${18 + (block >> 13)}.${(block >> 6) & 127}.${((block & 63) << 2) + host}`;
    made.address = at(2);
    const steps = [
      ['netns', 'add', id], ['link', 'add', made.outer, 'type', 'veth', 'peer', 'name', made.inner], ['link', 'set', made.inner, 'netns', id],
      ['addr', 'add', `${at(1)}/30`, 'dev', made.outer], ['link', 'set', made.outer, 'up'],
      ['-n', id, 'addr', 'add', `${at(2)}/30`, 'dev', made.inner], ['-n', id, 'link', 'set', made.inner, 'up'], ['-n', id, 'link', 'set', 'lo', 'up'],
    ];
    for (const step of steps) if (ip(...step).code !== 0) { made.remove(); return undefined; }
    return made;
  }

  /** Starts a server inside and waits for its port. */
  async run(command, args, port) {
    this.proc = new Proc('ip', ['netns', 'exec', this.id, command, ...args], { name: command });
    for (let i = 0; i < 100; i++) {
      const open = await new Promise((resolve) => { const socket = net.connect(port, this.address, () => { socket.destroy(); resolve(true); }); socket.on('error', () => resolve(false)); });
      if (open) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`nothing listens in the namespace: ${this.proc.output}`);
  }

  /** Packets to and from it vanish, nobody is told: a neighbour's address is pinned, so that not even ARP notices. */
  vanish() {
    const mac = /link\/ether (\S+)/.exec(ip('-n', this.id, 'link', 'show', this.inner).output)?.[1];
    ip('neigh', 'replace', this.address, 'lladdr', mac, 'dev', this.outer, 'nud', 'permanent');
    ip('-n', this.id, 'addr', 'flush', 'dev', this.inner);
    ip('-n', this.id, 'route', 'add', 'blackhole', '0.0.0.0/0');
  }

  comeBack() {
    ip('-n', this.id, 'route', 'del', 'blackhole', '0.0.0.0/0');
    ip('-n', this.id, 'addr', 'add', `${this.address}/30`, 'dev', this.inner);
  }

  async remove() {
    await this.proc?.stop();
    ip('link', 'del', this.outer);
    ip('netns', 'del', this.id);
  }
}

