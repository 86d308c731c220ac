import type { Socket } from 'node:net';
import type { ServerChannel } from 'ssh2';

/**
 * Copies both ways between a channel of ssh2's server and a socket until both directions ended; an error of either
 * ends both. The socket must have been made with `allowHalfOpen: true`.
 */
export function splice(channel: ServerChannel, socket: Socket): void {
  const ended = { channel: false, socket: false };
  const closeWhenDone = (): void => {
    if (ended.channel && ended.socket) channel.close();
  };
  channel.pipe(socket);
  channel.once('end', () => {
    ended.channel = true;
    closeWhenDone();
  });
  // Its own `end` closes the other direction with this one; and `eof` overtakes what still waits for the window.
  socket.pipe(channel, { end: false });
  socket.once('end', () =>
    channel.write(Buffer.alloc(0), () => {
      channel.eof();
      ended.socket = true;
      closeWhenDone();
    }),
  );
  socket.once('error', () => {
    channel.close();
    // Its `close` comes after the last byte has been read.
    channel.resume();
  });
  channel.once('close', () => socket.destroySoon());
}
