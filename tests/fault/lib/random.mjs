// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Luck that can be repeated: SSO_SEED names it.

export const SEED = Number(process.env.SSO_SEED ?? Date.now() % 1000000);

/** A generator of numbers in [0, 1) (mulberry32). */
export function lucky(seed = SEED) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];

/** The part of sorted numbers below which `share` of them lie. */
export function percentile(numbers, share) {
  if (!numbers.length) return 0;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
