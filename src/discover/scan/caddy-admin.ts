import { formatEndpoint, type Dialer, type Endpoint } from '../../endpoint.ts';
import { caddySites, type CaddySite } from './caddy-config.ts';
import { exchange } from './exchange.ts';
import type { FoundPort, FoundSocket } from './found.ts';

/** What the admin API of a Caddy over there says. */
export interface Caddy {
  /** Where it was asked. */
  readonly admin: string;
  readonly sites: readonly CaddySite[];
}

/** Where Caddy's admin API listens unless it is told otherwise. */
export const ADMIN: Endpoint = { kind: 'tcp', host: 'localhost', port: 2019 };

const TIMEOUT_MS = 3000;
const LONGEST = 2 * 1024 * 1024;
/** Of the places that may be one. */
const MOST_TRIED = 8;

/** The places where its admin API may be: the usual one, and what a process called caddy listens on. */
export function adminPlaces(ports: readonly FoundPort[], sockets: readonly FoundSocket[]): Endpoint[] {
  const isCaddy = ({ process }: FoundPort | FoundSocket): boolean => process?.name === 'caddy';
  const places: Endpoint[] = [
    ADMIN,
    ...ports
      .filter((found) => isCaddy(found) && found.port !== 2019)
      .map(({ port, addresses }) => toEndpoint(port, addresses)),
    ...sockets
      .filter((found) => found.access === 'yes' && (isCaddy(found) || /caddy/i.test(found.path)))
      .map(({ path }): Endpoint => ({ kind: 'unix', path })),
  ];
  return places.slice(0, MOST_TRIED);
}

function toEndpoint(port: number, addresses: readonly string[]): Endpoint {
  const local = addresses.find((address) => address === '*' || address.startsWith('127.'));
  return { kind: 'tcp', host: local === undefined ? (addresses[0] ?? 'localhost') : 'localhost', port };
}

/** The first of the places that answers as the admin API does; undefined if none. Never rejects. */
export async function findCaddy(
  dial: Dialer,
  places: readonly Endpoint[],
  signal: AbortSignal,
): Promise<Caddy | undefined> {
  for (const place of places) {
    if (signal.aborted) return undefined;
    const config = await readConfig(dial, place, signal).catch(() => undefined);
    if (config !== undefined) return { admin: formatEndpoint(place), sites: caddySites(config) };
  }
  return undefined;
}

/** Reads the configuration, and nothing is changed by that. HTTP 1.0, so that it is not chunked. */
async function readConfig(dial: Dialer, place: Endpoint, signal: AbortSignal): Promise<unknown> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  // Caddy compares it with where it listens, and wants none on a socket (admin.go, allowedOrigins).
  const host = place.kind === 'tcp' ? formatEndpoint(place) : '';
  const request = `GET /config/ HTTP/1.0\r\nHost: ${host}\r\nUser-Agent: tunnel-scan\r\n\r\n`;
  const answer = (await exchange(await dial(place, limit), request, LONGEST, limit)).toString('utf8');
  const [, status, body = ''] = /^HTTP\/1\.\d (\d{3})[^]*?\r?\n\r?\n([^]*)$/.exec(answer) ?? [];
  if (status !== '200') return undefined;
  const config = JSON.parse(body) as unknown;
  return isConfig(config) ? config : undefined;
}

/** An app that answers every path with JSON is no Caddy. */
function isConfig(config: unknown): boolean {
  return config === null || (typeof config === 'object' && ('apps' in config || 'admin' in config));
}
