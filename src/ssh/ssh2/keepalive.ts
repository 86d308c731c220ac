import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { ping } from './internals.ts';

/**
 * Asks the server for a sign of life whenever nothing has arrived for `intervalSeconds`, and calls `onDead` when
 * that stays so `countMax` times in a row (`ServerAliveInterval`, `ServerAliveCountMax`). Any byte counts as a sign
 * of life: a link that is busy with data may be slow to answer. Returns the function that stops it.
 */
export function keepAlive(
  client: Client,
  socket: Duplex,
  intervalSeconds: number,
  countMax: number,
  onDead: () => void,
): () => void {
  const arrived = countArrivals(socket);
  let before = arrived.count();
  let unanswered = 0;
  const timer = setInterval(() => {
    const received = arrived.count() !== before;
    if (received) unanswered = 0;
    else if (unanswered >= countMax) {
      stop();
      onDead();
      return;
    }
    if (!received && ping(client)) unanswered += 1;
    before = arrived.count();
  }, intervalSeconds * 1000);
  const stop = (): void => {
    clearInterval(timer);
    arrived.stop();
  };
  return stop;
}

/** A number that changes when something arrives; a socket counts by itself, which spares a listener for every chunk. */
function countArrivals(socket: Duplex): { count(): number; stop(): void } {
  if (socket instanceof Socket) return { count: () => socket.bytesRead, stop: () => {} };
  let chunks = 0;
  const onData = (): void => void (chunks += 1);
  socket.on('data', onData);
  return { count: () => chunks, stop: () => socket.off('data', onData) };
}

/** What was in the system's buffers before the question is delivered by then, and says nothing of now. */
const SETTLED_MS = 500;

/**
 * Asks the server for one sign of life, and tells whether it answers within `timeoutMs`; on a link that is busy, where
 * the answer waits its turn, whether anything else arrives meanwhile. Where it cannot be asked the connection is taken to
 * live.
 */
export async function answersPing(client: Client, socket: Duplex, timeoutMs: number): Promise<boolean> {
  if (socket.destroyed) return false;
  const arrivals = countArrivals(socket);
  return await new Promise<boolean>((resolve) => {
    let settled = Infinity;
    const settling = setTimeout(() => (settled = arrivals.count()), SETTLED_MS);
    const limit = setTimeout(() => settle(arrivals.count() > settled), timeoutMs);
    const onClose = (): void => settle(false);
    const settle = (alive: boolean): void => {
      clearTimeout(settling);
      clearTimeout(limit);
      socket.off('close', onClose);
      resolve(alive);
    };
    socket.once('close', onClose);
    if (!ping(client, () => settle(true))) settle(true);
  }).finally(() => arrivals.stop());
}
