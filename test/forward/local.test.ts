import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { Dialer } from '../../src/endpoint.ts';
import { DialError, ListenError, type TunnelError } from '../../src/errors.ts';
import type { Forward } from '../../src/forward/forward.ts';
import { openLocalForward } from '../../src/forward/local.ts';
import { parseSpec } from '../../src/parse-spec.ts';
import {
  active,
  closed,
  connectTo,
  dialHere,
  endpointsOf,
  openForward,
  random,
  readAll,
  startFarServer,
  tempFolder,
  until,
} from './streams.ts';

/** A dialer that never gets anywhere, and gives up when it is told to. */
const dialNowhere: Dialer = (_endpoint, signal) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

const nowhere = { kind: 'tcp', host: 'localhost', port: 80 } as const;

/** A client that may be reset before it is told that it is connected. */
function clientOf(forward: Forward): Socket {
  const [endpoint] = endpointsOf(forward);
  assert.ok(endpoint?.kind === 'tcp');
  return connect(endpoint.port, endpoint.host);
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

test('a client of either loopback address is carried to the far port', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  assert.equal(forward.bound.length, 2);
  for (const endpoint of endpointsOf(forward)) {
    const client = await connectTo(t, endpoint);
    client.end('hello');
    assert.equal(String(await readAll(client)), 'hello');
  }
  assert.equal(far.sockets.length, 2);
});

test('a local Unix socket is carried to a far Unix socket', async (t) => {
  const folder = tempFolder(t);
  const far = await startFarServer(t, echo, join(folder, 'far.sock'));
  const listen = { kind: 'unix', path: join(folder, 'near.sock') } as const;
  const spec = { kind: 'local', listen, connect: far.endpoint } as const;
  const forward = await openLocalForward({ spec, dial: dialHere, remoteName: 'vps' });
  const client = await connectTo(t, endpointsOf(forward)[0]);
  client.end('hello');
  assert.equal(String(await readAll(client)), 'hello');
  await forward.close();
  assert.ok(!existsSync(listen.path));
});

test('connections and bytes are counted while they are open and when they are gone', async (t) => {
  const far = await startFarServer(t, (socket) => {
    socket.once('data', () => socket.write('four'));
    socket.once('end', () => socket.end());
  });
  const states: string[] = [];
  const forward = await openForward(t, far.endpoint, { onConnection: (state) => states.push(state) });
  const counts = () => [forward.open, forward.total, forward.bytesUp, forward.bytesDown];
  assert.deepEqual(counts(), [0, 0, 0, 0]);
  const client = await connectTo(t, endpointsOf(forward)[0]);
  client.write('seven b');
  await once(client, 'data');
  assert.deepEqual(counts(), [1, 1, 7, 4]);
  assert.deepEqual(states, ['opened']);
  client.end();
  await until(() => forward.open === 0);
  assert.deepEqual(counts(), [0, 1, 7, 4]);
  assert.deepEqual(states, ['opened', 'closed']);
});

for (const data of ['a question', '']) {
  test(`a client that ended after ${data.length} bytes while it was dialled is served`, async (t) => {
    const far = await startFarServer(t, (socket) => {
      void readAll(socket).then((question) => socket.end(`answer to ${String(question)}`));
    });
    const gate = new EventEmitter();
    const dial: Dialer = async (endpoint, signal) => {
      await once(gate, 'open');
      return dialHere(endpoint, signal);
    };
    const forward = await openForward(t, far.endpoint, { dial });
    const client = await connectTo(t, endpointsOf(forward)[0]);
    client.end(data);
    await once(client, 'finish');
    await until(() => forward.open === 1);
    gate.emit('open');
    assert.equal(String(await readAll(client)), `answer to ${data}`);
  });
}

