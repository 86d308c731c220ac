import type { Duplex } from 'node:stream';

/** How long a client may take to read its last answer and hang up. */
const lingerMs = 2000;

/**
 * Sends an answer, ends the stream, and closes it when the client hangs up, after two seconds at the latest. Until then
 * what the client still sends is read and dropped: closing a socket with unread bytes resets it, and a reset can
 * overtake the answer. An aborted `signal` closes it at once.
 */
export function sayLast(client: Duplex, answer: Buffer, signal: AbortSignal | undefined): void {
  if (client.destroyed) return;
  const close = (): void => void client.destroy();
  const timer = setTimeout(close, lingerMs);
  signal?.addEventListener('abort', close);
  client.once('close', () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', close);
  });
  client.resume();
  client.end(answer);
}
