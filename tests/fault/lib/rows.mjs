// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Rows of faults.md and how one is judged. A row collects figures: each says what was wanted and what was measured; a row passes
// when every figure is right and no invariant was violated. Counts hold exactly; times have a ceiling of four times the figure, since
// machines that run tests are busy.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { leftovers, waitGone } from '../../e2e/lib/proc.mjs';
import { Stage } from './stage.mjs';

export const PATIENCE = 4;
export const rows = [];

/** Declares a row. `work(play)`; see Play. options: short (it runs in `make test` too). */
export function row(id, title, work, options = {}) { rows.push({ id, title, work, ...options }); }

class Skip extends Error {}

export class Play {
  constructor(id, short) { Object.assign(this, { id, short, figures: [], faults: [], stages: [], undo: [] }); }

  /** The longer or the shorter of two numbers. */
  span(full, short) { return this.short ? short : full; }
  skip(reason) { throw new Skip(reason); }

  async stage(options) {
    const stage = await Stage.build(options);
    stage.row = this.id;
    this.stages.push(stage);
    return stage;
  }

  note(what, got) { this.figures.push({ what, wanted: '-', got: String(got), ok: true }); }
  is(what, wanted, got) { this.judge(what, String(wanted), got, got === wanted); }
  atMost(what, most, got, unit = '') { this.judge(what, `<= ${most}${unit}`, `${got}${unit}`, got <= most); }
  atLeast(what, least, got, unit = '') { this.judge(what, `>= ${least}${unit}`, `${got}${unit}`, got >= least); }
  /** A time in ms: right below four times the figure. */
  within(what, ms, got) { this.judge(what, `<= ${ms} ms`, `${Math.round(got)} ms`, got <= ms * PATIENCE, got > ms ? ' (above the figure, below its ceiling)' : ''); }

  judge(what, wanted, got, ok, remark = '') {
    this.figures.push({ what, wanted, got: `${got}${ok ? remark : ''}`, ok });
    if (!ok) this.faults.push(`${what}: wanted ${wanted}, got ${got}`);
  }

  /** Ends a stage and takes its verdict on the invariants. */
  async finish(stage, options) {
    for (const proxy of stage.proxies ?? []) this.note("memcached's slowest answer", `${Math.round(proxy.slowest ?? 0)} ms; connections closed while one was awaited: ${proxy.givenUp ?? 0}`);
    this.faults.push(...(await stage.finish(options)));
  }
}

/** Plays a row: {status: passed|failed|skipped, reason, figures, seconds}. */
export async function playRow({ id, work }, short) {
  const play = new Play(id, short);
  const began = Date.now();
  const pauses = monitorEventLoopDelay({ resolution: 10 });
  pauses.enable();
  let reason;
  try { await work(play); } catch (error) {
    if (error instanceof Skip) reason = error.message;
    else play.faults.push(error.stack ?? String(error));
  }
  for (const stage of play.stages) if (!stage.over) {
    try { await stage.tearDown(); } catch (error) { play.faults.push(`while ending: ${error.message}`); }
  }
  for (const undo of play.undo.reverse()) { try { await undo(); } catch (error) { play.faults.push(`while cleaning: ${error.message}`); } }
  pauses.disable();
  play.note('longest pause of the harness itself', `${Math.round(pauses.max / 1e6)} ms (p99 ${Math.round(pauses.percentile(99) / 1e6)} ms)`);
  const left = leftovers().length ? await waitGone() : [];
  if (left.length) play.faults.push(`processes left: ${left.join(' ')}`);
  const status = play.faults.length ? 'failed' : reason ? 'skipped' : 'passed';
  return { id, status, reason, faults: play.faults, figures: play.figures, seconds: (Date.now() - began) / 1000 };
}
