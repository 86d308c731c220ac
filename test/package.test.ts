import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { startRig } from './rig/rig.ts';
import { mustRun } from './rig/run.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};

/** The files that these lead to, at once or later, and what each imports. */
async function reached(...entryPoints: readonly string[]): Promise<Metafile['inputs']> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints],
    outdir: 'nowhere',
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
  });
  return metafile.inputs;
}

test('the package holds what runs, what describes it, and nothing else', async (t) => {
  const rig = await startRig(t);
  const options = { env: { ...process.env, HOME: rig.env['HOME'] }, cwd: root };
  await mustRun([process.execPath, 'scripts/declarations.js'], options);
  const { stdout } = await mustRun(['npm', 'pack', '--dry-run', '--json', '--ignore-scripts'], options);
  const [{ files }] = JSON.parse(stdout) as [{ files: readonly { readonly path: string }[] }];
  const expected = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin/package.json',
    ...Object.keys(await reached('bin/tunnel.js', 'dist/index.js')),
    ...['_tunnel', 'tunnel.bash', 'tunnel.fish'].map((name) => `completions/${name}`),
    'man/tunnel.1',
    ...['profile', 'profiles', 'project'].map((name) => `schema/${name}.schema.json`),
  ];
  const paths = files.map(({ path }) => path);
  const isDeclaration = (path: string): boolean => /^dist\/types\/.*\.d\.ts$/.test(path);
  assert.deepEqual(paths.filter((path) => !isDeclaration(path)).toSorted(), expected.toSorted());
  assert.ok(paths.includes('dist/types/index.d.ts'));
  assert.ok(!paths.some((path) => path.startsWith('dist/types/cli/')), 'the library has none of the program');
});

test('each dependency is imported by the code, and each package that is imported is a dependency', async () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name}`);
  const imported = Object.values(await reached(...sources))
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external === true && !isBuiltin(path))
    .map(({ path }) => path.split('/')[0] ?? '');
  assert.deepEqual([...new Set(imported)].toSorted(), Object.keys(dependencies).toSorted());
});

test('ssh2, whose inner parts are used, is one version exactly', () => {
  assert.match(dependencies['ssh2'] ?? '', /^\d+\.\d+\.\d+$/);
});
