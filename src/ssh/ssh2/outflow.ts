import type { Writable } from 'node:stream';

/** Bytes that may wait in front of the SSH socket before the channels are made to wait instead. */
const LIMIT = 128 * 1024;

/** What is no longer than this is a request, which does not wait behind bulk; it may go a little beyond the limit. */
const SHORT = 4 * 1024;
const LIMIT_FOR_SHORT = 2 * LIMIT;
/** So many short ones in a row, then a long one has its turn. */
const SHORT_IN_A_ROW = 16;

/** So much is written to the socket at once. */
const GATHERED = 128 * 1024;

/**
 * One queue bound for everything that is written to an SSH connection. ssh2 never looks at what `socket.write`
 * returns, so without this each channel could leave a window's worth of data in memory, and a small request would
 * wait behind all of it. Waiting channels go on in turn, one packet each, and those with little to say first.
 *
 * What is sent while the events of one moment are handled goes to the socket together: a system call for each of many small
 * packets costs more than all else that is done for them.
 */
export class Outflow {
  readonly #socket: Writable;
  readonly #long = new Turns();
  readonly #short = new Turns();
  #shortInARow = 0;
  #isGathering = false;

  constructor(socket: Writable) {
    this.#socket = socket;
    socket.on('drain', () => this.#resume());
  }

  /** Calls `send`, which sends up to `bytes`: now, or when it is its turn; never if the socket is lost. */
  schedule(bytes: number, send: () => void): void {
    const [turns, limit] = bytes <= SHORT ? [this.#short, LIMIT_FOR_SHORT] : [this.#long, LIMIT];
    if (turns.isEmpty && !this.#isFull(limit)) this.#send(send);
    else turns.add(send);
  }

  /** What is written to the socket until all events of this moment are handled goes out together. */
  gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#socket.cork();
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.#socket.uncork();
    // Node.js tells of a drain only if the queue was full at a write.
    if (!this.#socket.writableNeedDrain) this.#resume();
  };

  #send(send: () => void): void {
    this.gather();
    send();
    if (this.#socket.writableLength >= GATHERED) this.#flush();
  }

  #isFull(limit: number): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength >= limit;
  }

  #resume(): void {
    for (;;) {
      const turns = this.#next();
      if (turns === undefined) return;
      this.#send(turns.take());
    }
  }

  /** Whose turn it is; undefined if nobody waits, or none may send. */
  #next(): Turns | undefined {
    const mayLong = !this.#long.isEmpty && !this.#isFull(LIMIT);
    const mayShort = !this.#short.isEmpty && !this.#isFull(LIMIT_FOR_SHORT);
    if (mayShort && !(mayLong && this.#shortInARow >= SHORT_IN_A_ROW)) {
      this.#shortInARow += 1;
      return this.#short;
    }
    this.#shortInARow = 0;
    return mayLong ? this.#long : undefined;
  }
}

/** First come, first served; `Array.shift` is slow for thousands. */
class Turns {
  #waiting: (() => void)[] = [];
  #taken = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#waiting.length;
  }

  add(turn: () => void): void {
    this.#waiting.push(turn);
  }

  take(): () => void {
    const turn = this.#waiting[this.#taken++] as () => void;
    if (this.#taken === this.#waiting.length || this.#taken > 1000) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return turn;
  }
}
