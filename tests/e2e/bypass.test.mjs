// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Ways around protection inside httpd (attacks.md, section 17): paths, methods, subrequests, redirects inside, bodies.

import assert from 'node:assert/strict';
import { world } from './lib/world.mjs';
import { assertLoginRequired, variants } from './lib/check.mjs';
import { Httpd } from './lib/httpd.mjs';
import { lawful } from './lib/lawful.mjs';
import { raw } from './lib/agent.mjs';
import { send } from './lib/wire.mjs';

const guard = 'AuthType SSO\nRequire valid-user';
const w = await world({
  provider: 'scripted', modules: ['negotiation', 'autoindex', 'actions'],
  conf: ({ tmp, backend }) => {
    for (const place of ['listed', 'variants', 'indexed']) for (const name of ['open.html', 'hidden.html']) tmp.file(`www/${place}/${name}`, `<p>${name === 'hidden.html' ? 'SECRET' : 'open'}</p>`);
    tmp.file('www/public/page.sec', 'x');
    tmp.file('www/closed/index.html', 'SECRET');
    return `
<Location "/api">\n${guard}\n</Location>
<LocationMatch "^/api/.*/status$">\nRequire all granted\n</LocationMatch>
ProxyPass "/api/" "http://127.0.0.1:${backend.port}/api/"
<Files "hidden.html">\n${guard}\n</Files>
<Location "/closed">\n${guard}\n</Location>
<Directory "${tmp.at('www/listed')}">\nOptions +Indexes\nDirectoryIndex none.html\n</Directory>
<Directory "${tmp.at('www/variants')}">\nOptions +MultiViews\n</Directory>
<Directory "${tmp.at('www/indexed')}">\nDirectoryIndex hidden.html\n</Directory>
RewriteEngine On
RewriteRule ^/around$ /app/env.cgi [PT]
RewriteRule ^/proxied$ http://127.0.0.1:${backend.port}/proxied [P]
<Location "/proxied">\n${guard}\n</Location>
<Location "/broken">\nErrorDocument 404 /app/env.cgi\nRequire all granted\n</Location>
AddHandler secret-type .sec
Action secret-type /app/env.cgi
<Location "/untyped">\nRequire valid-user\n</Location>`;
  },
});
const check = lawful(w);
const SECRET = /SECRET|GATEWAY_INTERFACE/;
const stranger = () => w.agent();
const xhr = (path, options) => stranger().xhr(w.url('/'), { path, ...options });
async function untouched(work) {
  const hits = w.backend.hits;
  await work();
  assert.equal(w.backend.hits, hits, 'the application was not asked');
}

for (const [id, path, status] of [
  ['BP-01', '/app/env.cgi%3Fx.html', 401], ['BP-01', '/public%3F/../proxy/x', 401], ['BP-02', '/public/../proxy/x', 401], ['BP-02', '/public/%2e%2e/proxy/x', 401], ['BP-02', '//proxy/x', 401],
  ['BP-02', '/./proxy/x', 401], ['BP-02', '/%70roxy/x', 401], ['BP-02', '/proxy//x', 401], ['BP-02', '/proxy%2fx', 404], ['BP-02', '/proxy;x/y', 404], ['BP-02', '/PROXY/x', 404], ['BP-02', '/proxy/%00', 404],
  ['BP-03', '/api/private?x=/status', 401], ['BP-03', '/api/private?/api/x/status', 401], ['BP-03', '/api/private%23/status/', 401], ['BP-03', '/api/private%3F/status/x', 401],
]) {
  check(`${id} ${path}: ${status}, and no application sees it`, () => untouched(async () => {
    const answer = await xhr(path);
    assert.equal(answer.status, status);
    assert.doesNotMatch(answer.body, SECRET);
  }));
}

check('BP-03 the open path itself is open', async () => assert.equal((await xhr('/api/x/status?y')).status, 200));

for (const [line, status] of [['OPTIONS /proxy/x', 401], ['TRACE /proxy/x', 401], ['PROPFIND /proxy/x', 401], ['GeT /proxy/x', 401], ['FOO /proxy/x', 401], ['HEAD /proxy/x', 401], ['DELETE /proxy/x', 401], ['GET http://localhost/proxy/x', 401], ['CONNECT localhost:80', 405], ['OPTIONS *', 200]]) {
  check(`BP-06 ${line}: ${status}`, () => untouched(async () => {
    const [method, path] = line.split(' ');
    assert.equal((await send(w.httpd.port, { method, path })).status, status);
  }));
}

check('BP-06 HTTP/0.9 sees nothing', () => untouched(async () => {
  const text = await raw(w.httpd.port, 'GET /proxy/x\r\n\r\n');
  assert.doesNotMatch(text, /rawHeaders/);
}));

for (const [what, options] of [['GET', {}], ['HEAD', { method: 'HEAD' }], ['a range', { headers: { Range: 'bytes=0-3' } }], ['If-Range', { headers: { Range: 'bytes=0-0', 'If-Range': '"x"' } }]]) {
  check(`BP-08 ${what}: the module's answer is all that comes`, () => untouched(async () => {
    for (const path of ['/proxy/x', '/app/page.shtml', '/app/env.cgi']) {
      const answer = await xhr(path, options);
      assert.equal(answer.status, 401);
      if (options.method === 'HEAD') assert.equal(answer.body, '');
      else assert.equal(answer.json.error, 'login_required', 'exactly one JSON document');
    }
  }));
}

