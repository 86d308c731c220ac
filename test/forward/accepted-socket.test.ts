import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { AcceptedSocket, acceptedSocket } from '../../src/forward/accepted-socket.ts';
import { relay } from '../../src/forward/relay.ts';
import { startServer, stopServer } from '../../src/forward/server.ts';
import type { Borrower } from '../../src/lender.ts';
import { connectTo, random, readAll, startFarServer } from './streams.ts';

/** A client, and what a server of ours has accepted of it. */
async function accepted(t: TestContext): Promise<{ client: Socket; socket: Socket; server: Server }> {
  const sockets = new EventEmitter<{ accepted: [Socket] }>();
  const acceptor = { accept: (made: Socket) => sockets.emit('accepted', made), onAcceptError: assert.fail };
  const server = await startServer({ host: '127.0.0.1', port: 0 }, acceptor);
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const [[socket], client] = await Promise.all([
    once(sockets, 'accepted') as Promise<[Socket]>,
    connectTo(t, { kind: 'tcp', host: '127.0.0.1', port }),
  ]);
  t.after(() => socket.destroy());
  return { client, socket, server };
}

/** Copies what is written to it when `take` says that it may, as a channel does when the window lets it. */
class CopyingStream extends Duplex implements Borrower {
  readonly isBorrower = true;
  readonly copied: Buffer[] = [];
  readonly memory = new Set<ArrayBufferLike>();
  readonly #take: () => Promise<unknown> | undefined;

  constructor(take: () => Promise<unknown> | undefined) {
    super({ allowHalfOpen: true });
    this.#take = take;
  }

  override _read(): void {}

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.memory.add(data.buffer);
    const copy = (): void => {
      this.copied.push(Buffer.from(data));
      done();
    };
    const taken = this.#take();
    if (taken === undefined) copy();
    else void taken.then(copy);
  }
}

async function uploadTo(t: TestContext, far: CopyingStream, parts: readonly Buffer[]): Promise<void> {
  const { client, socket } = await accepted(t);
  const end = relay(socket, far);
  for (const part of parts) {
    client.write(part);
    if (part.length < 20_000) await sleep(1);
  }
  client.end();
  await once(far, 'finish');
  assert.ok(Buffer.concat(far.copied).equals(Buffer.concat(parts)));
  far.push(null);
  await end;
}

test('an upload is taken unchanged by a far side that is slow, in large and in small pieces', async (t) => {
  const parts = Array.from({ length: 200 }, (_, i) =>
    random(1).subarray(0, [300_000, 9000, 65_536, 40_000][i % 4]),
  );
  let writes = 0;
  await uploadTo(t, new CopyingStream(() => (writes++ % 3 === 0 ? sleep(1) : undefined)), parts);
});

test('what two clients say little by little does not mix, before a far side that is slow', async (t) => {
  const upload = async (): Promise<void> => {
    const parts = Array.from({ length: 50 }, () => random(1).subarray(0, 2000));
    await uploadTo(t, new CopyingStream(() => sleep(3)), parts);
  };
  await Promise.all([upload(), upload()]);
});

for (const [name, take] of [
  ['takes all at once', () => undefined],
  ['is one piece behind', () => Promise.resolve()],
] as const) {
  test(`memory is used again for a far side that ${name}`, async (t) => {
    const far = new CopyingStream(take);
    await uploadTo(t, far, [random(16)]);
    // Of 256; a client that is slow now and then has some of its pieces copied.
    assert.ok(far.memory.size < 128, `${far.memory.size} pieces`);
  });
}

test('pieces of any size go through to a socket', async (t) => {
  const { client, socket } = await accepted(t);
  const { endpoint, sockets } = await startFarServer(t, () => {});
  const far = await connectTo(t, endpoint);
  const end = relay(socket, far);
  while (sockets.length === 0) await sleep(1);
  const [server] = sockets as [Socket];
  for (const size of [1, 10_000, 65_536, 65_536, 20_000, 300_000, 20_000]) {
    const part = random(1).subarray(0, size);
    client.write(part);
    for (let received = 0; received < size;) {
      const [data] = (await once(server, 'data')) as [Buffer];
      assert.ok(data.equals(part.subarray(received, received + data.length)), `of ${size}`);
      received += data.length;
    }
  }
  client.end();
  server.end();
  await end;
});

test('what nobody borrows stays as it was read', async (t) => {
  const { client, socket } = await accepted(t);
  const sent = random(4);
  client.end(sent);
  assert.ok(sent.equals(await readAll(socket)));
});

test('a server ends when what it has accepted is closed, and not before', async (t) => {
  const { socket, server } = await accepted(t);
  assert.ok(socket instanceof AcceptedSocket);
  let isClosed = false;
  const closed = stopServer(server).then(() => (isClosed = true));
  await sleep(20);
  assert.equal(isClosed, false);
  socket.destroy();
  await closed;
});

test('a socket of another shape is left as it is', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  assert.equal(acceptedSocket(socket, {}), socket);
});
