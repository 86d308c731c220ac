import type { Route } from './route.ts';

/** Less than the time after which TCP sends once more what was not acknowledged: 200 ms at least on Linux. */
const EVERY_MS = 100;

/** For how long after a write its bytes may still be unacknowledged while the VPN is up. */
const RECENT_MS = 10_000;

/**
 * Looks often at the route while the kernel may hold bytes of an open connection: it would send them once more by
 * whatever way there is by then. While there is no way at all they stay there, and so does the watch.
 */
export class Vigil {
  readonly #confirm: () => Promise<Route>;
  #connections = 0;
  #wroteAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(confirm: () => Promise<Route>) {
    this.#confirm = confirm;
  }

  /** A connection is open; the returned function says that it no longer is. */
  opened(): () => void {
    this.#connections += 1;
    return () => {
      this.#connections -= 1;
    };
  }

  /** Bytes were handed to the kernel. */
  wrote(): void {
    this.#wroteAt = performance.now();
    this.#timer ??= setInterval(() => void this.#look(), EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const route = await this.#confirm();
    this.#isLooking = false;
    const isRecent = performance.now() - this.#wroteAt < RECENT_MS;
    if (this.#connections > 0 && (isRecent || !route.up)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
