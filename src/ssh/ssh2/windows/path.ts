/** How long a lowest round trip is believed: a route may change under a connection that lives on. */
const BELIEVED_MS = 10_000;

/** A path that is shorter than this is a machine or a room, where time is spent in programs and not on the way. */
const NEAR_MS = 3;

/**
 * What is known of the way to the server, by all channels of a connection together: the lowest round trip of late.
 * Times are on one clock of the caller's, in milliseconds.
 *
 * The lowest round trip is the path without its queues, ours included. To see it again when it has become old, the queues
 * have to be emptied first: `isDraining` asks the transfers for less until a sample tells.
 */
export class Path {
  #lowestMs: number | undefined;
  #lowestAt = 0;
  #drainingSince: number | undefined;

  /** Undefined until the first sample. */
  get roundTripMs(): number | undefined {
    return this.#lowestMs;
  }

  /** Whether the way itself takes no time that counts. */
  get isNear(): boolean {
    return this.#lowestMs !== undefined && this.#lowestMs < NEAR_MS;
  }

  sample(sentAt: number, now: number): void {
    const took = now - sentAt;
    const isDrained =
      this.#drainingSince !== undefined && sentAt >= this.#drainingSince + (this.#lowestMs ?? 0);
    if (this.#lowestMs !== undefined && took > this.#lowestMs && !isDrained) return;
    this.#lowestMs = took;
    this.#lowestAt = now;
    this.#drainingSince = undefined;
  }

  isDraining(now: number): boolean {
    if (this.#lowestMs === undefined || this.isNear || now - this.#lowestAt < BELIEVED_MS) return false;
    this.#drainingSince ??= now;
    return true;
  }
}
