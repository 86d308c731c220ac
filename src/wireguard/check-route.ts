import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { systemCode } from '../errors.ts';
import type { WireguardAddress } from './address.ts';
import { linuxRoute } from './linux-route.ts';
import { macosRoute } from './macos-route.ts';
import { routeDown, type Route, type RouteDown } from './route.ts';
import { askSystem, type Ask } from './system.ts';

const RESOLVE_TIMEOUT_MS = 3000;

/** Whatever a name server says: each costs a few processes. */
const MOST_ADDRESSES = 4;

/**
 * Whether the kernel's route to a VPN address leaves through a WireGuard interface. Of a name, the first of its
 * addresses that does is taken. Never throws, and is bounded in time. Needs no rights.
 */
export async function checkRoute(vpn: WireguardAddress, ask: Ask = askSystem): Promise<Route> {
  const routeTo = { linux: linuxRoute, darwin: macosRoute }[process.platform as string];
  if (routeTo === undefined)
    return routeDown('no-tool', `it is not known how to ask ${process.platform} for its routes`);
  const addresses = await resolve(vpn.host);
  if (!Array.isArray(addresses)) return addresses;
  let first: RouteDown | undefined;
  for (const address of addresses.slice(0, MOST_ADDRESSES)) {
    const route = await routeTo(address, vpn.interface, ask);
    if (route.up) return route;
    first ??= route;
  }
  return first ?? routeDown('unknown-host', `${vpn.host} has no address`);
}

async function resolve(host: string): Promise<string[] | RouteDown> {
  if (isIP(host) !== 0) return [host];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), RESOLVE_TIMEOUT_MS);
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    return found.map(({ address }) => address);
  } catch (error) {
    const noSuchName = systemCode(error) === 'ENOTFOUND';
    return routeDown(
      'unknown-host',
      noSuchName ? `there is no host ${host}` : `the address of ${host} cannot be looked up`,
    );
  } finally {
    clearTimeout(timer);
  }
}
