// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What several tests assert in the same words.

import assert from 'node:assert/strict';

/** Names of cookies that an answer sets to a value (not expires). */
export function cookiesSet(answer) {
  return answer.setCookies.filter((line) => !/max-age=0\b|expires=thu, 01 jan 1970/i.test(line)).map((line) => line.split('=')[0]);
}

/** Names of the ticket cookies (logins in flight) that a browser holds for the site. */
export function tickets(world, agent) {
  return agent.jar.names().filter((name) => name.startsWith(world.cookie) && name !== world.cookie && !/(count|after-logout)$/.test(name));
}

/** The query of a redirect to the provider: each parameter once, as an object. */
export function authorizationRequest(world, answer) {
  assert.ok(answer.status === 302 || answer.status === 303, `a redirect to the provider was expected, not ${answer.status}: ${answer.body.slice(0, 300)}`);
  const url = answer.location;
  assert.equal(url.origin, world.idp.issuer, 'the redirect leads to the provider');
  const names = [...url.searchParams.keys()];
  assert.equal(new Set(names).size, names.length, `a parameter is there twice: ${names}`);
  return Object.fromEntries(url.searchParams);
}

/** A request that was sent neither to the provider nor to the application: status, and no redirect. */
export function assertNoLogin(world, answer, status) {
  assert.equal(answer.status, status, answer.body.slice(0, 300));
  assert.equal(answer.headers.location, undefined, 'no redirect');
  assert.deepEqual(cookiesSet(answer), [], 'no cookie');
}

/** 401 for scripts: JSON that names the login URL. */
export function assertLoginRequired(world, answer) {
  assertNoLogin(world, answer, 401);
  assert.match(answer.headers['www-authenticate'] ?? '', /^SSO\b/);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json\b/);
  assert.match(answer.headers['cache-control'] ?? '', /no-store/);
  const body = answer.json;
  assert.equal(typeof body.error, 'string');
  assert.equal(new URL(body.login_url, world.origin).origin, world.origin);
  assert.ok(new URL(body.login_url, world.origin).pathname.startsWith('/sso/login'), body.login_url);
  return body;
}

const SENTENCE_PAGE = /<html[^>]*\blang=/;

/** A page of the module: accessible HTML without scripts, with a strict policy. Answers {reason, incident} as far as it shows them. */
export function assertPage(answer, { reason } = {}) {
  assert.match(answer.headers['content-type'] ?? '', /^text\/html\b/, `a page was expected: ${answer.status} ${answer.body.slice(0, 200)}`);
  assert.match(answer.headers['cache-control'] ?? '', /no-store/);
  const policy = answer.headers['content-security-policy'] ?? '';
  for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), `policy without ${part}: ${policy}`);
  assert.doesNotMatch(policy, /unsafe-inline/);
  assert.match(answer.body, SENTENCE_PAGE);
  assert.match(answer.body, /<title>[^<]+<\/title>/);
  assert.doesNotMatch(answer.body, /<script|javascript:|\son\w+=/i);
  if (reason) assert.ok(answer.body.includes(reason), `the page does not name ${reason}: ${answer.body.replace(/<style[\s\S]*?<\/style>/, '').slice(0, 1200)}`);
}

/** REJ of the attack catalogue: refused with exactly this reason, nothing set, page and log share an incident. Answers the log line,
 * which is thereby accounted for (lawful.mjs). */
export function assertRefused(world, answer, reason, { status = 400, server = world.httpd } = {}) {
  const seen = server.refusals().slice(-4).map((row) => row.line).join('\n');
  assert.equal(answer.status, status, `${answer.headers.location ?? ''} ${answer.body.replace(/<head>[\s\S]*<\/head>/, '').slice(0, 600)}\n${seen}`);
  assert.equal(answer.headers.location, undefined, 'no Location');
  assert.ok(!cookiesSet(answer).includes(world.cookie), 'no session cookie');
  assertPage(answer, { reason });
  const lines = server.refusals().filter((row) => answer.body.includes(row.incident));
  assert.equal(lines.length, 1, `one log line with the incident of the page; the last lines are:\n${seen}`);
  assert.equal(lines[0].reason, reason, 'the reason in the log');
  world.accounted.add(lines[0].line);
  return lines[0].line;
}

/** The header values that the proxied application received under any spelling of `name`. */
export function variants(record, name) {
  const plain = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, '-');
  const values = [];
  for (let i = 0; i < record.rawHeaders.length; i += 2) if (plain(record.rawHeaders[i]) === plain(name)) values.push(record.rawHeaders[i + 1]);
  return values;
}
