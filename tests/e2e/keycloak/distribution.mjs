// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Keycloak's server distribution, from Maven Central through Maven, kept in a cache folder outside the repository and checked against
// the digest below; and a Java that it runs on. Whoever has no Maven may put the file there by hand.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { runToEnd } from '../lib/proc.mjs';

export const VERSION = '26.4.7';
const SHA256 = 'aca60ab72ae4d67adc6b8fe7fca5e08d16a6bb5e4a4f2ebb54050e3f5503fd2b';
const NAME = `keycloak-quarkus-dist-${VERSION}.tar.gz`;
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const PATIENCE = 240000;
const JAVA = [17, 25]; /* the oldest that Keycloak 26 supports, the newest that it has been tried with here */

/** Why the test cannot take place on this machine. */
export class Unavailable extends Error {}

const cache = () => path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'mod_sso', 'keycloak');
const digest = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const complaint = (text) => (/\[ERROR\] (.*)/.exec(text.replace(/\x1b\[[\d;]*m/g, ''))?.[1] ?? text.trim()).slice(0, 400);

function download(folder) {
  if (runToEnd('mvn', ['--version'], { env: process.env }).code !== 0) throw new Unavailable(`Maven (mvn) is not installed, and there is no ${path.join(folder, NAME)}`);
  fs.mkdirSync(folder, { recursive: true });
  const fresh = fs.mkdtempSync(path.join(folder, 'new-'));
  try {
    const done = runToEnd('mvn', ['-B', '-q', '-C', COPY, `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:tar.gz`, `-DoutputDirectory=${fresh}`], { env: process.env, cwd: fresh, timeout: PATIENCE });
    if (done.code !== 0) throw new Unavailable(`Maven could not fetch ${NAME}: ${complaint(done.output) || `ended by ${done.signal}`}`);
    fs.renameSync(path.join(fresh, NAME), path.join(folder, NAME));
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
}

/** The path of the distribution (tar.gz), fetched where it is not there yet. Throws Unavailable. */
export function distribution() {
  const folder = cache();
  const file = path.join(folder, NAME);
  if (!fs.existsSync(file)) download(folder);
  const found = digest(file);
  if (found !== SHA256) throw new Error(`${file} is not the distribution that was asked for: its SHA-256 is ${found}`);
  return file;
}

function javaVersion(home) {
  const { code, output } = runToEnd(path.join(home, 'bin', 'java'), ['-version']);
  return code === 0 ? Number(/version "(\d+)/.exec(output)?.[1] ?? 0) : 0;
}

/** The home of a Java that Keycloak runs on: JAVA_HOME, the one in PATH, or any in /usr/lib/jvm. Throws Unavailable. */
export function javaHome() {
  const inPath = runToEnd('sh', ['-c', 'command -v java']).output.trim();
  const installed = fs.existsSync('/usr/lib/jvm') ? fs.readdirSync('/usr/lib/jvm').sort().map((name) => path.join('/usr/lib/jvm', name)) : [];
  const homes = [process.env.JAVA_HOME, inPath && path.dirname(path.dirname(fs.realpathSync(inPath))), ...installed].filter(Boolean);
  const seen = homes.map((home) => [home, javaVersion(home)]);
  const fit = seen.find(([, version]) => version >= JAVA[0] && version <= JAVA[1]);
  if (!fit) throw new Unavailable(`no Java ${JAVA[0]} to ${JAVA[1]} was found (Debian: openjdk-17-jre-headless)${seen.some(([, version]) => version) ? `, only ${seen.filter(([, version]) => version).map(([, version]) => version).join(', ')}` : ''}`);
  return { home: fit[0], version: fit[1] };
}
