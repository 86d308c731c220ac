import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { startRig, type Rig } from '../rig/rig.ts';
import { binary } from '../rig/tunnel.ts';

/** A clone with nothing but the program's start in it. */
function clone(rig: Rig): string {
  const dir = rig.folder('a clone');
  cpSync(dirname(binary), join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
  return dir;
}

async function assertExplained(rig: Rig, dir: string, what: RegExp): Promise<void> {
  const start = join(rig.dir, 'tunnel');
  symlinkSync(join(dir, 'bin/tunnel.js'), start);
  const { status, stdout, stderr } = await rig.run([process.execPath, start, '--help']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  const [first = '', second, ...more] = stderr.trimEnd().split('\n');
  assert.match(first, what);
  assert.equal(second, `  Install it again; in a clone, run npm run build in ${dir}/`);
  assert.deepEqual(more, [], 'no stack trace');
}

test('a clone that was not built says what to do', async (t) => {
  const rig = await startRig(t);
  await assertExplained(rig, clone(rig), /^✖ tunnel is not complete: Cannot find module '.*cli\.js'\.$/);
});

test('a clone without its packages says what to do', async (t) => {
  const rig = await startRig(t);
  const dir = clone(rig);
  mkdirSync(join(dir, 'dist'));
  writeFileSync(join(dir, 'dist/cli.js'), "import 'yargs';");
  await assertExplained(rig, dir, /^✖ tunnel is not complete: Cannot find package 'yargs'\.$/);
});
