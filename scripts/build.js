// Sets up, and bundles our own code into dist, so that `tunnel` starts without loading a file a module; packages stay
// outside. The man page follows, and declarations for library users follow, unless --no-types is given.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { mustRun, root } from './run.js';
import { ensurePackages } from './setup.js';

await ensurePackages();
const { build } = await import('esbuild');
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli/main.ts',
    complete: 'src/cli/completion/main.ts',
    documents: 'src/cli/help/documents.ts',
    index: 'src/index.ts',
    version: 'src/version.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
});

const built = new Set(Object.keys(metafile.outputs).map((file) => basename(file)));
for (const name of readdirSync(join(root, 'dist'))) {
  if (!built.has(name) && name !== 'types') rmSync(join(root, 'dist', name), { recursive: true });
}

const { documents } = await import('../dist/documents.js');
for (const [name, text] of documents()) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

if (!process.argv.includes('--no-types')) await mustRun('node', ['scripts/declarations.js']);
