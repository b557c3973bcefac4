// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The scripted provider of the end-to-end tests, trimmed for thousands of logins a minute: elliptic signatures, no user info
// endpoint, no memory of past requests, and authorization codes handed out without a request. `delay` makes refreshes slow.

import { randomBytes } from 'node:crypto';
import { ScriptedOp } from '../../e2e/lib/scriptedop.mjs';
import { sleep } from '../../e2e/lib/proc.mjs';

export class FastOp {
  /** options: as ScriptedOp's. */
  static async start(options = {}) {
    const fast = new FastOp();
    fast.op = await ScriptedOp.start({ alg: 'ES256', accessTtl: 7200, ...options });
    fast.delay = 0;
    fast.op.misbehave = {
      metadata: (reply) => { delete reply.body.userinfo_endpoint; return reply; },
      refresh: async (reply) => { if (fast.delay) await sleep(fast.delay); return reply; },
    };
    fast.op.requests.push = function push() { return 0; }; /* they would fill the memory */
    return fast;
  }

  get issuer() { return this.op.issuer; }
  stop() { return this.op.stop(); }

  /** What the provider would answer to an authorization request (a URL): the callback's URL. */
  authorize(url) {
    const request = Object.fromEntries(url.searchParams);
    const code = randomBytes(16).toString('base64url');
    this.op.codes.set(code, { ...request, user: this.op.user });
    const back = new URL(request.redirect_uri);
    back.search = new URLSearchParams({ code, state: request.state, iss: this.issuer }).toString();
    return back;
  }
}
