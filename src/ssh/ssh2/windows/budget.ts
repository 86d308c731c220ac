const KIB = 1024;
const MIB = 1024 * KIB;

/** For what channels begin with, together; each may have a small part of what is left. */
const INITIAL = 32 * MIB;
const INITIAL_SHARE = 1 / 32;
/** What each channel gets in any case: enough for a request and most answers. */
const LEAST = 64 * KIB;

/** For what windows grow by, together. */
const GROWTH = 64 * MIB;

/**
 * What the server may send without being asked again, over all channels of a connection: memory that has to be there when
 * every reader stops at once. No channel can take all of it, so that there is some for the next one.
 */
export class Budget {
  #initial = 0;
  #grown = 0;

  /** Bytes that may have to be held. */
  get granted(): number {
    return this.#initial + this.#grown;
  }

  /** The window that a channel begins with; `close` gives it back. */
  open(wanted: number): number {
    const share = (INITIAL - this.#initial) * INITIAL_SHARE;
    const granted = Math.max(LEAST, Math.min(wanted, Math.floor(share)));
    this.#initial += granted;
    return granted;
  }

  close(initial: number, growth: number): void {
    this.#initial -= initial;
    this.#grown -= growth;
  }

  /** How far a window that has grown by `growth` may grow in all: as far as what is left for others. */
  mostGrowth(): number {
    return Math.max(0, GROWTH - this.#grown);
  }

  /** A window has grown by so much more, or less. */
  grow(difference: number): void {
    this.#grown += difference;
  }
}
