import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ListenError } from '../../src/errors.ts';
import { openListener } from '../../src/forward/listener.ts';
import type { Listener } from '../../src/forward/server.ts';
import { dialHere, tempFolder } from './streams.ts';

async function open(t: TestContext, path: string): Promise<Listener> {
  const spec = {
    kind: 'local',
    listen: { kind: 'unix', path },
    connect: { kind: 'tcp', host: 'localhost', port: 80 },
  } as const;
  const listener = await openListener(spec, 'vps', {
    accept: (socket) => {
      socket.on('error', () => {});
      socket.end('hello');
    },
    onAcceptError: (error) => {
      throw error;
    },
  });
  t.after(() => listener.close());
  return listener;
}

function failsWith(code: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ListenError, String(error));
    assert.equal(error.code, code);
    return true;
  };
}

async function answer(path: string): Promise<string> {
  const client = await dialHere({ kind: 'unix', path });
  const [data] = (await once(client, 'data')) as [Buffer];
  client.destroy();
  return String(data);
}

/** Leaves a socket on which nobody listens any more. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'close');
  assert.ok(lstatSync(path).isSocket());
}

test('a socket is listened on with mode 0600 and is all that is in its folder', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'app.sock');
  const listener = await open(t, path);
  assert.deepEqual(listener.bound, [{ kind: 'unix', path }]);
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['app.sock']);
  assert.equal(await answer(path), 'hello');
});

test('a relative path is in the working directory', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  const listener = await open(t, `./${relative(process.cwd(), path)}`);
  assert.deepEqual(listener.bound, [{ kind: 'unix', path }]);
});

test('a path that begins with ~/ is in the home of the user here', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  const listener = await open(t, `~/${relative(homedir(), path)}`);
  assert.deepEqual(listener.bound, [{ kind: 'unix', path }]);
});

test('the socket is gone when the listener is closed', async (t) => {
  const folder = tempFolder(t);
  const listener = await open(t, join(folder, 'app.sock'));
  await listener.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('a socket that somebody else put in the place is left there by close', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'app.sock');
  const first = await open(t, path);
  renameSync(path, join(folder, 'old.sock'));
  const second = await open(t, path);
  await first.close();
  assert.equal(await answer(path), 'hello');
  await second.close();
  assert.ok(!existsSync(path));
});

test('a file that somebody else put in the place is left there by every close', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  const listener = await open(t, path);
  await listener.close();
  writeFileSync(path, 'mine');
  await listener.close();
  assert.ok(existsSync(path));
});

test('a dead socket is replaced', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  await leaveDeadSocket(path);
  await open(t, path);
  assert.equal(await answer(path), 'hello');
});

test('a live socket is refused and goes on answering', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'app.sock');
  await open(t, path);
  await assert.rejects(open(t, path), failsWith('socket-in-use'));
  assert.equal(await answer(path), 'hello');
  assert.deepEqual(readdirSync(folder), ['app.sock']);
});

test('what is not a socket is refused and left alone', async (t) => {
  const folder = tempFolder(t);
  const file = join(folder, 'file');
  const link = join(folder, 'link');
  writeFileSync(file, 'precious');
  const server = createServer().listen(join(folder, 'live.sock'));
  await once(server, 'listening');
  t.after(() => server.close());
  symlinkSync(join(folder, 'live.sock'), link);
  for (const path of [file, link, folder]) await assert.rejects(open(t, path), failsWith('not-a-socket'));
  assert.deepEqual(readdirSync(folder).toSorted(), ['file', 'link', 'live.sock']);
});

test('a folder that is missing is named', async (t) => {
  const folder = join(tempFolder(t), 'missing');
  await assert.rejects(open(t, join(folder, 'app.sock')), (error) => {
    failsWith('folder-missing')(error);
    return error instanceof ListenError && error.hint.includes(`Make it: mkdir -p ${folder}`);
  });
});

test('a path that is too long for a socket is refused and leaves nothing behind', async (t) => {
  const folder = tempFolder(t);
  await assert.rejects(open(t, join(folder, 'x'.repeat(108 - folder.length))), failsWith('path-too-long'));
  assert.deepEqual(readdirSync(folder), []);
});
