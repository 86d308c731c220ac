import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runTunnel, tunnelPath } from './run-tunnel.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

for (const flag of ['--version', '-V']) {
  test(`${flag} prints the version of package.json`, async () => {
    assert.deepEqual(await runTunnel([flag]), { status: 0, stdout: `tunnel ${version}\n`, stderr: '' });
  });
}

test('--help fits 100 columns and says what the exit statuses mean', async () => {
  const { status, stdout, stderr } = await runTunnel(['--help']);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
  for (const exitStatus of ['0', '1', '2', '255', '129', '130', '143'])
    assert.match(stdout, new RegExp(`\\b${exitStatus}\\b`));
});

/** The program without its packages: to load one of them would fail. */
function copyAlone(t: TestContext): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'tunnel-main-')));
  t.after(() => rmSync(copy, { recursive: true }));
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  return copy;
}

test('without flags, ls and help load no package', async (t) => {
  const copy = copyAlone(t);
  const bin = join(copy, 'bin/tunnel.js');
  const env = { ...process.env, TUNNEL_RUNTIME_DIR: join(copy, 'run') };
  assert.deepEqual(await runTunnel(['ls'], { bin, env }), {
    status: 0,
    stdout: '',
    stderr: 'No session is open. To open one: tunnel HOST PORT -d\n',
  });
  assert.equal((await runTunnel(['help'], { bin })).status, 0);
});

test('--version, --help and a wrong command line load neither ssh2 nor ora', async (t) => {
  const copy = copyAlone(t);
  mkdirSync(join(copy, 'node_modules'));
  symlinkSync(realpathSync(join(root, 'node_modules/yargs')), join(copy, 'node_modules/yargs'));
  const bin = join(copy, 'bin/tunnel.js');
  assert.equal((await runTunnel(['--version'], { bin })).status, 0);
  assert.equal((await runTunnel(['--help'], { bin })).status, 0);
  assert.equal((await runTunnel(['vps', '8081x'], { bin })).status, 2);
});

for (const old of ['12.22.12', '18.20.8', '20.18.3', '21.7.3', '22.11.0']) {
  test(`Node.js ${old} is told which versions will do`, async () => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${old}' })`;
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
    const { status, stdout, stderr } = await runTunnel(['--version'], { nodeArgs });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^✖ tunnel needs Node\.js 20\.19 .*\n {2}.*\n$/);
  });
}

test('a reader that has gone does no harm', async () => {
  const child = spawn(process.execPath, [tunnelPath, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  child.stderr.destroy();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
