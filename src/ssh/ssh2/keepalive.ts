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

/**
 * Asks the server for one sign of life, and tells whether anything arrived within `timeoutMs`. Where it cannot be asked
 * the connection is taken to live.
 */
export async function answersPing(client: Client, socket: Duplex, timeoutMs: number): Promise<boolean> {
  if (socket.destroyed) return false;
  if (!ping(client)) return true;
  return await new Promise((resolve) => {
    const settle = (alive: boolean): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      resolve(alive);
    };
    const onData = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = setTimeout(onClose, timeoutMs);
    socket.on('data', onData).once('close', onClose);
  });
}
