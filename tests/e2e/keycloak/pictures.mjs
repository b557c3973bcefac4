// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The pictures of docs/keycloak.md that show Keycloak's admin console, taken while alice is signed in: from one text on the page
// down to another, in a window that is high enough for all of it.

import { Person } from './browser.mjs';
import { REALM } from './server.mjs';

const WINDOW = { width: 960, height: 1700 };

const find = (page, text) => page.getByText(text, { exact: true }).first();

/** The part of the page between two texts. */
async function cut(page, { from, to, width = WINDOW.width, below = 50 }) {
  for (const text of [from, to]) await find(page, text).waitFor();
  await page.waitForTimeout(1500);
  const [first, last] = [await find(page, from).boundingBox(), await find(page, to).boundingBox()];
  const y = Math.max(0, first.y - 20);
  return { x: 0, y, width, height: last.y + last.height + below - y };
}

const PICTURES = ({ client, alice }) => [
  { name: 'client', place: `clients/${client}/settings`, from: 'Access settings', to: 'Web origins', width: 660 },
  { name: 'capability', place: `clients/${client}/settings`, from: 'Capability config', to: 'PKCE Method', width: 660, below: 15 },
  { name: 'groups', place: `clients/${client}/clientScopes/dedicated`, click: 'groups', from: 'Mapper type', to: 'Add to userinfo', width: 760, below: 15 },
  { name: 'sessions', place: 'realm-settings/sessions', from: 'SSO Session Settings', to: 'SSO Session Max', width: 660 },
  { name: 'tokens', place: 'realm-settings/tokens', from: 'Refresh tokens', to: 'Access Token Lifespan', width: 660, below: 55 },
  { name: 'admin', place: `users/${alice}/sessions`, from: 'alice', to: 'test-client', below: 30 },
];

/** Takes them all, while the client has the addresses of the page instead of this machine's. */
export async function consolePictures(w) {
  const admin = await Person.open(w.tmp, 'admin', { password: w.keycloak.password, viewport: WINDOW });
  const [client, alice] = [await w.keycloak.client(), await w.keycloak.user('alice')];
  const shown = JSON.parse(REALM).clients[0];
  try {
    await w.keycloak.changeClient({ redirectUris: shown.redirectUris, attributes: shown.attributes });
    const { page } = admin;
    await page.goto(`${w.keycloak.origin}/admin/master/console/`);
    await page.locator('#username').waitFor();
    await admin.signIn((url) => url.pathname.startsWith('/admin/master/console'));
    for (const picture of PICTURES({ client: client.id, alice: alice.id })) {
      await page.goto(`${w.keycloak.origin}/admin/master/console/#/demo/${picture.place}`);
      if (picture.click) await page.getByRole('link', { name: picture.click, exact: true }).click();
      await w.picture(picture.name, page, await cut(page, picture));
    }
  } finally {
    await w.keycloak.changeClient({ redirectUris: client.redirectUris, attributes: client.attributes });
    await admin.close();
  }
}
