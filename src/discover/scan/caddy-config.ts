import { splitAddress } from './listeners.ts';

/** One server of Caddy, as its admin API shows it. */
export interface CaddySite {
  /** `:8081`, `127.0.0.1:8081`; a socket as `unix//run/caddy.sock`. */
  readonly listen: readonly string[];
  /** Empty: any name. */
  readonly hosts: readonly string[];
  readonly routes: readonly CaddyRoute[];
}

/** Where a path of a site leads to. */
export interface CaddyRoute {
  readonly hosts: readonly string[];
  /** `/api/*`; `/` for everything. */
  readonly path: string;
  /** As `reverse_proxy` dials it: `localhost:5000`, `unix//srv/app/app.sock`, `unix/app.sock`. */
  readonly upstream: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Deeper than anybody nests routes; a configuration is what somebody else wrote. */
const DEEPEST = 20;
const MOST = 500;

/** The sites in what `GET /config/` says. A part that is not as it should be is left out. */
export function caddySites(config: unknown): CaddySite[] {
  const servers = object(object(object(object(config)['apps'])['http'])['servers']);
  return Object.values(servers).map((server) => {
    const routes = list(object(server)['routes']).flatMap((route) =>
      readRoute(route, { hosts: [], path: '/' }, 0),
    );
    const hosts = list(object(server)['routes']).flatMap((route) => matched(route, 'host'));
    return {
      listen: strings(object(server)['listen']),
      hosts: [...new Set(hosts)],
      routes: routes.slice(0, MOST),
    };
  });
}

/** The TCP port and host that one of `listen` stands for; undefined for sockets, ranges and UDP. */
export function listenPort(listen: string): { address: string; port: number } | undefined {
  if (/^(unix|udp|fd)/.test(listen)) return undefined;
  return splitAddress(listen.replace(/^tcp[46]?\//, ''));
}

interface Above {
  readonly hosts: readonly string[];
  readonly path: string;
}

function readRoute(route: unknown, above: Above, depth: number): CaddyRoute[] {
  if (depth > DEEPEST) return [];
  const hosts = matched(route, 'host');
  const paths = matched(route, 'path');
  const here = { hosts: hosts.length > 0 ? hosts : above.hosts, path: paths[0] ?? above.path };
  return list(object(route)['handle']).flatMap((handler) => {
    const { handler: kind, routes, upstreams } = object(handler);
    if (kind === 'subroute') return list(routes).flatMap((inner) => readRoute(inner, here, depth + 1));
    if (kind !== 'reverse_proxy') return [];
    return list(upstreams).flatMap((upstream) => {
      const { dial } = object(upstream);
      return typeof dial === 'string' ? [{ ...here, upstream: dial }] : [];
    });
  });
}

function matched(route: unknown, key: 'host' | 'path'): string[] {
  return list(object(route)['match']).flatMap((set) => strings(object(set)[key]));
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]).slice(0, MOST) : [];
}

function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}
