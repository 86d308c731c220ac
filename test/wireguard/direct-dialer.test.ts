import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { directDialer, directFailure } from '../../src/wireguard/direct-dialer.ts';
import { RouteGuard } from '../../src/wireguard/route-guard.ts';
import { routeDown, type Route } from '../../src/wireguard/route.ts';
import { freePort, readToEnd, serve } from '../rig/servers.ts';

/** The loopback interface stands for WireGuard's. With a source that is not the kernel's choice each look asks anew. */
const up: Route = { up: true, address: '127.0.0.1', interface: 'lo', source: '127.0.0.2' };
const elsewhere = routeDown('elsewhere', 'the route to 127.0.0.1 is through eth0', '127.0.0.1');
const onlyLinux = { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8' };

/** What is found at each look; the last of them from then on. */
function guardWith(...routes: Route[]): RouteGuard {
  return new RouteGuard(
    { host: '127.0.0.1' },
    async () => (routes.length > 1 ? routes.shift() : routes[0]) ?? up,
  );
}

/** Whether it was closed by an error. `once` would throw that. */
function closed(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.on('close', resolve);
  });
}

test('a connection comes from our address in the VPN, and keeps half-closes', onlyLinux, async (t) => {
  let from: string | undefined;
  const server = await serve((socket) => {
    from = socket.remoteAddress;
    socket.pipe(socket);
  });
  t.after(() => server.stop());
  const dial = directDialer(guardWith(up));
  const stream = await dial({ kind: 'tcp', host: 'localhost', port: server.port });
  stream.end('hello');
  assert.equal(await readToEnd(stream as Socket), 'hello');
  assert.equal(from, '127.0.0.2');
});

for (const [what, route, why] of [
  ['a route that turns away', elsewhere, 'the route to 127.0.0.1 is through eth0'],
  ['a route of which nothing can be told any more', routeDown('unclear', 'nobody knows'), 'nobody knows'],
  ['an address of ours that changes', { ...up, source: '127.0.0.3' }, 'the route has just changed'],
] as const) {
  test(`${what} while connecting takes the connection back, before a byte`, onlyLinux, async (t) => {
    let bytes = 0;
    let ended: Promise<boolean> | undefined;
    const server = await serve((socket) => {
      socket.on('data', (data: Buffer) => (bytes += data.length));
      ended = closed(socket);
    });
    t.after(() => server.stop());
    const dial = directDialer(guardWith(up, route));
    await assert.rejects(dial({ kind: 'tcp', host: 'localhost', port: server.port }), {
      code: directFailure.down,
      message: `WireGuard does not lead to 127.0.0.1: ${why}`,
    });
    await ended;
    assert.equal(bytes, 0);
  });
}

test('a route that has turned away is not tried', async (t) => {
  const server = await serve((socket) => socket.resume());
  t.after(() => server.stop());
  const dial = directDialer(guardWith(elsewhere));
  await assert.rejects(dial({ kind: 'tcp', host: 'localhost', port: server.port }), {
    code: directFailure.down,
  });
  assert.equal(server.total, 0);
});

test('a route that turns away resets an open connection, with the reason', onlyLinux, async (t) => {
  let wasReset: Promise<boolean> | undefined;
  const server = await serve((socket) => {
    wasReset = closed(socket.resume());
  });
  t.after(() => server.stop());
  const guard = guardWith(up, up, elsewhere);
  const stream = await directDialer(guard)({ kind: 'tcp', host: 'localhost', port: server.port });
  const lost = once(stream, 'error');
  await guard.refresh();
  const [error] = (await lost) as [Error];
  assert.equal(
    error.message,
    'The connection over WireGuard is given up: the route to 127.0.0.1 is through eth0',
  );
  assert.equal(await wasReset, true);
});

test('a refusal is told apart, and so is a caller who gives up', onlyLinux, async () => {
  const dial = directDialer(guardWith(up));
  const port = await freePort();
  await assert.rejects(dial({ kind: 'tcp', host: 'localhost', port }), { code: directFailure.refused });
  const gone = AbortSignal.abort(new Error('enough'));
  await assert.rejects(dial({ kind: 'tcp', host: 'localhost', port }, gone), /enough/);
});
