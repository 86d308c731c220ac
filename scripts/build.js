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
const modules = { ...options, format: 'esm', splitting: true };
const program = 'src/cli/main.ts';
const results = [
  await build({ ...modules, entryPoints: { cli: program }, plugins: [loadedBy(join(root, program))] }),
  await build({ ...modules, entryPoints: { index: 'src/index.ts' } }),
  await build({ ...modules, entryPoints: { documents: 'src/cli/help/documents.ts' } }),
  // One file that is not a module starts soonest.
  await build({
    ...options,
    entryPoints: { complete: 'src/cli/completion/main.ts' },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  }),
];

const outputs = results.flatMap(({ metafile }) => Object.keys(metafile.outputs));
const built = new Set(outputs.map((file) => basename(file)));
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

/**
 * Tells esbuild that `start` is there already wherever something is imported later, as each command is. Otherwise it
 * makes a file of each set of modules that some of these share with `start`: twenty, which take 10 ms to load.
 */
function loadedBy(start) {
  const namespace = 'later';
  return {
    name: namespace,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
        kind === 'dynamic-import' ? { path: join(resolveDir, path), namespace } : undefined,
      );
      onLoad({ filter: /^/, namespace }, ({ path }) => ({
        contents: [`import ${JSON.stringify(start)};`, `export * from ${JSON.stringify(path)};`].join('\n'),
        resolveDir: dirname(path),
      }));
    },
  };
}
