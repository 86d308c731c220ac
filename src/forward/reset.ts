import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Gives up a stream so that whoever reads from it cannot take what it got for everything: a TCP socket is reset.
 * Where all was flushed and ended there is nothing to give up, and it is only destroyed. Unix sockets and TLS have
 * no reset; other streams have their own way in `destroy`.
 */
export function reset(stream: Duplex): void {
  // A reset during shutdown(2) is refused by libuv (uv_tcp_close_reset), and Node.js then never closes the handle.
  const complete = stream.writableEnded && stream.writableLength === 0;
  if (stream instanceof Socket && !stream.destroyed && !complete) {
    try {
      stream.resetAndDestroy();
    } catch {
      // ERR_INVALID_HANDLE_TYPE: not TCP.
    }
  }
  stream.destroy();
}
