// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Free loopback ports. Chosen below the kernel's ephemeral range, so that no outgoing connection of a test can take a port
// between the moment it was found free and the moment its server listens; each process starts at a random place.

import net from 'node:net';
import { randomInt } from 'node:crypto';

const LOW = 10500;
const HIGH = 32000;
const given = new Set();

/** Does nobody listen on this port of 127.0.0.1? */
export function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port nobody listens on; never the same one twice in a process. */
export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(LOW, HIGH);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error('no free loopback port found');
}

/** Resolves when something accepts connections on the port (a number) or the Unix socket (a path). */
export async function waitPort(where, { timeout = 15000, alive = () => true } = {}) {
  const end = Date.now() + timeout;
  const target = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { path: where };
  while (Date.now() < end) {
    if (!alive()) throw new Error(`the server for ${where} ended before it listened`);
    const open = await new Promise((resolve) => {
      const socket = net.connect(target, () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on ${where} after ${timeout} ms`);
}
