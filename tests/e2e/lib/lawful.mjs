// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The law of the error log, test by test: a line of warning or above that a test neither provoked with assertRefused nor announced
// with world.expects() fails that very test, and so does an announced line that does not come.

import test from 'node:test';

/** test() for tests that share a world. */
export function lawful(world) {
  return (name, body) => test(name, async (t) => {
    const from = world.logMarks();
    let done = false;
    try {
      await body(t);
      done = true;
    } finally {
      if (!world.over) world.judge(from, done);
    }
  });
}
