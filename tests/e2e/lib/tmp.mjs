// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_sso authors

// A temporary folder that httpd's unprivileged children may read, removed when the process ends however it ends.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atExit } from './proc.mjs';

export class Tmp {
  constructor(prefix = 'sso-e2e-') {
    this.path = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
    fs.chmodSync(this.path, 0o755);
    this.forget = atExit(() => fs.rmSync(this.path, { recursive: true, force: true }));
  }

  at(...parts) { return path.join(this.path, ...parts); }

  dir(name, mode = 0o755) {
    fs.mkdirSync(this.at(name), { recursive: true });
    fs.chmodSync(this.at(name), mode);
    return this.at(name);
  }

  file(name, content, mode = 0o644) {
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
    fs.writeFileSync(this.at(name), content, { mode });
    fs.chmodSync(this.at(name), mode);
    return this.at(name);
  }

  remove() {
    this.forget();
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}
