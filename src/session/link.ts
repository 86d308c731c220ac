import { ConnectionLostError, TunnelError } from '../errors.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { born, next, type Happening, type Life, type Policy, type State } from './state.ts';

export interface LinkOptions {
  /** One attempt; its signal gives it up. */
  readonly connect: (signal: AbortSignal) => Promise<SshConnection>;
  readonly policy: Policy;
  readonly host: string;
  /** Called after each change. */
  readonly onState: (state: State) => void;
}

/** How long a connection may take to show that it lives, at least; one that was slow to open may take longer. */
const PROBE_MS = 1500;

/** Keeps one SSH connection to a host alive: connects, waits, connects again. Whoever made it closes it. */
export class Link {
  /** Settles at the end of the life: with what ended it, or undefined after `close`. */
  readonly closed: Promise<TunnelError | undefined>;
  readonly #options: LinkOptions;
  #life: Life;
  #settleClosed!: (error: TunnelError | undefined) => void;
  #attempt: AbortController | undefined;
  #connection: SshConnection | undefined;
  #openingMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#life = born(options.policy);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    if (this.state.name === 'connecting') this.#connect();
  }

  get state(): State {
    return this.#life.state;
  }

  /** The connection that there is now. */
  get current(): SshConnection | undefined {
    return this.#connection;
  }

  /** The connection that there is, or the next one. Rejects with what ended the life, or with the reason of `signal`. */
  async connection(signal?: AbortSignal): Promise<SshConnection> {
    this.need();
    for (;;) {
      signal?.throwIfAborted();
      if (this.state.name === 'idle') throw this.state.reason ?? this.#ended();
      if (this.#connection !== undefined && this.state.name === 'ready') return this.#connection;
      if (this.state.name === 'closed') throw this.state.error ?? this.#ended();
      if (this.state.name === 'closing') throw this.#ended();
      await this.#change(signal);
    }
  }

  /** Connects if it has rested so far. */
  need(): void {
    this.#happens({ type: 'needed' });
  }

  /** Does not wait for the next attempt. */
  retry(): void {
    this.#happens({ type: 'retry' });
  }

  /** Asks a connection whose fate is uncertain for a sign of life, and gives it up when there is none. */
  async probe(why: string): Promise<void> {
    const connection = this.#connection;
    // One that rests is not needed.
    if (connection === undefined) return this.retry();
    const timeoutMs = Math.max(PROBE_MS, 2 * this.#openingMs);
    if (await connection.probe(timeoutMs)) return;
    const { host } = this.#options;
    connection.abandon(
      new ConnectionLostError('no-answer', `The connection to ${host} is lost: no answer after ${why}`),
    );
  }

  /** Ends the connection, or the attempt under way. */
  async close(): Promise<void> {
    this.#happens({ type: 'close' });
    await this.closed;
  }

  #happens(happening: Happening): void {
    const before = this.state;
    this.#life = next(this.#life, happening, this.#options.policy, performance.now(), Math.random());
    const { state } = this;
    if (state === before) return;
    clearTimeout(this.#timer);
    this.#enter(state);
    this.#options.onState(state);
    for (const wake of this.#waiting.splice(0)) wake();
    // After everybody has heard of the end.
    if (state.name === 'closed') this.#settleClosed(state.error);
  }

  #enter(state: State): void {
    if (state.name === 'connecting') this.#connect();
    if (state.name === 'waiting') {
      this.#timer = setTimeout(() => this.retry(), Math.max(0, state.retryAt - performance.now()));
    }
    if (state.name === 'closing') void this.#end();
  }

  #connect(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const start = performance.now();
    this.#options.connect(attempt.signal).then(
      (connection) => {
        this.#openingMs = performance.now() - start;
        this.#attempt = undefined;
        this.#adopt(connection);
      },
      (error: unknown) => {
        this.#attempt = undefined;
        this.#happens({ type: 'failed', error: asTunnelError(error, this.#options.host) });
      },
    );
  }

  #adopt(connection: SshConnection): void {
    if (this.state.name !== 'connecting') return void connection.close();
    this.#connection = connection;
    void connection.closed.then((error) => {
      this.#connection = undefined;
      this.#happens({ type: 'failed', error: error ?? this.#ended() });
    });
    this.#happens({ type: 'connected' });
  }

  async #end(): Promise<void> {
    this.#attempt?.abort(this.#ended());
    await this.#connection?.close();
    this.#happens({ type: 'ended' });
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
    });
  }

  #ended(): ConnectionLostError {
    return new ConnectionLostError('session-ended', `The session with ${this.#options.host} has ended`);
  }
}

/** What no part of ours explains still has to reach the person. */
function asTunnelError(error: unknown, host: string): TunnelError {
  if (error instanceof TunnelError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ConnectionLostError('connect-failed', `Cannot connect to ${host}: ${why}`, { cause: error });
}
