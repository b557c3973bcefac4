// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: who may look into which room, and which library each room may use (docs/architecture.md, "Rooms").

import { MODULE_FILES, files, includes, read, roomOf } from "./tree.mjs";

export const title = "rooms: includes go only where the plan allows";

const LANGUAGE = ["assert.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h",
  "stdint.h", "stdio.h", "stdlib.h", "string.h"];
const APR = /^apr(_(errno|general|hash|lib|pools|strings|tables|want))?\.h$/;
const SYSTEM = /^(sys\/|netinet\/|arpa\/)?\w+\.h$/;

// Rooms that may be looked into, and libraries that may be used beyond the language and APR's memory and tables.
const ROOMS = {
  base: { rooms: ["base"], libraries: [] },
  port: { rooms: ["base", "port"], libraries: [] },
  jose: { rooms: ["base", "jose"], libraries: [/^openssl\//] },
  oidc: { rooms: ["base", "jose", "oidc"], libraries: [] },
  session: { rooms: ["base", "jose", "port", "session"], libraries: [] },
  flow: { rooms: ["base", "jose", "oidc", "session", "port", "flow"], libraries: [] },
  backend: { rooms: ["base", "port", "backend"], libraries: [/^apr_/, /^curl\//, /^libmemcached/, /^lmdb\.h$/, SYSTEM] },
  httpd: {
    rooms: ["base", "port", "flow", "backend", "httpd"],
    libraries: [/^apr_/, /^(httpd|scoreboard|mpm_common|unixd)\.h$/, /^(http|ap|util|mod)_\w+\.h$/],
  },
  ctl: { rooms: ["base", "port", "flow", "backend", "ctl"], libraries: [/^apr_/, SYSTEM] },
};

// Headers that one file may use and its room may not. inet_pton is a pure parser; files, variables and commands that directives
// name are read when httpd reads its configuration.
const FILES = {
  "mod_src/flow/kindfile.c": [/^apr_file_(info|io)\.h$/],
  "mod_src/flow/kindlist.c": [/^apr_network_io\.h$/],
  "mod_src/flow/kindsecret.c": [/^apr_(env|file_io|thread_proc|time)\.h$/],
  "mod_src/base/url.c": [/^(arpa\/inet|netinet\/in)\.h$/],
  "mod_src/base/jval.c": [/^jansson\.h$/],
  "mod_src/backend/curlhttp.c": [/^openssl\/(ssl|err|x509\w*|crypto)\.h$/],
  "mod_src/backend/hostrandom.c": [/^openssl\/rand\.h$/],
};
// SYSTEM matches these names too.
const NOT_SYSTEM = [/^jansson\.h$/, /^(httpd|scoreboard|unixd)\.h$/, /^(http|ap)_\w+\.h$/];

const matches = (list, path) => list.some((pattern) => pattern.test(path));

function systemAllowed(file, room, path) {
  if (matches(FILES[file] ?? [], path) || LANGUAGE.includes(path)) return true;
  if (room !== "httpd" && matches(NOT_SYSTEM, path)) return false;
  return APR.test(path) || matches(ROOMS[room].libraries, path);
}

export function check(root) {
  const problems = [];
  for (const file of files(root, MODULE_FILES)) {
    const room = roomOf(file);
    if (!ROOMS[room]) {
      problems.push(`${file}: there is no room ${room}`);
      continue;
    }
    for (const { system, path, line } of includes(read(root, file))) {
      const [target, ...rest] = path.split("/");
      if (system && !systemAllowed(file, room, path)) problems.push(`${file}:${line}: ${room} may not use <${path}>`);
      if (!system && rest.length !== 1) problems.push(`${file}:${line}: write "room/file.h", not "${path}"`);
      else if (!system && !ROOMS[room].rooms.includes(target)) problems.push(`${file}:${line}: ${room} may not look into ${target}`);
    }
  }
  return { problems };
}
