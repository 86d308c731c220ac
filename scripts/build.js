// Sets up, and bundles our own code into dist, so that `tunnel` starts without loading a file a module; packages stay
// outside. The man page follows, and declarations for library users follow, unless --no-types is given.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { mustRun, root } from './run.js';
import { ensurePackages } from './setup.js';

await ensurePackages();
const { build } = await import('esbuild');
const options = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
};
const modules = await build({
  ...options,
  entryPoints: {
    cli: 'src/cli/main.ts',
    documents: 'src/cli/help/documents.ts',
    index: 'src/index.ts',
  },
  splitting: true,
  format: 'esm',
});
// One file without a module in it starts soonest.
const completion = await build({
  ...options,
  entryPoints: { complete: 'src/cli/completion/main.ts' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
});

const outputs = { ...modules.metafile.outputs, ...completion.metafile.outputs };
const built = new Set(Object.keys(outputs).map((file) => basename(file)));
for (const name of readdirSync(join(root, 'dist'))) {
  if (!built.has(name) && name !== 'types') rmSync(join(root, 'dist', name), { recursive: true });
}

const { documents } = await import('../dist/documents.js');
for (const [name, text] of documents()) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
}

if (!process.argv.includes('--no-types')) {
  rmSync(join(root, 'dist', 'types'), { recursive: true, force: true });
  await mustRun('tsc', ['-p', 'scripts/tsconfig.types.json']);
}
