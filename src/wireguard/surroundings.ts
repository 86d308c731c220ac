import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { systemCode } from '../errors.ts';

/**
 * What decides about routes, as one text that is the same as long as nothing has changed: the interfaces that are up,
 * their addresses, and on Linux the main routing table. It takes no process and a fraction of a millisecond.
 *
 * The table is in it because a network can change the way without touching an interface: by a route that its DHCP
 * server or router hands out (RFC 3442, RFC 4191), which is more specific than the VPN's.
 */
export function surroundings(): string {
  const addresses = Object.entries(interfaces()).flatMap(([name, list]) =>
    (list ?? []).map(({ cidr, address }) => `${name} ${cidr ?? address}`),
  );
  return [...addresses.toSorted(), ...mainRoutes()].join('\n');
}

/** None where the system does not say, as for a process that has too many files open: nothing is up then. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** The name of each interface that has this address. */
export function interfacesWith(address: string): readonly string[] {
  return Object.entries(interfaces())
    .filter(([, list]) => list?.some((one) => one.address === address) === true)
    .map(([name]) => name);
}

/**
 * The address that the kernel would send from to this one, by all of its rules: that of the interface which the route
 * leaves through, with rare exceptions. Nothing is sent. Undefined where there is no route.
 */
export function sourceTowards(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    // RFC 863's port, as one has to be named. The types do not know that the listener is given the error.
    const connected = (error?: Error | null): void => {
      resolve(error instanceof Error ? undefined : socket.address().address);
      socket.close();
    };
    socket.connect(9, address, connected);
  });
}

/** Without the columns that count packets and references; see proc(5). */
function mainRoutes(): string[] {
  if (process.platform !== 'linux') return [];
  const pick = (file: string, columns: readonly number[]): string[] =>
    readTable(file).map((row) => {
      const fields = row.trim().split(/\s+/);
      return columns.map((column) => fields[column] ?? '').join(' ');
    });
  return [
    ...pick('/proc/self/net/route', [0, 1, 2, 3, 6, 7]),
    ...pick('/proc/self/net/ipv6_route', [0, 1, 4, 5, 8, 9]),
  ];
}

function readTable(file: string): string[] {
  try {
    return readFileSync(file, 'ascii').split('\n');
  } catch (error) {
    // Where the kernel has no IPv6, or a container hides /proc.
    return [systemCode(error) ?? ''];
  }
}