test('a connection that cannot be dialled is reset and told, and the next one is served', async (t) => {
  const far = await startFarServer(t, echo);
  const refusal = new DialError('far-refused', 'nobody listens there');
  const errors: TunnelError[] = [];
  let dials = 0;
  const dial: Dialer = (endpoint, signal) =>
    dials++ === 0 ? Promise.reject(refusal) : dialHere(endpoint, signal);
  const forward = await openForward(t, far.endpoint, { dial, onError: (error) => errors.push(error) });
  await assert.rejects(readAll(clientOf(forward)), { code: 'ECONNRESET' });
  assert.deepEqual(errors, [refusal]);
  const served = await connectTo(t, endpointsOf(forward)[0]);
  served.end('hello');
  assert.equal(String(await readAll(served)), 'hello');
  await until(() => forward.open === 0);
  assert.equal(forward.total, 2);
});

test("a dialer's error that is not one of ours is told as a DialError that names the far end", async (t) => {
  const errors: TunnelError[] = [];
  const cause = new Error('no route');
  const forward = await openForward(t, nowhere, {
    dial: () => Promise.reject(cause),
    onError: (error) => errors.push(error),
  });
  await assert.rejects(readAll(clientOf(forward)), { code: 'ECONNRESET' });
  const [error] = errors;
  assert.ok(error instanceof DialError && error.code === 'dial-failed' && error.cause === cause);
  assert.match(error.message, /localhost:80.*no route/);
});

test('a far side that breaks resets the client and is told', async (t) => {
  const far = await startFarServer(t, (socket) => socket.write('part'));
  const lost = new DialError('connection-lost', 'the way is gone');
  const errors: TunnelError[] = [];
  const remotes: Socket[] = [];
  const dial: Dialer = async (endpoint, signal) => {
    const remote = (await dialHere(endpoint, signal)) as Socket;
    remotes.push(remote);
    return remote;
  };
  const forward = await openForward(t, far.endpoint, { dial, onError: (error) => errors.push(error) });
  const client = await connectTo(t, endpointsOf(forward)[0]);
  await once(client, 'data');
  remotes[0]?.destroy(lost);
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
  await until(() => forward.open === 0);
  assert.deepEqual(errors, [lost]);
});

test('a client that resets is not an error, and the far side is closed', async (t) => {
  const far = await startFarServer(t, (socket) => socket.write('part'));
  const errors: TunnelError[] = [];
  const forward = await openForward(t, far.endpoint, { onError: (error) => errors.push(error) });
  const client = await connectTo(t, endpointsOf(forward)[0]);
  await once(client, 'data');
  client.resetAndDestroy();
  await until(() => forward.open === 0);
  await closed((far.sockets[0] as Socket).resume());
  assert.deepEqual(errors, []);
});

test('a client that resets while it is dialled ends the dial, and is not an error', async (t) => {
  const errors: TunnelError[] = [];
  let aborted = false;
  const dial: Dialer = (endpoint, signal) => {
    signal?.addEventListener('abort', () => (aborted = true));
    return dialNowhere(endpoint, signal);
  };
  const forward = await openForward(t, nowhere, { dial, onError: (error) => errors.push(error) });
  const client = await connectTo(t, endpointsOf(forward)[0]);
  await until(() => forward.open === 1);
  client.resetAndDestroy();
  await until(() => forward.open === 0);
  assert.ok(aborted);
  assert.deepEqual(errors, []);
});

test('a stream that is dialled for a client that has left is closed', async (t) => {
  const far = await startFarServer(t, () => {});
  const gate = new EventEmitter();
  const dial: Dialer = async (endpoint) => {
    await once(gate, 'open');
    return dialHere(endpoint);
  };
  const forward = await openForward(t, far.endpoint, { dial });
  const client = await connectTo(t, endpointsOf(forward)[0]);
  await until(() => forward.open === 1);
  client.resetAndDestroy();
  gate.emit('open');
  await until(() => far.sockets.length === 1 && forward.open === 0);
  await closed((far.sockets[0] as Socket).resume());
});

