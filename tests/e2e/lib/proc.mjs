// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Child processes that never outlive the tests. Each is the leader of a process group of its own and carries a mark in its
// environment, which its own children inherit: so leftovers can be found in /proc and ended by their pid, and nobody else's.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { randomBytes } from 'node:crypto';

const MARK = `SSO_E2E_MARK=${process.pid}-${randomBytes(6).toString('hex')}`;
const running = new Set();
const cleanups = new Set();

/** Environment for children: a small, known one, plus the mark. */
export function childEnv(extra = {}) {
  const [name, value] = MARK.split('=');
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/', [name]: value, ...extra };
}

/** Process ids of everything alive that was started from here, at any depth. */
export function leftovers() {
  const found = [];
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    try {
      const state = fs.readFileSync(`/proc/${entry}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
      if (state !== 'Z' && fs.readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(MARK)) found.push(Number(entry));
    } catch { /* gone meanwhile, or not ours to read */ }
  }
  return found;
}

function signal(pid, name) {
  try { process.kill(pid, name); return true; } catch { return false; }
}

export class Proc {
  /** Starts `command`. Output is kept in `this.output` (the last megabyte). */
  constructor(command, args, { env = {}, cwd = '/', name = command } = {}) {
    this.name = name;
    this.output = '';
    this.exit = null; /* {code, signal} once it ended */
    this.child = spawn(command, args, { cwd, env: childEnv(env), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.child.pid;
    running.add(this);
    const keep = (bytes) => { this.output = (this.output + bytes).slice(-1024 * 1024); };
    this.child.stdout.on('data', keep);
    this.child.stderr.on('data', keep);
    this.ended = new Promise((resolve) => {
      const done = (code, sig) => { if (!this.exit) { this.exit = { code, signal: sig }; running.delete(this); resolve(this.exit); } };
      this.child.once('exit', done);
      this.child.once('error', (error) => { this.output += `\n${error.message}`; done(127, null); });
    });
  }

  get alive() { return this.exit === null; }

  signal(name) { return this.alive && signal(this.pid, name); }

  /** Asks politely, then kills the whole process group. */
  async stop(name = 'SIGTERM', patience = 8000) {
    if (this.alive) {
      signal(this.pid, 'SIGCONT');
      signal(this.pid, name);
      const timer = setTimeout(() => signal(-this.pid, 'SIGKILL'), patience);
      await this.ended;
      clearTimeout(timer);
    }
    signal(-this.pid, 'SIGKILL');
    return this.exit;
  }

  async kill() { return this.stop('SIGKILL', 2000); }
}

/** Runs a command to its end: {code, signal, output}. */
export function runToEnd(command, args, { env = {}, cwd = '/', input, timeout = 60000 } = {}) {
  const done = spawnSync(command, args, { cwd, env: childEnv(env), input, timeout, encoding: 'utf8' });
  return { code: done.status, signal: done.signal, output: `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}` };
}

/** Registers a synchronous last-minute clean-up (temporary folders); answers a function that takes it back. */
export function atExit(fn) {
  cleanups.add(fn);
  return () => cleanups.delete(fn);
}

let interrupted = null;

/** Has `fn` called instead of an abrupt end when somebody interrupts; it ends the process itself. */
export function onInterrupt(fn) { interrupted = fn; }

function sweep() {
  for (const proc of running) signal(-proc.pid, 'SIGKILL');
  for (const pid of leftovers()) signal(pid, 'SIGKILL');
  for (const fn of cleanups) { try { fn(); } catch { /* the next one still counts */ } }
  cleanups.clear();
}

process.once('exit', sweep);
for (const [name, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.once(name, () => {
    if (interrupted) { interrupted(); return; }
    sweep();
    process.exit(code);
  });
}
process.once('uncaughtException', (error) => { console.error(error); sweep(); process.exit(1); });

/** Waits until nothing that was started from here is alive; answers the pids that stayed. */
export async function waitGone(timeout = 3000) {
  const end = Date.now() + timeout;
  let left = leftovers();
  while (left.length && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = leftovers();
  }
  return left;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
