// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// The results as docs/performance.md. Everything on the page comes from one run.

import { LIFETIME, PARALLEL } from './cycles.mjs';

const whole = (value) => (value === undefined || Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en-US'));
const fixed = (value, digits) => (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits));

function table(head, rows, rest = '--:') {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i ? rest : '---'))), ...rows.map(line)].join('\n');
}

function rateTable({ contestants, throughput, logins }, kind) {
  const count = (key) => (kind === 'many' ? ` (${whole(logins[key === 'sso0' ? 'sso' : key]?.sessions)} sessions)` : '');
  const rows = contestants.flatMap(({ key, name }) => {
    const row = throughput[`${key}/${kind}`] ?? (key === 'open' ? throughput['open/one'] : undefined);
    if (!row) return [];
    const range = key === 'open' ? '' : ` (${fixed(row.ratios[0], 2)} - ${fixed(row.ratios[1], 2)})`;
    return [[`${name}${key === 'open' ? '' : count(key)}`, whole(row.rate), `**${fixed(row.ratio, 2)}**${range}`, fixed(row.cpuRatio, 2), whole(row.cpu), fixed(row.p50, 1), fixed(row.p99, 1)]];
  });
  return table(['', 'requests/s', 'ratio, median (lowest - highest)', 'ratio by processor time', 'processor µs a request', 'p50 ms', 'p99 ms'], rows);
}

function throughputPart(results) {
  if (!results.throughput) return [];
  const { plan, throughput, contestants } = results;
  const names = new Map(contestants.map(({ key, name }) => [key, name]));
  return [
    '## Requests a second', '',
    `A static page of 1 kB over keep-alive connections, as fast as httpd answers. ${plan.rounds === 1 ? 'One round' : `${plan.rounds} rounds`}; in each, every row is measured for ${plan.seconds} s between two slices of unprotected httpd, and the ratio is to these. Beside it stands the ratio by processor time a request, which other work on the machine disturbs less. Processor time is that of httpd's processes and memcached together, without the load generator's.`, '',
    '### All requests with the cookie of one session', '', rateTable(results, 'one'), '',
    '### Each request with the cookie of a session taken at random', '', rateTable(results, 'many'), '',
    '### Strangers: the redirect to the provider', '',
    table(['', 'redirects/s', 'processor µs each'], ['sso', 'oidcmc'].filter((key) => throughput[`${key}/stranger`]).map((key) => [names.get(key), whole(throughput[`${key}/stranger`].rate), whole(throughput[`${key}/stranger`].cpu)])), '',
  ];
}

function loginPart({ logins, memory, contestants }) {
  if (!logins || !memory) return [];
  const rows = contestants.filter(({ key }) => logins[key]).map(({ key, name }) => {
    const { rate, cpu, sessions, bytes, items, memoryBefore } = logins[key];
    const store = bytes === undefined ? '-' : `${whole(bytes)} in ${fixed(items, 1)} items`;
    return [name, whole(sessions), whole(rate), whole(cpu), store, `${fixed(memoryBefore.own / 1024, 1)} -> ${fixed(memory[key].own / 1024, 1)}`, fixed(memory[key].shared / 1024, 1)];
  });
  return [
    '## Logins, and what a session weighs', '',
    'A login is the first page, the redirect, the callback with its token request and the verification of the ID token (ES256), on 16 connections; the scripted provider and the browsers share the machine, so logins/s is what all of them together reach, and the processor time is httpd\'s alone. Memory is that of an httpd child, mean: its own pages before the logins and after all rounds, and the pages of shared memory it has touched.', '',
    table(['', 'sessions', 'logins/s', 'processor µs a login', 'bytes a session in memcached', 'own MB of a child', 'shared MB'], rows), '',
  ];
}

function refreshPart({ refresh, contestants }) {
  if (!refresh || !Object.keys(refresh).length) return [];
  const rows = contestants.filter(({ key }) => refresh[key]).map(({ key, name }) => {
    const row = refresh[key];
    return [name, fixed(row.p50, 1), `**${fixed(row.p99, 0)}**`, fixed(row.max, 0), `${row.refreshes}`, `${row.reuse}`, `${row.bad} of ${row.requests}`];
  });
  return [
    '## While a slow provider refreshes', '',
    'One session, 20 requests a second whether or not the earlier ones were answered, access tokens of 8 s that both modules may refresh 4 s before their end, and a provider that takes 2 s to do so. Latencies in ms are of the requests that began while a refresh was under way; the token they carry is valid all the time.', '',
    table(['', 'p50', 'p99', 'longest', 'token requests at the provider', 'refresh tokens used twice', 'not answered with 200'], rows), '',
  ];
}

function cyclePart({ cycles, plan }) {
  if (!cycles) return [];
  return [
    '## Tokens that run out under parallel requests', '',
    `Two httpd nodes on one memcached, a provider that rotates refresh tokens and notices when one is used twice, access tokens of ${LIFETIME} s. ${plan.cycleSessions} sessions side by side; whenever a session's token has run out, ${PARALLEL} requests of it come at once, half of them on each node.`, '',
    table(['expiries', 'refreshes at the provider', 'refresh tokens used twice', 'requests', 'not answered with 200'], [[whole(cycles.cycles), `**${whole(cycles.refreshes)}**`, `${cycles.reuse}`, whole(cycles.requests), `${cycles.bad}`]]), '',
  ];
}

