// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The pictures of docs/keycloak.md that show Keycloak's admin console, taken while alice is signed in.

import { Person } from './browser.mjs';

/** Opens a page of the console and waits until `text` is on it. */
async function show(page, place, text) {
  await page.goto(place);
  await page.getByText(text, { exact: true }).first().waitFor();
  await page.waitForTimeout(1500);
}

/** Takes them all; the realm keeps its settings. */
export async function consolePictures(w) {
  const admin = await Person.open(w.tmp, 'admin', { password: w.keycloak.password });
  try {
    const { page } = admin;
    const at = (place) => `${w.keycloak.origin}/admin/master/console/#/demo/${place}`;
    const client = await w.keycloak.client();
    const [mapper] = client.protocolMappers.filter((one) => one.name === 'groups');
    await page.goto(at('clients'));
    await page.locator('#username').waitFor();
    await admin.signIn((url) => url.pathname.startsWith('/admin/master/console'));
    await show(page, at(`clients/${client.id}/settings`), 'Access settings');
    await page.getByText('Valid redirect URIs', { exact: true }).first().scrollIntoViewIfNeeded();
    await w.picture('client', page);
    await show(page, at(`clients/${client.id}/clientScopes/dedicated/mappers/${mapper.id}`), 'Token Claim Name');
    await w.picture('groups', page);
    await show(page, at('realm-settings/sessions'), 'SSO Session Idle');
    await w.picture('sessions', page);
    await show(page, at(`users/${(await w.keycloak.user('alice')).id}/sessions`), 'alice');
    await w.picture('admin', page);
  } finally {
    await admin.close();
  }
}
