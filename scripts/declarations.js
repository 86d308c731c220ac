// Writes the declarations for programs that use the library: those that dist/types/index.d.ts leads to, and no others.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mustRun, root } from './run.js';

const types = join(root, 'dist', 'types');
rmSync(types, { recursive: true, force: true });
await mustRun('tsc', ['-p', 'scripts/tsconfig.types.json']);

const needed = new Set();
follow(join(types, 'index.d.ts'));
for (const name of readdirSync(types, { recursive: true })) {
  const file = join(types, name);
  if (name.endsWith('.d.ts') && !needed.has(file)) rmSync(file);
}

function follow(file) {
  if (needed.has(file)) return;
  needed.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)\.(?:js|ts)'/g)) {
    follow(join(dirname(file), `${path}.d.ts`));
  }
}
