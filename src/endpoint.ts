import { isIPv4, isIPv6 } from './ip-address.ts';
import type { Duplex } from 'node:stream';
import { UsageError } from './errors.ts';

/** A TCP address: a name or an IP address (IPv6 without brackets), and a port from 1 to 65535. */
export interface TcpEndpoint {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/**
 * A Unix domain socket. On the remote, `~` and relative paths are from the home of the user there.
 * The path always has a slash: a socket in the folder itself is `./app.sock`.
 */
export interface UnixEndpoint {
  readonly kind: 'unix';
  readonly path: string;
}

/** A place to listen or to connect to. */
export type Endpoint = TcpEndpoint | UnixEndpoint;

/**
 * Opens one connection to an endpoint: the only thing that whatever accepts (a listener, SOCKS, the HTTP proxy)
 * knows about the other side.
 *
 * The stream keeps half-closes (`allowHalfOpen`) and belongs to the caller, who ends or destroys it. When the way
 * to the other side is lost the stream is destroyed with an error; it never ends as if it were complete.
 * An aborted `signal` gives up a dial that is under way. Rejects with a `DialError`, or with a
 * `ConnectionLostError` if there is no way to the other side at all.
 */
export type Dialer = (endpoint: Endpoint, signal?: AbortSignal) => Promise<Duplex>;

/** `localhost:8081`, `[::1]:80`, `/srv/app/app.sock`: as `parseEndpoint` reads it, so a colon in a path is `\:`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === 'unix'
    ? formatPath(endpoint.path)
    : `${bracketed(endpoint.host)}:${endpoint.port}`;
}

/** An IPv6 address in brackets, anything else as it is. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** A socket's path as a field: what would end the field or change its meaning is escaped. */
export function formatPath(path: string): string {
  return withSlash(path).replace(/^\[|[\\:]/g, String.raw`\$&`);
}

/**
 * Reads `3000` (localhost), `host:3000`, `[::1]:80`, `/path`, `~/path`, `./path`, and a socket as servers write it:
 * `unix:/path`, `unix:app.sock`, `unix//path`, `unix/app.sock`. Throws a `UsageError` (`bad-endpoint`).
 */
export function parseEndpoint(text: string): Endpoint {
  const refuse: Refuse = (why) => new UsageError('bad-endpoint', `${quoted(text)}: ${why}`);
  return toEndpoint(readFields(text, refuse), refuse);
}

/** Makes the error that refuses the text being read; `why` says what would be right. */
export type Refuse = (why: string) => UsageError;

/** What stands between two colons. */
export interface Field {
  /** Without escapes, brackets and `unix:`. */
  readonly text: string;
  readonly kind: 'word' | 'bracketed' | 'path';
}

/** Splits at colons as OpenSSH's `parse_fwd_field` (readconf.c) does, and knows `unix:` and `unix/`. */
export function readFields(text: string, refuse: Refuse): readonly Field[] {
  if (text === '') throw refuse('a port or a socket is missing; write 8081 or /srv/app/app.sock');
  if (/\p{Cc}/u.test(text)) throw refuse('control characters are not allowed');
  if (/^(?:https?|wss?|tcp|ssh):\/\//i.test(text))
    throw refuse('a URL is not understood here; write HOST:PORT');
  const fields: Field[] = [];
  for (let start = 0; ;) {
    const { field, end } = readField(text, start, refuse);
    fields.push(field);
    if (end === text.length) return fields;
    start = end + 1;
  }
}

/** The field at `start` and where it ends: at a colon, or with the text. */
function readField(text: string, start: number, refuse: Refuse): { field: Field; end: number } {
  if (text[start] === '[') return readBracketed(text, start, refuse);
  const prefix = serverPrefix(text, start);
  let value = '';
  let slash = false;
  let end = start + prefix;
  for (; end < text.length && text[end] !== ':'; end++) {
    if (text[end] === '\\') {
      if (++end === text.length)
        throw refuse('nothing follows the last backslash; write \\\\ for a backslash itself');
    } else if (text[end] === '/') {
      slash = true;
    }
    value += text[end];
  }
  return { field: { text: value, kind: slash || prefix > 0 ? 'path' : 'word' }, end };
}

function readBracketed(text: string, start: number, refuse: Refuse): { field: Field; end: number } {
  const close = text.indexOf(']', start);
  if (close === -1) throw refuse('the closing bracket ] is missing');
  const end = close + 1;
  if (end < text.length && text[end] !== ':') throw refuse('a colon must follow the closing bracket ]');
  const inside = text.slice(start + 1, close);
  return { field: { text: inside, kind: inside.includes('/') ? 'path' : 'bracketed' }, end };
}

/** The length of `unix:` or `unix/` at `start`. `unix:3000` is a port of a host called unix, as it is for ssh. */
function serverPrefix(text: string, start: number): number {
  const prefix = /unix(?::(?!(?:\d+|auto)(?::|$))|\/)/y;
  prefix.lastIndex = start;
  return prefix.exec(text)?.[0].length ?? 0;
}

/** The endpoint that `PORT`, `HOST:PORT` or a path stands for. */
export function toEndpoint(fields: readonly Field[], refuse: Refuse): Endpoint {
  const [first, second, ...more] = fields;
  if (first === undefined || more.length > 0) {
    throw refuse('there are too many colons; write HOST:PORT, with an IPv6 address in brackets: [::1]:80');
  }
  if (second !== undefined) return { kind: 'tcp', host: toHost(first, refuse), port: toPort(second, refuse) };
  if (first.kind === 'path') return { kind: 'unix', path: toSocketPath(first, refuse) };
  if (!/^[\d+-]/.test(first.text)) throw refuse(wordAdvice(first.text));
  return { kind: 'tcp', host: 'localhost', port: toPort(first, refuse) };
}

/** What a word that is neither a port nor a path may have been meant as. */
function wordAdvice(word: string): string {
  return /^[\w.-]+$/.test(word)
    ? `${word} is not a port; for a socket write ./${word} or unix:${word}, for a host ${word}:PORT`
    : 'this is neither a port from 1 to 65535 nor the path of a socket';
}

const portAdvice = 'write a number from 1 to 65535';

/** A number from 1 to 65535; `zeroAdvice` says what would be right in the place of a 0. */
export function toPort({ text, kind }: Field, refuse: Refuse, zeroAdvice = portAdvice): number {
  if (text === '') throw refuse('a port is missing');
  if (kind !== 'word' || !/^\d+$/.test(text)) throw refuse(`${quoted(text)} is not a port; ${portAdvice}`);
  const port = Number(text);
  if (port === 0) throw refuse(`0 is not a port; ${zeroAdvice}`);
  if (port > 65535) throw refuse(`${quoted(text)} is too large for a port; ${portAdvice}`);
  return port;
}

/** A host name or an IP address. It is resolved where it is used, so any letters are taken, but no delimiters. */
export function toHost({ text, kind }: Field, refuse: Refuse): string {
  if (text === '') throw refuse('a host is missing; for the remote itself write localhost');
  if (kind === 'bracketed' && text.includes(':')) {
    if (!isIPv6(text)) throw refuse(`[${text}] is not an IPv6 address`);
    return text;
  }
  if (text === '*') throw refuse('* stands for every local interface and cannot be connected to');
  if (text.includes('@'))
    throw refuse('a user name has no place here; it belongs to the host of the SSH connection');
  if (/^[\d.]+$/.test(text) && !isIPv4(text)) throw refuse(`${text} is not a host name or an IP address`);
  if (text.length > 253) throw refuse('the host name is longer than 253 characters');
  // A leading dash would be taken for an option by a program that is given the name.
  if (kind === 'path' || !/^(?!-)[\p{L}\p{M}\p{N}_.-]+$/u.test(text))
    throw refuse(`${quoted(text)} is not a host name`);
  return text;
}

/** Linux's limit for `sun_path` without its final NUL. */
const longestSocketPath = 107;

export function toSocketPath({ text }: Field, refuse: Refuse): string {
  if (text === '') throw refuse('the path of a socket is missing after unix');
  if (text.endsWith('/')) throw refuse(`${quoted(text)} is a folder; write the path of the socket in it`);
  if (/^~[^/]+\//.test(text))
    throw refuse('only ~/ is understood, not the home of another user; write the full path');
  // unix:///path is how Docker writes it.
  const path = withSlash(text.replace(/^\/{2,}/, '/'));
  const length = Buffer.byteLength(path);
  if (length > longestSocketPath) {
    throw refuse(`the path of a socket has at most ${longestSocketPath} bytes, this one has ${length}`);
  }
  return path;
}

/** Without the `./` these would be read as a word, or as a server's `unix/`. */
function withSlash(path: string): string {
  return !path.includes('/') || path.startsWith('unix/') ? `./${path}` : path;
}

/** The word in quotes, harmless to a terminal and of bearable length. */
export function quoted(word: string): string {
  const shown = word.length > 200 ? `${word.slice(0, 200)}…` : word;
  return `"${shown.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}
