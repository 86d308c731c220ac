import { DialError, systemCode } from '../errors.ts';
import type { Dialer } from '../endpoint.ts';
import { directFailure, isReachable } from './direct-dialer.ts';
import { afterSighting, type HealthState, type Path, type PathChange } from './health-state.ts';
import { networkChanges, type NetworkWatch } from './network-changes.ts';
import { Ports } from './ports.ts';
import type { Route } from './route.ts';
import type { RouteGuard } from './route-guard.ts';

export interface HealthOptions {
  readonly guard: RouteGuard;
  readonly direct: Dialer;
  /** Default `networkChanges`. */
  readonly watch?: NetworkWatch;
  /** For how long the VPN must have been up before it is used again; default 5 s. */
  readonly holdMs?: number;
  /** How often it is looked for while it is down; default 2 s, and 1 s once it is up. */
  readonly probeEveryMs?: number;
}

export interface HealthStatus {
  readonly via: Path;
  /** Why it is that way, for people. */
  readonly reason: string;
  /** How long it has been so. */
  readonly forMs: number;
  readonly route?: Route;
}

/** After so many looks at which nothing had changed the system is asked all the same. */
const ASK_EVERY_LOOKS = 15;

/**
 * Whether new connections to a host may use the VPN.
 *
 * While it is used, nothing is probed but by the connections themselves, and after a change of the network. While it is
 * not, it is looked for: at its route, and once that is there, by connecting to a port that somebody has asked for.
 */
export class Health {
  readonly ports = new Ports(() => performance.now());
  /** Settles with the first decision. */
  readonly ready: Promise<void>;
  readonly #options: Required<HealthOptions>;
  readonly #listeners = new Set<(change: PathChange) => void>();
  readonly #stops: (() => void)[];
  #state: HealthState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isClosed = false;

  constructor(options: HealthOptions) {
    this.#options = { watch: networkChanges, holdMs: 5000, probeEveryMs: 2000, ...options };
    const { guard, watch } = this.#options;
    this.#stops = [
      // Whoever asked: that it is down is true for everybody, at once.
      guard.onFound((route) => {
        if (!route.up) this.#see(false, route.reason);
      }),
      watch(() => this.#networkChanged()),
    ];
    this.ready = this.#look();
  }

  /** The way of the next connection; before the first decision, SSH's. */
  get via(): Path {
    return this.#state?.via ?? 'ssh';
  }

  status(): HealthStatus {
    const { via, reason, since } = this.#state ?? {
      via: 'ssh',
      reason: 'not known yet',
      since: performance.now(),
    };
    const { route } = this.#options.guard;
    return { via, reason, forMs: performance.now() - since, ...(route === undefined ? {} : { route }) };
  }

  /** Tells of each change, the first decision included. The returned function ends it. */
  onChange(listener: (change: PathChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A connection to the port could not be opened over the VPN; `from` is when it was begun. */
  failed(port: number, error: unknown, from: number): void {
    const code = error instanceof DialError ? error.code : undefined;
    // A route that is down has been found by the guard. What this process has too much of says nothing.
    if (code === undefined || code === directFailure.down || isExhaustion(error)) return;
    const why = error instanceof Error ? error.message : String(error);
    const other = code === directFailure.silent ? this.ports.answering(port) : undefined;
    if (other === undefined) {
      this.ports.silent(port);
      this.#see(false, why, from);
    } else {
      void this.#blame(port, other, why, from);
    }
  }

  /** Stops looking. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
  }

  /** A silent port may be behind a firewall: it is the VPN only if a port that did answer is silent as well. */
  async #blame(port: number, other: number, why: string, from: number): Promise<void> {
    this.ports.close(port);
    if (await isReachable(this.#options.direct, other)) return;
    this.ports.forget(port);
    this.#see(false, why, from);
  }

  #networkChanged(): void {
    const from = performance.now();
    const { guard } = this.#options;
    void guard.refresh().then(() => this.#look(from));
  }

  /** One look at a time; one that is asked for meanwhile comes after it. */
  #look(from?: number): Promise<void> {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookNow(from).finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        void this.#look();
      }
    });
    return this.#looking;
  }

  async #lookNow(from?: number): Promise<void> {
    const { guard } = this.#options;
    this.#looks += 1;
    const route = await (this.#looks % ASK_EVERY_LOOKS === 0 ? guard.refresh() : guard.confirm());
    if (!route.up) return this.#see(false, route.reason, from);
    const { toProbe } = this.ports;
    if (toProbe === undefined || (await this.#answers(toProbe)))
      this.#see(true, `the route to ${route.address} is through ${route.interface}`, from);
    else this.#see(false, `${route.address} does not answer through ${route.interface}`, from);
  }

  /** A single lost packet is no reason to leave a VPN that is in use. */
  async #answers(port: number): Promise<boolean> {
    const { direct } = this.#options;
    return (
      (await isReachable(direct, port)) || (this.via === 'wireguard' && (await isReachable(direct, port)))
    );
  }

  #see(up: boolean, reason: string, from?: number): void {
    if (this.#isClosed) return;
    const at = performance.now();
    const seen = { up, reason, at, from: from ?? at };
    const { state, change } = afterSighting(this.#state, seen, this.#options.holdMs);
    this.#state = state;
    this.#schedule();
    if (change !== undefined) for (const listener of this.#listeners) listener(change);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#state?.via !== 'ssh') return;
    const { probeEveryMs } = this.#options;
    const wait = this.#state.upSince === undefined ? probeEveryMs : probeEveryMs / 2;
    this.#timer = setTimeout(() => void this.#look(), wait).unref();
  }
}

function isExhaustion(error: unknown): boolean {
  const code = systemCode(error instanceof Error ? error.cause : undefined);
  return code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS';
}
