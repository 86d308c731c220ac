import type { Direction } from './direction.ts';

const KIB = 1024;
/** A few packets: less makes the sender wait for each window update. */
const LEAST = 128 * KIB;
const MOST = 16 * 1024 * KIB;
/** On a near path larger windows only leave the processor's caches. */
const LEAST_NEAR = 1024 * KIB;
const MOST_NEAR = 2048 * KIB;
/** ssh's own window, where the round trip cannot be measured. */
const FIXED = 2048 * KIB;

/** A round trip takes longer by what both programs do with it. */
const PROGRAMS_MS = 4;
/** The shortest time over which a rate says something. */
const SHORTEST_ROUND_MS = 10;
/** Of so many rounds the fastest counts: a slow one may be chance. */
const ROUNDS = 8;
/** A channel that was silent for so long begins anew. */
const FORGOTTEN_MS = 2000;

/** As long as the rate grows by a quarter a round, the window doubles; then it stays a quarter above what it carries. */
const GAIN_GROWING = 2;
const GAIN = 1.25;
const GAIN_DRAINING = 0.5;
const GROWTH = 1.25;
const ROUNDS_WITHOUT_GROWTH = 3;

/**
 * How much one channel should have under way in one direction, from what arrives: the delivery rate times the lowest round
 * trip, and a little more to notice that the path carries more. This is the model of BBR
 * (draft-ietf-ccwg-bbr, sections 2 and 5.3) at the level of channels. Less would leave the path idle; more would
 * stand in queues, where every other channel waits behind it.
 *
 * TCP under it has its own congestion control; what is chosen here only keeps a channel from filling its buffers.
 */
export class Flow {
  readonly #direction: Direction;
  readonly #initial: number;
  #rates: number[] = [];
  #roundStart = -Infinity;
  #last = -Infinity;
  #bytes = 0;
  #best = 0;
  #flat = 0;
  #target: number;

  constructor(direction: Direction, initial: number) {
    this.#direction = direction;
    this.#initial = initial;
    this.#target = initial;
  }

  get target(): number {
    return this.#target;
  }

  /** So many bytes have come through, and the receiver has taken them. */
  delivered(bytes: number, now: number): void {
    const roundTrip = this.#direction.path.roundTripMs ?? 0;
    const silence = now - this.#last;
    this.#last = now;
    if (silence > FORGOTTEN_MS) this.#forget();
    // Between two bursts it is the application that waits, which says nothing about the path.
    if (silence > 2 * roundTrip + SHORTEST_ROUND_MS) {
      this.#roundStart = now;
      this.#bytes = 0;
      return;
    }
    this.#bytes += bytes;
    const elapsed = now - this.#roundStart;
    if (elapsed < Math.max(roundTrip, SHORTEST_ROUND_MS)) return;
    this.#endRound(this.#bytes / elapsed, now);
    this.#roundStart = now;
    this.#bytes = 0;
  }

  #endRound(rate: number, now: number): void {
    this.#rates.push(rate);
    if (this.#rates.length > ROUNDS) this.#rates.shift();
    if (rate >= this.#best * GROWTH) {
      this.#best = rate;
      this.#flat = 0;
    } else this.#flat += 1;
    const isGrowing = this.#flat < ROUNDS_WITHOUT_GROWTH;
    this.#target = this.#choose(Math.max(...this.#rates), isGrowing, now);
    if (!isGrowing) this.#direction.carried(this.#target);
  }

  #choose(rate: number, isGrowing: boolean, now: number): number {
    const { path } = this.#direction;
    const { roundTripMs, isNear } = path;
    if (roundTripMs === undefined) return FIXED;
    if (path.isDraining(now)) return clamp(rate * roundTripMs * GAIN_DRAINING, LEAST, MOST);
    const wanted = rate * (roundTripMs * (isGrowing ? GAIN_GROWING : GAIN) + PROGRAMS_MS);
    return isNear ? clamp(wanted, LEAST_NEAR, MOST_NEAR) : clamp(wanted, LEAST, MOST);
  }

  #forget(): void {
    this.#rates = [];
    this.#best = 0;
    this.#flat = 0;
    this.#target = this.#initial;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, Math.round(value)));
}
