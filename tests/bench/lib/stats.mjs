// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The few numbers that a list of numbers is told by.

const sorted = (list) => [...list].sort((one, other) => one - other);

export function median(list) {
  const values = sorted(list);
  const half = values.length / 2;
  if (values.length === 0) return NaN;
  return Number.isInteger(half) ? (values[half - 1] + values[half]) / 2 : values[Math.floor(half)];
}

/** The value that `share` (0..1) of the list does not exceed. */
export function percentile(list, share) {
  const values = sorted(list);
  return values.length ? values[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)] : NaN;
}

export const spread = (list) => [Math.min(...list), Math.max(...list)];
