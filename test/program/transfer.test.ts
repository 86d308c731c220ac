import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { randomBlocks, randomSha256 } from '../rig/random.ts';
import { needs } from '../rig/requirements.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { digest, echo, freePort, source, type Behaviour, type SmallServer } from '../rig/servers.ts';
import type { Sshd, SshdOptions } from '../rig/sshd.ts';
import { binary, type Tunnel } from '../rig/tunnel.ts';
import { until } from '../rig/until.ts';

const GIB = 1024 ** 3;
const MEMORY_LIMIT = 150 * 1024 * 1024;
const CROWD = 1000;

/** `tunnel` in front of a server on a port and the same server on a Unix socket: the local port of each. */
async function forwarded(
  rig: Rig,
  sshd: Sshd,
  behaviour: Behaviour,
): Promise<{ tunnel: Tunnel; tcp: number; unix: number; servers: readonly SmallServer[] }> {
  const path = join(rig.folder('srv'), 'server.sock');
  const server = await rig.serve(behaviour);
  const servers = [server, await rig.serve(behaviour, { path })];
  const [tcp, unix] = [await freePort(), await freePort()];
  const words = [...sshd.client.flags, 'vps', `${tcp}:${server.port}`, `${unix}:${path}`];
  // Recent versions of Node.js put off collecting garbage; it is not what is measured here.
  const program = [process.execPath, '--max-semi-space-size=1', binary];
  const tunnel = await rig.tunnel(words, { program });
  await tunnel.waitFor(new RegExp(`localhost:${unix}`));
  return { tunnel, tcp, unix, servers };
}

async function start(
  t: TestContext,
  options: SshdOptions = {},
): Promise<{ rig: Rig; sshd: Sshd } | undefined> {
  if (!needs(t, 'sshd')) return undefined;
  const rig = await startRig(t);
  return { rig, sshd: await rig.sshd(options) };
}

function open(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true });
}

/** Bytes, from /proc: what it holds now, and the most that it ever held. */
function memory(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** How many sshd has, from what it logs at DEBUG1. It frees one when both sides have closed it. */
function channels(sshd: Sshd): number {
  const log = sshd.log();
  const opened = log.match(/channel \d+: new /g) ?? [];
  const freed = log.match(/channel \d+: free: /g) ?? [];
  assert.ok(opened.length > 0, log);
  return opened.length - freed.length;
}

test('1 GiB arrives unchanged, down and up, through a port and through a socket', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const expected = randomSha256('down', GIB);
  const down = await forwarded(rig, sshd, source('down', GIB));
  for (const port of [down.tcp, down.unix]) {
    const hash = createHash('sha256');
    await pipeline(open(port), hash);
    assert.equal(hash.digest('hex'), expected);
  }
  const up = await forwarded(rig, sshd, digest);
  for (const port of [up.tcp, up.unix]) {
    const socket = open(port);
    const answer = text(socket);
    await pipeline(Readable.from(randomBlocks('down', GIB)), socket);
    assert.equal(await answer, `${GIB} ${expected}\n`);
  }
});

test('1,000 connections that are open at once all answer, and nothing of them is left', async (t) => {
  const started = await start(t, { config: ['LogLevel DEBUG1'] });
  if (started === undefined) return;
  const { rig, sshd } = started;
  const { tunnel, tcp, unix, servers } = await forwarded(rig, sshd, together(CROWD));
  const round = async (): Promise<void> => {
    const answers = Array.from({ length: CROWD }, async (_, index) => {
      const socket = open(index % 2 === 0 ? tcp : unix);
      const answer = text(socket);
      socket.end(`connection ${index}`);
      assert.equal(await answer, `connection ${index}`);
    });
    await Promise.all(answers);
  };
  const nothingIsLeft = async (): Promise<void> => {
    await until('our sockets are closed', () => descriptors(tunnel.pid) <= before);
    await until('those of the servers are', () => servers.every((server) => server.open === 0));
    await until('sshd has no channel', () => channels(sshd) === 0);
  };
  const before = descriptors(tunnel.pid);
  // The heap of V8 grows to its working size first, and then moves up and down by about 20 MB.
  for (let i = 0; i < 4; i += 1) await round();
  await nothingIsLeft();
  const working = memory(tunnel.pid).now;
  for (let i = 0; i < 6; i += 1) await round();
  await nothingIsLeft();
  const growth = memory(tunnel.pid).now - working;
  assert.ok(growth < 40 * 1024 * 1024, `6,000 more connections left ${growth} bytes`);
});

