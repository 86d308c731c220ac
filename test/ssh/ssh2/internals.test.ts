import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import ssh2, { type Channel, type Client } from 'ssh2';
import { ChannelStream } from '../../../src/ssh/ssh2/channel-stream.ts';
import {
  authenticateAtOnce,
  openWithWindow,
  OWN_WINDOW,
  ping,
  signAtOnce,
  takeOverFlow,
  type ChannelFlow,
} from '../../../src/ssh/ssh2/internals.ts';
import { Outflow } from '../../../src/ssh/ssh2/outflow.ts';
import { replacePacketAllocation, watchPayloads } from '../../../src/ssh/ssh2/packet-internals.ts';
import { reusePacketMemory } from '../../../src/ssh/ssh2/packet-memory.ts';
import { until } from '../../rig/until.ts';
import { startSsh2Server } from './ssh2-server.ts';

const MIB = 1024 * 1024;

/** What ssh2's server knows of one of its channels. */
interface AtServer extends Channel {
  readonly outgoing: { readonly window: number };
}

/** A client of the pinned ssh2 that is logged in to a server of the same. */
async function start(t: TestContext): Promise<{
  client: Client;
  socket: ReturnType<typeof connect>;
  /** Opens a channel; both ends of it. */
  open: (window: number) => Promise<{ told: number; here: Channel; there: AtServer }>;
}> {
  const accepted: AtServer[] = [];
  const server = await startSsh2Server((connection) => {
    connection.on('authentication', (context) => context.accept());
    connection.on('tcpip', (accept) => accepted.push(accept() as unknown as AtServer));
  });
  t.after(() => server.stop());
  const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  client.connect({
    sock: socket,
    username: 'deploy',
    algorithms: { cipher: ['aes128-gcm@openssh.com'] },
    hostVerifier: () => true,
  });
  await once(client, 'ready');
  t.after(() => client.destroy());
  return {
    client,
    socket,
    async open(window) {
      let told = 0;
      const here = await new Promise<Channel>((resolve, reject) => {
        told = openWithWindow(client, window, () =>
          client.forwardOut('127.0.0.1', 0, 'localhost', 80, (error, channel) =>
            error ? reject(error) : resolve(channel),
          ),
        );
      });
      await until('the server has it', () => accepted.length > 0);
      return { told, here, there: accepted.pop() as AtServer };
    },
  };
}

test('the pinned ssh2 opens a channel with the window that it is given, and other channels with its own', async (t) => {
  const { client, open } = await start(t);
  const chosen = await open(100_000);
  assert.equal(chosen.told, 100_000);
  assert.equal(chosen.there.outgoing.window, 100_000);
  let asked = false;
  client.forwardOut('127.0.0.1', 0, 'localhost', 80, () => (asked = true));
  await until('it is open', () => asked);
  assert.equal((await open(OWN_WINDOW)).there.outgoing.window, OWN_WINDOW);
});

test('the pinned ssh2 gives no credit of its own for a channel that is taken over, and tells of what it gets', async (t) => {
  const { client, open } = await start(t);
  const { here, there } = await open(OWN_WINDOW);
  let windows = 0;
  const flow = takeOverFlow(client, here, () => (windows += 1)) as ChannelFlow;
  assert.notEqual(flow, undefined);
  let received = 0;
  here.push = (data: Buffer | null) => {
    received += data?.length ?? 0;
    return true;
  };
  there.write(Buffer.alloc(3 * MIB));
  await until('all is here that it may send', () => received === OWN_WINDOW);
  flow.credit(MIB);
  await until('the rest is here', () => received === 3 * MIB);

  const before = flow.window;
  for (let i = 0; i < 40; i++) flow.send(Buffer.alloc(flow.packetSize));
  assert.equal(flow.window, before - 40 * flow.packetSize);
  there.resume();
  await until('the server lets us send more, more than once', () => {
    if (windows === 1) for (let i = 0; i < 40; i++) flow.send(Buffer.alloc(flow.packetSize));
    return windows > 1;
  });
});

test('the pinned ssh2 answers a ping, and takes packets in memory of ours', async (t) => {
  const { client, socket, open } = await start(t);
  let answers = 0;
  assert.equal(
    ping(client, () => (answers += 1)),
    true,
  );
  await until('it is answered', () => answers === 1);
  assert.equal(
    replacePacketAllocation(client, (length) => Buffer.alloc(length)),
    false,
  );
  reusePacketMemory(client, socket);
  const cipher = (client as unknown as { readonly _protocol: { readonly _cipher: object } })._protocol
    ._cipher;
  // Without its native part ssh2 encrypts in another way, and keeps its own.
  assert.equal(Object.hasOwn(cipher, 'allocPacket'), cipher.constructor.name === 'AESGCMCipherBinding');
  const { here, there } = await open(OWN_WINDOW);
  let received = 0;
  there.on('data', (data: Buffer) => {
    assert.ok(data.every((byte) => byte === 7));
    received += data.length;
  });
  for (let length = 1; length < 400; length++) here.write(Buffer.alloc(length, 7));
  here.end(Buffer.alloc(MIB, 7));
  await until('all of it is there', () => received === (399 * 400) / 2 + MIB);
});

test('an ssh2 of another shape is left alone, and channels still carry', async (t) => {
  const { socket, open } = await start(t);
  const { here, there } = await open(OWN_WINDOW);
  const other = { _protocol: { channelData: 1 } } as unknown as Client;
  assert.equal(
    takeOverFlow(other, here, () => undefined),
    undefined,
  );
  let isOpened = false;
  assert.equal(
    openWithWindow(other, 1, () => (isOpened = true)),
    OWN_WINDOW,
  );
  assert.ok(isOpened);
  assert.equal(
    replacePacketAllocation(other, (length) => Buffer.alloc(length)),
    false,
  );
  const nothing = (): void => undefined;
  assert.equal(watchPayloads(other, nothing, nothing), undefined);
  assert.equal(ping(other), false);
  assert.equal(authenticateAtOnce(other), false);
  assert.equal(
    signAtOnce(other, () => true),
    false,
  );

  const stream = new ChannelStream(here, new Outflow(socket), () => undefined);
  there.pipe(there);
  let received = 0;
  stream.on('data', (data: Buffer) => (received += data.length));
  stream.end(Buffer.alloc(5 * MIB));
  await once(stream, 'end');
  assert.equal(received, 5 * MIB);
});
