import { formatEndpoint, type Endpoint } from '../endpoint.ts';
import type { ForwardView } from './events.ts';
import { formatListen, type ForwardSpec } from '../spec.ts';

/** Ports whose servers do not speak HTTP, so that a URL would be wrong. */
const NOT_HTTP = new Set([
  21, 22, 23, 25, 53, 110, 111, 135, 139, 143, 389, 445, 465, 514, 587, 636, 873, 993, 995, 1433, 1521, 1883,
  2049, 3306, 3389, 4222, 5432, 5433, 5671, 5672, 5900, 5901, 6379, 6432, 6667, 8883, 9042, 9092, 11211,
  26379, 27017, 33060,
]);

/** The same for sockets, by the names their servers give them. */
const NOT_HTTP_SOCKET = /(^|\/)(\.s\.PGSQL\.\d+|[^/]*(mysql|mysqlx|mariadb|redis|valkey|memcached)[^/]*)$/i;

/** What a browser or a program is given, or undefined where it would be of no use. */
export function localUrl(forward: ForwardView): string | undefined {
  const scheme = schemeOf(forward.spec);
  const isTcp = forward.bound[0]?.kind === 'tcp';
  return scheme === undefined || !isTcp ? undefined : `${scheme}://${address(forward)}`;
}

/** Where a forward listens, said as a client there connects to it. */
export function listenLabel(forward: ForwardView): string {
  const place = localUrl(forward) ?? address(forward);
  return forward.spec.kind === 'remote' ? `${place} there` : place;
}

/** Where a forward's connections go. */
export function connectLabel({ spec }: ForwardView): string {
  switch (spec.kind) {
    case 'local':
      return formatEndpoint(spec.connect);
    case 'dynamic':
      return 'anywhere from there';
    case 'http':
      return [...spec.routes, ...(spec.caddyfile === undefined ? [] : [spec.caddyfile.file])].join(' ');
    case 'remote':
      return spec.connect === 'socks' ? 'anywhere from here (SOCKS)' : `${formatEndpoint(spec.connect)} here`;
  }
}

/** Whether other machines can connect on every address. */
export function onEveryInterface({ bound }: ForwardView): boolean {
  return bound.some((listen) => listen.kind === 'tcp' && WILDCARDS.has(listen.host ?? 'localhost'));
}

const WILDCARDS = new Set(['*', '0.0.0.0', '::']);

/** `localhost:8081` where that reaches the listener, else the address or the socket's path. */
function address({ spec, bound }: ForwardView): string {
  const [first] = bound;
  if (first?.kind !== 'tcp') return first?.path ?? '';
  const onLoopback = spec.listen.kind === 'tcp' && (spec.listen.host ?? 'localhost') === 'localhost';
  const onLocalhost = onLoopback || first.host === undefined || WILDCARDS.has(first.host);
  return onLocalhost ? `localhost:${first.port}` : formatListen(first);
}

function schemeOf(spec: ForwardSpec): string | undefined {
  if (spec.kind === 'remote') return undefined;
  if (spec.kind === 'dynamic') return 'socks5h';
  if (spec.kind === 'http') return 'http';
  if (!speaksHttp(spec.connect)) return undefined;
  return isTls(spec.connect) ? 'https' : 'http';
}

function speaksHttp(remote: Endpoint): boolean {
  return remote.kind === 'tcp' ? !NOT_HTTP.has(remote.port) : !NOT_HTTP_SOCKET.test(remote.path);
}

function isTls(remote: Endpoint): boolean {
  return remote.kind === 'tcp' && (remote.port === 443 || remote.port === 8443);
}