test('a server that stops reading stops the client', async (t) => {
  const far = await startFarServer(t, (socket) => socket.pause());
  const [endpoint] = endpointsOf(await openForward(t, far.endpoint));
  const client = await connectTo(t, endpoint);
  const chunk = Buffer.alloc(256 * 1024);
  let sent = 0;
  const send = (): void => {
    sent += chunk.length;
    if (sent < 128 * 1024 * 1024) client.write(chunk, send);
  };
  send();
  let before = -1;
  for (let still = 0; still < 20; before = sent) {
    await sleep(5);
    still = sent === before ? still + 1 : 0;
  }
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken`);
});

test('500 connections at once are all answered and leave nothing behind', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  const [v4, v6] = endpointsOf(forward);
  const answers = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const client = await connectTo(t, index % 2 === 0 ? v4 : v6);
      client.end(`client ${index}`);
      return String(await readAll(client));
    }),
  );
  assert.deepEqual(
    answers,
    answers.map((_, index) => `client ${index}`),
  );
  await until(() => forward.open === 0 && active('TCPSocketWrap') === 0);
  assert.equal(forward.total, 500);
});

test('closing without grace resets what is open and gives up what is being dialled', async (t) => {
  const far = await startFarServer(t, (socket) => socket.write('part'));
  const stuck = await openForward(t, nowhere, { dial: dialNowhere });
  const forward = await openForward(t, far.endpoint);
  const [waiting, client] = [
    await connectTo(t, endpointsOf(stuck)[0]),
    await connectTo(t, endpointsOf(forward)[0]),
  ];
  await once(client, 'data');
  await until(() => stuck.open === 1);
  await Promise.all([stuck.close(), forward.close()]);
  assert.equal(stuck.open + forward.open, 0);
  for (const socket of [waiting, client]) await assert.rejects(readAll(socket), { code: 'ECONNRESET' });
  for (const endpoint of endpointsOf(forward))
    await assert.rejects(dialHere(endpoint), { code: 'ECONNREFUSED' });
  for (const socket of far.sockets) await closed(socket.resume());
  far.server.close();
  await until(() => active('TCPSocketWrap') + active('TCPServerWrap') === 0);
});

test('closing with grace accepts nothing more but lets an open connection finish', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  const client = await connectTo(t, endpointsOf(forward)[0]);
  client.write('before ');
  await once(client, 'data');
  const before = active('Timeout');
  const closing = forward.close({ graceMs: 3_600_000 });
  await assert.rejects(dialHere(endpointsOf(forward)[0] ?? nowhere), { code: 'ECONNREFUSED' });
  client.end('after');
  assert.equal(String(await readAll(client)), 'after');
  await closing;
  assert.equal(forward.open, 0);
  assert.equal(active('Timeout'), before);
});

test('closing with grace cuts off what is still open when the time is over', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  const client = await connectTo(t, endpointsOf(forward)[0]);
  client.write('x');
  await once(client, 'data');
  await forward.close({ graceMs: 20 });
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
});

test('a second close with a shorter time shortens the first, a longer one does not lengthen it', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  const client = await connectTo(t, endpointsOf(forward)[0]);
  client.write('x');
  await once(client, 'data');
  const patient = forward.close({ graceMs: 3_600_000 });
  const quick = forward.close({ graceMs: 20 });
  const late = forward.close({ graceMs: 3_600_000 });
  await Promise.all([patient, quick, late]);
  await assert.rejects(readAll(client), { code: 'ECONNRESET' });
});

test('a forward on a port in use is refused with its holder and leaves nothing listening', async (t) => {
  const far = await startFarServer(t, echo);
  assert.ok(far.endpoint.kind === 'tcp');
  const { port } = far.endpoint;
  await assert.rejects(
    openLocalForward({ spec: parseSpec(`${port}:80`), dial: dialHere, remoteName: 'vps' }),
    (error) =>
      error instanceof ListenError && error.code === 'port-in-use' && error.message.includes(`:${port}: `),
  );
  await assert.rejects(dialHere({ kind: 'tcp', host: '::1', port }), { code: 'ECONNREFUSED' });
});

test('32 MiB through a forward arrive unchanged in both directions at once on every listener', async (t) => {
  const far = await startFarServer(t, echo);
  const forward = await openForward(t, far.endpoint);
  const data = random(32);
  await Promise.all(
    endpointsOf(forward).map(async (endpoint) => {
      const client = await connectTo(t, endpoint);
      client.end(data);
      assert.ok(data.equals(await readAll(client)));
    }),
  );
  await until(() => forward.open === 0);
  assert.deepEqual([forward.bytesUp, forward.bytesDown], [2 * data.length, 2 * data.length]);
});
