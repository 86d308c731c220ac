import type { Socket, OnReadOpts } from 'node:net';
import type { Client } from 'ssh2';
import { watchPayloads, type PayloadWatch } from './packet-internals.ts';

/** So much is read at once at least, where there is so much. */
const LEAST = 64 * 1024;
const SLAB = 256 * 1024;

/** RFC 4254, section 5.2. */
const WINDOW_ADJUST = 93;
const CHANNEL_DATA = 94;

/**
 * The memory that an SSH socket is read into: large pieces, so that most packets come whole and are decrypted where they are.
 *
 * What was read is overwritten by the next read if nobody can have kept any of it: each packet was a window update, or data
 * that its reader gave back. Memory that is always new would have the garbage collector run for every few megabytes, which
 * costs as much as all else together.
 */
export class ReadMemory {
  #slab = Buffer.allocUnsafeSlow(SLAB);
  /** What was read and is not handed over: a packet whose end has not come. */
  #start = 0;
  #end = 0;
  #watch: PayloadWatch | undefined;
  /** Of what was handed over last. */
  #isKept = true;
  readonly #borrowers = new Set<() => boolean>();
  /** The data of the packet that is being handled, or none is left of it. */
  #isBorrowed = false;
  #onRead = (): void => undefined;

  /** `listener` is called before what was read is handled; there is one at most. */
  onRead(listener: () => void): void {
    this.#onRead = listener;
  }

  /** For a socket that pushes what it reads. */
  reading(socket: () => Socket): OnReadOpts {
    return {
      buffer: () => {
        if (SLAB - this.#end < LEAST) this.#startSlab();
        return this.#slab.subarray(this.#end);
      },
      callback: (length) => {
        this.#onRead();
        this.#end += length;
        const data = this.#slab.subarray(this.#start, this.#end);
        const whole = this.#watch?.wholePackets(data) ?? data.length;
        return whole === 0 || this.#handOver(socket(), data, whole);
      },
    };
  }

  /** From now on memory is used again, as far as the packets of the connection are known to allow it. */
  watch(client: Client): void {
    const before = (): void => void (this.#isBorrowed = false);
    const after = (type: number | undefined): void => {
      if (type !== WINDOW_ADJUST && !(type === CHANNEL_DATA && this.#isBorrowed)) this.#isKept = true;
    };
    const watch = (): void => void (this.#watch = watchPayloads(client, before, after));
    watch();
    // Each key exchange makes a new cipher.
    client.on('handshake', watch);
  }

  /** The data of the packet that is being handled is used until `settle` says that it is not; without it no more. */
  borrow(settle?: () => boolean): void {
    this.#isBorrowed = true;
    if (settle !== undefined) this.#borrowers.add(settle);
  }

  #handOver(socket: Socket, data: Buffer, length: number): boolean {
    this.#isKept = false;
    const mayPush = socket.push(data.subarray(0, length));
    this.#settle();
    // What waits to be read, or was read before the packets were watched, or is a packet that is not complete yet.
    if (this.#isKept || socket.readableLength > 0 || this.#watch?.isDoneWith(this.#slab.buffer) !== true) {
      this.#start += length;
    } else {
      data.copyWithin(0, length);
      this.#end -= length;
    }
    return mayPush;
  }

  #startSlab(): void {
    const slab = Buffer.allocUnsafeSlow(SLAB);
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#slab = slab;
    this.#end -= this.#start;
    this.#start = 0;
  }

  #settle(): void {
    for (const settle of this.#borrowers) if (!settle()) this.#isKept = true;
    this.#borrowers.clear();
  }
}
