// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Where oidc-provider keeps its tokens in these tests: a map of one provider, so that it survives a stop and start, and two
// providers of one process share nothing.

export function makeAdapter() {
  const items = new Map(); /* "Model:id" -> {payload, expires} */
  const live = (key) => {
    const item = items.get(key);
    if (item && item.expires > Date.now()) return item.payload;
    items.delete(key);
    return undefined;
  };
  class Adapter {
    constructor(model) { this.model = model; }
    key(id) { return `${this.model}:${id}`; }
    async upsert(id, payload, expiresIn) {
      items.set(this.key(id), { payload, expires: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    }
    async find(id) { return live(this.key(id)); }
    async search(field, value) {
      for (const key of items.keys()) {
        if (key.startsWith(`${this.model}:`)) {
          const payload = live(key);
          if (payload?.[field] === value) return payload;
        }
      }
      return undefined;
    }
    async findByUid(uid) { return this.search('uid', uid); }
    async findByUserCode(code) { return this.search('userCode', code); }
    async destroy(id) { items.delete(this.key(id)); }
    async consume(id) { const payload = live(this.key(id)); if (payload) payload.consumed = Math.floor(Date.now() / 1000); }
    async revokeByGrantId(grantId) {
      for (const [key, item] of items) if (item.payload.grantId === grantId) items.delete(key);
    }
  }
  return { Adapter, items };
}
