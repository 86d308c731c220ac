import type { Duplex } from 'node:stream';
import type { Dialer } from '../../endpoint.ts';
import { ClientLeft } from './request-bytes.ts';
import { readSocksRequest } from './read-request.ts';
import { SocksRefusal } from './request.ts';
import { sayLast } from './say-last.ts';

export interface SocksOptions {
  /** Within which the client must have sent its whole request; 30 s unless told otherwise. */
  readonly requestTimeoutMs?: number | undefined;
  /** Gives up at once; the client is then the caller's to close, unless it has been ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The server's side of SOCKS 4, 4a and 5, CONNECT without authentication: reads where the client wants to go, dials
 * it, and answers once that has succeeded or failed. Resolves with the stream that was dialled, for the caller to relay;
 * what the client sent after its request is still to be read from it. Resolves with undefined, and the client destroyed,
 * if it left without having asked for anything.
 *
 * Rejects with what the dialer rejects with, with a `DialError` (`bad-socks-request`, `socks-request-timeout`), or with
 * the reason of `signal`. Unless by the last, the client has been answered and ended by then, and closes soon without
 * the caller. The caller handles its errors.
 */
export async function acceptSocks(
  client: Duplex,
  dial: Dialer,
  { requestTimeoutMs = 30_000, signal }: SocksOptions = {},
): Promise<Duplex | undefined> {
  let answerTo = answerToUnread;
  try {
    const request = await readSocksRequest(client, requestTimeoutMs, signal);
    answerTo = request.refused;
    const remote = await dial(request.endpoint, signal);
    if (signal?.aborted !== true) client.write(request.granted);
    return remote;
  } catch (error) {
    if (error instanceof ClientLeft) {
      client.destroy();
      return undefined;
    }
    if (signal?.aborted !== true) sayLast(client, answerTo(error), signal);
    throw error;
  }
}

/** What a client gets whose request was not understood, or not read at all. */
function answerToUnread(error: unknown): Buffer {
  return error instanceof SocksRefusal ? error.answer : Buffer.alloc(0);
}
