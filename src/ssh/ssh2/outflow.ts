import type { Writable } from 'node:stream';

/** Bytes that may wait in front of the SSH socket before the channels are made to wait instead. */
const LIMIT = 128 * 1024;

/**
 * One queue bound for everything that is written to an SSH connection. ssh2 never looks at what `socket.write`
 * returns, so without this each channel could leave a window's worth of data in memory, and a small request would
 * wait behind all of it. Waiting channels go on in turn, one write each.
 */
export class Outflow {
  readonly #socket: Writable;
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Writable) {
    this.#socket = socket;
    socket.on('drain', () => this.#resume());
  }

  /** Calls `send` now, or when the socket has taken what is queued before it; never if the socket is lost. */
  schedule(send: () => void): void {
    if (this.#waiting.length === 0 && !this.#full()) send();
    else this.#waiting.push(send);
  }

  #full(): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength >= LIMIT;
  }

  #resume(): void {
    while (this.#waiting.length > 0 && !this.#full()) this.#waiting.shift()?.();
  }
}
