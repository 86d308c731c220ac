import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { acceptedSocket } from './accepted-socket.ts';

/** What is listened on, until it is closed. Connections that were accepted live on. */
export interface Listener {
  readonly bound: readonly Endpoint[];
  /** Stops accepting before it returns; resolves when the accepted connections are gone as well. */
  close(): Promise<void>;
}

/** What a listener does with what it accepts. */
export interface Acceptor {
  /** Called as soon as there is a connection; must attach an error handler to it before anything else. */
  readonly accept: (socket: Socket) => void;
  /** A connection that could not be accepted, as for want of file descriptors. */
  readonly onAcceptError: (error: Error) => void;
}

/** More than the default of 511, so that a burst of a thousand connections is not made to try again. */
const backlog = 1024;

/** What may wait in each direction of an accepted connection, in bytes: what libuv reads at once. */
const highWaterMark = 64 * 1024;

/** Listens with a server of our own; rejects with the system's error. */
export function startServer(options: ListenOptions, acceptor: Acceptor): Promise<Server> {
  return new Promise((resolve, reject) => {
    const stream = { allowHalfOpen: true, highWaterMark };
    const server = createServer({ ...stream, noDelay: true }, (socket) =>
      acceptor.accept(acceptedSocket(socket, stream)),
    );
    server.once('error', reject);
    server.listen({ ...options, backlog }, () => {
      server.off('error', reject);
      server.on('error', acceptor.onAcceptError);
      resolve(server);
    });
  });
}

export function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
