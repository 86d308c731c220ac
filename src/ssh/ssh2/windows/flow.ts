import type { Direction } from './direction.ts';

const KIB = 1024;
/** A few packets: less makes the sender wait for each window update. */
const LEAST = 128 * KIB;
/**
 * What an application has ready beyond what is under way stands in sshd's buffer for the channel, which is copied at every
 * read that makes it grow, and at every packet when it comes to 16 MiB (sshbuf.c): sshd then sends less than 10 MB a second.
 */
const MOST = 10 * 1024 * KIB;
/** On a near path larger windows only leave the processor's caches. */
const LEAST_NEAR = 1024 * KIB;
const MOST_NEAR = 2048 * KIB;
/** ssh's own window, where the round trip cannot be measured. */
const FIXED = 2048 * KIB;

/** A round trip takes longer by what both programs do with it. */
const PROGRAMS_MS = 4;
/** Packets and window updates come in pieces, one of which is always between the two. */
const PIECES = 64 * KIB;
/** The shortest time over which a rate says something. */
const SHORTEST_ROUND_MS = 10;
/** Of so many rounds the second fastest counts: one that is slower or faster than the others may be chance. */
const ROUNDS = 4;
/** A channel that was silent for so long begins anew. */
const FORGOTTEN_MS = 2000;

/** A window that is all used may be what holds the rate: it doubles in a round trip, as in TCP's slow start. */
const UNUSED = 0.2;
/** Else it stays by half above what the path carries. */
const SPARE = 0.5;
/** Neither by more than this: it is what sshd has to keep in its buffer for the channel. */
const MOST_SPARE = 1024 * KIB;
const GAIN_DRAINING = 0.5;

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
  #target: number;
  /** What the target was a round ago and two: what arrives now was asked for in between. */
  #targetsBefore: readonly [number, number];
  #isGrowing = false;

  constructor(direction: Direction, initial: number) {
    this.#direction = direction;
    this.#initial = initial;
    this.#target = initial;
    this.#targetsBefore = [initial, initial];
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
    if (this.#isGrowing) {
      const [before] = this.#targetsBefore;
      this.#target = Math.min(this.#target + bytes, before + MOST_SPARE, this.#most);
    }
    const elapsed = now - this.#roundStart;
    if (elapsed < Math.max(roundTrip, SHORTEST_ROUND_MS)) return;
    this.#endRound(this.#bytes / elapsed, now);
    this.#roundStart = now;
    this.#bytes = 0;
  }

  #endRound(rate: number, now: number): void {
    this.#rates.push(rate);
    if (this.#rates.length > ROUNDS) this.#rates.shift();
    const sorted = this.#rates.toSorted((a, b) => b - a);
    // While it grew the last one was the fastest.
    const usual = this.#isGrowing ? rate : (sorted[1] ?? rate);
    const { path } = this.#direction;
    const [before, longBefore] = this.#targetsBefore;
    this.#targetsBefore = [this.#target, before];
    const unused = longBefore - rate * ((path.roundTripMs ?? 0) + PROGRAMS_MS);
    this.#isGrowing = unused <= Math.min(longBefore * UNUSED, MOST_SPARE / 2) && !path.isDraining(now);
    if (this.#isGrowing) return;
    this.#target = this.#choose(usual, now);
    this.#direction.carried(this.#target);
  }

  #choose(rate: number, now: number): number {
    const { path } = this.#direction;
    const { roundTripMs } = path;
    if (roundTripMs === undefined) return FIXED;
    const least = path.isNear ? LEAST_NEAR : LEAST;
    const underWay = rate * roundTripMs;
    const wanted = path.isDraining(now)
      ? underWay * GAIN_DRAINING
      : underWay + Math.min(underWay * SPARE, MOST_SPARE) + rate * PROGRAMS_MS + PIECES;
    return Math.max(least, Math.min(this.#most, Math.round(wanted)));
  }

  get #most(): number {
    return this.#direction.path.isNear ? MOST_NEAR : MOST;
  }

  #forget(): void {
    this.#rates = [];
    this.#target = this.#initial;
    this.#targetsBefore = [this.#initial, this.#initial];
    this.#isGrowing = false;
  }
}
