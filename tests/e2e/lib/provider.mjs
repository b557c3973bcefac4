// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The real thing: npm's certified oidc-provider on loopback, with short access tokens, rotating refresh tokens, reuse
// detection, counters, and switches for bad days (paused, failing, stopped, other keys).

import http from 'node:http';
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { freePort } from './ports.mjs';
import { makeAdapter } from './provideradapter.mjs';
import { donePage, errorPage, loginPage, logoutPage } from './loginpage.mjs';
import { ACCOUNTS, CLIENT_ID, CLIENT_SECRET } from './accounts.mjs';

process.env.NODE_NO_WARNINGS ??= '1';
const hush = { info: console.info, warn: console.warn };
console.info = (...args) => (/oidc-provider|WARNING/.test(String(args[0])) ? undefined : hush.info(...args));
console.warn = (...args) => (/oidc-provider|WARNING/.test(String(args[0])) ? undefined : hush.warn(...args));
const { default: Oidc } = await import('oidc-provider');

const ENDPOINTS = {
  '/.well-known/openid-configuration': 'discovery', '/jwks': 'jwks', '/auth': 'authorization', '/token': 'token', '/me': 'userinfo',
  '/session/end': 'endsession', '/token/revocation': 'revocation', '/token/introspection': 'introspection',
};
export const SCOPES = 'openid email profile offline_access';

async function makeKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: randomBytes(6).toString('hex') };
}

export class Provider {
  /** options: port, origins (of the relying parties), accessTtl, rotate, clientAuth, jwt (access tokens), idTokenAlg, claimsInIdToken. */
  static async start(options = {}) {
    const provider = new Provider();
    Object.assign(provider, {
      accessTtl: 300, rotate: true, clientAuth: 'client_secret_basic', jwt: false, idTokenAlg: 'RS256', claimsInIdToken: true, origins: [],
      accounts: structuredClone(ACCOUNTS),
    }, options);
    provider.port ??= await freePort();
    provider.issuer = `http://127.0.0.1:${provider.port}`;
    provider.counts = { discovery: 0, jwks: 0, authorization: 0, token: 0, userinfo: 0, endsession: 0, revocation: 0, introspection: 0 };
    provider.events = { code: 0, refresh: 0, refused: 0, reuse: 0, revoked: 0, errors: [] };
    provider.secrets = new Set();
    provider.ends = new Map(); /* access token -> unix time of its end */
    provider.failing = {}; /* endpoint -> status, or function (request, response) => true when it answered */
    provider.waiting = null;
    provider.store = makeAdapter();
    provider.cookieKeys = [randomBytes(24).toString('hex')];
    provider.keys = [await makeKey(provider.idTokenAlg)];
    provider.build();
    await provider.listen();
    return provider;
  }

