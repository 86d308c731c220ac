import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { abort } from './abort.ts';
import { Flow, Link } from './link.ts';

/** A port of 127.0.0.1, or the path of a Unix socket. */
export type Target = { readonly port: number } | { readonly path: string };

/** What the network between the client and the target is like. */
export interface Conditions {
  /** One way, in each direction. */
  readonly delayMs?: number;
  /** In each direction, shared by all connections. */
  readonly bytesPerSecond?: number;
}

/**
 * A TCP relay on 127.0.0.1 in front of a server, which counts what passes and can be a bad network. Half-closes and
 * resets pass through. Memory is bounded: a side that does not read stops the other.
 */
export async function startRelay(target: Target, conditions: Conditions = {}): Promise<Relay> {
  const relay = new Relay(target, await listen(0));
  relay.set(conditions);
  return relay;
}

export class Relay {
  readonly host = '127.0.0.1';
  readonly port: number;
  /** Connections since the start. */
  total = 0;

  readonly #target: Target;
  readonly #up = new Link();
  readonly #down = new Link();
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #blackhole = false;

  constructor(target: Target, server: Server) {
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    this.#accept(server);
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Bytes that the clients sent. */
  get bytesUp(): number {
    return this.#up.bytes;
  }

  /** Bytes that the target sent. */
  get bytesDown(): number {
    return this.#down.bytes;
  }

  /** For what is sent from now on. What is left out is without delay, or without limit. */
  set({ delayMs = 0, bytesPerSecond = Infinity }: Conditions): void {
    this.#up.set(delayMs, bytesPerSecond);
    this.#down.set(delayMs, bytesPerSecond);
  }

  /** Resets every open connection on both sides; what is under way is lost. */
  drop(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /**
   * While on, connections are accepted and nothing passes in either direction, neither an end nor a reset. What waited
   * passes when it is off again, as after an outage that TCP lives through.
   */
  blackhole(on: boolean): void {
    this.#blackhole = on;
    for (const pair of this.#pairs) pair.hold(on);
  }

  /** While on, new connections are refused (ECONNREFUSED); open ones stay. */
  async refuse(on: boolean): Promise<void> {
    if (!on && !this.#server) this.#accept(await listen(this.port));
    if (on) {
      // It stops listening at once; its `close` event would wait for the open connections.
      this.#server?.close();
      this.#server = undefined;
    }
  }

  async stop(): Promise<void> {
    await this.refuse(true);
    this.drop();
  }

  #accept(server: Server): void {
    this.#server = server;
    server.on('connection', (client: Socket) => {
      this.total += 1;
      const pair = new Pair(client, this.#target, this.#up, this.#down);
      this.#pairs.add(pair);
      client.once('close', () => this.#pairs.delete(pair));
      pair.hold(this.#blackhole);
    });
  }
}

/** One connection through the relay. The target is not connected to before it is held no longer. */
class Pair {
  readonly #client: Socket;
  readonly #target: Target;
  readonly #links: { readonly up: Link; readonly down: Link };
  #upstream: Socket | undefined;
  #flows: readonly Flow[] = [];
  #held = false;
  #broken = false;

  constructor(client: Socket, target: Target, up: Link, down: Link) {
    this.#client = client;
    this.#target = target;
    this.#links = { up, down };
    client.setNoDelay(true).on('error', () => this.#break());
  }

  hold(on: boolean): void {
    this.#held = on;
    for (const flow of this.#flows) flow.hold(on);
    if (on) return;
    if (this.#broken) this.reset();
    else this.#upstream ??= this.#connect();
  }

  reset(): void {
    for (const flow of this.#flows) flow.stop();
    abort(this.#client);
    if (this.#upstream) abort(this.#upstream);
  }

  #connect(): Socket {
    const upstream = connect({ host: '127.0.0.1', ...this.#target, allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => this.#break());
    upstream.once('connect', () => {
      const { up, down } = this.#links;
      this.#flows = [new Flow(up, this.#client, upstream), new Flow(down, upstream, this.#client)];
      for (const flow of this.#flows) flow.hold(this.#held);
    });
    return upstream;
  }

  #break(): void {
    this.#broken = true;
    if (!this.#held) this.reset();
  }
}

async function listen(port: number): Promise<Server> {
  // Paused, so that nothing is read before it is known where it goes.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
