// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The people of the tests.

export const ACCOUNTS = {
  alice: {
    sub: 'alice', name: 'Alice Müller-Größe', preferred_username: 'alice', email: 'alice@example.test', email_verified: true,
    groups: ['staff', 'wiki-admins', 'comma,and\\slash'], realm_access: { roles: ['admin', 'user'] }, level: 7,
  },
  bob: {
    sub: 'bob', name: 'Bob Öztürk', preferred_username: 'bob', email: 'bob@example.test', email_verified: false,
    groups: ['staff'], realm_access: { roles: ['user'] }, level: 3,
  },
};

export const CLIENT_ID = 'test-client';
export const CLIENT_SECRET = 'demo-secret-0123456789abcdef0123456789';
