// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A real httpd with a minimal configuration in a temporary folder. It can start, stop, restart gracefully, check a
// configuration and - the point of style rule 24 - say whether its error log holds a line that no test expected.

import fs from 'node:fs';
import path from 'node:path';
import { Proc, runToEnd, sleep } from './proc.mjs';
import { freePort, waitPort } from './ports.mjs';
import { GROUP, HTTPD, HTTPD_MODULES, MODULE, USER, isRoot } from './system.mjs';

const NEEDED = ['authn_core', 'authz_core', 'authz_user', 'authz_host', 'mime', 'dir', 'alias', 'env', 'setenvif', 'headers',
  'rewrite', 'include', 'filter', 'proxy', 'proxy_http', 'proxy_fcgi', 'proxy_wstunnel', 'log_config', 'unixd', 'reqtimeout',
  'socache_shmcb'];

/* Few processes, but more than one, so that nothing works only because it stays in one process. */
const MPM = {
  event: 'StartServers 2\nServerLimit 3\nThreadsPerChild 25\nMaxRequestWorkers 75\nMinSpareThreads 25\nMaxSpareThreads 75',
  worker: 'StartServers 2\nServerLimit 3\nThreadsPerChild 25\nMaxRequestWorkers 75\nMinSpareThreads 25\nMaxSpareThreads 75',
  prefork: 'StartServers 4\nMinSpareServers 2\nMaxSpareServers 16\nServerLimit 64\nMaxRequestWorkers 64',
};

const builtin = (() => {
  const list = HTTPD ? runToEnd(HTTPD, ['-l']).output : '';
  return new Set([...list.matchAll(/mod_(\w+)\.c/g)].map((found) => found[1]));
})();

const loads = (names) => names
  .filter((name) => !builtin.has(name) && fs.existsSync(path.join(HTTPD_MODULES, `mod_${name}.so`)))
  .map((name) => `LoadModule ${name}_module ${HTTPD_MODULES}/mod_${name}.so`);

