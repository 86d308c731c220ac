import type { Path } from './path.ts';

const KIB = 1024;
/** What a channel begins with while nothing is known: on 10 Mbit/s and more little waits behind it, or not for long. */
const UNKNOWN_WINDOW = 512 * KIB;
/** What OpenSSH opens channels with. */
const LARGEST_INITIAL_WINDOW = 2048 * KIB;

/** One of the two directions of a connection, and what its bulk transfers have taught the channels after them. */
export class Direction {
  readonly path: Path;
  #carried = 0;

  constructor(path: Path) {
    this.path = path;
  }

  /** What a channel may have under way before anything is known of it. */
  get initialWindow(): number {
    return Math.min(LARGEST_INITIAL_WINDOW, Math.max(UNKNOWN_WINDOW, this.#carried));
  }

  /** A bulk transfer had so much under way, and more would not have been faster. */
  carried(bytes: number): void {
    this.#carried = bytes;
  }
}
