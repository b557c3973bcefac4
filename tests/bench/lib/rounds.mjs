// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Throughput of many points in interleaved rounds. A slice of the base stands before and after each slice of a point, and the ratio
// is taken to their mean: so a busy second of a shared machine hurts both sides, and one round is spoiled at worst. What is told
// is the median over the rounds.

import { median, spread } from './stats.mjs';
import { slice } from './load.mjs';

/** Every round starts elsewhere, so that no point always follows the same one. */
const order = (points, turn, rounds) => {
  const first = Math.floor(turn * points.length / rounds);
  return [...points.slice(first), ...points.slice(0, first)];
};

async function round({ points, base, seconds }) {
  const rows = [];
  let before = await slice(base, seconds / 2);
  for (const point of points) {
    const own = await slice(point, seconds);
    const after = await slice(base, seconds / 2);
    rows.push({ point, own, unit: (before.rate + after.rate) / 2, base: after });
    before = after;
  }
  return rows;
}

/**
 * points: [{key, ...}] as load.slice takes them; base: the point that ratios refer to.
 * Answers {key: {rate, cpu, p50, p99, ratio, ratios: [lowest, highest], cpuRatio}}; cpuRatio: the same by processor time a request.
 */
export async function measure({ points, base, rounds, seconds, log }) {
  const slices = new Map([base, ...points].map(({ key }) => [key, []]));
  const ratios = new Map(points.map(({ key }) => [key, []]));
  for (let turn = 0; turn < rounds; turn++) {
    const rows = await round({ points: order(points, turn, rounds), base, seconds });
    for (const { point, own, unit, base: nearby } of rows) {
      slices.get(point.key).push(own);
      slices.get(base.key).push(nearby);
      ratios.get(point.key).push(own.rate / unit);
    }
    log(`round ${turn + 1} of ${rounds}: ${points.map(({ key }) => `${key} ${ratios.get(key).at(-1).toFixed(2)}`).join(', ')}`);
  }
  const told = (key) => Object.fromEntries(['rate', 'cpu', 'p50', 'p99'].map((name) => [name, median(slices.get(key).map((one) => one[name]))]));
  const unit = told(base.key);
  const row = (own, list) => ({ ...own, ratio: median(list), ratios: spread(list), cpuRatio: unit.cpu / own.cpu });
  return Object.fromEntries([...slices.keys()].map((key) => [key, row(told(key), ratios.get(key) ?? [1])]));
}
