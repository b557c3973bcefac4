// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A hand-written OpenID provider that does what a test tells it. It records every request; by default it behaves well and signs
// everybody in as `op.user` without a page. Each switch in `op.misbehave` is a function (value, context) => value:
//
//   metadata, jwks, userinfo   reply {status, headers, body}; body is an object (JSON), a string or a Buffer
//   token, refresh             the same for the two grants of the token endpoint
//   instead                    (record, 'token' or 'refresh') => a reply that is sent without the grant being used up, or undefined
//   authorize                  the parameters of the authorization response (an object, or a list of pairs)
//   claims, header             of an ID token before it is signed; context.grant tells login from refresh
//   payload                    the exact payload bytes of an ID token, when JSON.stringify would be too honest
//   sign                       {alg, key}: what signs it; jwt: the finished compact token
//
// A reply may also carry `after` (ms to wait), `hang`, `reset` (connection reset once the request was read) or `drip` (ms between bytes).

import http from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort } from './ports.mjs';
import { sleep } from './proc.mjs';
import { signBytes } from './rawsign.mjs';
import { ACCOUNTS, CLIENT_ID, CLIENT_SECRET } from './accounts.mjs';

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

export async function makeSigner(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(6).toString('hex');
  return { alg, kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** The left half of the digest that the algorithm names (OIDC Core 3.1.3.6). */
export function halfHash(alg, text) {
  const name = alg === 'EdDSA' ? 'sha512' : `sha${alg.slice(2)}`;
  const digest = createHash(name).update(text).digest();
  return b64(digest.subarray(0, digest.length / 2));
}

export class ScriptedOp {
  /** options: port, alg, accessTtl, rotate, zoo (public keys that are published besides). */
  static async start(options = {}) {
    const op = new ScriptedOp();
    Object.assign(op, { alg: 'RS256', accessTtl: 300, rotate: true, zoo: [], user: 'alice', accounts: structuredClone(ACCOUNTS) }, options);
    op.port ??= await freePort();
    op.issuer = `http://127.0.0.1:${op.port}`;
    op.clientId = CLIENT_ID;
    op.signers = [await makeSigner(op.alg)];
    op.reset();
    await op.listen();
    return op;
  }

  /** Forgets all requests and switches. */
  reset() {
    this.misbehave = {};
    this.requests = [];
    this.codes = new Map();
    this.refreshTokens ??= new Map();
    this.accessTokens ??= new Map();
    this.secrets ??= new Set();
    this.reuse = 0;
    this.refreshes = 0;
  }

  /** Signs with a new key from now on. */
  async rotateKey(alg = this.alg, { keepOld = false } = {}) {
    this.signers = [await makeSigner(alg), ...(keepOld ? this.signers : [])];
  }

  count(endpoint) { return this.requests.filter((request) => request.endpoint === endpoint).length; }
  last(endpoint) { return this.requests.filter((request) => request.endpoint === endpoint).at(-1); }

  async listen() {
    this.server = http.createServer((request, response) => this.receive(request, response).catch((error) => {
      console.error('scripted provider:', error);
      response.destroy();
    }));
    this.server.keepAliveTimeout = 1000;
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
  }

  async stop() {
    if (!this.server) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    this.server = null;
  }

  async restart() { await this.stop(); await this.listen(); }

  async receive(request, response) {
    const chunks = [];
    request.on('error', () => {});
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, this.issuer);
    const endpoint = { '/.well-known/openid-configuration': 'metadata', '/jwks': 'jwks', '/authorize': 'authorize', '/token': 'token', '/userinfo': 'userinfo', '/endsession': 'endsession', '/revoke': 'revoke' }[url.pathname] ?? 'other';
    const record = { endpoint, method: request.method, url, headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), at: Date.now() };
    record.form = new URLSearchParams(record.body);
    this.requests.push(record);
    const reply = await this[`on_${endpoint}`](record);
    await this.send(reply, request, response);
  }

  async bend(name, value, context) {
    const fn = this.misbehave[name];
    if (fn === undefined) return value;
    return typeof fn === 'function' ? ((await fn(value, context)) ?? value) : { ...value, ...fn };
  }

  async send(reply, request, response) {
    if (reply.after) await sleep(reply.after);
    if (reply.hang) return;
    if (reply.reset) { request.socket.resetAndDestroy(); return; }
    const json = !(typeof reply.body === 'string' || Buffer.isBuffer(reply.body) || reply.body === undefined);
    const body = json ? JSON.stringify(reply.body) : (reply.body ?? '');
    const headers = { ...(json ? { 'Content-Type': 'application/json' } : {}), ...reply.headers };
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];
    response.on('error', () => {});
    if (reply.drip) {
      response.writeHead(reply.status ?? 200, headers);
      for (const byte of Buffer.from(body)) {
        if (response.destroyed) return;
        response.write(Buffer.from([byte]));
        await sleep(reply.drip);
      }
      response.end();
      return;
    }
    response.writeHead(reply.status ?? 200, headers);
    response.end(body);
  }

  metadata() {
    const at = (path) => this.issuer + path;
    return {
      issuer: this.issuer, authorization_endpoint: at('/authorize'), token_endpoint: at('/token'), jwks_uri: at('/jwks'), userinfo_endpoint: at('/userinfo'),
      end_session_endpoint: at('/endsession'), revocation_endpoint: at('/revoke'), response_types_supported: ['code'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'], code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token'], authorization_response_iss_parameter_supported: true,
    };
  }

  on_metadata(record) { return this.bend('metadata', { status: 200, body: this.metadata() }, { record }); }
  on_jwks(record) { return this.bend('jwks', { status: 200, body: { keys: [...this.signers.map((signer) => signer.jwk), ...this.zoo] } }, { record }); }
  on_other() { return { status: 404, body: 'not here' }; }
  on_revoke() { return { status: 200, body: '' }; }

  on_endsession({ url }) {
    const back = url.searchParams.get('post_logout_redirect_uri');
    if (!back) return { status: 200, body: 'signed out', headers: { 'Content-Type': 'text/plain' } };
    const target = new URL(back);
    if (url.searchParams.has('state')) target.searchParams.set('state', url.searchParams.get('state'));
    return { status: 303, headers: { Location: target.href }, body: '' };
  }

  async on_authorize(record) {
    const request = Object.fromEntries(record.url.searchParams);
    const code = randomBytes(16).toString('base64url');
    this.codes.set(code, { ...request, user: this.user });
    this.secrets.add(code);
    const answer = await this.bend('authorize', { code, state: request.state, iss: this.issuer }, { request, record });
    const pairs = Array.isArray(answer) ? answer : Object.entries(answer).filter(([, value]) => value !== undefined);
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
    return { status: 302, headers: { Location: `${request.redirect_uri}${request.redirect_uri.includes('?') ? '&' : '?'}${query}` }, body: '' };
  }

  authenticated({ headers, form }) {
    const basic = /^Basic (.+)$/.exec(headers.authorization ?? '');
    const [id, secret] = basic ? Buffer.from(basic[1], 'base64').toString().split(':').map((part) => decodeURIComponent(part.replace(/\+/g, ' '))) : [form.get('client_id'), form.get('client_secret')];
    return id === CLIENT_ID && secret === CLIENT_SECRET;
  }

  async on_token(record) {
    const refresh = record.form.get('grant_type') === 'refresh_token';
    const name = refresh ? 'refresh' : 'token';
    if (!this.authenticated(record)) return this.bend(name, { status: 401, body: { error: 'invalid_client' } }, { record });
    const instead = this.misbehave.instead?.(record, name);
    if (instead) return instead;
    const usual = refresh ? await this.refreshed(record) : await this.redeemed(record);
    return this.bend(name, usual, { record });
  }

  async redeemed({ form }) {
    const grant = this.codes.get(form.get('code'));
    const verifier = form.get('code_verifier') ?? '';
    const challenge = b64(createHash('sha256').update(verifier).digest());
    if (!grant || grant.used || grant.redirect_uri !== form.get('redirect_uri') || (!this.ignorePkce && grant.code_challenge !== challenge)) return { status: 400, body: { error: 'invalid_grant' } };
    grant.used = true;
    this.secrets.add(verifier);
    return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: await this.tokens({ user: grant.user, nonce: grant.nonce, scope: grant.scope, authTime: now(), family: randomBytes(8).toString('hex') }, 'login') };
  }

  async refreshed({ form }) {
    const held = this.refreshTokens.get(form.get('refresh_token'));
    if (!held || held.dead) return { status: 400, body: { error: 'invalid_grant' } };
    if (held.used) {
      this.reuse++;
      for (const other of this.refreshTokens.values()) if (other.grant.family === held.grant.family) other.dead = true;
      return { status: 400, body: { error: 'invalid_grant', error_description: 'reuse' } };
    }
    this.refreshes++;
    if (this.rotate) held.used = true;
    return { status: 200, headers: { 'Cache-Control': 'no-store' }, body: await this.tokens(held.grant, 'refresh') };
  }

  async tokens(grant, kind) {
    const access = `at-${randomBytes(18).toString('base64url')}`;
    this.accessTokens.set(access, grant);
    this.secrets.add(access);
    const body = { access_token: access, token_type: 'Bearer', expires_in: this.accessTtl, scope: grant.scope, id_token: await this.idToken(grant, kind, access) };
    if (kind === 'login' || this.rotate) {
      body.refresh_token = `rt-${randomBytes(24).toString('base64url')}`;
      this.refreshTokens.set(body.refresh_token, { grant });
      this.secrets.add(body.refresh_token);
    }
    return body;
  }

  async idToken(grant, kind, access) {
    const context = { grant: kind, op: this, access, user: grant.user, nonce: grant.nonce, authTime: grant.authTime };
    const signer = await this.bend('sign', this.signers[0], context);
    const usual = { iss: this.issuer, aud: CLIENT_ID, iat: now(), exp: now() + 300, auth_time: grant.authTime, nonce: kind === 'login' ? grant.nonce : undefined, at_hash: halfHash(signer.hashAlg ?? signer.alg, access), ...this.accounts[grant.user] };
    const claims = await this.bend('claims', JSON.parse(JSON.stringify(usual)), context);
    const header = await this.bend('header', { alg: signer.alg, kid: signer.kid, typ: 'JWT' }, context);
    const payload = await this.bend('payload', JSON.stringify(claims), context);
    const jwt = this.compact(header, payload, signer);
    return this.bend('jwt', jwt, { ...context, header, payload, signer });
  }

  /** A compact JWS over exactly these bytes. jose refuses to write odd headers, so it is put together by hand. */
  compact(header, payload, signer) {
    const input = `${b64(JSON.stringify(header))}.${b64(payload)}`;
    return `${input}.${b64(signBytes(signer.alg, signer.key, input))}`;
  }

  on_userinfo(record) {
    const token = /^Bearer (.+)$/.exec(record.headers.authorization ?? '')?.[1];
    const grant = this.accessTokens.get(token);
    const usual = grant ? { status: 200, body: { ...this.accounts[grant.user] } } : { status: 401, body: { error: 'invalid_token' } };
    return this.bend('userinfo', usual, { record });
  }
}
