import type { Socket } from 'node:net';

/**
 * Resets a TCP connection; a Unix socket, which has no reset, is closed. So is one whose end is just being sent: libuv
 * refuses a reset during shutdown(2), and Node.js then never closes the handle and spins when it exits.
 */
export function abort(socket: Socket): void {
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (socket.remoteAddress === undefined || shuttingDown) socket.destroy();
  else socket.resetAndDestroy();
}