function functionsTable({ inclusive, self }) {
  const ours = (rows, count) => rows.filter(({ object, count: cost }) => object === 'mod_sso.so' && cost >= 50).slice(0, count);
  const [left, right] = [ours(inclusive, 25), ours(self, 25)];
  const cells = (row) => (row ? [`\`${row.name}\``, whole(row.count)] : ['', '']);
  return table(['with what it calls', 'instructions', 'by itself', 'instructions'], Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [...cells(left[i]), ...cells(right[i])]));
}

function instructionPart({ instructions, contestants }) {
  if (!instructions) return [];
  const base = instructions.open?.perRequest;
  const rows = contestants.filter(({ key }) => instructions[key]).map(({ key, name }) => [name, whole(instructions[key].perRequest), key === 'open' ? '-' : whole(instructions[key].perRequest - base)]);
  const part = [
    '## Instructions a request', '',
    'Counted by callgrind, the difference between 1,100 and 100 requests of one session on one connection. The number hardly depends on the machine and not on what else it does. It leaves out the kernel (a trip to memcached costs few instructions and much time), and valgrind has no SHA instructions, so SHA-256 counts about ten times of what it costs on a processor that has them.', '',
    table(['', 'instructions a request', 'of these the module\'s'], rows), '',
  ];
  if (instructions.sso) part.push('The dearest functions of mod_sso in a request with defaults (`cache_filter` is a filter, so what it calls is the rest of httpd\'s output):', '', functionsTable(instructions.sso), '');
  return part;
}

/** What stands in the way where a ratio was not reached, from the same run's profile. */
function obstaclePart({ verdicts, instructions, throughput }) {
  if (!instructions?.sso || !throughput?.['sso/one'] || verdicts.every(({ met }) => met)) return [];
  const cost = (name) => whole(instructions.sso.inclusive.find((row) => row.name === name && row.object === 'mod_sso.so')?.count);
  const micros = (key) => throughput[key].cpu - throughput['open/one'].cpu;
  const own = instructions.sso.perRequest - instructions.open.perRequest;
  return [
    '### What stands in the way', '',
    `With defaults a request of one session takes ${whole(own)} instructions more than unprotected httpd, and none of them waits for anything: \`seal_open\` (the record's key by HMAC, AES-GCM) ${cost('seal_open')}, \`name_record\` (the hash of the cookie) ${cost('name_record')}, \`apply_request\` (variables and headers of all claims) ${cost('apply_request')}, \`scrub_request\` ${cost('scrub_request')}. That was ${fixed(micros('sso/one'), 1)} µs of processor time on this machine, beside ${fixed(throughput['open/one'].cpu, 1)} µs of an unprotected request, which is the smallest that httpd can serve; how the two compare is a matter of processor and neighbours, while the instructions stay. What a trip to memcached adds (${fixed(micros('sso0/one'), 1)} µs without near cache, memcached's own time included) is one send, one receive and two changes of threads; with many sessions at random and two processes most requests make it.`, '',
  ];
}

const yesNo = ({ met }) => (met ? 'yes' : '**no**');

export function page(results) {
  const { plan } = results;
  return [
    '# Performance', '',
    `What signing in costs, side by side: httpd alone, mod_sso, and Debian's mod_auth_openidc, in one run of ${results.seconds} s on one machine. \`make bench\` repeats it; \`node tests/bench/run.mjs --write\` also writes this page and its plot.`, '',
    '![Requests a second relative to unprotected httpd, latency during a slow refresh, instructions a request](performance.svg)', '',
    table(['machine', ''], results.machine, '---'), '',
    ...(Number(results.machine.at(-1)[1]) > 1 ? ['**Other work was running on the machine**; a quiet one gives steadier numbers.', ''] : []),
    'Absolute numbers belong to this machine, where the load generator, memcached and httpd share the cores; ratios carry further. All httpds have the same configuration except for the lines of the module, and modules keep their defaults.', '',
    ...(results.verdicts.length ? ['## What is wanted, and whether it is so', '', table(['', 'wanted', 'measured', 'reached'], results.verdicts.map((row) => [row.what, row.limit, fixed(row.value, 2), yesNo(row)])), ''] : []),
    ...obstaclePart(results),
    ...throughputPart(results), ...refreshPart(results), ...cyclePart(results), ...loginPart(results), ...instructionPart(results),
    ...(results.skipped?.length ? ['## Left out of this run', '', ...results.skipped.map((text) => `- ${text}`), ''] : []),
    ...(results.logins && Object.values(results.logins).some(({ sessions }) => sessions < plan.sessions) ? [`Where fewer than ${whole(plan.sessions)} sessions are told, the logins were stopped after ${plan.loginLimit / 1000} s.`, ''] : []),
  ].join('\n');
}
