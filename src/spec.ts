import { join, resolve } from 'node:path';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { homeDirectory } from './home.ts';
import { bracketed, type Endpoint, formatEndpoint, formatPath, type UnixEndpoint } from './endpoint.ts';

/**
 * A TCP address to listen on. Without `host` it is both loopback addresses, unless GatewayPorts opens it to others;
 * `localhost` is both loopback addresses whatever is configured; `*` is every interface.
 * `auto` is a free port: here the same one each time, there the server's choice.
 */
export interface TcpListen {
  readonly kind: 'tcp';
  readonly host?: string;
  readonly port: number | 'auto';
}

/** Where a forward listens. */
export type Listen = TcpListen | UnixEndpoint;

/** `-L`: connections accepted here are carried to an endpoint there. */
export interface LocalSpec {
  readonly kind: 'local';
  readonly listen: Listen;
  readonly connect: Endpoint;
}

/** `-D`: a SOCKS proxy here, whose connections leave from there. */
export interface DynamicSpec {
  readonly kind: 'dynamic';
  readonly listen: Listen;
}

/** `-R`: connections accepted there are carried to an endpoint here, or wherever a SOCKS client there asks for. */
export interface RemoteSpec {
  readonly kind: 'remote';
  readonly listen: Listen;
  readonly connect: Endpoint | 'socks';
}

export type ForwardSpec = LocalSpec | DynamicSpec | RemoteSpec | HttpSpec;

/** Where a reverse proxy listens. */
export interface HttpPlace {
  readonly kind: 'http';
  readonly listen: Listen;
}

/** `--http`: a reverse proxy here. Where its requests go is kept as it is typed; src/proxy reads it. */
export interface HttpSpec extends HttpPlace {
  /** `-r`, each `[HOST]/PATH=UPSTREAM`. */
  readonly routes: readonly string[];
  /** `--caddyfile`: more routes, after the others. */
  readonly caddyfile?: { readonly file: string; readonly remoteFolder?: string };
  /** `--as`: the name that upstreams see. */
  readonly as?: string;
  /** `--allow-host`: names that are answered to beside those of the routes. */
  readonly allowHosts?: readonly string[];
  /** `--allow-origin`: sites whose pages may change things here. */
  readonly allowOrigins?: readonly string[];
  /** What a log has of each request beyond its path. */
  readonly log?: { readonly queries: boolean; readonly cookies: boolean };
}

/** The shortest form that is read as this spec after its letter; the port is always in front of another host's. */
export function formatSpec(spec: ForwardSpec): string {
  switch (spec.kind) {
    case 'local':
      return formatLocal(spec.listen, spec.connect);
    case 'dynamic':
    case 'http':
      return formatListen(spec.listen);
    case 'remote':
      return spec.connect === 'socks' ? formatListen(spec.listen) : formatRemote(spec.listen, spec.connect);
  }
}

/** As it is typed: a local forward needs no letter. */
export function formatFlag(spec: Exclude<ForwardSpec, HttpSpec> | HttpPlace): string {
  if (spec.kind === 'http') return `--http ${formatListen(spec.listen)}`;
  const letter = { local: '', dynamic: '-D ', remote: '-R ' }[spec.kind];
  return letter + formatSpec(spec);
}

/** `1080`, `127.0.0.1:1080`, `auto`, or a path. */
export function formatListen(listen: Listen): string {
  if (listen.kind === 'unix') return formatPath(listen.path);
  if (listen.host === undefined) return String(listen.port);
  // Without the brackets it would be the port of a forward to this port.
  const host = listen.host === 'auto' ? '[auto]' : bracketed(listen.host);
  return `${host}:${listen.port}`;
}

function formatLocal(listen: Listen, connect: Endpoint): string {
  const localhost = connect.kind === 'tcp' && connect.host === 'localhost';
  const target = localhost ? String(connect.port) : formatEndpoint(connect);
  if (listen.kind === 'unix') return `${formatPath(listen.path)}:${target}`;
  if (listen.host !== undefined) return `${bracketed(listen.host)}:${listen.port}:${formatEndpoint(connect)}`;
  const implied = connect.kind === 'unix' ? 'auto' : localhost ? connect.port : undefined;
  return listen.port === implied ? target : `${listen.port}:${target}`;
}

/** A port alone is a SOCKS proxy after `-R`, so nothing is left out. */
function formatRemote(listen: Listen, connect: Endpoint): string {
  return `${formatListen(listen)}:${formatEndpoint(connect)}`;
}

/** Two specs that would listen on one port or one socket, if there are any. */
export function findConflict(specs: readonly ForwardSpec[]): readonly [ForwardSpec, ForwardSpec] | undefined {
  for (const [index, spec] of specs.entries()) {
    const earlier = specs.slice(0, index).find((other) => collide(other, spec));
    if (earlier !== undefined) return [earlier, spec];
  }
  return undefined;
}

function collide(a: ForwardSpec, b: ForwardSpec): boolean {
  return (a.kind === 'remote') === (b.kind === 'remote') && listensCollide(a.listen, b.listen);
}

/**
 * Whether the two cannot both be listened on, on one machine. Names are not resolved: a name collides with itself and with `*`.
 * `auto` collides with nothing, since it takes a port that is free.
 */
export function listensCollide(a: Listen, b: Listen): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') {
    return a.kind === 'unix' && b.kind === 'unix' && localSocketPath(a.path) === localSocketPath(b.path);
  }
  if (a.port === 'auto' || a.port !== b.port) return false;
  return addresses(a).some((one) => addresses(b).some((other) => overlap(one, other)));
}

/** The absolute path of a local socket, with `~/` the home of the user here. */
export function localSocketPath(path: string): string {
  return path.startsWith('~/') ? join(homeDirectory(), path.slice(2)) : resolve(path);
}

/** The same, with the path of a socket here absolute: it means something to a process with another working directory. */
export function withAbsolutePath(spec: ForwardSpec): ForwardSpec {
  if (spec.kind !== 'remote') return { ...spec, listen: absolutePath(spec.listen) };
  return spec.connect === 'socks' ? spec : { ...spec, connect: absolutePath(spec.connect) };
}

function absolutePath<Place extends Endpoint | Listen>(place: Place): Place {
  return place.kind === 'unix' ? { ...place, path: localSocketPath(place.path) } : place;
}

function addresses({ host }: { readonly host?: string }): readonly string[] {
  return host === undefined || host === 'localhost' ? ['127.0.0.1', '::1'] : [canonicalHost(host)];
}

function overlap(a: string, b: string): boolean {
  return a === b || covers(a, b) || covers(b, a);
}

function covers(wildcard: string, host: string): boolean {
  return wildcard === '*' || (wildcard === '0.0.0.0' && isIPv4(host)) || (wildcard === '::' && isIPv6(host));
}

function canonicalHost(host: string): string {
  if (!isIPv6(host)) return host.toLowerCase();
  const [address = host, scope] = host.split('%');
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return scope === undefined ? canonical : `${canonical}%${scope}`;
}