/** Environment under which httpd runs a module that was built with a sanitizer; empty for an ordinary one. */
export function sanitizerEnv(module, reports) {
  const kind = /\/(asan|tsan)\//.exec(module)?.[1];
  if (!kind) return {};
  const library = runToEnd('gcc', [`-print-file-name=lib${kind}.so`]).output.trim();
  return {
    LD_PRELOAD: fs.realpathSync(library),
    ASAN_OPTIONS: `detect_leaks=0:abort_on_error=1:detect_odr_violation=0:log_path=${reports}/asan`,
    UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:log_path=${reports}/ubsan`,
    TSAN_OPTIONS: `log_path=${reports}/tsan`,
  };
}

export class Httpd {
  /** options: tmp (Tmp), name, port, mpm, module (path; null: none), modules (more of
   * httpd's own), https, body (configuration text), serverName. */
  static async create(options) {
    const server = new Httpd();
    Object.assign(server, { name: 'httpd', mpm: 'event', module: MODULE, https: false, body: '' }, options);
    server.port ??= await freePort();
    server.dir = server.tmp.dir(server.name);
    server.conf = path.join(server.dir, 'httpd.conf');
    server.pidFile = path.join(server.dir, 'run', 'httpd.pid');
    server.errorPath = path.join(server.dir, 'error.log');
    server.accessPath = path.join(server.dir, 'access.log');
    server.reports = server.tmp.dir(`${server.name}/reports`, 0o777);
    server.tmp.dir(`${server.name}/run`);
    if (server.https) server.makeCertificate();
    server.write(server.body);
    return server;
  }

  makeCertificate() {
    this.certificate = path.join(this.dir, 'cert.pem');
    this.key = path.join(this.dir, 'key.pem');
    const made = runToEnd('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', this.key, '-out', this.certificate]);
    if (made.code !== 0) throw new Error(`openssl made no certificate: ${made.output}`);
    fs.chmodSync(this.key, 0o600);
  }

  get origin() { return `${this.https ? 'https' : 'http'}://localhost:${this.port}`; }

  /** The whole configuration around `body`. */
  text(body) {
    const cgi = this.mpm === 'prefork' ? 'cgi' : 'cgid';
    const hasModule = this.module && fs.existsSync(this.module);
    return [
      `ServerRoot "${this.dir}"`,
      `DefaultRuntimeDir "${this.dir}/run"`,
      `PidFile "${this.pidFile}"`,
      `ServerName ${this.serverName ?? `localhost:${this.port}`}`,
      `Listen 127.0.0.1:${this.port}`,
      ...(builtin.has(this.mpm) ? [] : [`LoadModule mpm_${this.mpm}_module ${HTTPD_MODULES}/mod_mpm_${this.mpm}.so`]),
      ...loads([...NEEDED, cgi, ...(this.https ? ['ssl', ...(this.mpm === 'prefork' ? [] : ['http2'])] : []), ...(this.modules ?? [])]),
      ...(this.module ? [`LoadModule sso_module "${this.module}"`] : []),
      MPM[this.mpm],
      'GracefulShutdownTimeout 3',
      ...(isRoot ? [`User ${USER}`, `Group ${GROUP}`] : []),
      `ErrorLog "${this.errorPath}"`,
      `LogLevel info${hasModule ? ' sso:trace8' : ''}`,
      `CustomLog "${this.accessPath}" "%h %u \\"%r\\" %>s %b \\"%{Referer}i\\""`,
      `<IfModule mod_cgid.c>\nScriptSock "${this.dir}/run/cgid"\n</IfModule>`,
      'TypesConfig /dev/null',
      'AddType text/html .html',
      'AddType text/css .css',
      'Timeout 30',
      'KeepAliveTimeout 2',
      `DocumentRoot "${this.tmp.dir('www')}"`,
      `<IfModule mod_ssl.c>\nMutex "file:${this.dir}/run" default\nSSLSessionCache "shmcb:${this.dir}/run/tls(128000)"\n</IfModule>`,
      ...(this.https ? ['SSLEngine on', `SSLCertificateFile "${this.certificate}"`, `SSLCertificateKeyFile "${this.key}"`, ...(this.mpm === 'prefork' ? [] : ['Protocols h2 http/1.1'])] : []),
      body,
      '',
    ].join('\n');
  }

  write(body) {
    this.body = body;
    fs.writeFileSync(this.conf, this.text(body));
  }

  env() { return this.module ? sanitizerEnv(this.module, this.reports) : {}; }

  async start() {
    this.proc = new Proc(HTTPD, ['-DFOREGROUND', '-f', this.conf], { env: this.env(), name: this.name });
    try {
      await waitPort(this.port, { alive: () => this.proc.alive });
    } catch (error) {
      await this.proc.stop();
      throw new Error(`${error.message}\n${this.proc.output}\n${this.errorLog()}`);
    }
    return this;
  }

  /* The pause: when event's parent is told to end while a connection is in its lingering close, httpd's own child sometimes logs
   * AH03092 or dies in apr_os_sock_get (seen without the module as well). */
  async stop(signal = 'SIGTERM') {
    if (this.proc?.alive) await sleep(250);
    return this.proc?.stop(signal);
  }
  async restart() { await this.stop(); await this.start(); }

  /** Graceful restart; returns once the new generation says that it runs. */
  async graceful() {
    const before = this.marks();
    this.proc.signal('SIGUSR1');
    for (let i = 0; i < 200 && this.marks() === before; i++) await sleep(50);
    if (this.marks() === before) throw new Error(`no graceful restart happened\n${this.errorLog()}`);
    await waitPort(this.port, { alive: () => this.proc.alive });
    await sleep(200);
  }

  marks() { return (this.errorLog().match(/resuming normal operations/g) ?? []).length; }

  /** `httpd -t` over the configuration with `body` in place of the server's own: {code, output}. */
  configtest(body = this.body) {
    const file = path.join(this.dir, 'check.conf');
    fs.writeFileSync(file, this.text(body));
    return runToEnd(HTTPD, ['-t', '-f', file], { env: this.env() });
  }

  errorLog() { return fs.existsSync(this.errorPath) ? fs.readFileSync(this.errorPath, 'utf8') : ''; }
  accessLog() { return fs.existsSync(this.accessPath) ? fs.readFileSync(this.accessPath, 'utf8') : ''; }

  /** Lines of the error log, from a place in it on, that nobody expected: warn and above, sanitizer reports, children ended by a signal. */
  unexpected(allowed = [], from = 0) {
    const loud = /\[[\w-]*:(emerg|alert|crit|error|warn)\]/;
    const broken = /AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:|exit signal|Assertion .* failed|segfault/;
    const lines = this.errorLog().slice(from).split('\n').filter((line) => loud.test(line) || broken.test(line));
    for (const name of fs.readdirSync(this.reports)) lines.push(fs.readFileSync(path.join(this.reports, name), 'utf8'));
    if (this.proc) lines.push(...this.proc.output.split('\n').filter((line) => broken.test(line)));
    return lines.filter((line) => !allowed.some((pattern) => pattern.test(line)));
  }

  /** Error-log lines of the module that carry a reason code: [{reason, incident, line}]. */
  refusals() {
    return this.errorLog().split('\n').flatMap((line) => {
      const found = /\breason=([a-z_]+)\b.*?\bincident=(\S+)|\bincident=(\S+).*?\breason=([a-z_]+)\b/.exec(line);
      return found ? [{ reason: found[1] ?? found[4], incident: (found[2] ?? found[3]).replace(/[,:;.)\]]+$/, ''), line }] : [];
    });
  }
}
