// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Throughput of many points in interleaved rounds: each round measures every point once, in a new order, so that a slow minute of
// the machine hits all of them. Ratios are taken within a round and the median of the ratios is told.

import { median, spread } from './stats.mjs';
import { slice } from './load.mjs';

const shuffled = (list, turn) => list.map((_, i) => list[(i * 7 + turn * 3) % list.length]);

/** The order of a round; a step that divides the length would leave points out, so that is looked after. */
const order = (points, turn) => (points.length % 7 === 0 ? points : shuffled(points, turn));

/**
 * points: [{key, ...}] as load.slice takes them; `base`: key of the point that ratios refer to.
 * Answers a Map key -> {rate, cpu, ratio, ratios: [lowest, highest], cpuRatio, p50, p99}.
 */
export async function measure({ points, base, rounds, seconds, log }) {
  const found = new Map(points.map((point) => [point.key, []]));
  for (let turn = 0; turn < rounds; turn++) {
    for (const point of order(points, turn)) found.get(point.key).push(await slice(point, seconds));
    log(`round ${turn + 1} of ${rounds}: ${points.map((point) => `${point.key} ${Math.round(found.get(point.key).at(-1).rate)}/s`).join(', ')}`);
  }
  const unit = found.get(base);
  const summary = new Map();
  for (const [key, slices] of found) {
    const of = (name) => median(slices.map((one) => one[name]));
    const ratios = unit ? slices.map((one, turn) => one.rate / unit[turn].rate) : [NaN];
    summary.set(key, { rate: of('rate'), cpu: of('cpu'), p50: of('p50'), p99: of('p99'), ratio: median(ratios), ratios: spread(ratios) });
  }
  return summary;
}
