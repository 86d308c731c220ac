import type { Budget } from './budget.ts';
import type { Direction } from './direction.ts';
import { Flow } from './flow.ts';

const KIB = 1024;
/** Window updates are sent when so much of the window can be given anew: early, and not for every packet. */
const STEP = 1 / 8;
const LEAST_STEP = 32 * KIB;
const MOST_STEP = 512 * KIB;

/**
 * The receive window of one channel (RFC 4254, section 5.2). What the peer may still send, and what the reader has not taken
 * yet, is together no more than the window, which follows the path as long as the reader takes what comes: a reader that
 * stops holds no more than that. Credit that was given cannot be taken back: a window shrinks as it is used.
 */
export class ReceiveWindow {
  readonly initial: number;
  readonly #budget: Budget;
  readonly #flow: Flow;
  /** What the peer may still send, and what has come and was not taken. */
  #size: number;
  #growth = 0;
  #isOpen = true;

  constructor(direction: Direction, budget: Budget) {
    this.#budget = budget;
    this.initial = budget.open(direction.initialWindow);
    this.#size = this.initial;
    this.#flow = new Flow(direction, this.initial);
  }

  get size(): number {
    return this.#size;
  }

  /** The reader has taken so much; returns how much more the peer is to be allowed, often nothing. */
  taken(bytes: number, now: number): number {
    this.#size -= bytes;
    this.#flow.delivered(bytes, now);
    const { target } = this.#flow;
    const most = Math.min(target, this.initial + this.#budget.mostGrowth());
    const credit = most - this.#size;
    if (!this.#isOpen || credit < Math.min(MOST_STEP, Math.max(LEAST_STEP, target * STEP), most / 2))
      return 0;
    this.#size += credit;
    this.#account();
    return credit;
  }

  /** Nothing more comes, or nobody wants it. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#budget.close(this.initial, this.#growth);
  }

  #account(): void {
    const growth = Math.max(0, this.#size - this.initial);
    this.#budget.grow(growth - this.#growth);
    this.#growth = growth;
  }
}
