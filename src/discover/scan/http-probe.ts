import type { Dialer, Endpoint } from '../../endpoint.ts';
import { excerpt } from '../excerpt.ts';
import { exchange } from './exchange.ts';

/** How an app answered `GET /`. */
export interface HttpAnswer {
  readonly scheme: 'http' | 'https';
  /** 0 where only TLS answered, which is not gone into. */
  readonly status: number;
  readonly server?: string;
  readonly title?: string;
  /** Where it sends the browser. */
  readonly location?: string;
}

const TIMEOUT_MS = 3000;
/** A title comes early. */
const LONGEST = 64 * 1024;
const LONGEST_NAME = 80;

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'User-Agent: tunnel-scan',
  'Accept: text/html, */*;q=0.1',
  'Connection: close',
  '\r\n',
].join('\r\n');

/** Asks for `/`. Undefined if what answers is not HTTP, or nothing in time; throws what the dialer throws. */
export async function probeHttp(
  dial: Dialer,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<HttpAnswer | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return readAnswer(await exchange(await dial(endpoint, limit), REQUEST, LONGEST, limit));
}

/** What can be read from the first bytes of an answer. */
export function readAnswer(bytes: Buffer): HttpAnswer | undefined {
  // RFC 8446, section 5.1: an alert, for what was no handshake.
  if (bytes[0] === 0x15 && bytes[1] === 3) return { scheme: 'https', status: 0 };
  const text = bytes.toString('utf8');
  const [, status, head = ''] = /^HTTP\/1\.[01] (\d{3})[^\n]*\n((?:[^\r\n]+\r?\n)*)/.exec(text) ?? [];
  if (status === undefined) return undefined;
  const body = text.slice(text.search(/\r?\n\r?\n/));
  // nginx, Caddy and Go, Apache: plain HTTP to a port of TLS.
  if (status === '400' && /HTTPS (server|port)|speaking plain HTTP to an SSL/i.test(body)) {
    return { scheme: 'https', status: 0, ...field(head, 'server') };
  }
  return {
    scheme: 'http',
    status: Number(status),
    ...field(head, 'server'),
    ...title(body),
    ...field(head, 'location'),
  };
}

function field<Name extends 'server' | 'location'>(head: string, name: Name): { [Key in Name]?: string } {
  const value = new RegExp(`^${name}:[ \t]*(.+?)\\s*$`, 'im').exec(head)?.[1];
  return (value === undefined ? {} : { [name]: shortened(value) }) as { [Key in Name]?: string };
}

function title(body: string): { title?: string } {
  const raw = /<title[^>]*>([^<]*)<\/title/i.exec(body)?.[1]?.trim();
  if (!raw) return {};
  const decoded = raw.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
  return { title: shortened(decoded.replaceAll(/\s+/g, ' ')) };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function shortened(text: string): string {
  return excerpt(text).slice(0, LONGEST_NAME);
}
