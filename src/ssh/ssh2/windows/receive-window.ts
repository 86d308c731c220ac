import type { Budget } from './budget.ts';
import type { Direction } from './direction.ts';
import { Flow } from './flow.ts';
import { Pacer } from './pacer.ts';

const KIB = 1024;
/** Window updates are sent when so much of the window can be given anew: early, and not for every packet. */
const STEP = 1 / 8;
const LEAST_STEP = 32 * KIB;
const MOST_STEP = 128 * KIB;

/**
 * The receive window of one channel (RFC 4254, section 5.2). What the peer may still send, and what the reader has not taken
 * yet, is together no more than the window, which follows the path as long as the reader takes what comes: a reader that
 * stops holds no more than that. Credit that was given cannot be taken back: a window shrinks as it is used.
 */
export class ReceiveWindow {
  readonly initial: number;
  readonly #budget: Budget;
  readonly #flow: Flow;
  readonly #pacer: Pacer;
  /** What the peer may still send, and what has come and was not taken. */
  #size: number;
  #growth = 0;
  #isOpen = true;
  /** Set if more is to be given than may be given at once. */
  waitMs: number | undefined;

  constructor(direction: Direction, budget: Budget) {
    this.#budget = budget;
    this.initial = budget.open(direction.initialWindow);
    this.#size = this.initial;
    this.#flow = new Flow(direction, this.initial);
    this.#pacer = new Pacer(direction.path);
  }

  get size(): number {
    return this.#size;
  }

  /** The reader has taken so much; returns how much more the peer is to be allowed, often nothing. */
  taken(bytes: number, now: number): number {
    this.#size -= bytes;
    this.#flow.delivered(bytes, now);
    return this.credit(now);
  }

  /** How much more the peer is to be allowed now; `waitMs` says when to ask again, even if nothing is taken until then. */
  credit(now: number): number {
    this.waitMs = undefined;
    const { target } = this.#flow;
    const most = Math.min(target, this.initial + this.#budget.mostGrowth());
    const wanted = most - this.#size;
    const step = Math.min(MOST_STEP, Math.max(LEAST_STEP, target * STEP), most / 2);
    if (!this.#isOpen || wanted < step) return 0;
    const allowed = this.#pacer.allowed(target, now);
    const credit = allowed < step ? 0 : Math.min(wanted, allowed);
    this.#pacer.given(credit);
    if (credit < wanted) this.waitMs = this.#pacer.waitFor(step);
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
