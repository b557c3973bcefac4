// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// make test-keycloak: docs/keycloak.md, followed with a real Keycloak: node tests/e2e/keycloak/run.mjs [--pictures]
// Says what it does as it goes; the last line is `N passed, N failed, N skipped`. Where no Keycloak can be had, that is 1 skipped.

import fs from 'node:fs';
import path from 'node:path';
import { leftovers, onInterrupt, waitGone } from '../lib/proc.mjs';
import { Tmp } from '../lib/tmp.mjs';
import { CHROMIUM, MODULE, ROOT } from '../lib/system.mjs';
import { Unavailable, VERSION, distribution, javaHome } from './distribution.mjs';
import { Person } from './browser.mjs';
import { Keycloak } from './server.mjs';
import { Site } from './site.mjs';
import { consolePictures } from './pictures.mjs';
import { WALK } from './walk.mjs';

const LIMIT = 460; /* seconds for all of it */
const EXPECTED = [/reason=(login_required|session_ended|session_revoked|forbidden)/, /\[authz_core:error\]/];

const began = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const clock = () => `${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s`;
const say = (text) => console.log(`${clock()}        ${text}`);

function verdict() {
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed ? 1 : 0;
}

async function step(name, fn) {
  try {
    const answer = await fn();
    total.passed++;
    console.log(`${clock()}  ok    ${name}`);
    return answer ?? true;
  } catch (error) {
    total.failed++;
    console.log(`${clock()}  FAIL  ${name}\n${String(error.stack ?? error).split('\n').slice(0, 40).map((line) => `              ${line}`).join('\n')}`);
    return undefined;
  }
}

/** What is needed and may not be there. Throws Unavailable. */
function needed() {
  if (!CHROMIUM) throw new Unavailable('Chromium is not installed');
  const java = javaHome();
  return { java, archive: distribution() };
}

/** `--pictures`: those of docs/keycloak.md are taken anew. Otherwise they go to build/, to look at after a failure. */
function gallery() {
  const folder = path.join(ROOT, process.argv.includes('--pictures') ? 'docs/keycloak' : 'build/screenshots/keycloak');
  fs.mkdirSync(folder, { recursive: true });
  return async (name, target, clip) => { await target.screenshot({ path: path.join(folder, `${name}.png`), ...(clip ? { clip } : {}) }); };
}

async function build({ java, archive }) {
  if (!fs.existsSync(MODULE)) throw new Error(`the module is not built: ${MODULE}`);
  const w = { say, tokensSeen: new Set(), picture: gallery(), tmp: new Tmp('sso-keycloak-') };
  w.consolePictures = async () => { if (process.argv.includes('--pictures')) await consolePictures(w); };
  w.site = await Site.prepare(w.tmp);
  return { w, start: async () => { w.keycloak = await Keycloak.start({ tmp: w.tmp, archive, java: java.home, origin: w.site.origin }); } };
}

async function walk(w) {
  [w.alice, w.bob] = [await Person.open(w.tmp, 'alice'), await Person.open(w.tmp, 'bob')];
  for (const [name, fn] of WALK) await step(name, () => fn(w));
}

async function end(w) {
  await Promise.allSettled([w.alice?.close(), w.bob?.close()]);
  await step('nothing unexpected in the error logs, no token or cookie in any log', async () => {
    const faults = await w.site.stop(EXPECTED);
    if (faults.length) throw new Error(faults.join('\n'));
  });
  await w.keycloak?.stop();
  if (process.env.SSO_KEEP) { console.log(`kept: ${w.tmp.path}`); w.tmp.forget(); } else w.tmp.remove();
  await step('nothing is left running', async () => {
    const left = leftovers().length ? await waitGone() : [];
    if (left.length) throw new Error(`processes: ${left.join(' ')}`);
  });
}

async function main() {
  let tools;
  try {
    tools = needed();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    total.skipped++;
    console.log(`skipped: Keycloak: ${error.message}`);
    return;
  }
  say(`Keycloak ${VERSION} on Java ${tools.java.version} (${tools.java.home})`);
  const { w, start } = await build(tools);
  if (await step('Keycloak starts in development mode and imports the realm', start)) await walk(w);
  await end(w);
}

/* The clean-up of lib/proc.mjs runs at exit, whatever the reason. */
const timer = setTimeout(() => { total.failed++; console.log(`${clock()}  FAIL  not done after ${LIMIT} s`); verdict(); process.exit(1); }, LIMIT * 1000);
onInterrupt(() => { console.log('interrupted'); process.exit(130); });
try {
  await main();
} catch (error) {
  total.failed++;
  console.log(`${clock()}  FAIL  ${error.stack ?? error}`);
}
clearTimeout(timer);
verdict();
