// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A Keycloak in development mode on loopback, with the realm of realm.json, its database in memory; and its admin API as far as
// the test looks into it.

import fs from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { Proc, runToEnd, sleep } from '../lib/proc.mjs';
import { freePort } from '../lib/ports.mjs';

const ADMIN = 'admin';
export const REALM = fs.readFileSync(new URL('realm.json', import.meta.url), 'utf8');
/** The address of the applications in realm.json and docs/keycloak.md. */
export const APPS = 'https://apps.example.com';
const CLIENT = JSON.parse(REALM).clients[0].clientId;

export class Keycloak {
  /** Unpacks `archive` below `tmp` and starts it with `java`; the client of the realm belongs to the site at `origin`. */
  static async start({ tmp, archive, java, origin, patience = 180000 }) {
    const server = new Keycloak();
    const home = tmp.dir('keycloak', 0o700);
    const unpacked = runToEnd('tar', ['-xzf', archive, '-C', home, '--strip-components=1'], { timeout: 120000 });
    if (unpacked.code !== 0) throw new Error(`the distribution cannot be unpacked: ${unpacked.output.slice(-500)}`);
    tmp.file('keycloak/data/import/demo-realm.json', REALM.replaceAll(APPS, origin));
    [server.port, server.managementPort] = [await freePort(), await freePort()];
    server.password = randomBytes(12).toString('hex');
    server.proc = new Proc('/bin/bash', [path.join(home, 'bin', 'kc.sh'), 'start-dev', '--import-realm', '--db=dev-mem', '--http-host=127.0.0.1',
      `--http-port=${server.port}`, `--http-management-port=${server.managementPort}`, '--health-enabled=true', `--hostname=${server.origin}`], {
      name: 'keycloak',
      cwd: home,
      env: { HOME: home, JAVA_HOME: java, JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m', JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1', KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN, KC_BOOTSTRAP_ADMIN_PASSWORD: server.password },
    });
    try { await server.ready(Date.now() + patience); } catch (error) { await server.stop(); throw error; }
    return server;
  }

  get origin() { return `http://localhost:${this.port}`; }
  get issuer() { return `${this.origin}/realms/demo`; }

  async ready(end) {
    while (Date.now() < end) {
      if (!this.proc.alive) break;
      const answer = await fetch(`http://127.0.0.1:${this.managementPort}/health/ready`).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(500);
    }
    throw new Error(`Keycloak did not come up\n${this.proc.output.slice(-3000)}`);
  }

  /** It has nothing to keep, so it is not asked politely. */
  async stop() { await this.proc.kill(); }

  async token() {
    if (!this.granted || Date.now() > this.granted.until) {
      const answer = await fetch(`${this.origin}/realms/master/protocol/openid-connect/token`, {
        method: 'POST', body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: ADMIN, password: this.password }),
      });
      if (!answer.ok) throw new Error(`no admin token: ${answer.status} ${await answer.text()}`);
      const { access_token: token, expires_in: seconds } = await answer.json();
      this.granted = { token, until: Date.now() + seconds * 500 };
    }
    return this.granted.token;
  }

  /** One call of the admin API below the realm; answers what it says, as JSON. */
  async admin(place, { method = 'GET', body } = {}) {
    const answer = await fetch(`${this.origin}/admin/realms/demo${place}`, {
      method, headers: { Authorization: `Bearer ${await this.token()}`, ...(body ? { 'Content-Type': 'application/json' } : {}) }, body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${place}: ${answer.status} ${text.slice(0, 300)}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** What Keycloak has noted, oldest first; `type` and `session` narrow it down. */
  async events(type, session) {
    const all = await this.admin(`/events?max=2000&client=${CLIENT}&type=${type}`);
    return all.filter((event) => !session || event.sessionId === session).reverse();
  }

  /** How often it has noted each of some types: {TYPE: count}. Without `session`: over all sessions. */
  async count(types, session) {
    const lists = await Promise.all(types.map((type) => this.events(type, session)));
    return Object.fromEntries(types.map((type, i) => [type, lists[i].length]));
  }

  async user(name) { return (await this.admin(`/users?exact=true&username=${name}`))[0]; }
  async sessions(name) { return this.admin(`/users/${(await this.user(name)).id}/sessions`); }
  async endSession(id) { await this.admin(`/sessions/${id}`, { method: 'DELETE' }); }
  async client() { return (await this.admin(`/clients?clientId=${CLIENT}`))[0]; }

  /** Changes settings of the client; attributes add to those that it has. */
  async changeClient(changes) {
    const client = await this.client();
    await this.admin(`/clients/${client.id}`, { method: 'PUT', body: { ...client, ...changes, attributes: { ...client.attributes, ...changes.attributes } } });
  }

  /** Access tokens of the client live so many seconds from now on (its own setting goes before the realm's). */
  async accessTokenLifespan(seconds) { await this.changeClient({ attributes: { 'access.token.lifespan': String(seconds) } }); }
}
