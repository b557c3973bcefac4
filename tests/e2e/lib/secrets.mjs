// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Nothing secret may stand in a log: codes, tokens, verifiers and cookie values are looked for piece by piece.

const PIECE = 12;

/** Pieces of a secret that no text may contain; evenly spread over long ones. */
function pieces(secret) {
  const step = Math.max(4, Math.floor(secret.length / 12));
  const out = [];
  for (let at = 0; at + PIECE <= secret.length; at += step) out.push(secret.slice(at, at + PIECE));
  return out;
}

/** The first secrets found in a text: ["... context ..."]. At most `limit` secrets are looked for, the newest. */
export function leaks(text, secrets, limit = 120) {
  const found = [];
  for (const secret of [...secrets].slice(-limit)) {
    for (const piece of pieces(secret)) {
      const at = text.indexOf(piece);
      if (at >= 0) {
        const from = text.lastIndexOf('\n', at) + 1;
        found.push(text.slice(from, Math.min(text.length, at + 60)).slice(-400));
        break;
      }
    }
  }
  return found;
}
