/** The way that the kernel would send a packet to a VPN address now. */
export type Route = RouteUp | RouteDown;

export interface RouteUp {
  readonly up: true;
  /** The IP address that was asked about: what is dialled, as a name may mean something else a moment later. */
  readonly address: string;
  /** The WireGuard interface. */
  readonly interface: string;
  /** Our own address on it, which packets are sent from. */
  readonly source: string;
}

export interface RouteDown {
  readonly up: false;
  readonly code: RouteTrouble;
  /** For people, without a full stop: "there is no interface wg0". */
  readonly reason: string;
  /** Where it is known to which address, for what is still open to it. */
  readonly address?: string;
}

export type RouteTrouble =
  /** `ip` or `route` is not there. */
  | 'no-tool'
  | 'unknown-host'
  /** Packets go nowhere. */
  | 'no-route'
  /** Packets go somewhere, and not into the VPN. */
  | 'elsewhere'
  /** It cannot be told where they go. */
  | 'unclear';

export function routeDown(code: RouteTrouble, reason: string, address?: string): RouteDown {
  return { up: false, code, reason, ...(address === undefined ? {} : { address }) };
}
