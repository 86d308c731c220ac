import type { Socket } from 'node:net';

const kernelBuffer = 256 * 1024;
const largest = 64 * 1024 * 1024;

/** One direction of the network, shared by all connections: how long a byte is under way, and how many pass a second. */
export class Link {
  bytes = 0;
  #delayMs = 0;
  #bytesPerMs = Infinity;
  /** When the last byte sent so far leaves. */
  #busyUntil = 0;

  set(delayMs: number, bytesPerSecond: number): void {
    this.#delayMs = delayMs;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#busyUntil = 0;
  }

  /** Takes `length` bytes and gives the time when they arrive. */
  send(length: number): number {
    this.bytes += length;
    this.#busyUntil = Math.max(this.#busyUntil, performance.now()) + length / this.#bytesPerMs;
    return this.#busyUntil + this.#delayMs;
  }

  /**
   * Bytes of one connection that may be under way. It is at least what the line holds (rate times delay), so that the
   * relay itself does not slow a sender down.
   */
  get capacity(): number {
    return kernelBuffer + (this.#delayMs === 0 ? 0 : Math.min(largest, this.#delayMs * this.#bytesPerMs));
  }
}

/** One direction of one connection: what `source` sends arrives at `sink` when `link` says, in order, then its end. */
export class Flow {
  readonly #link: Link;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #underWay: { readonly due: number; readonly data: Buffer | 'end' }[] = [];
  #bytes = 0;
  #lastDue = 0;
  #held = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, source: Socket, sink: Socket) {
    this.#link = link;
    this.#source = source;
    this.#sink = sink;
    source.on('data', (data: Buffer) => this.#send(data));
    source.on('end', () => this.#send('end'));
    sink.on('drain', () => this.#deliver());
  }

  /** While held nothing is read and nothing is delivered. */
  hold(on: boolean): void {
    this.#held = on;
    if (on) this.#source.pause();
    else this.#deliver();
  }

  stop(): void {
    this.hold(true);
    clearTimeout(this.#timer);
    this.#underWay.length = 0;
  }

  #send(data: Buffer | 'end'): void {
    const length = data === 'end' ? 0 : data.length;
    // Not before what was sent earlier: the delay may have become shorter meanwhile.
    this.#lastDue = Math.max(this.#lastDue, this.#link.send(length));
    this.#underWay.push({ due: this.#lastDue, data });
    this.#bytes += length;
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#held) return;
    const now = performance.now();
    while (!this.#sink.writableNeedDrain && this.#underWay[0] && this.#underWay[0].due <= now) {
      this.#arrive(this.#underWay.shift()?.data ?? 'end');
    }
    if (this.#bytes > this.#link.capacity) this.#source.pause();
    else this.#source.resume();
    const next = this.#underWay[0];
    if (next && !this.#sink.writableNeedDrain) {
      this.#timer = setTimeout(() => this.#deliver(), Math.ceil(next.due - now));
    }
  }

  #arrive(data: Buffer | 'end'): void {
    if (data === 'end') {
      this.#sink.end();
      return;
    }
    this.#bytes -= data.length;
    this.#sink.write(data);
  }
}
