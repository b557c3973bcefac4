// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Tokens that run out, again and again, on two httpd nodes with one memcached: at each expiry many requests of the session meet at
// once. The provider rotates refresh tokens and notices when one is used twice. Many sessions do so side by side, each at its own
// moments, since a thousand expiries of one session would take an hour.

import { sleep } from '../../e2e/lib/proc.mjs';
import { PAGE } from './contestants.mjs';
import { Client, login } from './logins.mjs';

export const LIFETIME = 2; /* s, of an access token */
export const PARALLEL = 160; /* requests at each expiry, half of them on each node */
const OVER = LIFETIME * 1000 + 1050; /* ms; whole seconds on both sides: surely run out */

/** nodes: two servers with one host name; op: a FastOp of this run alone. Answers {cycles, refreshes, reuse, bad, requests}. */
export async function cycles({ nodes, op, cookie, sessions, rounds, log }) {
  const clients = nodes.map((node) => new Client(node.port, { host: nodes[0].host, sockets: PARALLEL }));
  const told = { cycles: 0, bad: 0, requests: 0 };
  const ask = async (session, i) => {
    told.requests++;
    const status = await clients[i % clients.length].get(PAGE, session).then((answer) => answer.status, () => 0);
    if (status !== 200) told.bad++;
  };
  const live = async (which) => {
    await sleep((which * OVER) / sessions);
    const session = await login(clients[which % clients.length], op, cookie);
    for (let round = 1; round <= rounds; round++) {
      await sleep(OVER);
      await Promise.all(Array.from({ length: PARALLEL }, (_, i) => ask(session, i)));
      told.cycles++;
      if (which === 0 && round % 20 === 0) log(`expiries: ${told.cycles}, refreshes at the provider: ${op.op.refreshes}, answers other than 200: ${told.bad} of ${told.requests}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: sessions }, (_, which) => live(which)));
  } finally {
    for (const client of clients) client.close();
  }
  return { ...told, refreshes: op.op.refreshes, reuse: op.op.reuse };
}
