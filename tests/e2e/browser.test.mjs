// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// One walk in a real browser: Debian's Chromium through playwright-core. Screenshots go to build/screenshots/.

import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { world } from './lib/world.mjs';
import { Tmp } from './lib/tmp.mjs';
import { childEnv } from './lib/proc.mjs';
import { CHROMIUM, ROOT } from './lib/system.mjs';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const shots = path.join(ROOT, 'build/screenshots');
const skip = CHROMIUM ? false : 'Chromium is not installed';

async function open(tmp, options = {}) {
  return chromium.launchPersistentContext(tmp.dir('profile', 0o700), {
    executablePath: CHROMIUM, args: ARGS, env: childEnv({ HOME: tmp.path }), viewport: { width: 1000, height: 700 }, ...options,
  });
}

for (const https of [false, true]) {
  const kind = https ? 'https' : 'http';
  test(`${kind}: sign in, use three applications, sign out`, { skip, timeout: 120000 }, async (t) => {
    const w = await world({ https, php: true, sso: { SSOSessionIdle: '30m' } });
    const tmp = new Tmp('sso-browser-');
    fs.mkdirSync(shots, { recursive: true });
    const context = await open(tmp, { ignoreHTTPSErrors: https });
    t.after(async () => { await context.close(); tmp.remove(); await w.end({ allowed: [] }); });
    const shot = (name) => page.screenshot({ path: path.join(shots, `${kind}-${name}.png`) });
    const page = await context.newPage();
    const trouble = [];
    page.on('console', (message) => { if (message.type() === 'error' && !/favicon|status of 4/.test(message.text())) trouble.push(message.text()); });
    page.on('pageerror', (error) => trouble.push(error.message));

    await page.goto(w.url('/app/'));
    assert.equal(new URL(page.url()).origin, w.idp.issuer, 'at the provider');
    await shot('1-provider');
    await page.getByLabel('User name').fill('alice');
    await page.getByLabel('Password').fill('secret');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(w.url('/app/'));
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Legacy application');
    await shot('2-application');

    const cookies = await context.cookies(w.origin);
    const [session] = cookies.filter((cookie) => cookie.name === w.cookie);
    assert.ok(session, JSON.stringify(cookies.map((cookie) => cookie.name)));
    assert.equal(session.httpOnly, true);
    assert.equal(session.sameSite, 'Lax');
    assert.equal(session.secure, https);
    assert.ok(cookies.length <= 2, 'no ticket is left');

    const seen = await page.evaluate(async () => {
      const ask = async (url) => { const answer = await fetch(url); return { status: answer.status, body: await answer.json() }; };
      return { cgi: await ask('/app/env.cgi'), php: await ask('/php/index.php'), proxy: await ask('/proxy/x'), session: await ask('/sso/session'), cookie: document.cookie };
    });
    assert.equal(seen.cgi.body.REMOTE_USER, 'alice');
    assert.equal(seen.php.body.REMOTE_USER, 'alice');
    assert.deepEqual(seen.proxy.body.headers['x-user'], ['alice']);
    assert.equal(seen.session.body.user, 'alice');
    assert.equal(seen.cookie, '', 'scripts see no cookie');

    await page.goto(w.url('/sso/callback?code=x'));
    await shot('3-refused');
    assert.match(await page.content(), /state_missing/);

    await page.goto(w.url('/app/'));
    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /sign me out/i }).click();
    await page.waitForURL((url) => url.origin === w.origin);
    await shot('4-signed-out');
    assert.equal((await context.cookies(w.origin)).filter((cookie) => cookie.name === w.cookie).length, 0);

    const after = await page.request.get(w.url('/app/env.cgi'), { maxRedirects: 0, headers: { Accept: 'application/json' } });
    assert.equal(after.status(), 401);
    await page.goto(w.url('/app/'));
    assert.equal(new URL(page.url()).origin, w.idp.issuer, 'a new login is needed');
    await page.goBack();
    assert.ok(!(await page.content()).includes('Legacy application'), 'LO-08: Back shows no protected page');
    assert.deepEqual(trouble, [], 'nothing to complain about in the console');
  });
}
