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
  let received = false;
  let unanswered = 0;
  const onData = (): void => {
    received = true;
  };
  const timer = setInterval(() => {
    if (received) unanswered = 0;
    else if (unanswered >= countMax) {
      stop();
      onDead();
      return;
    }
    if (!received && ping(client)) unanswered += 1;
    received = false;
  }, intervalSeconds * 1000);
  const stop = (): void => {
    clearInterval(timer);
    socket.off('data', onData);
  };
  socket.on('data', onData);
  return stop;
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
