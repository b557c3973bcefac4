// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// make demo: the main job of mod_sso, walked through step by step with real servers, and each step checked. With a terminal on
// standard input it then stays up for a browser until Ctrl-C; without one it ends.

import { Agent, readForm } from './lib/agent.mjs';
import { ACCESS_SECONDS, DemoSite, shown } from './lib/demosite.mjs';
import { onInterrupt, sleep } from './lib/proc.mjs';

const say = (text = '') => console.log(text);
const fact = (name, value) => say(`       ${name.padEnd(24)} ${value}`);
const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 8);
const short = (secret) => `${secret.slice(0, 6)}... (${secret.length} characters)`;

let number = 0;
let title = 'starting';
function step(text) {
  title = text;
  say(`\n  ${String(++number).padStart(2)}. ${text}`);
}

class NotHappened extends Error {}
function must(truth, what) {
  if (!truth) throw new NotHappened(what);
}

function page(answer, what) {
  must(answer.status === 200, `${what}: httpd answered ${answer.status} instead of 200 at ${answer.url}.`);
  return shown(answer.body);
}

async function redirected(site, browser) {
  step('A stranger asks for the wiki.');
  const wanted = site.url('/wiki/page.cgi?page=Holiday');
  say(`     The browser has no cookie and asks for ${wanted}`);
  const answer = await browser.nav(wanted);
  must(answer.status === 302 && answer.location?.origin === site.provider.issuer, `The stranger was not sent to the provider: status ${answer.status}, Location ${answer.headers.location ?? '(none)'}.`);
  say(`     httpd does not start the wiki. It answers ${answer.status} and sends the browser to the provider, ${answer.location.origin}${answer.location.pathname}, with:`);
  for (const [name, value] of answer.location.searchParams) fact(name, value);
  const sent = answer.location.searchParams;
  must(sent.get('state') && sent.get('nonce') && sent.get('code_challenge_method') === 'S256', 'The redirect carries no state, nonce or PKCE challenge.');
  say('     state and nonce tie the answer to this browser; code_challenge (PKCE) makes a stolen code worthless.');
  say('     What the module must remember until then is sealed in a cookie of this browser, so strangers cannot fill memcached:');
  const before = (await site.memcached.stats()).curr_items;
  for (let i = 0; i < 20; i++) await new Agent().nav(wanted);
  const after = (await site.memcached.stats()).curr_items;
  fact('items in memcached', before);
  fact('after 20 more strangers', after);
  must(after <= 1, 'A login that had only begun was written to memcached.');
  return answer;
}

async function signedIn(site, browser, first) {
  step('Alice signs in at the provider and comes back.');
  const answer = await browser.signin(first, 'alice');
  const seen = page(answer, 'The wiki after the login');
  const callback = answer.hops.find((hop) => hop.url.pathname === '/sso/callback');
  must(callback, 'The browser never came to /sso/callback.');
  say(`     The provider sends the browser to ${callback.url.origin}${callback.url.pathname} with a one-time code. The module trades it for tokens`);
  say(`     behind the scenes, checks the ID token's signature and content, and answers ${callback.status} to the page that was wanted:`);
  fact('landed on', answer.url.href);
  must(answer.url.href === site.url('/wiki/page.cgi?page=Holiday'), `The browser landed on ${answer.url.href}.`);
  const cookie = browser.jar.get('sso');
  must(cookie, 'No session cookie was set.');
  fact('cookie of the browser', `sso=${short(cookie)}: random, and all that the browser holds`);
  return seen;
}

function applications(seen) {
  step('What the CGI application received.');
  say('     It was started with these environment variables, as if httpd had asked for a password itself:');
  for (const name of Object.keys(seen).sort()) fact(name, seen[name]);
  must(seen.REMOTE_USER === 'alice' && seen.SSO_CLAIM_email === 'alice@example.test', 'REMOTE_USER or SSO_CLAIM_email did not reach the CGI application.');
  must(!/sso=/.test(seen.HTTP_COOKIE ?? ''), 'The session cookie reached the application.');
}

async function others(site, browser) {
  step('The PHP page and the proxied application, with the same cookie and no further login.');
  const php = page(await browser.nav(site.url('/intranet/')), 'The PHP page');
  must(php.REMOTE_USER === 'alice', 'REMOTE_USER did not reach PHP.');
  fact('PHP: REMOTE_USER', php.REMOTE_USER);
  fact('PHP: SSO_CLAIM_name', php.SSO_CLAIM_name);
  const proxied = page(await browser.nav(site.url('/tickets/'), { headers: { 'X-User': 'root', 'X_User': 'root' } }), 'The proxied application');
  must(proxied['x-user'] === 'alice', `The proxied application saw X-User: ${proxied['x-user']}.`);
  for (const name of ['x-user', 'x-email', 'x-name', 'x-groups']) fact(`proxied: ${name}`, proxied[name]);
  say('     With this request the browser also sent a forged "X-User: root". It was removed before the true one was set.');
  must(site.provider.events.code === 1, `The provider saw ${site.provider.events.code} logins instead of one.`);
}

async function sealed(site, browser) {
  step('What memcached holds.');
  const items = await site.memcached.dump();
  const secrets = ['alice', 'access_token', ...site.provider.secrets, browser.jar.get('sso')];
  for (const { key, value } of items) {
    fact('key', key);
    fact(`value, ${value.length} bytes`, `${value.subarray(0, 24).toString('hex').replace(/(..)/g, '$1 ')}...`);
    const clear = `${key} ${value.toString('latin1')}`;
    for (const secret of secrets) must(!clear.includes(secret), 'Something that should be sealed can be read in memcached.');
  }
  must(items.some(({ value }) => value.length > 1000), 'No session was found in memcached.');
  say('     Whoever reads memcached finds neither names nor tokens nor cookies: each record is sealed (AES-256-GCM) under a key that');
  say('     takes both the browser\'s cookie and the server\'s key. One record holds the session, one the provider\'s own description; the one-byte record remembers that the login was used up.');
}

