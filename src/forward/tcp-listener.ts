import type { AddressInfo, Server } from 'node:net';
import type { TcpEndpoint } from '../endpoint.ts';
import { systemCode } from '../errors.ts';
import { type Acceptor, type Listener, startServer, stopServer } from './server.ts';

/**
 * Listens on a TCP port: of both loopback addresses where `host` is undefined or `localhost`, of every interface where it is `*`,
 * else of that host alone. Both loopback addresses are bound or neither; a machine without IPv6 has one of them.
 * Rejects with the system's error, which names the address.
 */
export async function listenTcp(
  host: string | undefined,
  port: number,
  acceptor: Acceptor,
): Promise<Listener> {
  const servers = await startServers(host, port, acceptor);
  return {
    bound: servers.map(boundTo),
    close: async () => {
      await Promise.all(servers.map(stopServer));
    },
  };
}

async function startServers(
  host: string | undefined,
  port: number,
  acceptor: Acceptor,
): Promise<readonly Server[]> {
  if (host === undefined || host === 'localhost') return startLoopback(port, acceptor);
  if (host === '*') return [await startWildcard(port, acceptor)];
  return [await startServer({ host, port, ipv6Only: true }, acceptor)];
}

async function startLoopback(port: number, acceptor: Acceptor): Promise<readonly Server[]> {
  const results = await Promise.allSettled([
    startServer({ host: '127.0.0.1', port }, acceptor),
    startServer({ host: '::1', port }, acceptor),
  ]);
  const [, ipv6] = results;
  const servers = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined || (servers.length === 1 && failed === ipv6 && hasNoIpv6(failed.reason)))
    return servers;
  await Promise.all(servers.map(stopServer));
  throw failed.reason;
}

async function startWildcard(port: number, acceptor: Acceptor): Promise<Server> {
  try {
    return await startServer({ host: '::', port }, acceptor);
  } catch (error) {
    if (!hasNoIpv6(error)) throw error;
    return startServer({ host: '0.0.0.0', port }, acceptor);
  }
}

function hasNoIpv6(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function boundTo(server: Server): TcpEndpoint {
  const { address, port } = server.address() as AddressInfo;
  return { kind: 'tcp', host: address, port };
}
