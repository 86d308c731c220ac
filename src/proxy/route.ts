import { basename } from 'node:path';
import { type Endpoint, formatEndpoint, formatPath, parseEndpoint, quoted } from '../endpoint.ts';
import { UsageError } from '../errors.ts';
import { isHostPattern } from './host.ts';

/** What is served under one host and path: `[HOST]/PATH=UPSTREAM[,keep-prefix][,spa]`. */
export interface Route {
  /** In lower case: a name, or `*.name` for every name one level below. Undefined: every host that is answered to. */
  readonly host?: string;
  /** A pattern of Caddy's; `/` is everything, as `/*` is. */
  readonly path: string;
  readonly upstream: Endpoint | Folder;
  /** The upstream sees the whole path, and not what is left without what stands before `*`. */
  readonly keepPrefix?: boolean;
}

/** A folder of this machine; relative paths are from the working directory, `~/` is the home here. */
export interface Folder {
  readonly kind: 'folder';
  readonly path: string;
  /** A path without a file is answered with the folder's index.html, for an app that routes by itself. */
  readonly spa?: boolean;
}

/**
 * Reads `/api/*=~/api/app.sock`, `api.localhost/=5000`, `/=./webroot,spa`.
 *
 * An upstream is what follows the last part of a forward spec, or a local folder. So that a route means the same whatever
 * is on the disk, a path is a socket there if it is written `unix:PATH` or ends in `.sock` or `.socket`, else a folder
 * here. Throws a `UsageError` (`bad-route`) that says what would be right.
 */
export function parseRoute(text: string): Route {
  const refuse = (why: string): UsageError => new UsageError('bad-route', `${quoted(text)}: ${why}`);
  if (/\p{Cc}/u.test(text)) throw refuse('control characters are not allowed');
  const equals = text.indexOf('=');
  if (equals === -1) throw refuse('say what it leads to after an equals sign, as in /api/*=5000');
  const { host, path } = readPlace(text.slice(0, equals), refuse);
  const { target, options } = readOptions(text.slice(equals + 1));
  if (target === '') throw refuse('after the equals sign an upstream is missing; write 5000 or ./webroot');
  const upstream = readUpstream(target, refuse);
  if (upstream.kind !== 'folder' && options.has('spa')) throw refuse('spa is for a local folder only');
  return {
    ...(host === undefined ? {} : { host }),
    path,
    upstream: options.has('spa') ? ({ ...upstream, spa: true } as Folder) : upstream,
    ...(options.has('keep-prefix') ? { keepPrefix: true } : {}),
  };
}

/** As `parseRoute` reads it. */
export function formatRoute({ host = '', path, upstream, keepPrefix }: Route): string {
  const options = [
    ...(keepPrefix === true ? [',keep-prefix'] : []),
    ...(upstream.kind === 'folder' && upstream.spa === true ? [',spa'] : []),
  ];
  return `${host}${path}=${formatUpstream(upstream)}${options.join('')}`;
}

/** The part after the equals sign, without options. */
export function formatUpstream(upstream: Endpoint | Folder): string {
  if (upstream.kind === 'folder') return formatFolder(upstream.path);
  if (upstream.kind === 'unix') {
    const path = formatPath(upstream.path);
    return escapeOptions(isSocketName(upstream.path) ? path : `unix:${path}`);
  }
  return upstream.host === 'localhost' ? String(upstream.port) : formatEndpoint(upstream);
}

type Refuse = (why: string) => UsageError;

function readPlace(place: string, refuse: Refuse): { host: string | undefined; path: string } {
  const slash = place.indexOf('/');
  if (slash === -1) {
    throw refuse(
      place === ''
        ? 'a path is missing; write /=... for everything'
        : `a path is missing; write ${place}/=...`,
    );
  }
  const host = place.slice(0, slash).toLowerCase();
  const path = place.slice(slash);
  if (host.includes(':')) throw refuse('a port has no place here; one port serves every route');
  if (host !== '' && !isHostPattern(host)) {
    throw refuse(`${quoted(host)} is not a host name; write a name or *.name, as in api.localhost`);
  }
  if (/[?#\s]/.test(path)) throw refuse('a path pattern has no query, no # and no spaces');
  if (/%(?![\da-f]{2})/i.test(path)) throw refuse('% must begin an escape of two hexadecimal digits');
  return { host: host === '' ? undefined : host, path: path === '/*' ? '/' : path };
}

/** After a backslash a comma belongs to the path of a socket, where a backslash itself is doubled. */
const option = /(?<!(?:^|[^\\])(?:\\\\)*\\),(keep-prefix|spa)$/;

function readOptions(text: string): { target: string; options: ReadonlySet<string> } {
  const options = new Set<string>();
  let target = text;
  for (let found; (found = option.exec(target)) !== null;) {
    options.add(found[1] as string);
    target = target.slice(0, found.index);
  }
  return { target, options };
}

function readUpstream(text: string, refuse: Refuse): Endpoint | Folder {
  if (isFolder(text)) {
    if (/^~[^/]/.test(text)) throw refuse('only ~/ is understood, not the home of another user');
    return { kind: 'folder', path: folderPath(text) };
  }
  try {
    return parseEndpoint(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw refuse(error.message);
  }
}

function isFolder(text: string): boolean {
  if (text === '.' || text === '..' || text === '~') return true;
  if (/^unix[:/]/.test(text) || text.startsWith('[')) return false;
  return text.endsWith('/') || (text.includes('/') && !/^[^/]*:/.test(text) && !isSocketName(text));
}

function isSocketName(path: string): boolean {
  return /.\.sock(?:et)?$/.test(basename(path));
}

/** Without the slash at the end, which says only that it is a folder. */
function folderPath(text: string): string {
  if (text === '~') return '~/';
  return text.length > 1 && text !== '~/' ? text.replace(/(?<=.)\/+$/, '') : text;
}

/** A slash at the end where it would be read as something else without it. */
function formatFolder(path: string): string {
  const plain = isFolder(path) && folderPath(path) === path && !/(?:\\|,keep-prefix|,spa)$/.test(path);
  if (plain) return path;
  return /^unix(?:[:/]|$)/.test(path) ? `./${path}/` : `${path}/`;
}

/** What would be taken for an option. */
function escapeOptions(text: string): string {
  return text.replace(/,(?=(?:keep-prefix|spa)(?:,|$))/g, String.raw`\$&`);
}