const tokenOf = (seen) => /^Bearer (.+)$/.exec(seen.authorization ?? '')?.[1];

async function refreshed(site, browser) {
  step(`The access token runs out (this provider gives it ${ACCESS_SECONDS} seconds) and nobody notices.`);
  const cookie = browser.jar.get('sso');
  const before = tokenOf(page(await browser.nav(site.url('/tickets/')), 'The proxied application'));
  must(before, 'The proxied application received no access token (SSOPassToken access).');
  const endBefore = site.provider.ends.get(before);
  must(endBefore, 'The provider does not know the access token that the application received.');
  const refreshes = site.provider.events.refresh;
  fact('access token before', short(before));
  fact('it runs out at', clock(endBefore));
  await sleep(Math.max(0, endBefore * 1000 - Date.now()) + 1200);
  say(`     It is ${clock(Date.now() / 1000)} now; the token is dead. The browser asks again:`);
  const answer = await browser.nav(site.url('/tickets/'));
  const after = tokenOf(page(answer, 'The request after the token ran out'));
  must(after && after !== before, 'The application did not get a new access token.');
  const endAfter = site.provider.ends.get(after);
  must(endAfter > endBefore, 'The new access token does not live longer than the old one.');
  fact('access token after', short(after));
  fact('it runs out at', clock(endAfter));
  must(browser.jar.get('sso') === cookie && answer.setCookies.length === 0, 'The session cookie changed.');
  fact('cookie', 'the same');
  must(site.provider.events.code === 1, 'There was a new login.');
  fact('logins at the provider', `${site.provider.events.code}, as before`);
  fact('refreshes', `${site.provider.events.refresh - refreshes} (the refresh token changed as well: this provider rotates it)`);
  must(site.provider.events.refresh === refreshes + 1 && site.provider.events.reuse === 0, 'The token was not refreshed exactly once.');
}

async function signedOut(site, browser) {
  const old = browser.jar.copy();
  const cookie = browser.jar.get('sso');
  step('Alice signs out.');
  const first = await browser.nav(site.url('/sso/logout'), { headers: { 'Sec-Fetch-Site': 'same-origin' } });
  must(first.location?.origin === site.provider.issuer, `The logout did not go on to the provider: status ${first.status}, Location ${first.headers.location ?? '(none)'}.`);
  say('     The module ends the session in memcached, takes the cookie back and sends the browser to the provider, so that she is');
  say('     signed out there as well:');
  for (const [name, value] of first.location.searchParams) fact(name, name === 'id_token_hint' ? short(value) : value);
  const question = await browser.follow(first);
  const last = await browser.follow(await browser.submit(readForm(question.body, question.url)));
  must(last.url.origin === site.origin && last.status === 200, `After the logout the browser was left at ${last.url.origin}${last.url.pathname} with ${last.status}.`);
  fact('landed on', `${last.url.origin}${last.url.pathname}`);
  must(!browser.jar.get('sso'), 'The cookie is still in the browser.');
  return { old, cookie };
}

async function dead(site, { old, cookie }) {
  step('The old cookie is dead.');
  const thief = new Agent({ jar: old });
  must(thief.jar.get('sso') === cookie, 'The copy of the cookie is not there.');
  const script = await thief.xhr(site.url('/wiki/page.cgi'));
  must(script.status === 401, `A script with the old cookie got ${script.status} instead of 401.`);
  fact('a script with it gets', `${script.status} ${script.body.trim().slice(0, 110)}`);
  const person = await thief.nav(site.url('/wiki/page.cgi'));
  must(person.status === 302 && person.location.origin === site.provider.issuer, `The old cookie got ${person.status}.`);
  fact('a browser with it gets', `${person.status} to the provider's login`);
}

async function walk(site) {
  say('\n  The module\'s whole configuration in this demo:\n');
  say(site.lines.map((line) => line.replace(/^/gm, '       ')).join('\n'));
  const browser = new Agent();
  const first = await redirected(site, browser);
  applications(await signedIn(site, browser, first));
  await others(site, browser);
  await sealed(site, browser);
  await refreshed(site, browser);
  await dead(site, await signedOut(site, browser));
}

async function stay(site) {
  say(`\n  Now it is yours. Open   ${site.url('/')}   and sign in as  alice  or  bob  with any password.`);
  say('  Ctrl-C ends the demo and all its servers.');
  await new Promise((resolve) => { onInterrupt(resolve); });
}

say('mod_sso demo: single sign-on in front of three legacy applications. Everything runs on loopback and is gone afterwards.');
const site = new DemoSite();
try {
  await site.build();
  await walk(site);
  say('\n  All steps happened.');
  if (process.stdin.isTTY) await stay(site);
} catch (error) {
  process.exitCode = 1;
  say(`\n  THE DEMO FAILED in step ${number} (${title})\n     ${error instanceof NotHappened ? error.message : error.stack}`);
  const lines = site.httpd?.errorLog().split('\n').filter((line) => /sso:(error|warn|notice|crit)|reason=/.test(line)).slice(-5) ?? [];
  if (lines.length) say(`     httpd's error log says:\n       ${lines.join('\n       ')}`);
}
const left = await site.stop();
if (left.length) { say(`  Processes stayed: ${left.join(' ')}`); process.exitCode = 1; }
say(process.exitCode ? '' : '\n  All servers are stopped; nothing is left running.');
process.exit(process.exitCode ?? 0);
