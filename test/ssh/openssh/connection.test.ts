import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { ChannelOpenError } from '../../../src/ssh/channel-open-error.ts';
import { randomBlocks, randomSha256 } from '../../rig/random.ts';
import { needs } from '../../rig/requirements.ts';
import { closesFirst, digest, echo, freePort, silent, source } from '../../rig/servers.ts';
import { connectIn, privateDirs, rejection, startOpensshRig } from './openssh.ts';

const MEGABYTE = 1024 * 1024;

test('a dial reaches a port and a Unix socket there, over one TCP connection', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ relay: true });
  const tcp = await rig.serve(echo);
  const socketPath = join(sshd.home, 'echo.sock');
  await rig.serve(echo, { path: socketPath });
  const connection = await connectIn(rig, sshd.client);

  const streams = await Promise.all([
    connection.dial({ kind: 'tcp', host: '127.0.0.1', port: tcp.port }),
    connection.dial({ kind: 'tcp', host: '127.0.0.1', port: tcp.port }),
    connection.dial({ kind: 'unix', path: socketPath }),
    connection.dial({ kind: 'unix', path: '~/echo.sock' }),
  ]);
  const answers = await Promise.all(streams.map((stream, index) => text(stream.end(`hello ${index}`))));

  assert.deepEqual(answers, ['hello 0', 'hello 1', 'hello 2', 'hello 3']);
  assert.equal(sshd.relay?.total, 1);
});

test('the address that was reached is told', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);

  assert.equal(connection.address, `127.0.0.1:${sshd.port}`);
});

test('a refused port rejects the dial with what the server said, and the next dial works', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: await freePort() } as const;

  const error = await rejection(connection.dial(endpoint));
  assert.ok(error instanceof ChannelOpenError);
  assert.deepEqual([error.reason, error.description, error.endpoint], [2, 'Connection refused', endpoint]);

  await rig.serve(echo, { port: endpoint.port });
  assert.equal(await text((await connection.dial(endpoint)).end('now')), 'now');
});

test('a missing socket rejects the dial, whatever is in its name', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const names = [
    'none.sock',
    'a:b.sock',
    'größe.sock',
    String.raw`back\slash.sock`,
    'per%cent ${HOME}.sock',
    'x'.repeat(72),
  ];

  for (const name of names) {
    const error = await rejection(
      connection.dial({ kind: 'unix', path: join('/tmp/there/is/no/such/directory', name) }),
    );
    assert.ok(error instanceof ChannelOpenError, name);
    assert.equal(error.reason, 2, name);
  }
});

test('a forward that sshd does not permit rejects the dial as prohibited', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ config: ['AllowTcpForwarding no'] });
  const connection = await connectIn(rig, sshd.client);

  const error = await rejection(connection.dial({ kind: 'tcp', host: '127.0.0.1', port: sshd.port }));
  assert.ok(error instanceof ChannelOpenError);
  assert.equal(error.reason, 1);
});

test('dials at once get each its own answer', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const there = await rig.serve(echo);
  const ports = [there.port, await freePort()];

  const dials = Array.from({ length: 300 }, async (_, index) => {
    const open = index % 3 !== 0;
    const dialled = connection.dial({ kind: 'tcp', host: '127.0.0.1', port: ports[open ? 0 : 1] ?? 0 });
    if (open) assert.equal(await text((await dialled).end(String(index))), String(index));
    else assert.ok((await rejection(dialled)) instanceof ChannelOpenError);
  });
  await Promise.all(dials);
});

