import { isIPv6 } from 'node:net';
import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { parseDynamicSpec } from '../parse-spec.ts';
import { isHostPattern, parseHostField } from '../proxy/host.ts';
import { formatRoute, parseRoute, type Route } from '../proxy/route.ts';
import { shellWord } from '../shell-word.ts';
import { formatFlag, localSocketPath, withAbsolutePath, type ForwardSpec, type HttpSpec } from '../spec.ts';

/** A reverse proxy as `--json` and the control API have it, besides its `kind` and `spec`. */
export interface HttpFields {
  readonly routes: readonly string[];
  readonly caddyfile?: HttpSpec['caddyfile'];
  readonly as?: string;
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly log?: HttpSpec['log'];
}

export function httpFields(spec: HttpSpec): HttpFields {
  const { kind: _kind, listen: _listen, ...fields } = spec;
  return fields;
}

/** Reads them, with what is wrong named by its key. Throws a `UsageError` (`bad-http`, `bad-spec`, `bad-route`). */
export function readHttpSpec(listen: string, fields: Readonly<Record<string, unknown>>): HttpSpec {
  const spec = readHttpPlace(listen, fields);
  if (spec.routes.length > 0 || spec.caddyfile !== undefined) return spec;
  throw bad('routes', 'there is to be at least one, or a caddyfile');
}

/** The same, for one that is named by where it listens: routes may be missing. */
export function readHttpPlace(listen: string, fields: Readonly<Record<string, unknown>> = {}): HttpSpec {
  const { routes = [], caddyfile, as, allowHosts, allowOrigins, log, ...others } = fields;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(unknown, 'there is no such field');
  return {
    kind: 'http',
    listen: parseDynamicSpec(listen).listen,
    routes: texts('routes', routes).map((route) => formatRoute(parseRoute(route))),
    ...(caddyfile !== undefined && { caddyfile: readCaddyfileField(caddyfile) }),
    ...(as !== undefined && { as: checkName('as:', text('as', as)) }),
    ...(allowHosts !== undefined && { allowHosts: texts('allowHosts', allowHosts, checkHost) }),
    ...(allowOrigins !== undefined && { allowOrigins: texts('allowOrigins', allowOrigins, checkOrigin) }),
    ...(log !== undefined && { log: readLogField(log) }),
  };
}

/** The name that upstreams see, maybe with a port. `what` stands in front of it in what is thrown: a flag or a key. */
export function checkName(what: string, name: string): string {
  const field = parseHostField(name);
  if (field !== undefined && (isIPv6(field.name) || isHostPattern(field.name))) return name;
  throw new UsageError('bad-host-name', `${what} ${quoted(name)} is not a host name`, {
    hint: ['Write the name alone, as in app.example.org'],
  });
}

/** A name that is answered to, in the form that it is compared in. */
export function checkHost(what: string, host: string): string {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIPv6(name) || isHostPattern(name)) return name;
  throw new UsageError('bad-host-name', `${what} ${quoted(host)} is not a host name`, {
    hint: ['Write a name or *.name, without a port, as in app.localhost'],
  });
}

/** A site, in the form that browsers write. */
export function checkOrigin(what: string, origin: string): string {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.origin === origin.replace(/\/$/, ''))
    return url.origin;
  throw new UsageError('bad-origin', `${what} ${quoted(origin)} is not an origin`, {
    hint: ['Write scheme, host and port alone, as in http://localhost:5173'],
  });
}

/** Whether the one that is open does all that the other asks for: a reverse proxy with other routes does not. */
export function isSameForward(a: ForwardSpec, b: ForwardSpec): boolean {
  return isDeepStrictEqual(identity(a), identity(b));
}

function identity(spec: ForwardSpec): unknown {
  const absolute = withAbsolutePlaces(spec);
  return [formatFlag(absolute), absolute.kind === 'http' ? httpFields(absolute) : undefined];
}

