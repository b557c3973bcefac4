// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// What the project wants of itself, so that a run says by itself whether it is so.

const ratio = (key) => (results) => results.throughput?.[key]?.ratio;
const against = (key, other) => (results) => (results.throughput?.[key] && results.throughput[other] ? results.throughput[key].rate / results.throughput[other].rate : undefined);

/** what, at least (or below, or exactly), how it is read from the results */
const WANTED = [
  { what: 'one session, defaults, against unprotected httpd', least: 0.9, of: ratio('sso/one') },
  { what: 'one session, `SSONearCache 0`, against unprotected httpd', least: 0.47, of: ratio('sso0/one') },
  { what: 'one session, LMDB, against unprotected httpd', least: 0.88, of: ratio('lmdb/one') },
  { what: 'many sessions at random, defaults, against unprotected httpd', least: 0.6, of: ratio('sso/many') },
  { what: 'many sessions at random, LMDB, against unprotected httpd', least: 0.85, of: ratio('lmdb/many') },
  { what: 'one session, defaults, against mod_auth_openidc with memcached', least: 2.5, of: against('sso/one', 'oidcmc/one') },
  { what: 'one session, `SSONearCache 0`, against mod_auth_openidc with memcached', least: 1.5, of: against('sso0/one', 'oidcmc/one') },
  { what: 'refreshes at each expiry, two nodes, 160 requests at once', exactly: 1, of: ({ cycles }) => cycles && cycles.refreshes / cycles.cycles },
  { what: 'refresh tokens used twice there', exactly: 0, of: ({ cycles }) => cycles?.reuse },
  { what: 'answers other than 200 there', exactly: 0, of: ({ cycles }) => cycles?.bad },
  { what: 'p99 in ms while the provider takes 2 s to refresh', most: 10, of: (results) => results.refresh?.sso?.p99 },
];

const LIMITS = [
  ['least', (value, limit) => value >= limit, 'at least'],
  ['most', (value, limit) => value < limit, 'below'],
  ['exactly', (value, limit) => value === limit, 'exactly'],
];

function verdict(row, results) {
  const [name, holds, word] = LIMITS.find(([key]) => row[key] !== undefined);
  const value = row.of(results);
  return { what: row.what, limit: `${word} ${row[name]}`, value, met: holds(value, row[name]) };
}

/** [{what, limit, value, met}] of those that this run has measured. */
export function verdicts(results) {
  return WANTED.map((row) => verdict(row, results)).filter(({ value }) => value !== undefined);
}
