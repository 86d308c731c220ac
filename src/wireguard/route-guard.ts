import { isIP } from 'node:net';
import type { WireguardAddress } from './address.ts';
import { checkRoute } from './check-route.ts';
import type { Route, RouteUp } from './route.ts';
import { interfacesWith, sourceTowards, surroundings } from './surroundings.ts';
import { Vigil } from './vigil.ts';

export type CheckRoute = (vpn: WireguardAddress) => Promise<Route>;

/** How long the whole of `confirm` is good for while the surroundings are the same. */
const CONFIRMED_MS = 50;

/** How long a look at the surroundings is good for: it costs 0.15 ms, too much for each write of a large upload. */
const SEEN_MS = 1;

/** What was found, and how things were before it was looked for: a change during the look counts as later. */
interface Finding {
  readonly route: Route;
  readonly surroundings: string;
  /** The IP address that is asked about, where it is known, and what would be sent from to it. */
  readonly towards: string | undefined;
  readonly source: string | undefined;
}

/**
 * Knows whether packets to a VPN address leave through WireGuard now.
 *
 * To ask the system takes processes, too many for each connection. So what it said counts as long as nothing that decides
 * about routes has changed since, which is looked at in this process whenever somebody wants to rely on it.
 */
export class RouteGuard {
  readonly vpn: WireguardAddress;
  readonly vigil = new Vigil(() => this.confirm());
  readonly #check: CheckRoute;
  readonly #listeners = new Set<(route: Route) => void>();
  #finding: Finding | undefined;
  #confirmedAt = -Infinity;
  #seenAt = -Infinity;
  #lastUp: RouteUp | undefined;
  #running: Promise<Route> | undefined;
  #queued: Promise<Route> | undefined;

  constructor(vpn: WireguardAddress, check: CheckRoute = (address) => checkRoute(address)) {
    this.vpn = vpn;
    this.#check = check;
  }

  /** What was found last. */
  get route(): Route | undefined {
    return this.#finding?.route;
  }

  /** Whether the route is up, as far as can be seen at once; if not, `confirm` knows. */
  holds(): boolean {
    const finding = this.#finding;
    const now = performance.now();
    if (finding?.route.up !== true || now - this.#confirmedAt > CONFIRMED_MS) return false;
    if (now - this.#seenAt <= SEEN_MS) return true;
    if (surroundings() !== finding.surroundings) return false;
    this.#seenAt = now;
    return true;
  }

  /** Tells of each finding, new or not. The returned function ends it. */
  onFound(listener: (route: Route) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The route as it is now: what was found last if nothing has changed since, else asks the system. */
  async confirm(): Promise<Route> {
    const finding = this.#finding;
    const now = performance.now();
    if (finding === undefined || !(await isUnchanged(finding))) return await this.refresh();
    if (finding === this.#finding) this.#confirmedAt = Math.max(this.#confirmedAt, now);
    return finding.route;
  }

  /** Asks the system. Callers share an answer, but none gets one to a question from before its call. */
  refresh(): Promise<Route> {
    if (this.#running === undefined) {
      this.#running = this.#ask().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined;
      return this.refresh();
    });
    return this.#queued;
  }

  async #ask(): Promise<Route> {
    const now = performance.now();
    const before = surroundings();
    let towards = this.#lastUp?.address ?? (isIP(this.vpn.host) === 0 ? undefined : this.vpn.host);
    let source = await sourceTo(towards);
    const route = await this.#find();
    if (route.up) {
      this.#lastUp = route;
      if (route.address !== towards) source = await sourceTo((towards = route.address));
    }
    this.#finding = { route, surroundings: before, towards, source };
    this.#confirmedAt = now;
    for (const listener of this.#listeners) listener(route);
    return route;
  }

  /** A name is looked up anew only when the address that it had is out of reach, as it may have several. */
  async #find(): Promise<Route> {
    if (this.#lastUp !== undefined && this.#lastUp.address !== this.vpn.host) {
      const again = await this.#check({ ...this.vpn, host: this.#lastUp.address });
      if (again.up) return again;
      const anew = await this.#check(this.vpn);
      return anew.up || anew.code !== 'unknown-host' ? anew : again;
    }
    return await this.#check(this.vpn);
  }
}

async function isUnchanged({ route, surroundings: before, towards, source }: Finding): Promise<boolean> {
  if (surroundings() !== before || (await sourceTo(towards)) !== source) return false;
  if (!route.up) return true;
  // A network that gives this machine the very address that it has in the VPN could not be told from the VPN.
  const owners = interfacesWith(route.source);
  return source === route.source && owners.length === 1 && owners[0] === route.interface;
}

async function sourceTo(address: string | undefined): Promise<string | undefined> {
  return address === undefined ? undefined : await sourceTowards(address);
}
