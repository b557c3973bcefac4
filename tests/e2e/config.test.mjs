// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// httpd -t: wrong configurations are refused with the directive, what is wrong and what would be right; right ones pass.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Httpd } from './lib/httpd.mjs';
import { Tmp } from './lib/tmp.mjs';
import { ssoLines } from './lib/site.mjs';

const tmp = new Tmp();
const httpd = await Httpd.create({ tmp });
const https = await Httpd.create({ tmp, name: 'https', https: true });
const page = (name, text) => { tmp.file(`${name}/page.html`, text); return tmp.at(name); };
const file = (name, content, mode = 0o600) => tmp.file(name, content, mode);
const LONG = 'k'.repeat(43);

/** Checks the usual configuration with some directives changed and lines added. */
function check(directives = {}, lines = [], server = httpd) {
  const body = [...ssoLines({ tmp, issuer: 'https://op.example.test', store: 'memcached://127.0.0.1:11211', directives }), ...[lines].flat(),
    '<Location "/app">\nAuthType SSO\nRequire valid-user\n</Location>'].join('\n');
  return server.configtest(body);
}
const place = (...lines) => `<Location "/x">\nAuthType SSO\n${lines.join('\n')}\n</Location>`;

/* [what, directive that must be named, what the message says, directives, lines, server] */
const WRONG = [
  ['no issuer', 'SSOIssuer', /missing|required|needed|set/i, { SSOIssuer: null }],
  ['an http issuer that is not loopback', 'SSOIssuer', /https/, { SSOIssuer: 'http://op.example.test' }],
  ['an issuer that is no URL', 'SSOIssuer', /URL|https/, { SSOIssuer: 'op.example.test' }],
  ['an issuer of another scheme', 'SSOIssuer', /https/, { SSOIssuer: 'ftp://op.example.test/' }],
  ['an issuer with a query', 'SSOIssuer', /query|\?/, { SSOIssuer: '"https://op.example.test/?a=b"' }],
  ['an issuer with a fragment', 'SSOIssuer', /fragment|#/, { SSOIssuer: '"https://op.example.test/#x"' }],
  ['an issuer with user and password', 'SSOIssuer', /URL|user/, { SSOIssuer: 'https://u:p@op.example.test/' }],
  ['the issuer twice', 'SSOIssuer', /twice/, { SSOIssuer: ['https://op.example.test', 'https://op2.example.test'] }],
  ['no client', 'SSOClientID', /missing|required|needed|set/i, { SSOClientID: null }],
  ['BP-16 no secret', 'SSOClientSecret', /missing|required|needed|set/i, { SSOClientSecret: null }],
  ['BP-16 JS-18 a secret file that is not there', 'SSOClientSecret', /not.*(read|open|exist)|cannot|no such/i, { SSOClientSecret: 'file:/nonexistent/secret' }],
  ['CF-02 a secret file that the world can read', 'SSOClientSecret', /chmod|0?600|read/i, { SSOClientSecret: `file:${file('world.secret', `${LONG}\n`, 0o644)}` }],
  ['a secret file that is empty', 'SSOClientSecret', /empty/i, { SSOClientSecret: `file:${file('empty.secret', '\n')}` }],
  ['a secret from a variable that is not set', 'SSOClientSecret', /SSO_E2E_NOT_SET|environment|variable/, { SSOClientSecret: 'env:SSO_E2E_NOT_SET' }],
  ['a secret from a command that fails', 'SSOClientSecret', /status 0|command/i, { SSOClientSecret: 'exec:/bin/false' }],
  ['CF-01 a short secret and no server key', 'SSOKey', /openssl|head|dd |base64|rand/, { SSOClientSecret: 'short-secret' }],
  ['BP-16 JS-18 a key file that is not there', 'SSOKey', /cannot|not.*(read|open|exist)|no such/i, { SSOKey: '/nonexistent/key' }],
  ['CF-02 a key file that the world can read', 'SSOKey', /chmod|0?600|read/i, { SSOKey: file('world.key', `${LONG}\n`, 0o644) }],
  ['CF-01 a key that is too short', 'SSOKey', /short|32|bytes|characters/i, { SSOKey: file('short.key', 'changeme\n') }],
  ['CF-01 an empty key file', 'SSOKey', /empty|no key|short/i, { SSOKey: file('empty.key', '') }],
  ['CF-08 an unknown way of client authentication', 'SSOClientAuth', /basic.*post|post.*basic/, { SSOClientAuth: 'digest' }],
  ['CI-13 state as an extra parameter', 'SSOAuthParam', /state/, { SSOAuthParam: 'state=x' }],
  ['CI-13 nonce as an extra parameter', 'SSOAuthParam', /nonce/, { SSOAuthParam: 'nonce=x' }],
  ['CI-13 redirect_uri as an extra parameter', 'SSOAuthParam', /redirect_uri/, { SSOAuthParam: 'redirect_uri=https://evil.test/' }],
  ['an extra parameter without a value', 'SSOAuthParam', /=/, { SSOAuthParam: 'prompt' }],
  ['an endpoint that does not exist', 'SSOEndpoint', /authorization.*token/, { SSOEndpoint: 'tokens=https://op.example.test/token' }],
  ['TE-25 an endpoint without TLS', 'SSOEndpoint', /https/, { SSOEndpoint: 'token=http://op.example.test/token' }],
  ['an endpoint without a name', 'SSOEndpoint', /=/, { SSOEndpoint: 'https://op.example.test/token' }],
  ['CF-08 an unknown userinfo policy', 'SSOUserinfo', /off.*auto.*always/, { SSOUserinfo: 'sometimes' }],
  ['CF-08 an unknown source of claims', 'SSOClaimsFrom', /idtoken.*userinfo.*access/, { SSOClaimsFrom: 'idtoken,cookie' }],
  ['the algorithm none', 'SSOIdTokenAlg', /none|RS256/, { SSOIdTokenAlg: 'none' }],
  ['a symmetric algorithm', 'SSOIdTokenAlg', /HS256|RS256/, { SSOIdTokenAlg: 'HS256' }],
  ['a CA file that is not there', 'SSOProviderCA', /cannot|not.*(read|open|exist)|no such/i, { SSOProviderCA: '/nonexistent/ca.pem' }],
  ['a time without a unit', 'SSOHTTPTimeout', /s, m, h or d|30m|10s/, { SSOHTTPTimeout: '10' }],
  ['a time with an unknown unit', 'SSOSessionIdle', /s, m, h or d|30m/, { SSOSessionIdle: '10x' }],
  ['a time that is no number', 'SSOSessionIdle', /s, m, h or d|30m/, { SSOSessionIdle: 'soon' }],
  ['a negative time', 'SSOSessionIdle', /s, m, h or d|30m/, { SSOSessionIdle: '-5m' }],
  ['a time of nothing', 'SSOSessionMax', /1 ?s|least|between/, { SSOSessionMax: '0s' }],
  ['a time beyond all reason', 'SSOSessionMax', /400 ?d|most|between/, { SSOSessionMax: '999999d' }],
  ['a time that overflows', 'SSOSessionMax', /400 ?d|most|between|time/, { SSOSessionMax: '99999999999999999999999d' }],
  ['a fraction as a time', 'SSOClockSkew', /s, m, h or d|30m|60s/, { SSOClockSkew: '1.5m' }],
  ['an idle time longer than the session', 'SSOSessionIdle', /SSOSessionMax/, { SSOSessionIdle: '2h', SSOSessionMax: '1h' }],
  ['a size with an unknown unit', 'SSOMaxSession', /k|m/, { SSOMaxSession: '12q' }],
  ['a size of nothing', 'SSOMaxSession', /least|size|between/, { SSOMaxSession: '0' }],
  ['a count of nothing', 'SSOOutbound', /1/, { SSOOutbound: '0' }],
  ['a count that is too large', 'SSOOutbound', /1000/, { SSOOutbound: '5000' }],
  ['a proxy with a path', 'SSOHTTPProxy', /path|scheme|host/, { SSOHTTPProxy: 'http://proxy.example.test/x' }],
  ['an unknown store', 'SSOStore', /memcached:.*lmdb:|lmdb:.*memcached:/, { SSOStore: 'redis://127.0.0.1' }],
  ['a store without a host', 'SSOStore', /host|memcached:\/\//, { SSOStore: 'memcached://' }],
  ['a store with a port out of range', 'SSOStore', /port|65535/, { SSOStore: 'memcached://127.0.0.1:99999' }],
  ['a store with a bad timeout', 'SSOStore', /timeout/, { SSOStore: '"memcached://127.0.0.1:11211?timeout=soon"' }],
  ['a store with an unknown option', 'SSOStore', /bogus|timeout/, { SSOStore: '"memcached://127.0.0.1:11211?bogus=1"' }],
  ['an LMDB path that is not absolute', 'SSOStore', /absolute|\//, { SSOStore: 'lmdb:sessions' }],
  ['an LMDB size that is no size', 'SSOStore', /size/, { SSOStore: '"lmdb:?size=big"' }],
  ['a module path without a slash', 'SSOPath', /\//, { SSOPath: 'sso' }],
  ['a module path with a slash at its end', 'SSOPath', /slash|\//, { SSOPath: '/sso/' }],
  ['the root as module path', 'SSOPath', /segment|\/sso/, { SSOPath: '/' }],
  ['CF-03 a base URL with a path', 'SSOBaseURL', /path|scheme|host/, { SSOBaseURL: 'https://www.example.test/x' }],
  ['a base URL that is a host', 'SSOBaseURL', /https?:|scheme/, { SSOBaseURL: 'www.example.test' }],
  ['a proxy to be trusted that is no address', 'SSOTrustProxy', /address|network|IP/, { SSOTrustProxy: 'proxy.example.test' }],
  ['a network that is none', 'SSOTrustProxy', /address|network|IP/, { SSOTrustProxy: '10.0.0.0/99' }],
  ['a __Host- cookie on plain http', 'SSOCookie', /__Host-|https|Secure/, { SSOCookie: '__Host-sso' }],
  ['a __Host- cookie with a Domain', 'SSOCookie', /domain/i, { SSOCookie: '__Host-sso Domain=example.test' }, [], https],
  ['a __Host- cookie with a Path', 'SSOCookie', /path/i, { SSOCookie: '__Host-sso Path=/app' }, [], https],
  ['a __Secure- cookie on plain http', 'SSOCookie', /__Secure-|https/, { SSOCookie: '__Secure-sso' }],
  ['SameSite=None on plain http', 'SSOCookie', /None|https|Secure/, { SSOCookie: 'sso None' }],
  ['a cookie name with odd bytes', 'SSOCookie', /name|cookie/, { SSOCookie: '"s;so"' }],
  ['a refresh policy that does not exist', 'SSORefresh', /auto|off/, { SSORefresh: 'maybe' }],
  ['a refresh ahead of more than all', 'SSORefreshAhead', /%|90|percent/, { SSORefreshAhead: '120%' }],
  ['a refresh ahead of nonsense', 'SSORefreshAhead', /%|time/, { SSORefreshAhead: 'early' }],
  ['a user expression that does not compile', 'SSOUser', /expression|regex|missing|paren/i, { SSOUser: 'email "([a-z" "$1"' }],
  ['a header without a claim', 'SSOHeader', /claim|argument/i, { SSOHeader: 'X-User' }],
  ['a header name with odd bytes', 'SSOHeader', /name|header/i, { SSOHeader: '"X User:" sub' }],
  ['an unknown header encoding', 'SSOHeader', /utf8.*base64|base64.*utf8/, { SSOHeader: 'X-User sub rot13' }],
  ['HD-18 two spellings of one header', 'SSOHeader', /X[-_]User/, { SSOHeader: ['X-User sub', 'X_User email'] }],
  ['HD-17 more headers than an application can take', 'SSOHeader', /200|at most|too many/, { SSOHeader: Array.from({ length: 201 }, (_, i) => `X-Claim-${i} claim${i}`) }],
  ['a header that belongs to the protocol', 'SSOHeader', /Host|Content-Length|protocol|httpd/i, { SSOHeader: 'Content-Length level' }],
  ['a variable with odd bytes', 'SSOEnv', /name|variable/i, { SSOEnv: '"A=B" sub' }],
  ['a switch that is neither on nor off', 'SSOStripCookie', /on.*off/, { SSOStripCookie: 'perhaps' }],
  ['claims in a way that does not exist', 'SSOClaims', /off.*env.*headers.*both/, { SSOClaims: 'files' }],
  ['an empty claim prefix', 'SSOClaimPrefix', /empty|prefix/i, { SSOClaimPrefix: '""' }],
  ['the refresh token for applications', 'SSOPassToken', /access.*id|id.*access/, { SSOPassToken: 'refresh' }],
  ['a page folder that is not there', 'SSOPage', /cannot|not.*(read|open|exist|folder|directory)|no such/i, { SSOPage: '/nonexistent' }],
  ['a page without a placeholder', 'SSOPage', /\{\{\w+\}\}|placeholder/, { SSOPage: page('nohold', '<html lang="en"><title>x</title></html>') }],
  ['CF-15 a page with an unknown placeholder', 'SSOPage', /bogus|placeholder/, { SSOPage: page('bogus', '{{title}}{{sentence}}{{link}}{{bogus}}') }],
  ['a logout target that is a script', 'SSOLogoutURL', /path|URL|https/, { SSOLogoutURL: 'javascript:alert(1)' }],
  ['a logout target that is no target', 'SSOAfterLogout', /path|URL|https/, { SSOAfterLogout: 'www.example.test' }],
  ['a stranger policy that does not exist', 'SSOUnauth', /auto.*login.*401.*403.*pass/, {}, place('SSOUnauth never', 'Require valid-user')],
  ['a slide that is neither on nor off', 'SSOSlide', /on.*off/, {}, place('SSOSlide maybe', 'Require valid-user')],
  ['a server directive in a place', 'SSOIssuer', /not allowed/, {}, place('SSOIssuer https://x.example.test', 'Require valid-user')],
  ['Require sso-claim without a value', 'sso-claim', /value|claim/, {}, place('Require sso-claim groups')],
  ['Require sso-claim with an expression that does not compile', 'sso-claim', /expression|regex|missing|paren/i, {}, place('Require sso-claim email~([a-z')],
  ['BP-16 CF-08 a name that is none', 'SSOIssur', /Invalid command/, { SSOIssur: 'x' }],
];

for (const [what, directive, says, directives, lines, server] of WRONG) {
  test(`httpd -t refuses ${what}`, () => {
    const { code, output } = check(directives, lines, server);
    assert.notEqual(code, 0, `it passed: ${output}`);
    const sentence = output.split('\n').filter((line) => !/Syntax error on line|^AH0055/.test(line) || line.includes(directive)).join('\n');
    assert.ok(sentence.includes(directive), `the directive is not named: ${output}`);
    assert.match(sentence, says);
    assert.doesNotMatch(output, /demo-secret|short-secret|changeme/, 'secrets are not printed');
    assert.ok(!/AddressSanitizer|runtime error/.test(output), output);
  });
}

test(`the table has at least 40 rows: ${WRONG.length}`, () => assert.ok(WRONG.length >= 40));

const RIGHT = [
  ['the five lines of the README', {}],
  ['an issuer on loopback without TLS', { SSOIssuer: 'http://127.0.0.1:8080/realms/demo' }],
  ['localhost as issuer', { SSOIssuer: 'http://localhost:8080' }],
  ['a Unix socket as store', { SSOStore: 'memcached:///run/memcached.sock' }],
  ['two servers and a timeout', { SSOStore: '"memcached://127.0.0.1:11211,127.0.0.1:11212?timeout=100ms"' }],
  ['the default store', { SSOStore: null }],
  ['LMDB with path and size', { SSOStore: `"lmdb:${tmp.dir('lmdb')}?size=64m"` }],
  ['a short secret with a server key', { SSOClientSecret: 'short-secret', SSOKey: file('good.key', `${LONG}\n${'M'.repeat(43)}\n`) }],
  ['a public client with a server key', { SSOClientSecret: null, SSOClientAuth: 'none', SSOKey: file('good2.key', `${LONG}\n`) }],
  ['a secret from a command', { SSOClientSecret: `"exec:/bin/echo ${LONG}"` }],
  ['extra parameters', { SSOAuthParam: ['prompt=login', 'kc_idp_hint=x'] }],
  ['all times', { SSOSessionIdle: '45m', SSOSessionMax: '7d', SSOClockSkew: '10s', SSOIatAge: '5m', SSOTokenLifetime: '1h', SSOHTTPTimeout: '5s' }],
  ['cookie rules', { SSOCookie: 'mysso Lax persistent' }],
  ['a refresh ahead in seconds', { SSORefreshAhead: '30s' }],
  ['a user with expression and substitution', { SSOUser: 'email "^([^@]+)@" "$1"' }],
  ['every header encoding', { SSOHeader: ['X-A sub', 'X-B sub url', 'X-C sub base64', 'X-D sub rfc8187', 'X-E sub json'] }],
  ['places', {}, place('SSOUnauth 401', 'SSOSlide off', 'SSOPassToken access', 'SSOClaims both', 'Require sso-claim groups staff admins', 'Require sso-claim email~@example\\.test$', 'Require sso-claim realm_access.roles admin')],
];
for (const [what, directives, lines, server] of RIGHT) {
  test(`httpd -t accepts ${what}`, () => {
    const { code, output } = check(directives, lines, server);
    assert.equal(code, 0, output);
  });
}

test('a configuration without any SSO line passes: the module does nothing', () => {
  const { code, output } = httpd.configtest('');
  assert.equal(code, 0, output);
});

test('the folders are gone', () => tmp.remove());
