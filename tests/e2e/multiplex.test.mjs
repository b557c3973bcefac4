// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Many sessions on one HTTP/2 connection (CK-24): identity follows each stream's cookie, never the connection.

import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { world } from './lib/world.mjs';
import { lawful } from './lib/lawful.mjs';
import { variants } from './lib/check.mjs';

const USERS = 100;
const ROUNDS = process.env.SSO_SAN ? 5 : 20;
const w = await world({ provider: 'scripted', https: true, mpm: 'event' });
const check = lawful(w);
const names = Array.from({ length: USERS }, (_, i) => `user-${i}`);
for (const name of names) w.idp.accounts[name] = { sub: name, email: `${name}@example.test` };
const cookies = [];
for (const name of names) {
  w.idp.user = name;
  const agent = w.agent();
  await agent.login(w.url('/sso/login?return=/public/'));
  cookies.push(`${w.cookie}=${agent.jar.get(w.cookie)}`);
}

function ask(client, headers) {
  return new Promise((resolve, reject) => {
    const stream = client.request({ 'sec-fetch-mode': 'cors', ...headers });
    let status;
    let text = '';
    stream.setEncoding('utf8');
    stream.on('response', (head) => { status = head[':status']; });
    stream.on('data', (part) => { text += part; });
    stream.on('end', () => resolve({ status, text }));
    stream.on('error', reject);
  });
}

check(`CK-24 BP-19 ${USERS} sessions on ${USERS} concurrent streams, ${USERS * ROUNDS} requests: no cross-talk`, async () => {
  const client = http2.connect(w.origin.replace('localhost', '127.0.0.1'), { rejectUnauthorized: false, servername: 'localhost' });
  const wrong = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(names.map((name, i) => ask(client, { ':path': `/proxy/${name}`, ':authority': new URL(w.origin).host, cookie: cookies[i] })));
      answers.forEach(({ status, text }, i) => {
        const record = status === 200 ? JSON.parse(text) : {};
        if (status !== 200 || record.url !== `/${names[i]}` || String(variants(record, 'X-User')) !== names[i]) wrong.push(`${names[i]}: ${status} ${text.slice(0, 200)}`);
      });
    }
    const stranger = await ask(client, { ':path': '/proxy/x', ':authority': new URL(w.origin).host });
    assert.equal(stranger.status, 401, 'a stream without a cookie on the same connection');
  } finally {
    client.close();
  }
  assert.deepEqual(wrong.slice(0, 5), []);
});

check('ST-18 a POST without a session over HTTP/2 hears 401, whatever its body', async () => {
  const client = http2.connect(w.origin.replace('localhost', '127.0.0.1'), { rejectUnauthorized: false, servername: 'localhost' });
  const status = await new Promise((resolve, reject) => {
    const stream = client.request({ ':method': 'POST', ':path': '/proxy/x', ':authority': new URL(w.origin).host });
    stream.on('response', (head) => resolve(head[':status']));
    stream.on('error', reject);
    stream.resume();
    stream.end(Buffer.alloc(100000, 'x'));
  });
  client.close();
  assert.equal(status, 401);
});

check('the world ends clean', () => w.end());
