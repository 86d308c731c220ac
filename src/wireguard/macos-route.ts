import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { routeDown, type Route } from './route.ts';
import type { Ask } from './system.ts';

type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * See `checkRoute`. WireGuard is a utun there, as other VPNs are, and the system does not say whose. So it must be one
 * that `wg` lists (wg-quick's) or the one that was named (the App Store's application has none that `wg` knows).
 */
export async function macosRoute(
  address: string,
  wanted: string | undefined,
  ask: Ask,
  interfaces: Interfaces = networkInterfaces(),
): Promise<Route> {
  const answer = await ask('route', '-n', 'get', ...(isIPv6(address) ? ['-inet6'] : []), address);
  if (answer.kind === 'missing') return routeDown('no-tool', 'the routes cannot be read without route');
  const dev = answer.kind === 'output' ? /^\s*interface:\s*(\S+)\s*$/m.exec(answer.text)?.[1] : undefined;
  // It complains with "not in table", and has ended with 0 all the same.
  if (dev === undefined) {
    const missing = wanted === undefined || interfaces[wanted] !== undefined;
    return routeDown(
      'no-route',
      missing ? `there is no route to ${address}` : `there is no interface ${wanted}`,
      address,
    );
  }
  const through = `the route to ${address} is through ${dev}`;
  if (wanted !== undefined && wanted !== dev) {
    const why = interfaces[wanted] === undefined ? `: there is no interface ${wanted}` : `, not ${wanted}`;
    return routeDown('elsewhere', through + why, address);
  }
  if (!/^utun\d+$/.test(dev))
    return routeDown('elsewhere', `${through}, which is not a WireGuard interface`, address);
  if (wanted === undefined && !(await wireguardInterfaces(ask)).includes(dev)) {
    const advice = `which wg does not list; if it is WireGuard, say so: ${address},interface=${dev}`;
    return routeDown('elsewhere', `${through}, ${advice}`, address);
  }
  const family = isIPv6(address) ? 'IPv6' : 'IPv4';
  const own = interfaces[dev]?.find((one) => one.family === family && !/^fe80:/i.test(one.address));
  if (own === undefined)
    return routeDown('elsewhere', `${through}, which has no address of this machine to send from`, address);
  return { up: true, address, interface: dev, source: own.address };
}

async function wireguardInterfaces(ask: Ask): Promise<readonly string[]> {
  const answer = await ask('wg', 'show', 'interfaces');
  return answer.kind === 'output' ? answer.text.trim().split(/\s+/) : [];
}