check('BP-10 mod_dir: the index file is judged by its own rules', async () => {
  for (const path of ['/closed', '/closed/', '/indexed/']) {
    const answer = await xhr(path);
    assert.equal(answer.status, 401, path);
    assert.doesNotMatch(answer.body, SECRET);
  }
});

check('BP-10 MultiViews: a protected variant stays closed, an open one is open', async () => {
  w.expects(/\[negotiation:error\].* AH00687: Negotiation: discovered file\(s\) matching request: .*variants\/hidden/);
  const html = { headers: { Accept: 'text/html' } };
  const hidden = await xhr('/variants/hidden', html);
  assert.doesNotMatch(hidden.body, SECRET);
  assert.equal(hidden.status, 404, 'for a stranger that variant does not exist');
  assert.equal((await xhr('/variants/open', html)).status, 200);
});

check('BP-10 mod_autoindex: a list of an open folder does not start logins', async () => {
  const list = await stranger().nav(w.url('/listed/'));
  assert.equal(list.status, 200);
  assert.match(list.body, /open\.html/);
  assert.doesNotMatch(list.body, SECRET);
  assert.deepEqual(list.setCookies, []);
});

for (const path of ['/around', '/proxied', '/public/page.sec']) {
  check(`BP-11 ${path} leads to a protected place: 401, and with a session to the application`, () => untouched(async () => {
    const answer = await xhr(path);
    assert.equal(answer.status, 401);
    assert.doesNotMatch(answer.body, SECRET);
  }));
}

check('BP-11 an ErrorDocument that is protected shows nothing to strangers', async () => {
  const answer = await xhr('/broken/x');
  assert.equal(answer.status, 404);
  assert.doesNotMatch(answer.body, SECRET);
});

check('BP-11 with a session all of them work', async () => {
  const agent = await w.signedIn('alice');
  for (const path of ['/around', '/public/page.sec']) assert.equal((await agent.nav(w.url(path))).json.HTTP_X_USER, 'alice', path);
  assert.deepEqual(variants((await agent.nav(w.url('/proxied'))).json, 'X-User'), ['alice']);
});

for (const [what, lines] of [['Content-Length', (body) => [`Content-Length: ${body.length}`]], ['chunks', () => ['Transfer-Encoding: chunked']]]) {
  check(`BP-13 a body by ${what} that looks like a request is never one`, () => untouched(async () => {
    const inner = `GET /public/?smuggled HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\n\r\n`;
    const body = what === 'chunks' ? `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n` : inner;
    const next = `GET /public/?genuine HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\nConnection: close\r\n\r\n`;
    const text = await raw(w.httpd.port, `POST /proxy/x HTTP/1.1\r\nHost: localhost:${w.httpd.port}\r\n${lines(body).join('\r\n')}\r\n\r\n${body}${next}`);
    assert.match(text, /^HTTP\/1\.1 401 /);
    assert.deepEqual(text.match(/HTTP\/1\.1 \d{3} /g), ['HTTP/1.1 401 ', 'HTTP/1.1 200 '], 'the body was read to its end, then the genuine request');
    assert.ok(!w.httpd.accessLog().includes('smuggled'));
  }));
}

for (const [what, lines, body] of [
  ['two lengths', ['Content-Length: 5', 'Content-Length: 6'], 'abcde'], ['a length that is none', ['Content-Length: +5'], 'abcde'], ['an encoding that is none', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
  ['a blank before the colon', ['Content-Length : 5'], 'abcde'],
]) {
  check(`BP-14 ${what}: 400 or less, and no application sees it`, () => untouched(async () => {
    const { status } = await send(w.httpd.port, { method: 'POST', path: '/openproxy/x', lines, body });
    assert.ok([400, 501].includes(status), `${status}`);
  }));
}

check('BP-17 Require valid-user without AuthType is closed', async () => {
  w.expects(/\[core:error\].* AH00027: No authentication done/);
  assert.equal((await xhr('/untyped/')).status, 500);
});

check('BP-17 AuthType SSO without the module is closed', async () => {
  const bare = await Httpd.create({ tmp: w.tmp, name: 'bare', module: null, body: `<Directory "${w.tmp.at('www')}">\nRequire all granted\n</Directory>\n<Location "/closed">\n${guard}\n</Location>` });
  await bare.start();
  try {
    const answer = await send(bare.port, { path: '/closed/index.html' });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, SECRET);
  } finally {
    await bare.stop();
  }
});

check('CK-17 a CORS preflight gets the configured policy and carries no identity', async () => {
  const lines = ['Origin: https://evil.test', 'Access-Control-Request-Method: PUT', 'X-User: admin', 'X_Email: admin@x'];
  const open = await send(w.httpd.port, { method: 'OPTIONS', path: '/openproxy/x', lines });
  assert.equal(open.status, 200);
  for (const name of ['X-User', 'X-Email']) assert.deepEqual(variants(open.json, name), []);
  await untouched(async () => {
    const closed = await send(w.httpd.port, { method: 'OPTIONS', path: '/proxy/x', lines });
    assert.equal(closed.status, 401);
    assert.doesNotMatch(closed.head, /^access-control-/im);
  });
});

check('BP-02 the 401 of a protected place is the module\'s own', async () => { assertLoginRequired(w, await xhr('/proxy/x')); });

check('the world ends clean', () => w.end());
