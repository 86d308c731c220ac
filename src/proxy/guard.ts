import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { type HostField, matchesHost, parseHostField } from './host.ts';

/** Why a request is not served, before anything of it reaches an upstream. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly why: string;
  readonly hint: readonly string[];
}

/** A request that may be served. */
export interface Admitted {
  readonly host: HostField;
  /** As the client wrote it. */
  readonly hostport: string;
  /** Escaped, and beginning with a slash. */
  readonly path: string;
  readonly query: string;
}

export interface GuardOptions {
  /** Names, and `*.name`, beside the loopback ones. */
  readonly hosts: readonly string[];
  /** `http://localhost:5173`; other sites that may change things. */
  readonly allowOrigins: readonly string[];
}

const loopback = ['localhost', '127.0.0.1', '::1'];

/**
 * Judges a request by itself. Node.js has refused already what its parser takes for malformed; what is left are shapes that the
 * next parser may read in another way, names that are not ours, and requests that another site makes a browser send.
 */
export class Guard {
  readonly #hosts: readonly string[];
  readonly #origins: ReadonlySet<string>;

  constructor({ hosts, allowOrigins }: GuardOptions) {
    this.#hosts = [...new Set([...loopback, ...hosts])];
    this.#origins = new Set(allowOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  }

  get hosts(): readonly string[] {
    return this.#hosts;
  }

  admit(request: IncomingMessage, upgrade: boolean): Admitted | Refusal {
    const malformed = refuseShape(request);
    if (malformed !== undefined) return malformed;
    const target = readTarget(request);
    if (target === undefined)
      return badRequest('the request names no path, or no host, in a form that is understood');
    if (!this.#knows(target.host.name)) return this.#misdirected(target.hostport);
    return this.#refuseCrossSite(request, target, upgrade) ?? target;
  }

  #knows(name: string): boolean {
    return this.#hosts.some((pattern) => matchesHost(pattern, name));
  }

  #misdirected(hostport: string): Refusal {
    const known = this.#hosts.join(', ');
    return {
      status: 421,
      code: 'host-unknown',
      why: `This proxy does not answer to the name ${hostport}`,
      hint: [`It answers to ${known}.`, 'To add a name, write a route for it or list it with --allow-host.'],
    };
  }

  /**
   * As Go's CrossOriginProtection: browsers say where a request comes from in Sec-Fetch-Site, older ones only in Origin;
   * what says neither is no browser. Our own other names are not another site.
   */
  #refuseCrossSite(request: IncomingMessage, target: Admitted, upgrade: boolean): Refusal | undefined {
    if (!upgrade && isSafe(request.method ?? '')) return undefined;
    const site = request.headers['sec-fetch-site'];
    const { origin } = request.headers;
    if (site === 'same-origin' || site === 'none') return undefined;
    if (site === undefined && origin === undefined) return undefined;
    if (origin !== undefined && this.#isAllowedOrigin(origin, target)) return undefined;
    return {
      status: 403,
      code: 'cross-site',
      why: `A page of ${origin ?? 'another site'} may not ${upgrade ? 'open a connection' : 'change anything'} here`,
      hint:
        origin === undefined || origin === 'null' ? [] : [`If it may, start with --allow-origin ${origin}`],
    };
  }

  #isAllowedOrigin(origin: string, target: Admitted): boolean {
    if (this.#origins.has(origin.toLowerCase())) return true;
    const written = /^http:\/\/(.+)$/i.exec(origin)?.[1];
    const own = written === undefined ? undefined : parseHostField(written);
    return own !== undefined && own.port === target.host.port && this.#knows(own.name);
  }
}

export function isRefusal(result: Admitted | Refusal): result is Refusal {
  return 'status' in result;
}

/** RFC 9110, section 9.2.1. */
export function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method);
}

/** Shapes by which two parsers in a row can be made to see different requests (RFC 9112, sections 6.1 and 11.2). */
function refuseShape({ rawHeaders, headers, httpVersion }: IncomingMessage): Refusal | undefined {
  const count = (name: string): number =>
    rawHeaders.filter((field, index) => index % 2 === 0 && field.toLowerCase() === name).length;
  if (count('host') !== 1) return badRequest('a request has one Host field');
  if (count('content-length') > 1) return badRequest('there is more than one Content-Length');
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (headers['content-length'] !== undefined) {
    return badRequest('there are both a Content-Length and a Transfer-Encoding');
  }
  if (httpVersion === '1.0') return badRequest('HTTP/1.0 has no Transfer-Encoding');
  return coding.toLowerCase() === 'chunked'
    ? undefined
    : badRequest('of transfer codings only chunked is understood');
}

/** Reads the path alone, and what a client writes to a proxy: the whole URL, whose host must be that of the Host field. */
function readTarget({ url = '', headers }: IncomingMessage): Admitted | undefined {
  const hostport = headers.host ?? '';
  const host = parseHostField(hostport);
  const absolute = /^http:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (absolute !== null && absolute[1]?.toLowerCase() !== hostport.toLowerCase()) return undefined;
  const rest = absolute?.[2] ?? url;
  const local = absolute !== null && !rest.startsWith('/') ? `/${rest}` : rest;
  if (host === undefined || !local.startsWith('/') || local.includes('#')) return undefined;
  const mark = local.indexOf('?');
  const path = mark === -1 ? local : local.slice(0, mark);
  if (/%(?![\da-f]{2})/i.test(path)) return undefined;
  return { host, hostport, path, query: mark === -1 ? '' : local.slice(mark + 1) };
}

function badRequest(why: string): Refusal {
  return { status: 400, code: 'bad-request', why: `The request is malformed: ${why}`, hint: [] };
}

/** Addresses that are listened on besides loopback are answered to as well. */
export function addressNames(bound: readonly string[]): readonly string[] {
  return bound.filter((host) => isIP(host) !== 0);
}
