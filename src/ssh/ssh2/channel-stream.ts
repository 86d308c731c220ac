import { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';
import type { Outflow } from './outflow.ts';

/**
 * A channel as a stream that behaves: ssh2's own swallows errors given to `destroy`, never calls back for a write
 * after the close, and queues without looking at the socket.
 *
 * Bytes pass by ssh2's stream buffers: what arrives is pushed here directly, and what is written goes to the
 * channel's own `_write`, whose only caller this is. The window is re-opened when the reader has taken what was
 * buffered here, so a reader that stops holds no more than one window.
 *
 * `end()` closes our direction (SSH_MSG_CHANNEL_EOF), `destroy()` the whole channel. When the far end closes the
 * channel, this closes as soon as the reader has read to the end. Belongs to the caller.
 */
export class ChannelStream extends Duplex {
  readonly #channel: Channel;
  readonly #outflow: Outflow;
  #closedByPeer = false;

  constructor(channel: Channel, outflow: Outflow) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    this.#outflow = outflow;
    channel.push = (data: Buffer | null) => (data === null ? this.#receiveEnd() : this.#receive(data));
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => this.#receiveClose());
  }

  override _read(): void {
    this.#channel._read(0);
  }

  override _write(data: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#outflow.schedule(() => {
      if (!this.#closedByPeer && !this.destroyed)
        unlessEnding(() => this.#channel._write(data, encoding, done));
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    unlessEnding(() => this.#channel.eof());
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    unlessEnding(() => this.#channel.close());
    done(error);
  }

  #receive(data: Buffer): boolean {
    return !this.destroyed && this.push(data);
  }

  #receiveEnd(): boolean {
    this.push(null);
    // ssh2 announces the close only after its own stream has ended.
    Duplex.prototype.push.call(this.#channel, null);
    this.#channel.resume();
    return false;
  }

  #receiveClose(): void {
    this.#closedByPeer = true;
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }
}

/**
 * With compression ssh2 throws at whatever is sent between the end of the socket and its close, which breaks all
 * streams: they are told then, with the right error.
 */
function unlessEnding(send: () => void): void {
  try {
    send();
  } catch {
    // Nobody hears it any more.
  }
}
