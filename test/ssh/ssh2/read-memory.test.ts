import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Lender } from '../../../src/lender.ts';
import { relay } from '../../../src/forward/relay.ts';
import type { SshConnection } from '../../../src/ssh/connection.ts';
import { needs } from '../../rig/requirements.ts';
import { startRig } from '../../rig/rig.ts';
import { login } from './ssh2.ts';

const SIZE = 6 * 1024 * 1024;

/** A server that sends a block of its own to each connection, and then ends it. */
async function startSender(t: TestContext, block: Buffer): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(block));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Reads a channel through a relay and a local connection, as a client of a forward does. */
async function throughRelay(stream: Duplex, read: (client: Socket) => Promise<Buffer>): Promise<Buffer> {
  const server = createServer({ allowHalfOpen: true }, (socket) => void relay(stream, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const received = await read(client);
  server.close();
  return received;
}

async function all(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  stream.destroy();
  return Buffer.concat(chunks);
}

/** Stops again and again, so that the relay has to wait. */
async function slowly(client: Socket): Promise<Buffer> {
  const received = all(client);
  for (let i = 0; i < 20; i++) {
    client.pause();
    await sleep(10);
    client.resume();
    await sleep(2);
  }
  return await received;
}

for (const [name, config] of [
  ['AES-GCM', ['Ciphers aes128-gcm@openssh.com']],
  ['ChaCha20', ['Ciphers chacha20-poly1305@openssh.com']],
  ['keys that change all the time', ['RekeyLimit 1M']],
] as const) {
  test(`what is read at the same time never mixes, whoever keeps it: ${name}`, async (t) => {
    if (!needs(t, 'sshd')) return;
    const rig = await startRig(t);
    const sshd = await rig.sshd();
    const connection: SshConnection = await login(rig, sshd.writeClient({ name: 'vps', config }));
    const readers: ((stream: Duplex) => Promise<Buffer>)[] = [
      all,
      (stream) => throughRelay(stream, all),
      (stream) => throughRelay(stream, slowly),
    ];
    await Promise.all(
      Array.from({ length: 9 }, async (_, i) => {
        const block = randomBytes(SIZE + i);
        const port = await startSender(t, block);
        const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port });
        const received = await readers[i % readers.length]?.(stream);
        assert.ok(received?.equals(block), `reader ${i}`);
      }),
    );
    const { stdout } = await connection.exec(`seq 100000`);
    assert.equal(stdout.split('\n')[99_999], '100000');
  });
}

test('a reader that gives back what it was lent has little memory used, and one that does not keeps its own', async (t) => {
  // Without it what is decrypted is in new memory anyway.
  if (!needs(t, 'sshd', 'native ssh2')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const connection = await login(rig, sshd.client);
  const port = await startSender(t, randomBytes(SIZE));
  const memoryOf = async (onChunk: (stream: Duplex & Partial<Lender>, chunk: Uint8Array) => void) => {
    const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port });
    const memory = new Set<ArrayBufferLike>();
    stream.on('data', (chunk: Uint8Array) => {
      memory.add(chunk.buffer);
      onChunk(stream, chunk);
    });
    await once(stream, 'end');
    stream.destroy();
    return [...memory].reduce((total, { byteLength }) => total + byteLength, 0);
  };
  const givenBack = await memoryOf((stream, chunk) => stream.borrow?.(chunk, () => true));
  const kept = await memoryOf(() => undefined);
  const notYet = await memoryOf((stream, chunk) => stream.borrow?.(chunk, () => false));
  // Three pieces: with AES-GCM no packet is put together elsewhere.
  assert.ok(givenBack <= 3 * 256 * 1024, `${givenBack} bytes`);
  assert.ok(kept >= SIZE && notYet >= SIZE, `${kept} and ${notYet} bytes`);
});

/**
 * Passes on what `target` sends in pieces of 1 to 40 bytes, and all else as it comes; so too the first line, as ssh2 loses
 * bytes of one that comes in three (parseHeader).
 */
async function startCrumbler(t: TestContext, target: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1').on('error', () => undefined);
    client.on('error', () => undefined).pipe(upstream);
    client.setNoDelay(true);
    upstream.once('data', (line: Buffer) => {
      client.write(line);
      void crumble(upstream, client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function crumble(from: Socket, to: Socket): Promise<void> {
  for await (const data of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < data.length;) {
      const end = at + 1 + ((at * 7) % 40);
      to.write(data.subarray(at, end));
      at = end;
      await nextTurn();
    }
  }
  to.end();
}

test('packets that come in crumbs are put together, with keys that change in between', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const port = await startCrumbler(t, sshd.port);
  const client = sshd.writeClient({
    name: 'crumbs',
    hostname: '127.0.0.1',
    port,
    config: ['RekeyLimit 100K'],
  });
  const connection = await login(rig, client);
  const block = randomBytes(400_000);
  const stream = await connection.dial({
    kind: 'tcp',
    host: '127.0.0.1',
    port: await startSender(t, block),
  });
  assert.ok((await throughRelay(stream, all)).equals(block));
});
