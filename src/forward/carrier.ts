import type { Duplex } from 'node:stream';
import { DialError, TunnelError } from '../errors.ts';
import { relay } from './relay.ts';
import { reset } from './reset.ts';

export interface CarrierOptions {
  /** Where to, for sentences that begin with "A connection": `to localhost:3000`. */
  readonly route: string;
  /**
   * Opens the other side of one accepted stream; undefined if nothing is to be carried, and `accepted` is closed.
   * The signal gives up when the client has left or the carrier is closed. When it rejects, `accepted` is reset, or
   * left alone if an answer was sent and ended.
   */
  readonly open: (accepted: Duplex, signal: AbortSignal) => Promise<Duplex | undefined>;
  readonly onConnection?: ((state: 'opened' | 'closed') => void) | undefined;
  /** A connection whose other side could not be opened, or that broke there; a client that leaves is no error. */
  readonly onError?: ((error: TunnelError) => void) | undefined;
}

/** One accepted stream, until it and the other side are gone. */
interface Carried {
  readonly abort: AbortController;
  readonly gone: Promise<void>;
}

/** `setTimeout` takes no more; longer is as good as for ever. */
const longestTimeout = 2 ** 31 - 1;

/** Gives each accepted stream its other side, relays between the two, and counts. */
export class Carrier {
  readonly #options: CarrierOptions;
  readonly #live = new Set<Carried>();
  readonly #counts = {
    fromA: (bytes: number): void => void (this.#fromAccepted += bytes),
    fromB: (bytes: number): void => void (this.#fromOpened += bytes),
  };
  #total = 0;
  #fromAccepted = 0;
  #fromOpened = 0;
  /** When what is left is cut off, on the clock of `performance.now()`; from then on nothing is accepted. */
  #deadline = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CarrierOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#live.size;
  }

  get total(): number {
    return this.#total;
  }

  /** Bytes that the accepted streams sent. */
  get fromAccepted(): number {
    return this.#fromAccepted;
  }

  /** Bytes that the other sides sent. */
  get fromOpened(): number {
    return this.#fromOpened;
  }

  /** Takes ownership of the stream, which must have been made with `allowHalfOpen: true`. */
  accept(accepted: Duplex): void {
    accepted.on('error', ignore);
    // What the far end opened before it heard that we have stopped listening.
    if (this.#deadline < Infinity) return reset(accepted);
    const abort = new AbortController();
    const closed = new Promise<void>((resolve) => {
      accepted.once('close', () => resolve());
    });
    const gone = Promise.all([this.#carry(accepted, abort), closed]).then(() => this.#forget(carried));
    const carried: Carried = { abort, gone };
    this.#live.add(carried);
    this.#total++;
    this.#options.onConnection?.('opened');
  }

  /**
   * Lets open connections finish for up to `graceMs` and cuts off what is left then; what is being opened is given up.
   * A later call with a shorter time shortens it. Resolves when nothing is left.
   */
  async close(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    if (deadline < this.#deadline) {
      this.#deadline = deadline;
      clearTimeout(this.#timer);
      if (graceMs > 0) this.#timer = setTimeout(() => this.#cutOff(), Math.min(graceMs, longestTimeout));
      else this.#cutOff();
    }
    await Promise.all([...this.#live].map(({ gone }) => gone));
    clearTimeout(this.#timer);
  }

  async #carry(accepted: Duplex, abort: AbortController): Promise<void> {
    const opened = await this.#open(accepted, abort);
    if (opened === undefined) return;
    if (abort.signal.aborted) {
      opened.on('error', ignore);
      reset(opened);
      return reset(accepted);
    }
    const broken = await relay(accepted, opened, abort.signal, this.#counts);
    if (broken?.stream === opened) this.#report(broken.error, 'connection-broken', 'broke');
  }

  async #open(accepted: Duplex, abort: AbortController): Promise<Duplex | undefined> {
    const giveUp = (): void => abort.abort();
    accepted.once('close', giveUp);
    try {
      return await this.#options.open(accepted, abort.signal);
    } catch (error) {
      // Reset and not ended: the client would take an end for an empty answer.
      if (!accepted.writableEnded) reset(accepted);
      if (!abort.signal.aborted) this.#report(error, 'dial-failed', 'could not be opened');
      return undefined;
    } finally {
      accepted.off('close', giveUp);
    }
  }

  #report(error: unknown, code: string, what: string): void {
    const { onError, route } = this.#options;
    if (error instanceof TunnelError) return onError?.(error);
    const why = error instanceof Error ? error.message : String(error);
    onError?.(new DialError(code, `A connection ${route} ${what}: ${why}`, { cause: error }));
  }

  #forget(carried: Carried): void {
    this.#live.delete(carried);
    this.#options.onConnection?.('closed');
  }

  #cutOff(): void {
    for (const { abort } of this.#live) abort.abort();
  }
}

/** For a stream whose `close` event tells enough. */
function ignore(): void {}