test('a client that stops reading in the middle of 1 GiB stops the server, in bounded memory, until it goes on', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const senders: Socket[] = [];
  const send = source('stop', GIB);
  const { tunnel, tcp, unix } = await forwarded(rig, sshd, (socket) => {
    senders.push(socket);
    send(socket);
  });
  const readers = [open(tcp), open(unix)];
  const hashes = readers.map((reader) => hashing(reader));
  await Promise.all(readers.map((reader) => pauseInTheMiddle(reader)));
  await assertStopped(senders, tunnel);
  for (const reader of readers) reader.resume();
  const expected = randomSha256('stop', GIB);
  assert.deepEqual(await Promise.all(hashes), [expected, expected]);
});

test('a server that stops reading in the middle of 1 GiB stops the client, in bounded memory, until it goes on', async (t) => {
  const started = await start(t);
  if (started === undefined) return;
  const { rig, sshd } = started;
  const atServer: Socket[] = [];
  const stopped: Promise<void>[] = [];
  const { tunnel, tcp, unix } = await forwarded(rig, sshd, (socket) => {
    atServer.push(socket);
    digest(socket);
    stopped.push(pauseInTheMiddle(socket));
  });
  const writers = [open(tcp), open(unix)];
  const answers = writers.map((writer) => text(writer));
  const sending = writers.map((writer) => pipeline(Readable.from(randomBlocks('stop', GIB)), writer));
  await until('the server has both', () => stopped.length === writers.length);
  await Promise.all(stopped);
  await assertStopped(writers, tunnel);
  for (const socket of atServer) socket.resume();
  await Promise.all(sending);
  const expected = `${GIB} ${randomSha256('stop', GIB)}\n`;
  assert.deepEqual(await Promise.all(answers), [expected, expected]);
});

/** The SHA-256, in hex, of all that comes. */
async function hashing(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (data: Buffer) => hash.update(data));
  await once(socket, 'end');
  socket.end();
  return hash.digest('hex');
}

/** Stops reading when half of 1 GiB is there. */
async function pauseInTheMiddle(socket: Socket): Promise<void> {
  let received = 0;
  await new Promise<void>((resolve) => {
    const count = (data: Buffer): void => {
      received += data.length;
      if (received < GIB / 2) return;
      socket.pause().off('data', count);
      resolve();
    };
    socket.on('data', count);
  });
}

/** Waits until none of the senders gets rid of anything for a second; throws if that is because all has been sent. */
async function assertStopped(senders: readonly Socket[], tunnel: Tunnel): Promise<void> {
  const sent = (): number[] => senders.map((sender) => sender.bytesWritten - sender.writableLength);
  let before: number[] = [];
  const standStill = (): boolean => {
    const now = sent();
    const same = now.every((bytes) => bytes > 0) && isDeepStrictEqual(now, before);
    before = now;
    return same;
  };
  await until('nothing is sent', standStill, { everyMs: 1000 });
  for (const bytes of before) assert.ok(bytes < GIB, `${bytes} bytes were sent`);
  const { most } = memory(tunnel.pid);
  assert.ok(most < MEMORY_LIMIT, `it held ${most} bytes`);
}

/** Answers as `echo` does, but nobody before `count` have asked. Whoever only scans this machine is sent away. */
function together(count: number): Behaviour {
  const waiting: Socket[] = [];
  return (socket) => {
    socket.once('end', () => socket.end());
    socket.once('data', (question: Buffer) => {
      if (!question.toString().startsWith('connection ')) return void socket.destroy();
      socket.pause().unshift(question);
      waiting.push(socket);
      if (waiting.length === count) for (const each of waiting.splice(0)) echo(each);
    });
  };
}
