// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// httpd as it is measured: the same lines for every contestant, without access log and trace messages, and with a number of
// processes that does not change while somebody is looking. Starting and stopping is the end-to-end harness's.

import fs from 'node:fs';
import path from 'node:path';
import { Httpd } from '../../e2e/lib/httpd.mjs';
import { freePort } from '../../e2e/lib/ports.mjs';
import { GROUP, HTTPD_MODULES, USER, isRoot } from '../../e2e/lib/system.mjs';

const NEEDED = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'dir', 'unixd'];

/**
 * Two processes, so that what one process alone knows does not decide. More threads in each than the load generator has connections:
 * event closes idle connections as soon as a process has no free thread, and that would count as failures.
 */
const EVENT = 'StartServers 2\nServerLimit 2\nThreadsPerChild 64\nMaxRequestWorkers 128\nMinSpareThreads 1\nMaxSpareThreads 128';

export class BenchServer extends Httpd {
  /** options: tmp, name, auth (LoadModule lines of the contestant), body. */
  static async create(options) {
    const server = new BenchServer();
    Object.assign(server, { mpm: 'event', https: false, body: '', auth: [] }, options);
    server.port ??= await freePort();
    server.dir = server.tmp.dir(server.name);
    server.conf = path.join(server.dir, 'httpd.conf');
    server.pidFile = path.join(server.dir, 'run', 'httpd.pid');
    server.errorPath = path.join(server.dir, 'error.log');
    server.accessPath = path.join(server.dir, 'access.log');
    server.reports = server.tmp.dir(`${server.name}/reports`, 0o777);
    server.tmp.dir(`${server.name}/run`);
    server.write(server.body);
    return server;
  }

  text(body) {
    return [
      `ServerRoot "${this.dir}"`,
      `DefaultRuntimeDir "${this.dir}/run"`,
      `PidFile "${this.pidFile}"`,
      `ServerName localhost:${this.port}`,
      `Listen 127.0.0.1:${this.port}`,
      ...NEEDED.filter((name) => fs.existsSync(path.join(HTTPD_MODULES, `mod_${name}.so`))).map((name) => `LoadModule ${name}_module ${HTTPD_MODULES}/mod_${name}.so`),
      ...this.auth,
      EVENT,
      'GracefulShutdownTimeout 1',
      ...(isRoot ? [`User ${USER}`, `Group ${GROUP}`] : []),
      `ErrorLog "${this.errorPath}"`,
      'LogLevel warn',
      'TypesConfig /dev/null',
      'AddType text/html .html',
      'KeepAlive On',
      'KeepAliveTimeout 30',
      'MaxKeepAliveRequests 0',
      `DocumentRoot "${this.tmp.at('www')}"`,
      '<Directory "/">\nAllowOverride None\nOptions None\n</Directory>',
      body,
      '',
    ].join('\n');
  }

  /** Process ids: the parent and its children. */
  pids() { return [this.proc.pid, ...this.children()]; }

  children() {
    const text = fs.readFileSync(`/proc/${this.proc.pid}/task/${this.proc.pid}/children`, 'utf8');
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  /** Resident kilobytes of a child, mean: {own: anonymous pages, shared: shared memory, all}. */
  memory() {
    const children = this.children();
    const mean = (name) => children.reduce((sum, pid) => sum + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0), 0) / children.length;
    return { own: mean('RssAnon'), shared: mean('RssShmem'), all: mean('VmRSS') };
  }
}

/** User and system time of processes in microseconds (a kernel tick is 10 ms, so only long intervals are worth anything). */
export function cpuMicros(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10000;
}