test('more endpoints than forwards are kept can be dialled again and again', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const server = await rig.serve(echo, { host: '0.0.0.0' });
  const hosts = Array.from({ length: 200 }, (_, index) => `127.0.0.${index + 1}`);
  const dialAll = async (some: readonly string[]): Promise<string[]> =>
    await Promise.all(
      some.map(async (host) => {
        const stream = await connection.dial({ kind: 'tcp', host, port: server.port });
        return await text(stream.end(host));
      }),
    );

  for (const first of [0, 50, 100, 150, 0]) {
    const some = hosts.slice(first, first + 50);
    assert.deepEqual(await dialAll(some), some);
  }

  const sockets = readdirSync(privateDirs(rig)[0] ?? '').filter((name) => /^l\d+$/.test(name));
  assert.ok(sockets.length < hosts.length, `${sockets.length} sockets are kept`);
});

test('our end of file reaches the server, whose answer still arrives', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const server = await rig.serve(digest);

  const stream = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: server.port });
  assert.equal(await text(stream.end('hello')), `5 ${createHash('sha256').update('hello').digest('hex')}\n`);
});

test("the server's end of file ends what we read, and what we send still arrives", async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  let arrived: Promise<string> | undefined;
  const path = join(sshd.home, 'first.sock');
  await rig.serve(
    (socket) => {
      socket.end('done');
      arrived = readToEnd(socket);
    },
    { path },
  );

  const stream = await connection.dial({ kind: 'unix', path });
  assert.equal(await readToEnd(stream), 'done');
  stream.end('afterwards');
  await once(stream, 'close');
  assert.equal(await arrived, 'afterwards');
});

test('64 MB go each way unchanged at once', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const length = 64 * MEGABYTE;
  const [sink, tap] = [await rig.serve(digest), await rig.serve(source('down', length))];

  const up = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: sink.port });
  const down = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: tap.port });
  const [answer, hash] = await Promise.all([
    Promise.all([text(up), pipeline(Readable.from(randomBlocks('up', length)), up)]).then(([said]) => said),
    sha256(down),
  ]);

  assert.equal(answer, `${length} ${randomSha256('up', length)}\n`);
  assert.equal(hash, randomSha256('down', length));
});

test('a server that does not read stops the writer, and the others go on', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd();
  const connection = await connectIn(rig, sshd.client);
  const [mute, lively] = [await rig.serve(silent), await rig.serve(echo)];

  const stuck = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: mute.port });
  const block = Buffer.alloc(64 * 1024);
  let written = 0;
  // What the kernel's buffers and the channel's window hold is less by far.
  while (written < 64 * MEGABYTE && (stuck.write(block) || (await drained(stuck)))) written += block.length;
  assert.ok(written < 64 * MEGABYTE, 'nothing stopped the writer');
  const other = await connection.dial({ kind: 'tcp', host: '127.0.0.1', port: lively.port });
  assert.equal(await text(other.end('alive')), 'alive');
  stuck.destroy();
});

test('an aborted dial rejects with the reason of its signal, and later dials are not confused', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startOpensshRig(t);
  const sshd = await rig.sshd({ relay: true });
  const connection = await connectIn(rig, sshd.client);
  const server = await rig.serve(closesFirst('here'));
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port: server.port } as const;

  sshd.relay?.blackhole(true);
  const reason = new Error('given up');
  const abort = new AbortController();
  const given = rejection(connection.dial(endpoint, abort.signal));
  const kept = connection.dial(endpoint);
  setImmediate(() => abort.abort(reason));
  assert.equal(await given, reason);
  sshd.relay?.blackhole(false);

  assert.equal(await text(await kept), 'here');
  assert.equal(await text(await connection.dial(endpoint)), 'here');
});

/** Unlike an iterator it leaves the other direction open. */
async function readToEnd(stream: Duplex): Promise<string> {
  let read = '';
  stream.on('data', (chunk: Buffer) => (read += String(chunk)));
  await once(stream, 'end');
  return read;
}

async function drained(stream: Duplex): Promise<boolean> {
  const timeout = AbortSignal.timeout(500);
  return await once(stream, 'drain', { signal: timeout }).then(
    () => true,
    () => false,
  );
}

async function sha256(stream: Duplex): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  stream.end();
  return hash.digest('hex');
}
