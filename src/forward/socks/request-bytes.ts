import type { Readable } from 'node:stream';

/** The stream was over before the request was. */
export class ClientLeft extends Error {}

/** Takes from a stream as many bytes as are asked for, and leaves in it what comes after them. */
export class RequestBytes {
  readonly #stream: Readable;
  #stopped: { readonly reason: unknown } | undefined;
  #wake: () => void = () => undefined;
  // Stays attached between two waits: attached anew while too few bytes are there it would be called without end.
  readonly #onChange = (): void => this.#wake();

  constructor(stream: Readable) {
    this.#stream = stream;
    for (const event of changes) stream.on(event, this.#onChange);
  }

  /** Rejects with `ClientLeft`, or with the reason given to `stop`. */
  async take(count: number): Promise<Buffer> {
    for (;;) {
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      if (count === 0) return Buffer.alloc(0);
      const bytes = this.#stream.read(count) as Buffer | null;
      if (bytes?.length === count) return bytes;
      // Fewer bytes than were asked for are given only when they are the last.
      if (bytes !== null || this.#stream.readableEnded || this.#stream.destroyed) throw new ClientLeft();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async takeByte(): Promise<number> {
    return (await this.take(1)).readUInt8();
  }

  /** The bytes before the next NUL, which is taken as well; undefined if there are more than `longest`. */
  async takeUntilNul(longest: number): Promise<Buffer | undefined> {
    const taken: number[] = [];
    for (;;) {
      const byte = await this.takeByte();
      if (byte === 0) return Buffer.from(taken);
      if (taken.push(byte) > longest) return undefined;
    }
  }

  /** Ends the wait for more bytes. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#wake();
  }

  /** The stream is for others to read again. */
  release(): void {
    for (const event of changes) this.#stream.off(event, this.#onChange);
  }
}

const changes = ['readable', 'end', 'error', 'close'] as const;
