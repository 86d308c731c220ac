import { BlockList, isIPv6 } from 'node:net';
import { formatWireguard, type WireguardAddress } from './address.ts';
import { checkRoute } from './check-route.ts';
import { directDialer, isReachable } from './direct-dialer.ts';
import type { Route } from './route.ts';
import { RouteGuard } from './route-guard.ts';
import { askSystem, type Ask } from './system.ts';

/** What there is to say about the way through the VPN. */
export interface WireguardReport {
  /** As it was given: `10.0.0.1,interface=wg0`. */
  readonly vpn: string;
  readonly route: Route;
  /** Of the peer that has the address. Absent where there is no route, and to whoever may not read it. */
  readonly handshake?: Handshake;
  /** Each port that was asked about; none where there is no route. */
  readonly ports: readonly { readonly port: number; readonly reachable: boolean }[];
}

/** How long ago, or `never`: no packet has come through then. */
export type Handshake = 'never' | { readonly secondsAgo: number };

/** Looks at the way through the VPN, for `tunnel doctor`. Never throws. Connects to the ports, and sends nothing. */
export async function reportWireguard(
  vpn: WireguardAddress,
  ports: readonly number[],
  ask: Ask = askSystem,
): Promise<WireguardReport> {
  const guard = new RouteGuard(vpn, (address) => checkRoute(address, ask));
  const route = await guard.refresh();
  const report = { vpn: formatWireguard(vpn), route, ports: [] };
  if (!route.up) return report;
  const dial = directDialer(guard, { timeoutMs: 3000 });
  const reached = await Promise.all(
    ports.map(async (port) => ({ port, reachable: await isReachable(dial, port) })),
  );
  // After the connections, which may have brought it about.
  const handshake = await readHandshake(route.interface, route.address, ask);
  return { ...report, ports: reached, ...(handshake === undefined ? {} : { handshake }) };
}

async function readHandshake(name: string, address: string, ask: Ask): Promise<Handshake | undefined> {
  const [allowed, handshakes] = [
    await ask('wg', 'show', name, 'allowed-ips'),
    await ask('wg', 'show', name, 'latest-handshakes'),
  ];
  if (allowed.kind !== 'output' || handshakes.kind !== 'output') return undefined;
  const peer = peerOf(address, allowed.text);
  const time = rows(handshakes.text).find(([key]) => key === peer)?.[1];
  if (peer === undefined || time === undefined) return undefined;
  return time === '0' ? 'never' : { secondsAgo: Math.max(0, Math.round(Date.now() / 1000 - Number(time))) };
}

/** The public key of the peer with the narrowest network that the address is in, as WireGuard itself chooses. */
export function peerOf(address: string, allowedIps: string): string | undefined {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  let best: { readonly key: string; readonly prefix: number } | undefined;
  for (const [key = '', ...networks] of rows(allowedIps)) {
    for (const network of networks) {
      const [base = '', length = ''] = network.split('/');
      const prefix = Number(length);
      if (isIPv6(base) !== isIPv6(address) || network === '(none)') continue;
      const list = new BlockList();
      list.addSubnet(base, prefix, family);
      if (list.check(address, family) && prefix > (best?.prefix ?? -1)) best = { key, prefix };
    }
  }
  return best?.key;
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/));
}
