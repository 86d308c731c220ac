// npm test [-- FILE|FOLDER|--node-option…]: sets up, builds, runs the tests.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun, root, run } from './run.js';
import { ensureServers } from './setup.js';

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const files = select(args.filter((arg) => !arg.startsWith('-')));

await ensureServers();
await mustRun('node', ['scripts/build.js', '--no-types']);

const scratch = mkdtempSync(join(tmpdir(), 'tunnel-test-'));
const skipped = join(scratch, 'skipped');
const node = [
  '--import=tsx',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=2',
  '--test-timeout=900000',
  ...options,
];
// Whatever the locale of this machine: without UTF-8 our marks are others.
const env = { TUNNEL_TEST_SKIPPED: skipped, LC_ALL: 'C.UTF-8' };
process.exitCode = await run('node', [...node, ...files], env);
reportSkipped();
rmSync(scratch, { recursive: true });

/** The test files under the given paths; without any, all of them. Node.js 20 takes no globs. */
function select(paths) {
  const all = readdirSync(join(root, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .toSorted();
  const wanted = paths.map((path) => join(path).replace(/\/$/, ''));
  const unknown = wanted.find((path) => !all.some((file) => isUnder(file, path)));
  if (unknown !== undefined) {
    console.error(`✖ No test file is ${unknown} or under it`);
    process.exit(2);
  }
  return wanted.length === 0 ? all : all.filter((file) => wanted.some((path) => isUnder(file, path)));
}

function isUnder(file, path) {
  return file === path || file.startsWith(`${path}/`);
}

/** test/rig/requirements.ts writes a line a reason: what is skipped silently is soon not tested at all. */
function reportSkipped() {
  let lines;
  try {
    lines = readFileSync(skipped, 'utf8').trimEnd().split('\n');
  } catch {
    return;
  }
  console.log('\n⚠ TESTS WERE SKIPPED, for want of:');
  for (const reason of new Set(lines)) console.log(`  ${reason}`);
}
