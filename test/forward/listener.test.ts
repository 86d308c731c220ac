import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { formatEndpoint, parseEndpoint } from '../../src/endpoint.ts';
import { ListenError } from '../../src/errors.ts';
import { autoPorts } from '../../src/forward/auto-port.ts';
import { openListener } from '../../src/forward/listener.ts';
import type { Acceptor, Listener } from '../../src/forward/server.ts';
import { parseSpec } from '../../src/parse-spec.ts';
import { dialHere, freePort } from './streams.ts';

const acceptor: Acceptor = {
  accept: (socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  },
  onAcceptError: (error) => {
    throw error;
  },
};

async function open(t: TestContext, spec: string, remoteName: string = randomUUID()): Promise<Listener> {
  const listener = await openListener(parseSpec(spec), remoteName, acceptor);
  t.after(() => listener.close());
  return listener;
}

/** Takes a port of one loopback address until the test ends. */
async function occupy(t: TestContext, host: string, port: number): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const shown = (listener: Listener): readonly string[] => listener.bound.map(formatEndpoint);

test('without a bind address both loopback addresses are listened on, and nothing else', async (t) => {
  const port = await freePort();
  const listener = await open(t, `${port}:80`);
  assert.deepEqual(shown(listener), [`127.0.0.1:${port}`, `[::1]:${port}`]);
  for (const endpoint of listener.bound) {
    const client = await dialHere(endpoint);
    assert.equal(String(await once(client, 'data')), 'hello');
    client.destroy();
  }
});

for (const [taken, other] of [
  ['127.0.0.1', '[::1]'],
  ['::1', '127.0.0.1'],
] as const) {
  test(`where ${taken} is taken the other loopback address is not listened on either`, async (t) => {
    const port = await occupy(t, taken, 0);
    await assert.rejects(
      open(t, `${port}:80`),
      (error) => error instanceof ListenError && error.code === 'port-in-use',
    );
    await assert.rejects(dialHere(parseEndpoint(`${other}:${port}`)), { code: 'ECONNREFUSED' });
  });
}

test('a bind address is the one address that is listened on', async (t) => {
  const port = await freePort();
  assert.deepEqual(shown(await open(t, `127.0.0.2:${port}:localhost:80`)), [`127.0.0.2:${port}`]);
  await assert.rejects(dialHere(parseEndpoint(`127.0.0.1:${port}`)), { code: 'ECONNREFUSED' });
});

test('a star is listened on at every address of both families', async (t) => {
  const port = await freePort();
  await open(t, `*:${port}:localhost:80`);
  for (const host of ['127.0.0.1', '127.0.0.2', '[::1]']) {
    const client = await dialHere(parseEndpoint(`${host}:${port}`));
    client.destroy();
  }
});

test('an address that this machine does not have is refused with code address-not-available', async (t) => {
  await assert.rejects(
    open(t, `192.0.2.1:${await freePort()}:localhost:80`),
    (error) => error instanceof ListenError && error.code === 'address-not-available',
  );
});

test('an auto port is the same one again, on both loopback addresses', async (t) => {
  const remote = randomUUID();
  const first = await open(t, 'auto:3000', remote);
  await first.close();
  const second = await open(t, 'auto:3000', remote);
  assert.deepEqual(second.bound, first.bound);
  assert.equal(second.bound.length, 2);
});

test('an auto port that is taken on either loopback address gives way to the next in order', async (t) => {
  const remote = randomUUID();
  const [a = 0, b = 0, ...rest] = autoPorts(remote, 'localhost:3000');
  await occupy(t, '::1', a);
  await occupy(t, '127.0.0.1', b);
  const [endpoint] = (await open(t, 'auto:3000', remote)).bound;
  assert.ok(endpoint?.kind === 'tcp');
  // Another program may happen to have the third.
  assert.ok(rest.slice(0, 5).includes(endpoint.port), `${endpoint.port}`);
});

test('an auto port beside a bind address is a port of that address', async (t) => {
  const [endpoint, ...more] = (await open(t, '127.0.0.3:auto:localhost:80')).bound;
  assert.ok(endpoint?.kind === 'tcp' && endpoint.host === '127.0.0.3');
  assert.deepEqual(more, []);
});

test('a closed listener accepts nothing more', async (t) => {
  const listener = await open(t, 'auto:3000');
  await listener.close();
  for (const endpoint of listener.bound) await assert.rejects(dialHere(endpoint), { code: 'ECONNREFUSED' });
});
