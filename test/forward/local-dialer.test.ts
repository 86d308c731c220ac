import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Endpoint } from '../../src/endpoint.ts';
import { DialError } from '../../src/errors.ts';
import { dialLocal } from '../../src/forward/local-dialer.ts';
import { freePort, readAll, startFarServer, tempFolder } from './streams.ts';

async function serveOn(t: TestContext, host: string): Promise<number> {
  const server = createServer((socket) => socket.end(host)).listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const host of ['127.0.0.1', '::1']) {
  test(`a server on ${host} alone is found as localhost`, async (t) => {
    const port = await serveOn(t, host);
    const socket = await dialLocal({ kind: 'tcp', host: 'localhost', port });
    t.after(() => socket.destroy());
    assert.equal((await readAll(socket)).toString(), host);
  });
}

test('a socket in the home is found with ~', async (t) => {
  const home = tempFolder(t);
  await startFarServer(t, (socket) => socket.end('at home'), join(home, 'app.sock'));
  const before = process.env['HOME'];
  t.after(() => {
    if (before === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before;
  });
  process.env['HOME'] = home;
  const socket = await dialLocal({ kind: 'unix', path: '~/app.sock' });
  t.after(() => socket.destroy());
  assert.equal((await readAll(socket)).toString(), 'at home');
});

test('the stream keeps half-closes', async (t) => {
  const far = await startFarServer(t, (socket) => socket.end());
  const socket = await dialLocal(far.endpoint);
  t.after(() => socket.destroy());
  await readAll(socket);
  socket.end('after the end');
  assert.equal((await readAll(far.sockets[0] as never)).toString(), 'after the end');
});

test('each failure is a DialError of its own kind that names the place', async (t) => {
  const folder = tempFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const failures: readonly (readonly [endpoint: Endpoint, code: string])[] = [
    [{ kind: 'tcp', host: '127.0.0.1', port: await freePort() }, 'connect-refused'],
    [{ kind: 'tcp', host: 'localhost', port: await freePort() }, 'connect-refused'],
    // An empty label: refused by the resolver itself, without asking the network.
    [{ kind: 'tcp', host: 'no..host', port: 80 }, 'unknown-host'],
    [{ kind: 'unix', path: join(folder, 'missing.sock') }, 'socket-missing'],
    [{ kind: 'unix', path: join(file, 'app.sock') }, 'socket-missing'],
    [{ kind: 'unix', path: file }, 'socket-nobody-listening'],
  ];
  for (const [endpoint, code] of failures) {
    const place = endpoint.kind === 'unix' ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
    await assert.rejects(dialLocal(endpoint), (error) => {
      assert.ok(error instanceof DialError);
      assert.equal(error.code, code);
      assert.ok(error.message.startsWith(`Cannot connect to ${place} on this machine: `), error.message);
      return true;
    });
  }
});

test('an aborted signal gives up the dial with its reason', async (t) => {
  const far = await startFarServer(t, () => {});
  const reason = new Error('given up');
  const abort = new AbortController();
  const dialling = dialLocal(far.endpoint, abort.signal);
  abort.abort(reason);
  await assert.rejects(dialling, reason);
  await assert.rejects(dialLocal(far.endpoint, abort.signal), reason);
});

test('a signal aborted after the dial leaves the stream alone', async (t) => {
  const far = await startFarServer(t, (socket) => socket.pipe(socket));
  const abort = new AbortController();
  const socket = await dialLocal(far.endpoint, abort.signal);
  t.after(() => socket.destroy());
  abort.abort();
  socket.end('still there');
  assert.equal((await readAll(socket)).toString(), 'still there');
});
