import type { Duplex } from 'node:stream';
import { DialError } from '../../errors.ts';
import { httpAnswer, looksLikeHttp } from './http.ts';
import { SocksRefusal, type SocksRequest } from './request.ts';
import { RequestBytes } from './request-bytes.ts';
import { readSocks4 } from './socks4.ts';
import { noAcceptableMethods, readSocks5 } from './socks5.ts';

/**
 * Reads the request of a SOCKS 4, 4a or 5 client; what the client sent after it stays in the stream.
 *
 * Rejects with a `SocksRefusal` that holds the answer for the client, with a `DialError` (`socks-request-timeout`)
 * after `timeoutMs`, with `ClientLeft`, or with the reason of `signal`. The stream is left open.
 */
export async function readSocksRequest(
  client: Duplex,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<SocksRequest> {
  signal?.throwIfAborted();
  const bytes = new RequestBytes(client);
  const timer = setTimeout(() => bytes.stop(timedOut(timeoutMs)), timeoutMs);
  const abort = (): void => bytes.stop(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await readVersioned(bytes, client);
  } finally {
    signal?.removeEventListener('abort', abort);
    clearTimeout(timer);
    bytes.release();
  }
}

async function readVersioned(bytes: RequestBytes, client: Duplex): Promise<SocksRequest> {
  const version = await bytes.takeByte();
  if (version === 5) return readSocks5(bytes, (answer) => client.write(answer));
  if (version === 4) return readSocks4(bytes);
  if (looksLikeHttp(version)) throw new SocksRefusal('it speaks HTTP', httpAnswer);
  // No version has an answer for this one. Whatever reads a first byte of 5 learns what is spoken here.
  throw new SocksRefusal(`${version} is not a version of SOCKS`, noAcceptableMethods);
}

function timedOut(timeoutMs: number): DialError {
  return new DialError(
    'socks-request-timeout',
    `A SOCKS client did not say within ${timeoutMs / 1000} s what to connect to`,
  );
}
