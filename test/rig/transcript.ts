import { EventEmitter, once } from 'node:events';

/** What a process wrote, and waiting for what it will write. */
export class Transcript {
  text = '';
  #ended = false;
  readonly #events = new EventEmitter().setMaxListeners(0);

  append(chunk: string): void {
    this.text += chunk;
    this.#events.emit('change');
  }

  /** Nothing more will come: whoever still waits is told so. */
  end(): void {
    this.#ended = true;
    this.#events.emit('change');
  }

  /**
   * Waits until `find` gives something. Throws, with the whole text, when the process ended or the time is over
   * without it.
   */
  async waitFor<T>(what: string, find: () => T | null | undefined, timeoutMs = 30_000): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = find();
      if (found !== null && found !== undefined) return found;
      if (this.#ended) throw new Error(`It ended without ${what}. It wrote:\n${this.text}`);
      await once(this.#events, 'change', { signal }).catch((cause: unknown) => {
        throw new Error(`No ${what} within ${timeoutMs} ms. It wrote:\n${this.text}`, { cause });
      });
    }
  }
}
