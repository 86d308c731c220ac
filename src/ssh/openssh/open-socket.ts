import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../../endpoint.ts';
import { systemCode } from '../../errors.ts';
import type { OpenOutcomes } from './open-outcomes.ts';

/** How long to wait when more connections are made at once than ssh's listen backlog holds (128). */
const BACKLOG_PAUSE_MS = 10;

/**
 * Connects to the socket at `path`, which the master forwards to `target`; with `outcomes` it also waits until the server
 * has opened the channel. Rejects with a `ChannelOpenError`, with the reason of `signal`, or with the system's error.
 */
export async function openSocket(
  path: string,
  target: Endpoint,
  outcomes: OpenOutcomes | undefined,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  for (;;) {
    signal?.throwIfAborted();
    const pending = outcomes?.expect(target);
    // The kernel queues a connection to a Unix socket within this call, and so in the order that is expected.
    const socket = connect({ path, allowHalfOpen: true });
    const failure = await connected(socket);
    if (failure === undefined) {
      try {
        await settled(pending?.outcome ?? Promise.resolve(), signal);
        return socket;
      } catch (error) {
        socket.destroy();
        throw error;
      }
    }
    pending?.withdraw();
    if (systemCode(failure) !== 'EAGAIN') throw failure;
    await delay(BACKLOG_PAUSE_MS);
  }
}

/** Gives the error that it failed with. */
async function connected(socket: Socket): Promise<unknown> {
  // What breaks it later, before it is read, shows when it is.
  socket.on('error', () => undefined);
  return await once(socket, 'connect').then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Rejects with what refused the channel, or with the reason of `signal`. */
async function settled(outcome: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    void outcome.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}
