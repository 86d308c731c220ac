import type { Path } from './path.ts';

/** So much may be given at once, after a time in which there was nothing to give. */
const BURST = 512 * 1024;
/** A little quicker than what the window carries, so that it can grow. */
const GAIN = 1.25;

/**
 * Spreads what the server is allowed to send over the round trip, as BBR does with what it sends (draft-ietf-ccwg-bbr,
 * section 5.2). What comes in a burst after a stall would be allowed anew in a burst; whatever sshd cannot send at once it
 * reads into its buffer for the channel meanwhile, and copies all of that at every 16 KiB by which it grows (sshbuf.c).
 */
export class Pacer {
  readonly #path: Path;
  #allowed = BURST;
  #at = -Infinity;
  #bytesPerMs = Infinity;

  constructor(path: Path) {
    this.#path = path;
  }

  /** How much may be given now, of a window of so many bytes. */
  allowed(window: number, now: number): number {
    const { roundTripMs, isNear } = this.#path;
    if (roundTripMs === undefined || isNear) return Infinity;
    this.#bytesPerMs = (window * GAIN) / roundTripMs;
    this.#allowed = Math.min(BURST, this.#allowed + this.#bytesPerMs * (now - this.#at));
    this.#at = now;
    return this.#allowed;
  }

  given(bytes: number): void {
    this.#allowed -= bytes;
  }

  /** Milliseconds until so much may be given. */
  waitFor(bytes: number): number {
    return Math.max(0, bytes - this.#allowed) / this.#bytesPerMs;
  }
}
