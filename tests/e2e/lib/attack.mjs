// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What the attack tests share: a site at the scripted provider, logins in flight, and logins whose provider misbehaves.

import assert from 'node:assert/strict';
import { world } from './world.mjs';
import { assertRefused } from './check.mjs';
import { lawful } from './lawful.mjs';

/** One process, so that "the next request" meets what the last one left behind. */
export const ONE_PROCESS = 'StartServers 1\nServerLimit 1\nMaxRequestWorkers 25\nMinSpareThreads 1\nMaxSpareThreads 25';

export const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
export const now = () => Math.floor(Date.now() / 1000);
export const JSON_TYPE = { 'Content-Type': 'application/json' };
/** Switches of the scripted provider: change a JSON body; answer something else; change the bytes of a JSON body. */
export const body = (change) => (reply) => { change(reply.body); };
export const answerWith = (status, headers, text) => () => ({ status, headers, body: text });
export const bytes = (change) => (reply) => ({ ...reply, headers: JSON_TYPE, body: change(JSON.stringify(reply.body)) });

/** A site under attack: {w, check, flight, bent, nothingAsked}. Keys and metadata are known from the start on. */
export async function siege(options = {}) {
  const w = await world({ provider: 'scripted', conf: ONE_PROCESS, ...options, sso: { SSOHTTPTimeout: '2s', ...options.sso } });
  const start = w.url('/app/env.cgi?home');
  await w.signedIn('alice');

  /** A login in flight: a fresh browser and its genuine callback URL. */
  async function flight() {
    w.idp.reset();
    const agent = w.agent();
    const callback = await agent.callbackUrl(start);
    return { agent, callback, code: callback.searchParams.get('code'), state: callback.searchParams.get('state') };
  }

  function nothingAsked(calls = 0) {
    assert.equal(w.idp.count('token'), calls, 'NOTOK: token requests');
    assert.equal(w.idp.count('userinfo'), 0, 'NOUI');
  }

  /** A login with the provider's present switches: refused with exactly this reason, or complete where it is null. A provider that
   * failed is followed by an honest login: the next user must not suffer. */
  async function bent(reason, { status = 400, userinfo = 0 } = {}) {
    const agent = w.agent();
    const callback = await agent.callbackUrl(start);
    const began = Date.now();
    const answer = await agent.nav(callback);
    assert.ok(Date.now() - began < 4500, `took ${Date.now() - began} ms`);
    assert.equal(w.idp.count('token'), 1, 'the code was sent once');
    if (reason === null) {
      assert.equal(answer.status, 303, w.httpd.refusals().at(-1)?.line);
      assert.equal(await w.isSignedIn(agent), true);
      return;
    }
    assertRefused(w, answer, reason, { status });
    assert.equal(w.idp.count('userinfo'), userinfo, 'CI-12 NOUI: a token is not used before all is verified');
    assert.equal(agent.jar.get('sso'), undefined);
    if (status !== 503) return;
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    w.idp.reset();
    await w.signedIn('alice');
  }

  return { w, start, check: lawful(w), flight, bent, nothingAsked };
}
