import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemCode } from '../../src/errors.ts';
import { abort } from '../rig/abort.ts';
import { randomBlocks } from '../rig/random.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import {
  closesFirst,
  digest,
  echo,
  freePort,
  source,
  type Behaviour,
  type SmallServer,
} from '../rig/servers.ts';
import type { Sshd } from '../rig/sshd.ts';
import type { Tunnel } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

interface Forwarded {
  readonly rig: Rig;
  readonly sshd: Sshd;
  readonly tunnel: Tunnel;
  /** The local ports of a forward to a port and of one to a socket. */
  readonly ports: readonly number[];
  readonly servers: readonly SmallServer[];
}

async function forwarded(t: TestContext, behaviour: Behaviour): Promise<Forwarded | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  const sshd = await rig.sshd({ relay: true });
  const path = join(rig.folder('srv'), 'server.sock');
  const server = await rig.serve(behaviour);
  const servers = [server, await rig.serve(behaviour, { path })];
  const ports = [await freePort(), await freePort()];
  const specs = [`${ports[0]}:${server.port}`, `${ports[1]}:${path}`];
  const tunnel = await rig.tunnel([...sshd.client.flags, '--json', 'vps', ...specs]);
  await tunnel.waitForEvent(
    'forward',
    () => tunnel.events.filter(({ event }) => event === 'forward').length === 2,
  );
  return { rig, sshd, tunnel, ports, servers };
}

/** Everything until the end; unlike `stream/consumers` it leaves the other direction open. */
async function text(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString()));
  await once(socket, 'end');
  return received;
}

function open(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true });
}

/** What comes back for a few bytes. */
async function answer(socket: Socket, question: string): Promise<string> {
  socket.write(question);
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString();
}

test('a client that has sent everything and its end still gets the answer', async (t) => {
  const started = await forwarded(t, digest);
  for (const port of started?.ports ?? []) {
    const socket = open(port).end('hello');
    assert.match(await text(socket), /^5 2cf24dba/);
  }
});

test('nc -N sends its end and prints the answer', async (t) => {
  if (!needs(t, 'nc')) return;
  const started = await forwarded(t, digest);
  for (const port of started?.ports ?? []) {
    const nc = await started?.rig.run(['nc', '-N', '127.0.0.1', String(port)], { input: 'x' });
    assert.match(nc?.stdout ?? '', /^1 2d711642/);
  }
});

test('a server that ends first may still be sent to, and its last bytes arrive', async (t) => {
  let received: Promise<string> | undefined;
  const started = await forwarded(t, (socket) => {
    received = text(socket);
    socket.end('goodbye');
  });
  for (const port of started?.ports ?? []) {
    const socket = open(port);
    assert.equal(await text(socket), 'goodbye');
    socket.end('after the end');
    assert.equal(await received, 'after the end');
  }
});

test('a server that closes first ends the client with everything that it sent', async (t) => {
  // No part of it is like another, so that one that is lost, doubled or in the wrong place is seen.
  const last = Buffer.concat([...randomBlocks('last', 300_000)]).toString('hex');
  const started = await forwarded(t, closesFirst(last));
  for (const port of started?.ports ?? []) {
    const socket = open(port);
    socket.on('error', () => undefined);
    const received = await text(socket);
    assert.equal(received.length, last.length);
    assert.ok(received === last, 'each byte is in its place');
  }
});

test('a client that resets ends its own connection, and the server sees the end', async (t) => {
  const closed: Promise<unknown>[] = [];
  const started = await forwarded(t, (socket) => {
    closed.push(once(socket, 'close'));
    socket.pipe(socket);
  });
  if (started === undefined) return;
  for (const port of started.ports) {
    const [stays, leaves] = [open(port), open(port)];
    for (const socket of [stays, leaves]) await answer(socket, 'hello');
    leaves.resetAndDestroy();
    await closed.at(-1);
    assert.equal(await answer(stays, 'still here'), 'still here');
    stays.destroy();
  }
});

test('a server that resets ends that connection, which the client sees, and no other', async (t) => {
  const atServer = new Set<Socket>();
  const started = await forwarded(t, (socket) => {
    atServer.add(socket);
    socket.once('close', () => atServer.delete(socket));
    socket.on('data', (data: Buffer) => (String(data) === 'reset' ? abort(socket) : socket.write(data)));
  });
  if (started === undefined) return;
  const staying = started.ports.map(open);
  for (const socket of staying) assert.equal(await answer(socket, 'hello'), 'hello');
  for (const port of started.ports) {
    const leaving = open(port);
    assert.equal(await answer(leaving, 'hello'), 'hello');
    leaving.write('reset');
    await once(leaving, 'end').catch((error: unknown) => assert.equal(systemCode(error), 'ECONNRESET'));
    leaving.on('error', () => undefined).end();
    await until('only the other connections are open', () => atServer.size === staying.length);
    for (const socket of staying) assert.equal(await answer(socket, 'still here'), 'still here');
  }
  assert.equal(started.sshd.relay?.total, 1);
  for (const socket of staying) socket.destroy();
});

test('a remote port that refuses resets the client, says why in one line, and ends nothing else', async (t) => {
  if (!needs(t, 'sshd')) return;
  const rig = await startRig(t);
  const sshd = await rig.sshd();
  const server = await rig.serve(echo);
  const [nobody, refused, port] = [await freePort(), await freePort(), await freePort()];
  const specs = [`${refused}:${nobody}`, `${port}:${server.port}`];
  const tunnel = await rig.tunnel([...sshd.client.flags, 'vps', ...specs]);
  await tunnel.waitFor(new RegExp(`localhost:${port}`));
  const before = open(port);
  assert.equal(await answer(before, 'before'), 'before');

  const [error] = (await once(open(refused), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
  await tunnel.waitFor(new RegExp(`✖ .*localhost:${nobody} from vps: nothing listens there`));

  assert.equal(await answer(before, 'after'), 'after');
  assert.equal(await answer(open(port), 'anew'), 'anew');
});

test('a download that is cut off by the loss of the SSH connection ends in an error, not in an end', async (t) => {
  if (!needs(t, 'curl')) return;
  const started = await forwarded(t, source('cut', 1024 ** 3));
  if (started === undefined) return;
  // Not a client of Node.js: libuv takes data that arrives together with a reset for the end of the stream.
  const files = started.ports.map((port) => join(started.rig.dir, String(port)));
  const downloads = started.ports.map((port, index) =>
    started.rig.run(['curl', '-s', '--http0.9', '-o', files[index] ?? '', `http://127.0.0.1:${port}/`]),
  );
  // One whose channel is not open yet would be opened over the next connection, and come whole.
  const sizes = () => files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  await until('both downloads have begun', () => sizes().every((size) => size > 0));
  started.sshd.relay?.drop();
  const recvError = 56;
  assert.deepEqual(
    (await Promise.all(downloads)).map(({ status }) => status),
    [recvError, recvError],
  );
  // It is not begun anew over the next connection.
  const ready = () => started.tunnel.events.filter(({ event }) => event === 'ready').length;
  await until('the connection is there again', () => ready() === 2);
  assert.deepEqual(
    started.servers.map(({ total }) => total),
    [1, 1],
  );
});
