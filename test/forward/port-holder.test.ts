import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { findPortHolder, fromLsof } from '../../src/forward/port-holder.ts';
import { needs } from '../rig/requirements.ts';

/** Another process that listens on a free port of an address. */
async function startHolder(
  t: TestContext,
  host: string,
): Promise<{ readonly pid: number; readonly port: number }> {
  const script = `const s = require('node:net').createServer().listen(0, '${host}', () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: child.pid ?? 0, port: Number(String(line)) };
}

for (const [host, asked] of [
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '127.0.0.1'],
  ['127.0.0.1', '::'],
] as const) {
  test(`the process that listens on ${host} is found by asking for ${asked}`, async (t) => {
    const { pid, port } = await startHolder(t, host);
    assert.deepEqual(await findPortHolder(asked, port), { kind: 'process', pid, name: 'node' });
  });
}

test('of two processes on one port the one at the address is found', async (t) => {
  // Only /proc tells.
  if (!needs(t, 'linux')) return;
  const { port } = await startHolder(t, '127.0.0.2');
  const server = createServer().listen(port, '127.0.0.3');
  await once(server, 'listening');
  t.after(() => server.close());
  assert.deepEqual(await findPortHolder('127.0.0.3', port), {
    kind: 'process',
    pid: process.pid,
    name: 'node',
  });
  assert.equal(await findPortHolder('127.0.0.4', port), undefined);
});

test('a port that nobody listens on has no holder', async (t) => {
  const { pid, port } = await startHolder(t, '127.0.0.1');
  process.kill(pid);
  while ((await findPortHolder('127.0.0.1', port)) !== undefined);
  assert.equal(await findPortHolder('127.0.0.1', port), undefined);
});

test("of another user's process only the user is seen", async (t) => {
  // Only root can become another user.
  if (!needs(t, 'linux', 'root')) return;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const nobody = 65_534;
  const file = new URL('../../src/forward/port-holder.ts', import.meta.url).href;
  // Loaded while still root, since the folder need not be readable for others.
  const script = `import { findPortHolder } from '${file}';
    process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});
    console.log(JSON.stringify(await findPortHolder('127.0.0.1', ${port})));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    script,
  ]);
  assert.deepEqual(JSON.parse(stdout), { kind: 'user', uid: 0 });
});

test('lsof names the process as well', async (t) => {
  if (!needs(t, 'lsof')) return;
  const { pid, port } = await startHolder(t, '127.0.0.1');
  const holder = await fromLsof(port);
  assert.deepEqual({ ...holder, name: '' }, { kind: 'process', pid, name: '' });
  // On Linux, where lsof is not what we ask, recent versions of Node.js are called after their main thread.
  assert.match(holder?.kind === 'process' ? holder.name : '', /^(node|(node-)?MainThread)$/);
});
