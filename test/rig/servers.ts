import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { abort } from './abort.ts';
import { randomBlocks } from './random.ts';

/** What a server does with one connection. The socket keeps half-closes; its errors are taken care of. */
export type Behaviour = (socket: Socket) => unknown;

export interface SmallServer {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Connections since the start. */
  readonly total: number;
  /** Connections that are open now. */
  readonly open: number;
  stop(): Promise<void>;
}

/** Serves `behaviour` on a free port of 127.0.0.1, or where `listen` says: `{ port }`, `{ host, port }`, `{ path }`. */
export async function serve(behaviour: Behaviour, listen: ListenOptions = {}): Promise<SmallServer> {
  const sockets = new Set<Socket>();
  let total = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    total += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A peer that resets is what some tests are about; it must not end the test's process.
    socket.on('error', () => undefined);
    behaviour(socket);
  });
  server.listen(listen.path === undefined ? { host: '127.0.0.1', port: 0, ...listen } : listen);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get total() {
      return total;
    },
    get open() {
      return sockets.size;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Gives back what it gets, and ends when the client ended. */
export const echo: Behaviour = (socket) => socket.pipe(socket);

/** Takes everything, and answers with its length and SHA-256 (`5 2cf24d…\n`) when the client has ended. */
export const digest: Behaviour = (socket) => {
  const hash = createHash('sha256');
  let length = 0;
  socket.on('data', (data: Buffer) => {
    length += data.length;
    hash.update(data);
  });
  socket.on('end', () => socket.end(`${length} ${hash.digest('hex')}\n`));
};

/** Sends `length` bytes of `randomBlocks`, whatever the client sends, and ends. */
export function source(seed: string, length: number): Behaviour {
  return (socket) => {
    socket.resume();
    // Rejects when the client goes away, which is the client's right.
    pipeline(Readable.from(randomBlocks(seed, length)), socket).catch(() => undefined);
  };
}

/** Sends `text` and its end at once; keeps reading until the client ends. */
export function closesFirst(text: string): Behaviour {
  return (socket) => socket.resume().end(text);
}

/** Accepts, and never reads or writes. */
export const silent: Behaviour = (socket) => socket.pause();

/** Resets the connection as soon as the first byte arrives. */
export const resets: Behaviour = (socket) => socket.once('data', () => abort(socket));

/**
 * Everything until the peer ends. Unlike node:stream/consumers it leaves the socket open, so that more can be sent.
 * Rejects on a reset, and when the socket is closed without an end.
 */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (data: Buffer) => chunks.push(data));
  await finished(socket, { writable: false });
  return Buffer.concat(chunks).toString();
}

/**
 * A port that is free on both loopback addresses now. It is below the range from which systems take the ports of
 * outgoing connections, so that it stays free until a server has been started on it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) return port;
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    // Without IPv6 there is nothing on ::1.
    return (error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL';
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
