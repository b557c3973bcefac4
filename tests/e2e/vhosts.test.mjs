// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Virtual hosts and ports of one httpd: what begins at one does not end at another.

import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertRefused } from './lib/check.mjs';
import { freePort } from './lib/ports.mjs';
import { lawful } from './lib/lawful.mjs';
import { send } from './lib/wire.mjs';

const port = await freePort();
const w = await world({
  provider: 'scripted',
  conf: ({ origin, tmp, backend }) => `
Listen 127.0.0.1:${port}
<VirtualHost *:${new URL(origin).port}>
ServerName localhost:${new URL(origin).port}
</VirtualHost>
<VirtualHost *:${new URL(origin).port}>
ServerName other.test:${new URL(origin).port}
DocumentRoot "${tmp.at('www')}"
</VirtualHost>
<VirtualHost *:${port}>
ServerName localhost:${port}
</VirtualHost>
<VirtualHost *:${port}>
ServerName proxied.test:${port}
ProxyPass "/" "http://127.0.0.1:${backend.port}/"
</VirtualHost>`,
});
const check = lawful(w);
const here = w.httpd.port;
/* What differs, Host, port, and why the ticket does not help there: cookies know host names, but not ports. */
const there = [['another name', `other.test:${here}`, here, 'state_unknown'], ['another port', `localhost:${port}`, port, 'callback_origin']];

for (const [what, host, to, reason] of there) {
  check(`AR-27 a genuine callback sent to ${what} is refused, and no code is sent`, async () => {
    w.idp.reset();
    const agent = w.agent();
    const callback = await agent.callbackUrl(w.url('/app/'));
    const answer = await w.agent({ jar: agent.jar.copy() }).nav(callback, { via: to, headers: { Host: host } });
    assertRefused(w, answer, reason);
    assert.equal(w.idp.count('token'), 0, 'NOTOK');
    assert.equal((await agent.nav(callback)).status, 303, 'at its own place it still works');
  });

  if (to === here) check(`CK-09 a session cookie sent to ${what} is no session; LO-12 and a logout there ends nothing here`, async () => {
    const agent = await w.signedIn('alice');
    const cookie = `Cookie: sso=${agent.jar.get('sso')}`;
    assert.equal((await send(to, { host, path: '/app/env.cgi', lines: [cookie, 'Sec-Fetch-Mode: cors'] })).status, 401);
    await send(to, { host, path: '/sso/logout', lines: [cookie, 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'] });
    assert.equal(await w.isSignedIn(agent), true);
  });

  check(`a login at ${what} has a redirect URI of its own`, async () => {
    const { head } = await send(to, { host, path: '/app/', lines: ['Accept: text/html'] });
    const location = new URL(/^location: (\S+)/im.exec(head)[1]);
    assert.equal(location.searchParams.get('redirect_uri'), `http://${host}/sso/callback`);
  });
}

check('BP-09 where everything is proxied, the module\'s own addresses are not', async () => {
  const ask = (path) => send(port, { host: `proxied.test:${port}`, path, lines: ['Accept: text/html'] });
  assert.equal((await ask('/anything')).status, 200);
  const hits = w.backend.hits;
  const statuses = [];
  for (const path of ['/sso/callback', '/sso/login', '/sso/logout', '/sso/session', '/sso/backchannel-logout', '/sso/x']) statuses.push((await ask(path)).status);
  assert.deepEqual(statuses, [400, 302, 200, 401, 404, 404]);
  assert.equal(w.backend.hits, hits);
});

check('another port of the same name shares the session, as browsers share the cookie; scheme, issuer and client are the same', async () => {
  const agent = await w.signedIn('alice');
  assert.equal((await agent.xhr(w.url('/app/env.cgi'), { via: port, headers: { Host: `localhost:${port}` } })).status, 200);
});

check('the world ends clean', () => w.end());
