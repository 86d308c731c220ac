import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createWebServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { Endpoint } from '../../src/endpoint.ts';
import { ListenError, systemCode, type TunnelError } from '../../src/errors.ts';
import type { Forward } from '../../src/forward/forward.ts';
import { type ListenThere, openRemoteForward, type RemoteForwardOptions } from '../../src/forward/remote.ts';
import { bytes, curl, dialFarTest, heldDialer } from './socks-client.ts';
import {
  closed,
  connectTo,
  freePort,
  random,
  readAll,
  startFarServer,
  tempFolder,
  until,
} from './streams.ts';

/** A far end of this machine: listens on a free port of 127.0.0.1, and stops as sshd does, keeping what it accepted. */
function farEnd(t: TestContext): ListenThere {
  return async (listen, onConnection) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      t.after(() => socket.destroy());
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = async (): Promise<void> => void server.close();
    t.after(stop);
    return {
      bound: { ...listen, port: (server.address() as AddressInfo).port } as typeof listen,
      close: stop,
    };
  };
}

interface Opened {
  readonly forward: Forward;
  /** Where the clients of the far end connect to. */
  readonly there: Endpoint;
  readonly errors: readonly TunnelError[];
}

async function openRemote(
  t: TestContext,
  connect: Endpoint | 'socks',
  options: Partial<RemoteForwardOptions> = {},
): Promise<Opened> {
  const errors: TunnelError[] = [];
  const forward = await openRemoteForward({
    spec: { kind: 'remote', listen: { kind: 'tcp', port: 'auto' }, connect },
    listenThere: farEnd(t),
    onError: (error) => errors.push(error),
    ...options,
  });
  t.after(() => forward.close());
  const [bound, ...more] = forward.bound;
  assert.ok(bound?.kind === 'tcp' && bound.port !== 'auto');
  assert.deepEqual(more, []);
  return { forward, there: { kind: 'tcp', host: '127.0.0.1', port: bound.port }, errors };
}

test('a connection there reaches the port here, and its bytes are counted as up and down', async (t) => {
  const server = await startFarServer(t, (socket) => {
    void readAll(socket).then(() => socket.end('four'));
  });
  const states: string[] = [];
  const { forward, there } = await openRemote(t, server.endpoint, {
    onConnection: (state) => states.push(state),
  });
  const client = await connectTo(t, there);
  client.end('question');
  assert.equal((await readAll(client)).toString(), 'four');
  await until(() => forward.open === 0);
  assert.deepEqual(
    [forward.total, forward.bytesDown, forward.bytesUp],
    [1, 'question'.length, 'four'.length],
  );
  assert.deepEqual(states, ['opened', 'closed']);
});

test('a connection there reaches the Unix socket here', async (t) => {
  const path = join(tempFolder(t), 'app.sock');
  await startFarServer(t, (socket) => socket.end('from the socket'), path);
  const { there } = await openRemote(t, { kind: 'unix', path });
  assert.equal((await readAll(await connectTo(t, there))).toString(), 'from the socket');
});

test('4 MiB arrive unchanged both ways', async (t) => {
  const server = await startFarServer(t, (socket) => socket.pipe(socket));
  const { there } = await openRemote(t, server.endpoint);
  const data = random(4);
  const client = await connectTo(t, there);
  client.end(data);
  assert.ok((await readAll(client)).equals(data));
});

test('a server here that stops sending still gets what the client there sends', async (t) => {
  const server = await startFarServer(t, (socket) => socket.end('all I have'));
  const { there } = await openRemote(t, server.endpoint);
  const client = await connectTo(t, there);
  assert.equal((await readAll(client)).toString(), 'all I have');
  client.end('more');
  assert.equal((await readAll(server.sockets[0] as Socket)).toString(), 'more');
});

test('a server here that resets resets the client there, and is reported', async (t) => {
  const server = await startFarServer(t, () => {});
  const { forward, there, errors } = await openRemote(t, server.endpoint);
  const client = await connectTo(t, there);
  await until(() => server.sockets.length === 1);
  server.sockets[0]?.resetAndDestroy();
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
  await until(() => forward.open === 0);
  assert.deepEqual(
    errors.map((error) => error.code),
    ['connection-broken'],
  );
});

test('a client there that resets resets the server here, and is not reported', async (t) => {
  const server = await startFarServer(t, () => {});
  const { forward, there, errors } = await openRemote(t, server.endpoint);
  const client = await connectTo(t, there);
  await until(() => server.sockets.length === 1);
  client.resetAndDestroy();
  await assert.rejects(readAll(server.sockets[0] as Socket), { code: 'ECONNRESET' });
  await until(() => forward.open === 0);
  assert.deepEqual(errors, []);
});