  configuration() {
    const { accounts } = this;
    const resource = { scope: SCOPES, audience: CLIENT_ID, accessTokenTTL: this.accessTtl, accessTokenFormat: 'jwt', jwt: { sign: { alg: this.idTokenAlg } } };
    return {
      adapter: this.store.Adapter,
      jwks: { keys: this.keys },
      cookies: { keys: this.cookieKeys, short: { signed: true }, long: { signed: true } },
      clients: [{
        client_id: CLIENT_ID, client_secret: CLIENT_SECRET, token_endpoint_auth_method: this.clientAuth, id_token_signed_response_alg: this.idTokenAlg,
        grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
        redirect_uris: this.origins.map((origin) => `${origin}/sso/callback`),
        post_logout_redirect_uris: this.origins.flatMap((origin) => (this.postLogout ?? ['/sso/logout']).map((path) => origin + path)),
      }],
      claims: { openid: ['sub', 'groups', 'realm_access', 'level'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
      conformIdTokenClaims: !this.claimsInIdToken,
      scopes: SCOPES.split(' '),
      pkce: { required: () => true, methods: ['S256'] },
      rotateRefreshToken: this.rotate,
      issueRefreshToken: async () => true,
      enabledJWA: { idTokenSigningAlgValues: [this.idTokenAlg] },
      ttl: { AccessToken: () => this.accessTtl, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, Interaction: 3600, Session: 86400, Grant: 86400 },
      features: {
        devInteractions: { enabled: false },
        revocation: { enabled: true },
        introspection: { enabled: true },
        rpInitiatedLogout: {
          enabled: true,
          logoutSource: (ctx, form) => { ctx.body = logoutPage(form); },
          postLogoutSuccessSource: (ctx) => { ctx.body = donePage(); },
        },
        resourceIndicators: this.jwt
          ? { enabled: true, defaultResource: () => 'urn:test:api', useGrantedResource: () => true, getResourceServerInfo: () => resource }
          : { enabled: false },
      },
      extraTokenClaims: (ctx, token) => (this.jwt && token.kind === 'AccessToken' ? { realm_access: accounts[token.accountId]?.realm_access } : undefined),
      interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (ctx, id) => (accounts[id] ? { accountId: id, claims: () => accounts[id] } : undefined),
      loadExistingGrant: (ctx) => this.grantFor(ctx),
      renderError: (ctx, out, error) => { ctx.type = 'html'; ctx.body = errorPage(`${out.error}: ${out.error_description ?? error.message}`); },
    };
  }

  /* Consent is given silently: what is tested is single sign-on, not the provider's consent page. */
  async grantFor({ oidc }) {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    const existing = known && (await oidc.provider.Grant.find(known));
    if (existing) return existing;
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(SCOPES);
    if (this.jwt) grant.addResourceScope('urn:test:api', SCOPES);
    await grant.save();
    return grant;
  }

  build() {
    this.oidc = new Oidc(this.issuer, this.configuration());
    const note = (ctx, error) => {
      this.events.errors.push(`${error.error ?? ''} ${error.error_detail ?? error.error_description ?? error.message}`);
      if (/already used/.test(error.error_detail ?? '')) this.events.reuse++;
      if (error.error === 'invalid_grant') this.events.refused++;
    };
    this.oidc.on('grant.success', ({ oidc }) => { this.events[oidc.params.grant_type === 'refresh_token' ? 'refresh' : 'code']++; });
    this.oidc.on('grant.error', note);
    this.oidc.on('grant.revoked', () => { this.events.revoked++; });
    this.oidc.on('server_error', note);
    this.oidc.on('authorization.error', note);
    for (const kind of ['authorization_code', 'access_token', 'refresh_token']) {
      this.oidc.on(`${kind}.saved`, (token) => this.secrets.add(token.jti));
    }
    this.oidc.on('access_token.saved', (token) => this.ends.set(token.jti, Math.floor(Date.now() / 1000) + this.accessTtl));
    this.callback = this.oidc.callback();
  }

  async handle(request, response) {
    const path = request.url.split('?')[0];
    const endpoint = ENDPOINTS[path];
    if (endpoint) this.counts[endpoint]++;
    if (this.waiting) await this.waiting.gate;
    const failing = this.failing[endpoint];
    if (typeof failing === 'number') {
      response.writeHead(failing, { 'Content-Type': 'application/json' });
      response.end('{"error":"server_error"}');
    } else if (typeof failing === 'function' && (await failing(request, response))) {
      /* it answered */
    } else if (path.startsWith('/interaction/')) {
      await this.interaction(request, response);
    } else {
      this.callback(request, response);
    }
  }

  async interaction(request, response) {
    try {
      if (request.method === 'POST') {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const user = new URLSearchParams(Buffer.concat(chunks).toString()).get('login');
        const result = this.accounts[user] ? { login: { accountId: user } } : { error: 'access_denied', error_description: 'no such user' };
        await this.oidc.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
      } else {
        const details = await this.oidc.interactionDetails(request, response);
        response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
        response.end(loginPage(`/interaction/${details.uid}`, details.params.login_hint));
      }
    } catch (error) {
      response.writeHead(400, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(errorPage(error.message));
    }
  }

  async listen() {
    this.server = http.createServer((request, response) => this.handle(request, response).catch((error) => {
      this.events.errors.push(error.message);
      response.destroy();
    }));
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
  }

  /** Holds every request until resume(). */
  pause() {
    if (this.waiting) return;
    this.waiting = {};
    this.waiting.gate = new Promise((resolve) => { this.waiting.open = resolve; });
  }

  resume() { this.waiting?.open(); this.waiting = null; }

  async stop() {
    this.resume();
    if (!this.server) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    this.server = null;
  }

  /** Listens again on the same port, with everything it knew. */
  async restart() { await this.stop(); await this.listen(); }

  /** New signing keys; the old one stays published only when `keepOld`. */
  async rotateKeys({ keepOld = false } = {}) {
    this.keys = [await makeKey(this.idTokenAlg), ...(keepOld ? this.keys : [])];
    this.build();
  }

  /** Every grant of the user ends at the provider, as an administrator would do it. */
  revoke(user) {
    for (const [key, item] of this.store.items) {
      if (item.payload.accountId === user && !key.startsWith('Session:')) this.store.items.delete(key);
    }
  }

  resetCounts() { for (const name of Object.keys(this.counts)) this.counts[name] = 0; }
}
