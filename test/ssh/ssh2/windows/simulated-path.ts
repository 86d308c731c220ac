import { Budget } from '../../../../src/ssh/ssh2/windows/budget.ts';
import { Direction } from '../../../../src/ssh/ssh2/windows/direction.ts';
import { Path } from '../../../../src/ssh/ssh2/windows/path.ts';
import { ReceiveWindow } from '../../../../src/ssh/ssh2/windows/receive-window.ts';

const PACKET = 32 * 1024;
const PING_EVERY_MS = 250;

export interface PathOptions {
  readonly bytesPerMs: number;
  readonly roundTripMs: number;
  /** How much a reader takes; default all that comes. */
  readonly readerBytesPerMs?: number;
}

export interface Observed {
  readonly received: number;
  /** The longest time that a byte stood in front of the link, in the whole and in the second half. */
  readonly longestQueueMs: number;
  readonly laterQueueMs: number;
  readonly window: ReceiveWindow;
}

/**
 * A sender with more than enough to send, a link with one queue in front of it, and a reader, in steps of a millisecond:
 * everything is computed, nothing waits.
 */
export class SimulatedPath {
  readonly path = new Path();
  readonly direction = new Direction(this.path);
  readonly budget = new Budget();
  bytesPerMs: number;
  roundTripMs: number;
  now = 0;
  #linkFreeAt = 0;
  #events: { readonly at: number; readonly happen: () => void }[] = [];

  constructor({ bytesPerMs, roundTripMs }: PathOptions) {
    this.bytesPerMs = bytesPerMs;
    this.roundTripMs = roundTripMs;
    // As after a login.
    this.path.sample(-roundTripMs, 0);
  }

  /** Downloads through one channel for a while. */
  transfer(forMs: number, readerBytesPerMs = Infinity): Observed {
    const window = new ReceiveWindow(this.direction, this.budget);
    const end = this.now + forMs;
    const half = this.now + forMs / 2;
    let credit = window.initial;
    let unread = 0;
    let received = 0;
    let longestQueueMs = 0;
    let laterQueueMs = 0;
    let isWaiting = false;
    const give = (more: number): void => {
      this.#after(this.roundTripMs / 2, () => (credit += more));
      if (window.waitMs === undefined || isWaiting) return;
      isWaiting = true;
      this.#after(window.waitMs, () => {
        isWaiting = false;
        give(window.credit(this.now));
      });
    };
    while (this.now < end) {
      for (const { happen } of this.#due()) happen();
      while (credit > 0) {
        const length = Math.min(PACKET, credit);
        credit -= length;
        const queueMs = this.#send(length, () => (unread += length));
        longestQueueMs = Math.max(longestQueueMs, queueMs);
        if (this.now > half) laterQueueMs = Math.max(laterQueueMs, queueMs);
      }
      const taken = Math.min(unread, readerBytesPerMs);
      if (taken > 0) {
        unread -= taken;
        received += taken;
        give(window.taken(taken, this.now));
      }
      if (this.now % PING_EVERY_MS === 0) this.#ping();
      this.now += 1;
    }
    this.#events = [];
    return { received, longestQueueMs, laterQueueMs, window };
  }

  /** Gives the time that it stands in the queue. */
  #send(length: number, arrived: () => void): number {
    const start = Math.max(this.now, this.#linkFreeAt);
    this.#linkFreeAt = start + length / this.bytesPerMs;
    this.#after(this.#linkFreeAt - this.now + this.roundTripMs / 2, arrived);
    return start - this.now;
  }

  /** Its answer stands in the queue like all else. */
  #ping(): void {
    const sentAt = this.now;
    this.#after(this.roundTripMs / 2, () => this.#send(100, () => this.path.sample(sentAt, this.now)));
  }

  #after(ms: number, happen: () => void): void {
    this.#events.push({ at: this.now + ms, happen });
  }

  #due(): readonly { readonly happen: () => void }[] {
    const due = this.#events.filter(({ at }) => at <= this.now);
    if (due.length > 0) this.#events = this.#events.filter(({ at }) => at > this.now);
    return due;
  }
}
