// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The results as a picture: three panels of horizontal bars, each with its own title, unit and values at the bars.

const WIDTH = 900;
const LEFT = 250;
const RIGHT = 130;
const BAR = 16;
const INK = '#1f2933';
const GREY = '#9aa5b1';
const BLUE = '#1f6fb4';
const LIGHT = '#8fc1e8';
const RED = '#c2502e';
const PALE = '#eab39f';

const escape = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const label = (x, y, text, { anchor = 'start', size = 13, weight = 'normal', fill = INK } = {}) =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${fill}" stroke="#ffffff" stroke-width="4" paint-order="stroke">${escape(text)}</text>`;
const box = (x, y, width, height, fill) => `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(1, width).toFixed(1)}" height="${height}" fill="${fill}"/>`;

const colours = (key) => (key === 'open' ? [GREY, GREY] : key.startsWith('oidc') ? [RED, PALE] : [BLUE, LIGHT]);

/** A panel: {title, notes, rows: [{name, bars: [{value, text, fill}]}], mark: {value, text}}. Answers its height and shapes. */
function panel({ title, notes, rows, mark }, top) {
  const shapes = [label(20, top + 24, title, { size: 17, weight: 'bold' })];
  notes.forEach((note, i) => shapes.push(label(20, top + 44 + i * 17, note, { fill: '#52606d' })));
  let y = top + 44 + notes.length * 17 + (mark ? 14 : 0);
  const first = y;
  const most = Math.max(mark?.value ?? 0, ...rows.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const scale = (WIDTH - LEFT - RIGHT) / most;
  for (const { name, bars } of rows) {
    shapes.push(label(LEFT - 10, y + (bars.length * BAR) / 2 + 4, name, { anchor: 'end' }));
    for (const { value, text, fill } of bars) {
      shapes.push(box(LEFT, y, value * scale, BAR - 2, fill), label(LEFT + value * scale + 6, y + BAR - 5, text, { size: 12 }));
      y += BAR;
    }
    y += 9;
  }
  if (mark) {
    const x = (LEFT + mark.value * scale).toFixed(1);
    shapes.unshift(`<line x1="${x}" y1="${first - 6}" x2="${x}" y2="${y - 4}" stroke="${INK}" stroke-dasharray="4 3"/>`, label(Number(x), first - 10, mark.text, { anchor: 'middle', size: 12 }));
  }
  shapes.push(`<line x1="${LEFT}" y1="${first - 4}" x2="${LEFT}" y2="${y - 4}" stroke="${INK}"/>`);
  return { height: y - top + 14, shapes };
}

function throughputPanel({ throughput, contestants, logins }) {
  if (!throughput) return undefined;
  const rows = contestants.filter(({ key }) => throughput[`${key}/one`]).map(({ key, name }) => ({
    name,
    bars: ['one', 'many'].filter((kind) => throughput[`${key}/${kind}`]).map((kind, i) => {
      const { ratio, rate } = throughput[`${key}/${kind}`];
      return { value: ratio, text: `${Math.round(ratio * 100)} %${key === 'open' ? ` (${Math.round(rate).toLocaleString('en-US')}/s)` : ''}`, fill: colours(key)[i] };
    }),
  }));
  const many = Math.max(...Object.values(logins).map(({ sessions }) => sessions)).toLocaleString('en-US');
  return {
    title: 'Requests a second, compared with httpd without any protection', rows, mark: { value: 1, text: 'unprotected' },
    notes: [`Longer is better. Static page of 1 kB, keep-alive. Dark bar: all requests of one session. Light bar: ${many} sessions at random.`],
  };
}

function refreshPanel({ refresh, contestants }) {
  if (!refresh || !Object.keys(refresh).length) return undefined;
  return {
    title: 'How long requests take while a slow provider renews the access token',
    notes: ['Shorter is better. The provider takes 2 seconds; the old token is still valid. 99 of 100 requests were faster than this.'],
    rows: contestants.filter(({ key }) => refresh[key]).map(({ key, name }) => ({ name, bars: [{ value: refresh[key].p99, text: `${Math.round(refresh[key].p99).toLocaleString('en-US')} ms`, fill: colours(key)[0] }] })),
  };
}

function instructionPanel({ instructions, contestants }) {
  if (!instructions) return undefined;
  return {
    title: 'Processor instructions a request',
    notes: ['Shorter is better. Counted by callgrind, without the kernel; thousands of instructions.'],
    rows: contestants.filter(({ key }) => instructions[key]).map(({ key, name }) => ({ name, bars: [{ value: instructions[key].perRequest, text: `${Math.round(instructions[key].perRequest / 1000)} k`, fill: colours(key)[0] }] })),
  };
}

export function plot(results) {
  const shapes = [];
  let top = 6;
  for (const one of [throughputPanel(results), refreshPanel(results), instructionPanel(results)].filter(Boolean)) {
    const drawn = panel(one, top);
    shapes.push(...drawn.shapes);
    top += drawn.height;
  }
  const cell = (what) => results.machine.find(([name]) => name === what)?.[1] ?? '';
  const machine = [`${cell('Date')}: ${cell('Processor')}, ${cell('System')}`, `httpd ${cell('httpd')}; mod_auth_openidc: ${cell('mod_auth_openidc')}`];
  machine.forEach((text, i) => shapes.push(label(20, top + 12 + i * 15, text, { size: 11, fill: '#52606d' })));
  return [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Math.ceil(top + 40)}" font-family="system-ui, 'DejaVu Sans', Arial, sans-serif" role="img">`,
    '<title>Performance of mod_sso: throughput, latency during a refresh, instructions a request</title>',
    `<rect width="${WIDTH}" height="${Math.ceil(top + 40)}" fill="#ffffff"/>`, ...shapes, '</svg>', ''].join('\n');
}
