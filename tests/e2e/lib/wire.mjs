// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// Requests written byte by byte, for what no well-behaved client would send.

import { raw } from './agent.mjs';

/** Sends one request with exactly these header lines; answers {status, head, body, text}. */
export async function send(port, { method = 'GET', path = '/', host = `localhost:${port}`, lines = [], body = '', wait = 5000 } = {}) {
  const text = await raw(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${[...lines, 'Connection: close'].map((line) => `${line}\r\n`).join('')}\r\n${body}`, { wait });
  return readAnswer(text);
}

/** The first answer in a text. Chunked bodies are put together. */
export function readAnswer(text) {
  const at = text.indexOf('\r\n\r\n');
  const head = at < 0 ? text : text.slice(0, at);
  let body = at < 0 ? '' : text.slice(at + 4);
  if (/^transfer-encoding: *chunked/im.test(head)) {
    let whole = '';
    for (let rest = body; ;) {
      const size = parseInt(rest, 16);
      const from = rest.indexOf('\r\n') + 2;
      if (!size || from < 2) break;
      whole += rest.slice(from, from + size);
      rest = rest.slice(from + size + 2);
    }
    body = whole;
  }
  return { status: Number(/^HTTP\/1\.\d (\d+)/.exec(head)?.[1] ?? 0), head, body, text, get json() { return JSON.parse(body); } };
}