test('a port here that refuses ends that connection alone, and is reported', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'app.sock');
  const { forward, there, errors } = await openRemote(t, { kind: 'unix', path });
  const early = await connectTo(t, there);
  await closed(early);
  assert.equal(systemCode(early.errored), 'ECONNRESET');
  await startFarServer(t, (socket) => socket.end('up now'), path);
  const late = await connectTo(t, there);
  late.end();
  assert.equal((await readAll(late)).toString(), 'up now');
  assert.deepEqual(
    errors.map((error) => error.code),
    ['socket-missing'],
  );
  await until(() => forward.open === 0);
  assert.equal(forward.total, 2);
});

test('a failure to listen there is passed on', async (t) => {
  const refused = new ListenError('remote-listen-refused', 'vps does not listen on port 80 for us');
  await assert.rejects(openRemote(t, 'socks', { listenThere: () => Promise.reject(refused) }), refused);
});

for (const flag of ['--socks4a', '--socks5-hostname']) {
  test(`curl ${flag} there gets a page from here, its name resolved here`, async (t) => {
    const web = createWebServer((_, response) => response.end('the page')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    t.after(() => web.close());
    const asked: Endpoint[] = [];
    const { there, errors } = await openRemote(t, 'socks', {
      dialHere: (endpoint, signal) => {
        asked.push(endpoint);
        return dialFarTest(endpoint, signal);
      },
    });
    const { port } = web.address() as AddressInfo;
    const proxy = `127.0.0.1:${there.kind === 'tcp' ? there.port : 0}`;
    const result = await curl(t, flag, proxy, `http://far.test:${port}/`);
    assert.deepEqual([result.stdout, result.status], ['the page', 0]);
    assert.deepEqual(asked, [{ kind: 'tcp', host: 'far.test', port }]);
    assert.deepEqual(errors, []);
  });
}

test('a SOCKS client there is answered with the reason for which a connection failed here', async (t) => {
  const { there, errors } = await openRemote(t, 'socks');
  const port = Buffer.alloc(2);
  port.writeUInt16BE(await freePort());
  const client = await connectTo(t, there);
  client.write(Buffer.concat([bytes(`05 01 00 05 01 00 03 09 'localhost'`), port]));
  assert.deepEqual(await readAll(client), bytes('05 00 05 05 00 01 00 00 00 00 00 00'));
  assert.deepEqual(
    errors.map((error) => error.code),
    ['connect-refused'],
  );
});

test('close stops the listening there and lets open connections finish', async (t) => {
  const server = await startFarServer(t, (socket) => socket.pipe(socket));
  const { forward, there } = await openRemote(t, server.endpoint);
  const client = await connectTo(t, there);
  await until(() => server.sockets.length === 1);
  const closing = forward.close({ graceMs: 60_000 });
  await assert.rejects(connectTo(t, there), { code: 'ECONNREFUSED' });
  client.end('still served');
  assert.equal((await readAll(client)).toString(), 'still served');
  await closing;
});

test('close cuts off what is open, and what is being dialled here', async (t) => {
  const server = await startFarServer(t, () => {});
  const { dial, release } = heldDialer();
  const held = await openRemote(t, server.endpoint, { dialHere: dial });
  const open = await openRemote(t, server.endpoint);
  const clients = [await connectTo(t, held.there), await connectTo(t, open.there)];
  await until(() => held.forward.open === 1 && server.sockets.length === 1);
  const closing = Promise.all([held.forward.close(), open.forward.close()]);
  release();
  await closing;
  await Promise.all(clients.map((client) => closed(client.resume())));
});

test('a stream that the far end opened before it heard of the close is refused', async (t) => {
  let accept: ((stream: Duplex) => void) | undefined;
  const listen = farEnd(t);
  const server = await startFarServer(t, (socket) => socket.end('too late'));
  const { forward } = await openRemote(t, server.endpoint, {
    listenThere: (place, onConnection) => {
      accept = onConnection;
      return listen(place, onConnection);
    },
  });
  const pair = await startFarServer(t, () => {});
  const client = await connectTo(t, pair.endpoint);
  await until(() => pair.sockets.length === 1);
  await forward.close();
  accept?.(pair.sockets[0] as Socket);
  await closed(client.resume());
  assert.deepEqual([forward.open, forward.total, server.sockets.length], [0, 0, 0]);
});
