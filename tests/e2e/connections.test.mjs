// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// MC-30: connections to memcached belong to one process each, over forks, restarts and many threads, and each question gets the
// answer to itself.

import fs from 'node:fs';
import test from 'node:test';
import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';

const CHILDREN = 50;

/** Inodes of a process's sockets whose other end is the port. */
function socketsTo(pid, port) {
  const peer = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set(fs.readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1).map((line) => line.trim().split(/\s+/)).filter((row) => row[2] === peer && row[3] === '01').map((row) => row[9]));
  return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try { return /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []; } catch { return []; }
  }).filter((inode) => inodes.has(inode));
}

const childrenOf = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);

for (const mpm of ['event', 'prefork']) {
  test(`MC-30 ${mpm}: no connection is shared, and answers are as many as questions`, async (t) => {
    const w = await world({ provider: 'scripted', mpm, sso: { SSONearCache: '0' }, conf: mpm === 'prefork' ? `StartServers ${CHILDREN}\nMaxSpareServers 64` : '' });
    t.after(() => w.end());
    const agents = [];
    for (const user of ['alice', 'bob', 'alice', 'bob']) agents.push([user, await w.signedIn(user)]);
    const ask = async ([user, agent]) => assert.equal((await agent.nav(w.url('/app/env.cgi'))).json.REMOTE_USER, user);
    const all = (times) => Promise.all(agents.flatMap((one) => Array.from({ length: 10 }, async () => { for (let i = 0; i < times; i++) await ask(one); })));
    await all(2);
    await w.httpd.graceful();
    const before = await w.memcached.stats();
    await all(6);
    const after = await w.memcached.stats();
    assert.equal(after.cmd_get - before.cmd_get, agents.length * 10 * 6, 'one get a request');
    assert.equal(after.cmd_set - before.cmd_set, 0);
    const children = childrenOf(w.httpd.proc.pid);
    if (mpm === 'prefork') assert.ok(children.length >= CHILDREN, `${children.length} children`);
    const owners = new Map();
    for (const pid of children) for (const inode of socketsTo(pid, w.memcached.port)) owners.set(inode, [...(owners.get(inode) ?? []), pid]);
    assert.ok(owners.size >= 2, `${owners.size} connections`);
    assert.deepEqual([...owners.values()].filter((pids) => pids.length > 1), [], 'processes that share a connection');
  });
}
