/**
 * Takes the client's code out of the specification, word for word: `node extract.js SPECIFICATION.md`.
 *
 * Each block that begins with `// apps/web/src/…` is written below `client/`, beside the stores and the sign-in that
 * the specification leaves to the application. One thing is added: the import of `useState` that a hook of it forgets.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BLOCK = /^```javascript\n(\/\/ apps\/web\/src\/(\S+)\n[^]*?)^```$/gm;
const FORGOTTEN = "import { useState } from 'react';\n";

for (const [, code, path] of readFileSync(process.argv[2], 'utf8').matchAll(BLOCK)) {
  const uses = /\buseState\(/.test(code);
  const imported = /^import .*\buseState\b.* from 'react';$/m.test(code);
  const file = join(import.meta.dirname, 'client', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, uses && !imported ? FORGOTTEN + code : code);
  console.log(path);
}
