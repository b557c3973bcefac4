// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors
//
// Law: every external symbol of x.c starts with x_, none equals one of a library that httpd may have loaded (such a library would
// call ours, or we its own), and the module shows sso_module alone and is linked hard.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { files, stem } from "./tree.mjs";
import { run } from "./work.mjs";

export const title = "names: symbols carry their file's name and meet no library's";

const LIBRARIES = ["jansson", "crypto", "ssl", "curl", "curl-gnutls", "memcached", "memcachedutil", "hashkit", "lmdb", "apr-1", "aprutil-1",
  "pcre2-8", "c", "m", "stdc++", "nghttp2", "z", "xml2", "lua5.3", "lua5.4", "luajit-5.1", "cjose", "hiredis", "expat", "brotlienc", "ldap",
  "sasl2", "uuid", "pthread", "gssapi_krb5", "db-5.3"];
const PROGRAMS = ["/usr/sbin/apache2", "/usr/sbin/httpd"];
const MODULES = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"];
const SHOWN = ["sso_module"];

// Symbols that a file of the compiler defines for others: [file, name].
async function defined(options, paths) {
  if (paths.length === 0) return [];
  const { stdout } = await run("nm", [...options, "--defined-only", "-A", "--no-demangle", ...paths]);
  return stdout.split("\n").map((line) => /^(.*?): ?\S* ([A-Z]) (\S+)$/.exec(line)).filter(Boolean)
    .map(([, path, , name]) => [path, name.replace(/@.*/, "")]);
}

function foreignFiles() {
  let cache = "";
  try {
    cache = execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
  } catch {
    // no glibc: only httpd itself and its modules are compared
  }
  const named = new Set(LIBRARIES);
  const libraries = [...cache.matchAll(/^\s*lib(\S+?)\.so\.\S+ \((?=[^)]*64)[^)]*\) => (\S+)$/gm)].filter(([, name]) => named.has(name)).map(([, , path]) => path);
  const modules = MODULES.filter(existsSync).flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".so") && name !== "mod_sso.so")
    .map((name) => join(folder, name)));
  return [...new Set([...libraries, ...PROGRAMS.filter(existsSync), ...modules])];
}

async function symbolProblems(root, build) {
  const objects = files(root, /^mod_src\/.*\.c$/).map((file) => join(build, "obj", file.replace("mod_src/", "").replace(/c$/, "o"))).filter(existsSync);
  const foreign = new Map((await defined(["-D"], foreignFiles())).map(([path, name]) => [name, path]));
  const problems = [];
  for (const [object, name] of await defined(["-g"], objects)) {
    if (!name.startsWith(`${stem(object)}_`) && !SHOWN.includes(name)) problems.push(`${object}: ${name} does not start with ${stem(object)}_`);
    if (foreign.has(name)) problems.push(`${object}: ${name} is a symbol of ${foreign.get(name)} too`);
  }
  return { problems, note: `${objects.length} objects against ${foreign.size} foreign symbols` };
}

async function moduleProblems(build) {
  const module = join(build, "mod_sso.so");
  if (!existsSync(module)) return [];
  const shown = (await defined(["-D"], [module])).map(([, name]) => name).sort();
  const { output } = await run("readelf", ["-W", "-l", "-d", module]);
  const demands = [
    [shown.join() === SHOWN.join(), `shows ${shown.join(" ") || "nothing"} instead of ${SHOWN.join(" ")}`],
    [/GNU_RELRO/.test(output) && /BIND_NOW|\bNOW\b/.test(output), "is linked without full RELRO"],
    [/GNU_STACK\s.* RW /.test(output), "has an executable stack"],
    [!/TEXTREL/.test(output), "has text relocations"],
    [!/RPATH|RUNPATH/.test(output), "has a library path of its own"],
  ];
  return demands.filter(([right]) => !right).map(([, problem]) => `${module}: ${problem}`);
}

export async function check(root, { build }) {
  const { problems, note } = await symbolProblems(root, build);
  return { problems: [...problems, ...(await moduleProblems(build))], note };
}
