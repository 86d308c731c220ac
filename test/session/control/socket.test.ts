import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  claim,
  controlSocketPath,
  isAlive,
  removeIfDead,
  sessionName,
} from '../../../src/session/control/socket.ts';
import { makeTempDir } from '../../rig/temp-dir.ts';

function tempDir(t: TestContext): string {
  const dir = makeTempDir();
  t.after(() => dir.remove());
  return dir.path;
}

async function listen(path: string): Promise<void> {
  const server = createServer().listen(path).unref();
  await once(server, 'listening');
}

/** A socket whose process was killed. */
async function leaveSocket(path: string): Promise<void> {
  const child = fork(fileURLToPath(new URL('socket.fixture.ts', import.meta.url)), ['listen', path], {
    execArgv: ['--import=tsx'],
  });
  await once(child, 'message');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('a session is called what was written, with -l and -p', () => {
  assert.equal(sessionName({ host: 'vps' }, {}), 'vps');
  assert.equal(sessionName({ host: 'vps', user: 'a' }, { user: 'b', port: 2222 }), 'b@vps:2222');
  assert.equal(sessionName({ host: '::1', port: 22 }, {}), '[::1]:22');
});

test('the name of a control socket can be read, unless its path would be too long', () => {
  assert.equal(controlSocketPath('b@vps:2222', '/run/t'), '/run/t/b%40vps%3A2222.sock');
  assert.match(controlSocketPath('x'.repeat(200), '/run/t'), /^\/run\/t\/[0-9a-f]{16}\.sock$/);
  assert.throws(() => controlSocketPath('vps', `/${'x'.repeat(100)}`), { code: 'path-too-long' });
});

test('a socket that somebody answers on is not claimed', async (t) => {
  const path = join(tempDir(t), 'a.sock');
  await listen(path);
  assert.equal(await claim(path, async () => 'mine'), undefined);
  assert.ok(existsSync(path));
});

test('what a killed process left behind is replaced, and removed by the next look', async (t) => {
  const path = join(tempDir(t), 'a.sock');
  await leaveSocket(path);
  assert.ok(existsSync(path));
  assert.equal(await isAlive(path), false);
  await removeIfDead(path);
  assert.equal(existsSync(path), false);
  await leaveSocket(path);
  assert.equal(await claim(path, () => listen(path).then(() => 'mine')), 'mine');
  assert.equal(await isAlive(path), true);
});

test('a claim whose process was killed in the middle of it is not waited for', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'a.sock');
  mkdirSync(`${path}.claim`);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(`${path}.claim`, longAgo, longAgo);
  assert.equal(await claim(path, () => listen(path).then(() => 'mine')), 'mine');
  assert.deepEqual(readdirSync(dir), ['a.sock']);
});

test('a claim from before the clock was set back is not waited for', async (t) => {
  const path = join(tempDir(t), 'a.sock');
  mkdirSync(`${path}.claim`);
  const later = new Date(Date.now() + 3_600_000);
  utimesSync(`${path}.claim`, later, later);
  const limit = AbortSignal.timeout(5000);
  assert.equal(await claim(path, () => listen(path).then(() => 'mine'), limit), 'mine');
});

test('a claim of another process is waited for until the signal says no', async (t) => {
  const path = join(tempDir(t), 'a.sock');
  mkdirSync(`${path}.claim`);
  await assert.rejects(
    claim(path, () => listen(path), AbortSignal.timeout(100)),
    { name: 'AbortError' },
  );
});

test('a file where the claim is to be is said', async (t) => {
  const path = join(tempDir(t), 'a.sock');
  writeFileSync(`${path}.claim`, '');
  await assert.rejects(
    claim(path, () => listen(path)),
    { code: 'control-socket' },
  );
});

test('of many processes that claim at once exactly one gets it, dead socket or not', async (t) => {
  const dir = tempDir(t);
  for (const left of [false, true]) {
    const path = join(dir, `${left}.sock`);
    if (left) await leaveSocket(path);
    const children = Array.from({ length: 6 }, () =>
      fork(fileURLToPath(new URL('socket.fixture.ts', import.meta.url)), ['claim', path], {
        execArgv: ['--import=tsx'],
      }),
    );
    const answers = await Promise.all(
      children.map(async (child) => (await once(child, 'message'))[0] as string),
    );
    const gone = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(gone);
    assert.deepEqual(answers.toSorted(), ['lost', 'lost', 'lost', 'lost', 'lost', 'won']);
  }
});
