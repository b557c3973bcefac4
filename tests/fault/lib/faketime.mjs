// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Another time for one process, which can be moved while it runs: libfaketime reads an offset from a file. The steady clock stays
// as it is unless somebody wants it faked too.

import fs from 'node:fs';
import { Tmp } from '../../e2e/lib/tmp.mjs';

export const FAKETIME = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find((name) => fs.existsSync(name));

/** {env(), set(offset: '+90s', '@2038-01-19 03:14:00'), remove()}. */
export function fakeTime(offset = '+0') {
  const tmp = new Tmp('sso-time-');
  const file = tmp.file('offset', `${offset}\n`);
  return {
    env: ({ monotonic = false } = {}) => ({ LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: monotonic ? '0' : '1', TZ: 'UTC' }),
    set: (to) => { fs.writeFileSync(`${file}.new`, `${to}\n`); fs.renameSync(`${file}.new`, file); },
    remove: () => tmp.remove(),
  };
}
