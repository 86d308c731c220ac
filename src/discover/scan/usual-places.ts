import type { CaddySite } from './caddy-config.ts';
import { listenPort } from './caddy-config.ts';
import { socketOf, upstreamPort } from './caddy-notes.ts';
import type { FoundPort, FoundSocket } from './found.ts';
import { portSpec, socketSpec } from './listed.ts';
import { isSystemPort } from './system-services.ts';

/** What apps listen on as a rule; tried where nothing can be run to look. */
const USUAL_PORTS = [
  80, 443, 2019, 3000, 3001, 3306, 4000, 4200, 5000, 5001, 5173, 5432, 6379, 8000, 8001, 8080, 8081, 8082,
  8443, 8888, 9000, 9090, 27017,
];

/** Ports that may be there: the usual ones, and those of Caddy's sites and upstreams. */
export function usualPorts(sites: readonly CaddySite[]): FoundPort[] {
  const told = sites.flatMap(({ listen, routes }) => [
    ...listen.map((text) => listenPort(text)?.port),
    ...routes.map(({ upstream }) => upstreamPort(upstream)),
  ]);
  const ports = [...new Set([...USUAL_PORTS, ...told])].filter((port) => port !== undefined);
  return ports
    .toSorted((a, b) => a - b)
    .map((port) => ({
      port,
      addresses: ['*'],
      spec: portSpec(port, ['*']),
      access: 'unknown',
      caddy: [],
      system: isSystemPort(port, undefined),
    }));
}

/** Sockets that Caddy's routes lead to; of a relative path nobody knows the folder. */
export function toldSockets(sites: readonly CaddySite[]): FoundSocket[] {
  const paths = sites.flatMap(({ routes }) => routes.map(({ upstream }) => socketOf(upstream)));
  return [...new Set(paths)]
    .filter((path) => path?.startsWith('/') === true)
    .map((path = '') => ({ path, spec: socketSpec(path, ''), access: 'unknown', caddy: [], system: false }));
}
