import type { Client } from 'ssh2';
import { ping } from './internals.ts';
import type { Path } from './windows/path.ts';

/** How often the server is asked while there is traffic: a small packet each way. */
const INTERVAL_MS = 250;

/** Measures how long the server takes to answer: at the beginning, when nothing is in the way, and during traffic. */
export class RoundTrips {
  readonly #client: Client;
  readonly #path: Path;
  #askedAt = -Infinity;
  #isAsking = false;

  constructor(client: Client, path: Path) {
    this.#client = client;
    this.#path = path;
    // A server has things to do after the login: the second answer comes when it is done with them.
    this.#ask(() => this.#ask());
  }

  /** To be called when there is traffic. */
  traffic(now: number): void {
    if (!this.#isAsking && now - this.#askedAt >= INTERVAL_MS) this.#ask();
  }

  #ask(onAnswer: () => void = () => undefined): void {
    this.#askedAt = performance.now();
    this.#isAsking = ping(this.#client, () => {
      this.#isAsking = false;
      this.#path.sample(this.#askedAt, performance.now());
      onAnswer();
    });
  }
}
