// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The groups of rows, each from a stage to plain results that the page and the plot show.

import { LIFETIME as EXPIRY, cycles } from './cycles.mjs';
import { FastOp } from './fastop.mjs';
import { instructions } from './instructions.mjs';
import { probe } from './load.mjs';
import { login, logins } from './logins.mjs';
import { measure } from './rounds.mjs';
import { cpuMicros } from './server.mjs';
import { AHEAD, LIFETIME, slowRefresh } from './slowrefresh.mjs';

const PROFILED = ['open', 'sso', 'sso0', 'lmdb', 'oidcmc', 'oidcshm'];

/** Instructions a request of each contestant, and the dearest functions. */
export async function callgrindRows(stage, log) {
  const rows = {};
  for (const one of stage.list.filter(({ key }) => PROFILED.includes(key))) {
    const server = await stage.place(one, { name: `${one.key}-profile` });
    const signIn = async (client) => (one.auth.length ? login(client, stage.op, one.cookie) : undefined);
    const { perRequest, self, inclusive } = await instructions({ server, signIn });
    rows[one.key] = { perRequest, self: self.slice(0, 40), inclusive: inclusive.slice(0, 120) };
    log(`instructions a request: ${one.name}: ${Math.round(perRequest)}`);
  }
  return rows;
}

/** Latency while a slow provider refreshes, of both modules on memcached. */
export async function refreshRows(stage, plan, log) {
  const lines = { sso: [`SSORefreshAhead ${AHEAD * 100 / LIFETIME}%`], oidcmc: ['<Location "/">', `OIDCRefreshAccessTokenBeforeExpiry ${AHEAD}`, '</Location>'] };
  const rows = {};
  await Promise.all(Object.keys(lines).filter((key) => stage.find(key)).map(async (key) => {
    const one = stage.find(key);
    const op = await stage.keep(FastOp.start({ accessTtl: LIFETIME }));
    const server = await stage.place(one, { name: `${key}-refresh`, op, lines: lines[key] });
    if (!server) return;
    await stage.start(server);
    rows[key] = await slowRefresh({ server, op, cookie: one.cookie, seconds: plan.refreshSeconds });
    await server.stop();
    log(`slow refresh: ${one.name}: p99 ${rows[key].p99.toFixed(0)} ms while ${rows[key].refreshes} refreshes ran, ${rows[key].bad} of ${rows[key].requests} requests not answered with 200`);
  }));
  return rows;
}

/** Two nodes of mod_sso on one memcached, at many expiries. */
export async function cycleRows(stage, plan, log) {
  const one = stage.find('sso');
  const op = await stage.keep(FastOp.start({ accessTtl: EXPIRY }));
  const first = await stage.place(one, { name: 'cycles-a', op });
  const second = await stage.place(one, { name: 'cycles-b', op, host: first.host });
  for (const server of [first, second]) await stage.start(server);
  const rows = await cycles({ nodes: [first, second], op, cookie: one.cookie, sessions: plan.cycleSessions, rounds: plan.cycleRounds, log });
  for (const server of [first, second]) await server.stop();
  return rows;
}

/** Signs in the sessions of every contestant that has sessions of its own; remembers them in stage.sessionsOf. */
export async function loginRows(stage, plan, log) {
  const rows = {};
  stage.sessionsOf = new Map();
  for (const one of stage.list.filter(({ shares }) => !shares)) {
    const server = stage.servers.get(one.key);
    const counted = ['sso', 'oidcmc'].includes(one.key) ? stage.memcachedOf(one) : undefined;
    const task = { server, op: stage.op, cookie: one.cookie, host: server.host };
    const first = await logins({ ...task, count: 20 }); /* metadata and keys are fetched, threads exist */
    const before = { cpu: cpuMicros(server.pids()), memory: server.memory(), stats: await counted?.stats() };
    const { sessions, seconds } = await logins({ ...task, count: plan.sessions - 20, limit: plan.loginLimit, progress: (count) => count % 2500 === 0 && log(`${one.name}: ${count} logins`) });
    const after = await counted?.stats();
    stage.sessionsOf.set(one.key, [...first.sessions, ...sessions]);
    rows[one.key] = {
      rate: sessions.length / seconds, cpu: (cpuMicros(server.pids()) - before.cpu) / sessions.length, sessions: sessions.length + 20, memoryBefore: before.memory,
      bytes: after && (after.bytes - before.stats.bytes) / sessions.length, items: after && (after.curr_items - before.stats.curr_items) / sessions.length,
    };
    log(`${one.name}: ${sessions.length} logins in ${seconds.toFixed(1)} s`);
  }
  return rows;
}

function pointsOf(stage) {
  const points = [];
  for (const one of stage.list) {
    const server = stage.servers.get(one.key);
    const list = stage.sessionsOf.get(stage.owner(one)) ?? [];
    const helpers = ['sso', 'sso0', 'oidcmc'].includes(one.key) ? [stage.memcachedOf(one).proc.pid] : [];
    const add = (kind, cookies, status = 200) => points.push({
      key: `${one.key}/${kind}`, server, host: server.host, helpers, list: cookies, status, sessions: stage.tmp.file(`sessions/${one.key}-${kind}`, `${cookies.join('\n')}\n`),
    });
    add('one', list.slice(0, 1));
    if (one.key !== 'open') add('many', list);
    if (one.key === 'sso' || one.key === 'oidcmc') add('stranger', ['-'], 302);
  }
  return points;
}

/** Requests a second of every point; then what the servers have grown to. */
export async function throughputRows(stage, plan, log) {
  const points = pointsOf(stage);
  for (const point of points) await probe(point, point.list, point.status);
  const [base, ...others] = points;
  const many = others.filter(({ key }) => key.endsWith('/many'));
  // The many are compared with unprotected httpd that gets as many different cookies: making them up costs the load generator time.
  const busy = { ...base, key: 'open/many', sessions: many[0]?.sessions ?? base.sessions };
  const throughput = {
    ...await measure({ points: others.filter((point) => !many.includes(point)), base, rounds: plan.rounds, seconds: plan.seconds, log }),
    ...await measure({ points: many, base: busy, rounds: plan.rounds, seconds: plan.seconds, log }),
  };
  for (const point of points) await probe(point, point.list, point.status);
  const memory = {};
  for (const [key, server] of stage.servers) memory[key] = server.memory();
  return { throughput, memory };
}
