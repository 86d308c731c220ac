import type { Client } from 'ssh2';
import { ping } from './internals.ts';
import type { Path } from './windows/path.ts';

/** How often the server is asked while there is traffic: a small packet each way, and its answer may hold up another one. */
const INTERVAL_MS = 250;
/** Windows matter to transfers: where fewer bytes come through in that time it is asked at the beginning, and rarely later. */
const TRANSFER = 128 * 1024;
const EARLY = 8;
const RARELY_MS = 10_000;

/** Measures how long the server takes to answer: at the beginning, when nothing is in the way, and during traffic. */
export class RoundTrips {
  readonly #client: Client;
  readonly #path: Path;
  #askedAt = 0;
  #isAsking = false;
  #asked = 0;
  /** What has come through since then. */
  #bytes = 0;
  #since = -Infinity;

  constructor(client: Client, path: Path) {
    this.#client = client;
    this.#path = path;
    // A server has things to do after the login: the second answer comes when it is done with them.
    this.#ask(() => this.#ask());
  }

  /** So much has come through, in one direction or the other. */
  traffic(bytes: number, now: number): void {
    this.#bytes += bytes;
    if (this.#isAsking || now - this.#since < INTERVAL_MS) return;
    const isRare = this.#asked < EARLY || now - this.#askedAt >= RARELY_MS;
    if (isRare || this.#bytes >= TRANSFER) this.#ask();
    this.#since = now;
    this.#bytes = 0;
  }

  #ask(onAnswer: () => void = () => undefined): void {
    this.#asked += 1;
    this.#askedAt = performance.now();
    this.#isAsking = ping(this.#client, () => {
      this.#isAsking = false;
      this.#path.sample(this.#askedAt, performance.now());
      onAnswer();
    });
  }
}
