/** A time limit that does not run while a person is being asked. `expired` rejects when it has passed. */
export class Deadline {
  readonly expired: Promise<never>;
  #reject: (error: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #remainingMs = 0;
  #startedAt = 0;
  #error: () => Error = () => new Error('expired');
  #stopped = true;
  #pauses = 0;

  constructor() {
    this.expired = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.expired.catch(() => undefined);
  }

  /** Starts the limit anew. */
  start(ms: number, error: () => Error): void {
    this.#remainingMs = ms;
    this.#error = error;
    this.#stopped = false;
    this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Ends the wait at once, for another reason than time. */
  fail(error: Error): void {
    this.stop();
    this.#reject(error);
  }

  /** It goes on when the last of several that overlap has ended. */
  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses === 0) {
      clearTimeout(this.#timer);
      this.#remainingMs -= performance.now() - this.#startedAt;
    }
    this.#pauses += 1;
    try {
      return await work();
    } finally {
      this.#pauses -= 1;
      this.#run();
    }
  }

  #run(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#pauses > 0) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => this.#reject(this.#error()), this.#remainingMs);
  }
}