/** As it is typed in whatever folder, with where a reverse proxy leads. */
export function formatAtLength(spec: ForwardSpec): string {
  const absolute = withAbsolutePlaces(spec);
  if (absolute.kind !== 'http') return formatFlag(spec);
  const { routes, caddyfile, as, allowHosts = [], allowOrigins = [], log } = absolute;
  const flag = (name: string) => (value: string) => `${name} ${shellWord(value)}`;
  return [
    formatFlag(spec),
    ...routes.map(flag('-r')),
    ...(caddyfile === undefined ? [] : [`--caddyfile=${shellWord(caddyfile.file)}`]),
    ...(caddyfile?.remoteFolder === undefined ? [] : [caddyfile.remoteFolder].map(flag('--remote-dir'))),
    ...(as === undefined ? [] : [as].map(flag('--as'))),
    ...allowHosts.map(flag('--allow-host')),
    ...allowOrigins.map(flag('--allow-origin')),
    ...(log?.queries === true ? ['--log-queries'] : []),
    ...(log?.cookies === true ? ['--log-cookies'] : []),
  ].join(' ');
}

/** What means something to a process with another working directory. */
export function withAbsolutePlaces(spec: ForwardSpec): ForwardSpec {
  if (spec.kind !== 'http') return withAbsolutePath(spec);
  return {
    ...spec,
    listen:
      spec.listen.kind === 'unix' ? { kind: 'unix', path: localSocketPath(spec.listen.path) } : spec.listen,
    routes: spec.routes.map((route) => formatRoute(withAbsoluteFolder(parseRoute(route)))),
    ...(spec.caddyfile && {
      caddyfile: { ...spec.caddyfile, file: localSocketPath(spec.caddyfile.file) },
    }),
  };
}

/** The first path of this machine that means something else elsewhere. */
export function relativePlace(spec: HttpSpec): string | undefined {
  const folders = spec.routes.flatMap((route) => {
    const { upstream } = parseRoute(route);
    return upstream.kind === 'folder' ? [upstream.path] : [];
  });
  const places = [...folders, ...(spec.caddyfile === undefined ? [] : [spec.caddyfile.file])];
  if (spec.listen.kind === 'unix') places.push(spec.listen.path);
  return places.find((place) => !isAbsolute(place));
}

function withAbsoluteFolder(route: Route): Route {
  const { upstream } = route;
  return upstream.kind === 'folder'
    ? { ...route, upstream: { ...upstream, path: localSocketPath(upstream.path) } }
    : route;
}

function readCaddyfileField(value: unknown): { file: string; remoteFolder?: string } {
  const { file, remoteFolder, ...others } = object('caddyfile', value);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(`caddyfile.${unknown}`, 'there is no such field');
  return {
    file: text('caddyfile.file', file),
    ...(remoteFolder !== undefined && { remoteFolder: text('caddyfile.remoteFolder', remoteFolder) }),
  };
}

function readLogField(value: unknown): { queries: boolean; cookies: boolean } {
  const { queries, cookies, ...others } = object('log', value);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(`log.${unknown}`, 'there is no such field');
  return { queries: flag('log.queries', queries), cookies: flag('log.cookies', cookies) };
}

function object(key: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw bad(key, 'this is to be an object');
}

function texts(
  key: string,
  value: unknown,
  check = (_what: string, item: string): string => item,
): readonly string[] {
  if (!Array.isArray(value)) throw bad(key, 'this is to be a list of texts');
  return value.map((item, index) => {
    const path = `${key}[${index}]`;
    return check(`${path}:`, text(path, item));
  });
}

function flag(key: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw bad(key, 'this is to be true or false');
}

function text(key: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw bad(key, `this is to be a text, and ${quoted(JSON.stringify(value) ?? 'nothing')} is not`);
}

function bad(key: string, why: string): UsageError {
  return new UsageError('bad-http', `${key}: ${why}`);
}
