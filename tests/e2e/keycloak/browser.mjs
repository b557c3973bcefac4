// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Debian's Chromium through playwright-core, one profile a person.

import { chromium } from 'playwright-core';
import { childEnv } from '../lib/proc.mjs';
import { CHROMIUM } from '../lib/system.mjs';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

export class Person {
  static async open(tmp, name, { password = 'secret', viewport = { width: 960, height: 600 } } = {}) {
    const person = new Person();
    Object.assign(person, { name, password });
    person.context = await chromium.launchPersistentContext(tmp.dir(`chromium-${name}`, 0o700), { executablePath: CHROMIUM, args: ARGS, env: childEnv({ HOME: tmp.path }), viewport });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(30000);
    return person;
  }

  /** Is the login page of Keycloak on the screen? */
  async asked(issuer) { return this.page.url().startsWith(`${issuer}/`) && (await this.page.locator('#kc-form-login').count()) === 1; }

  /** Fills in Keycloak's login page and waits until the browser is where `landed` says. */
  async signIn(landed) {
    await this.page.locator('#username').fill(this.name);
    await this.page.locator('#password').fill(this.password);
    await this.page.locator('#kc-login').click();
    await this.page.waitForURL(landed);
  }

  async cookie(origin, name = 'sso') { return (await this.context.cookies(origin)).find((cookie) => cookie.name === name)?.value; }

  async close() { await this.context.close(); }
}
