import { Socket, type SocketConstructorOpts } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLostError } from '../errors.ts';
import type { Route } from './route.ts';
import type { RouteGuard } from './route-guard.ts';

type Done = (error?: Error | null) => void;

/** How often it is looked whether a write that waits for the route may go on. */
const WAIT_MS = 250;

/**
 * A TCP connection whose bytes are handed to the kernel only while its route is through WireGuard.
 *
 * The kernel finds a way for each packet: when the VPN goes down, what is written to a connection that was opened over
 * it leaves through the next best interface, in plain, for whoever has that address there. So while there is no route
 * writes wait, and when it leads elsewhere the connection is reset, which also takes back what the kernel still holds.
 */
export class GuardedSocket extends Socket {
  readonly #guard: RouteGuard;
  readonly #address: string;
  /** Why it was cut. */
  #loss: ConnectionLostError | undefined;

  constructor(guard: RouteGuard, address: string, options: SocketConstructorOpts) {
    super(options);
    this.#guard = guard;
    this.#address = address;
    const forget = guard.onFound((route) => {
      if (leadsElsewhere(route, address)) this.#cut(route);
    });
    const closed = guard.vigil.opened();
    this.once('close', () => {
      forget();
      closed();
    });
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    this.#whenSafe(() => super._write(chunk, encoding, done), done);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    this.#whenSafe(() => super._writev?.(chunks, done), done);
  }

  /** `resetAndDestroy` takes no error, and without one this would look like a connection that was closed in peace. */
  override _destroy(error: Error | null, done: Done): void {
    super._destroy(error ?? this.#loss ?? null, done);
  }

  #whenSafe(write: () => void, done: Done): void {
    const writeNow = (): void => {
      this.#guard.vigil.wrote();
      write();
    };
    if (this.#guard.holds()) writeNow();
    else this.#untilSafe().then(writeNow, done);
  }

  async #untilSafe(): Promise<void> {
    for (;;) {
      const route = await this.#guard.confirm();
      if (this.destroyed) throw lost('it is closed');
      if (leadsElsewhere(route, this.#address)) this.#cut(route);
      else if (route.up) return;
      else await sleep(WAIT_MS, undefined, { ref: false });
    }
  }

  #cut(route: Route): void {
    if (this.destroyed) return;
    this.#loss = lost(route.up ? `the VPN's address is ${route.address} now` : route.reason);
    // libuv refuses to reset a connection whose end is just being sent.
    const isEnding = this.writableEnded && !this.writableFinished && this.writableLength === 0;
    if (isEnding) this.destroy();
    else this.resetAndDestroy();
  }
}

/** Not so where there is no route, or it cannot be told: nothing is written then, and the VPN may come back. */
function leadsElsewhere(route: Route, address: string): boolean {
  return route.up ? route.address !== address : route.code === 'elsewhere';
}

function lost(why: string): ConnectionLostError {
  return new ConnectionLostError('wireguard-lost', `The connection over WireGuard is given up: ${why}`);
}
