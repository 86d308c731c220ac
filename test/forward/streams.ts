import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { Dialer, Endpoint } from '../../src/endpoint.ts';
import type { Forward } from '../../src/forward/forward.ts';
import { type LocalForwardOptions, openLocalForward } from '../../src/forward/local.ts';
import { formatListen } from '../../src/spec.ts';

/** A folder of its own for a test, removed after it. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forward-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server that is stopped after the test, with the sockets it accepted. */
export interface FarServer {
  readonly server: Server;
  readonly sockets: readonly Socket[];
  readonly endpoint: Endpoint;
}

/** Starts a server on a free loopback port, or on the socket at `path`. */
export async function startFarServer(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  path?: string,
): Promise<FarServer> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, highWaterMark: 65_536 }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  if (path !== undefined) return { server, sockets, endpoint: { kind: 'unix', path } };
  return {
    server,
    sockets,
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: (server.address() as AddressInfo).port },
  };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The dialer of these tests: a socket of this machine. */
export const dialHere: Dialer = async (endpoint, signal) => {
  const options =
    endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  const socket = connect({ ...options, allowHalfOpen: true });
  await once(socket, 'connect', signal === undefined ? {} : { signal });
  return socket;
};

/** A forward on an `auto` port of its own to `connect`, closed after the test. */
export async function openForward(
  t: TestContext,
  connect: Endpoint,
  options: Partial<LocalForwardOptions> = {},
): Promise<Forward> {
  const spec = { kind: 'local', listen: { kind: 'tcp', port: 'auto' }, connect } as const;
  const forward = await openLocalForward({ spec, dial: dialHere, remoteName: randomUUID(), ...options });
  t.after(() => forward.close());
  return forward;
}

/** Where the clients of a local forward connect to; what it listens on has to be said without leaving anything open. */
export function endpointsOf({ bound }: Forward): Endpoint[] {
  return bound.map((listen) => {
    if (listen.kind === 'unix') return listen;
    const { kind, host, port } = listen;
    if (host === undefined || port === 'auto') throw new Error(`${formatListen(listen)} is not one address`);
    return { kind, host, port };
  });
}

/** A client of what is listened on, connected and with an error handler; destroyed after the test. */
export async function connectTo(t: TestContext, endpoint: Endpoint | undefined): Promise<Socket> {
  if (endpoint === undefined) throw new Error('nothing is listened on');
  const client = (await dialHere(endpoint)) as Socket;
  client.on('error', () => {});
  t.after(() => client.destroy());
  return client;
}

/** Everything until the end; rejects when the stream fails or closes before. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export async function closed(stream: Readable): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', () => resolve()));
}

/** Waits until a condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** How many resources of a kind keep this process alive: `TCPSocketWrap`, `TCPServerWrap`, `Timeout`. */
export function active(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length;
}

export function random(mebibytes: number): Buffer {
  return randomBytes(mebibytes * 1024 * 1024);
}
