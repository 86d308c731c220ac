import type { Duplex } from 'node:stream';
import { type Dialer, type Endpoint, formatEndpoint } from '../endpoint.ts';

/** A connection to an upstream, in use by one request at a time. */
export interface Connection {
  readonly stream: Duplex;
  /** It has served a request before, so that it may have been closed meanwhile without our knowing. */
  readonly reused: boolean;
}

interface Idle {
  readonly stream: Duplex;
  readonly since: number;
  readonly forget: () => void;
}

/**
 * How long an idle connection is kept. Shorter than what servers keep it, Gunicorn's 2 s apart: what they close first is
 * only noticed a network's delay later.
 */
const idleMs = 4_000;

/** How fresh an idle connection must be for a request that may not be sent twice. */
const freshMs = 1_000;

/** For each upstream; more are closed when they come back. */
const idleAtMost = 32;

/** The methods that `net.Socket` has over a bare Duplex, as far as node:http calls them. */
const socketMethods = ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref'] as const;

/**
 * Connections over a dialer that were left open by the upstream after an answer. They are lent out by us and not by an
 * `http.Agent`, since a request is only begun when it has its connection: until then nothing of its body has been read,
 * and another upstream can be tried.
 */
export class Pool {
  readonly #dial: Dialer;
  readonly #idle = new Map<string, Idle[]>();
  readonly #generations = new WeakMap<Duplex, number>();
  readonly #all = new Set<Duplex>();
  #generation = 0;

  constructor(dial: Dialer) {
    this.#dial = dial;
  }

  /** Open now, idle ones included. */
  get open(): number {
    return this.#all.size;
  }

  get idle(): number {
    return [...this.#idle.values()].reduce((sum, list) => sum + list.length, 0);
  }

  /** A connection for a request: `repeatable` if it could be sent again on another one. */
  async take(endpoint: Endpoint, repeatable: boolean, signal: AbortSignal): Promise<Connection> {
    const stream = this.#takeIdle(endpoint, repeatable ? idleMs : freshMs);
    return stream === undefined ? this.dial(endpoint, signal) : { stream, reused: true };
  }

  /** A new connection. */
  async dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    const generation = this.#generation;
    const stream = asSocket(await this.#dial(endpoint, signal));
    this.#generations.set(stream, generation);
    this.#all.add(stream);
    stream.once('close', () => this.#all.delete(stream));
    if (signal.aborted) {
      stream.destroy();
      signal.throwIfAborted();
    }
    return { stream, reused: false };
  }

  /** Takes back a connection whose answer was complete and left it open. */
  giveBack(endpoint: Endpoint, stream: Duplex): void {
    const list = this.#listOf(endpoint);
    const stale = this.#generations.get(stream) !== this.#generation;
    if (stale || stream.destroyed || !stream.writable || stream.readableEnded || list.length >= idleAtMost) {
      stream.destroy();
      return;
    }
    // Whatever happens to it now ends it: an end, an error, or bytes that nobody asked for.
    const drop = (): void => {
      idle.forget();
      stream.destroy();
    };
    const timer = setTimeout(drop, idleMs).unref();
    const idle: Idle = {
      stream,
      since: performance.now(),
      forget: () => {
        clearTimeout(timer);
        for (const event of ['data', 'end', 'close', 'error']) stream.off(event, drop);
        list.splice(list.indexOf(idle), 1);
      },
    };
    for (const event of ['data', 'end', 'close', 'error']) stream.on(event, drop);
    list.push(idle);
    stream.resume();
  }

  /** Idle connections are closed, and those in use are not kept: for when the way to the upstreams has changed. */
  reset(): void {
    this.#generation++;
    for (const { stream, forget } of [...this.#idle.values()].flat()) {
      forget();
      stream.destroy();
    }
  }

  /** Cuts off every connection. */
  destroy(): void {
    this.reset();
    for (const stream of this.#all) stream.destroy();
  }

  /** The one that came back last: of those that the upstream may close, it will be the last. */
  #takeIdle(endpoint: Endpoint, atMostMs: number): Duplex | undefined {
    const idle = this.#listOf(endpoint).at(-1);
    if (idle === undefined || performance.now() - idle.since > atMostMs) return undefined;
    idle.forget();
    return idle.stream;
  }

  #listOf(endpoint: Endpoint): Idle[] {
    const key = formatEndpoint(endpoint);
    let list = this.#idle.get(key);
    if (list === undefined) this.#idle.set(key, (list = []));
    return list;
  }
}

/** node:http takes any Duplex for a connection if it has these; a channel has no use for them. */
function asSocket(stream: Duplex): Duplex {
  const socket = stream as unknown as Record<string, unknown>;
  for (const name of socketMethods) socket[name] ??= () => stream;
  // Its 'error' is told by the request that uses it; between two requests nobody listens.
  stream.on('error', () => {});
  return stream;
}
